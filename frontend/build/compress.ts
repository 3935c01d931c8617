import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import type { Plugin } from 'vite';

const brotli = promisify(brotliCompress);

/**
 * Puts `.br` in the place of every hashed asset, so that the program carries one copy of each: browsers take it wherever
 * there is TLS, and for others the server packs it anew, once.
 * `index.html` is left out: the server fills its metas before it is sent.
 */
export function compress(): Plugin {
  let folder = '';
  return {
    name: 'secondstep-compress',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir, config.build.assetsDir);
    },
    async closeBundle() {
      const names = (await readdir(folder)).filter((name) => /\.(js|css|svg|json)$/.test(name));
      await Promise.all(
        names.map(async (name) => {
          const path = join(folder, name);
          const plain = await readFile(path);
          const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
          await writeFile(`${path}.br`, await brotli(plain, { params: quality }));
          await rm(path);
        }),
      );
    },
  };
}
