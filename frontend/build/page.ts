import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';

type Settings = { baseLocale: string; locales: string[] };

/**
 * Prepares index.html: words come from the catalogues (`%message_key%`), what is shown without JavaScript in every
 * language there is, since nobody chooses one then; and the entry module blocks the first paint, so that a theme chosen
 * by hand shows without a flash although the page carries no inline script.
 */
export function page(project: string): Plugin {
  const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
  return {
    name: 'secondstep-page',
    transformIndexHtml: {
      order: 'post',
      handler(html) {
        const { baseLocale, locales }: Settings = read(join(project, 'settings.json'));
        const filled = (text: string, locale: string) => {
          const words: Record<string, string> = read(join(dirname(project), `messages/${locale}.json`));
          return text.replace(/%([a-z_]+)%/g, (_, key: string) => {
            const word = key === 'locale' ? locale : words[key];
            if (word === undefined) throw new Error(`index.html names the message ${key}, which ${locale}.json lacks`);
            return word;
          });
        };
        const first = [baseLocale, ...locales.filter((locale) => locale !== baseLocale)];
        const everyLanguage = html.replace(/(?<=<noscript>)[\s\S]*(?=<\/noscript>)/, (inside) =>
          first.map((locale) => filled(inside, locale)).join(''),
        );
        return filled(everyLanguage, baseLocale).replace(
          '<script type="module" ',
          '<script type="module" blocking="render" ',
        );
      },
    },
  };
}
