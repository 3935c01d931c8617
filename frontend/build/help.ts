import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { minifySync, type Plugin, transformWithOxc } from 'vite';

const articles = resolve('server/help/articles');
const screenshots = resolve('docs/screenshots');

/** The pictures that articles show: those of `make screenshots`, as they look in a narrow window. */
function pictures(): Set<string> {
  const files = readdirSync(articles, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.md'));
  const shown = files.flatMap((path) => [
    ...readFileSync(join(articles, path), 'utf8').matchAll(/!\[[^\]]*\]\(([^)]+\.png)\)/g),
  ]);
  return new Set(shown.map(([, name]) => name ?? ''));
}

/**
 * What the help needs of the front end, whose pages the server makes itself: one stylesheet, in which the tokens are
 * those of the screens, one small script, and the pictures that its articles name.
 */
export function help(): Plugin {
  let root = '';
  return {
    name: 'secondstep-help',
    apply: 'build',
    configResolved(config) {
      root = config.root;
    },
    async buildStart() {
      const read = (path: string) => readFileSync(join(root, 'src', path), 'utf8');
      const css = [
        'tokens.css',
        'base.css',
        'help/help.css',
        'help/article.css',
        'help/index.css',
        'help/support.css',
        'help/print.css',
      ]
        .map(read)
        .join('\n');
      const source = css.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\s+/g, ' ');
      this.emitFile({ type: 'asset', name: 'help.css', source });
      const { code } = await transformWithOxc(read('help/help.ts'), 'help.ts');
      this.emitFile({ type: 'asset', name: 'help.js', source: minifySync('help.js', code).code });
      for (const name of pictures()) {
        const picture = readFileSync(join(screenshots, name));
        this.emitFile({ type: 'asset', fileName: `help/pictures/${name}`, source: picture });
      }
    },
  };
}
