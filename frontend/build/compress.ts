import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const brotli = promisify(brotliCompress);
const deflate = promisify(gzip);

/**
 * Puts `.br` and `.gz` in the place of every hashed asset, so that the server never compresses and carries no third
 * copy: it unpacks one for the rare client that takes neither.
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
          await writeFile(`${path}.gz`, await deflate(plain, { level: constants.Z_BEST_COMPRESSION }));
          await rm(path);
        }),
      );
    },
  };
}
