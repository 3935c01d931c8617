import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/**
 * Prepares index.html: words come from the catalogue (`%message_key%`), and the entry module blocks the first
 * paint, so that a theme chosen by hand shows without a flash although the page carries no inline script.
 */
export function page(): Plugin {
  let root = '';
  return {
    name: 'secondstep-page',
    configResolved(config) {
      root = config.root;
    },
    transformIndexHtml: {
      order: 'post',
      handler(html) {
        const words: Record<string, string> = JSON.parse(readFileSync(join(root, 'messages/en.json'), 'utf8'));
        return html
          .replace(/%([a-z_]+)%/g, (_, key: string) => {
            const text = words[key];
            if (text === undefined) throw new Error(`index.html names the message ${key}, which the catalogue lacks`);
            return text;
          })
          .replace('<script type="module" ', '<script type="module" blocking="render" ');
      },
    },
  };
}
