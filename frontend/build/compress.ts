import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const brotli = promisify(brotliCompress);
const deflate = promisify(gzip);

/**
 * Writes `.br` and `.gz` beside every hashed asset, so that the server never compresses.
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
        }),
      );
    },
  };
}
