import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Two languages that nobody speaks, for the tests: English words in letters that English has none of, and 40 % longer.
 * What a page shows in plain letters is then no word of the catalogue, and what has no room shows. They go by the names
 * of languages whose dates are in other letters too; the second is written from right to left, with figures of its own
 * and six forms for a number.
 */
export const pseudoLocales = ['el-GR', 'ar-EG'];

type Plural = { declarations: string[]; selectors: string[]; match: Record<string, string> };
type Message = string | Plural[];
type Catalogue = Record<string, Message>;

const small = 'abcdefghijklmnopqrstuvwxyz';
const letters: Record<string, string[]> = {
  'el-GR': [...'åƀçđéƒğĥîĵķļɱñöþǫŕšţûṽŵẋýž', ...'ÅƁÇĐÉƑĞĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ'],
  'ar-EG': [...'אבגדהוזחטיכלמנסעפצקרשתםןףץ', ...'אבגדהוזחטיכלמנסעפצקרשתםןףץ'],
};
const longer = 1.4;

/** A sentence in the letters of a pseudo-locale; places, and the stars around what is bold, stay. */
export function pseudo(text: string, locale: string): string {
  const alphabet = letters[locale];
  if (!alphabet) throw new Error(`no letters for ${locale}`);
  const pieces = text.split(/(\{\w+\}|\*\*)/);
  const own = pieces.filter((_, i) => i % 2 === 0).join('').length;
  let missing = Math.ceil(own * (longer - 1));
  const spoken = pieces.map((piece, i) => {
    if (i % 2 === 1) return piece;
    return [...piece]
      .map((sign) => {
        const digit = /[0-9]/.test(sign) ? String.fromCodePoint((sign.codePointAt(0) ?? 0) + 0xfee0) : undefined;
        const at = (small + small.toUpperCase()).indexOf(sign);
        const said = digit ?? alphabet[at] ?? sign;
        // A word grows where a voice would draw it out.
        if (!/[aeiouy]/i.test(sign) || missing <= 0) return said;
        missing--;
        return said + said;
      })
      .join('');
  });
  const rest = '~'.repeat(Math.max(0, missing)).replace(/~{5}(?=~)/g, '$& ');
  return `⟦${spoken.join('')}${rest}⟧`;
}

/** All forms that a number has in the language, made of the two that English has. */
function plural(message: Plural, locale: string): Plural {
  const [selector = ''] = message.selectors;
  const form = (name: string) => message.match[`${selector}=${name}`] ?? message.match[`${selector}=other`] ?? '';
  const names = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
  const match = names.map((name) => [`${selector}=${name}`, pseudo(form(name === 'one' ? 'one' : 'other'), locale)]);
  return { ...message, match: Object.fromEntries(match) };
}

/** The whole catalogue in a pseudo-locale. */
export function pseudoCatalogue(words: Catalogue, locale: string): Catalogue {
  const said = Object.entries(words)
    .filter(([key]) => key !== '$schema')
    .map(([key, message]): [string, Message] => [
      key,
      typeof message === 'string' ? pseudo(message, locale) : message.map((one) => plural(one, locale)),
    ]);
  return Object.fromEntries(said);
}

/**
 * Writes the front end's words into a folder of their own, the pseudo-locales among them: files, and nothing else, as
 * with any other locale. Answers the folder of the project.
 */
export function pseudoProject(frontend: string, folder: string): string {
  const project = join(folder, 'project.inlang');
  const read = (path: string) => JSON.parse(readFileSync(join(frontend, path), 'utf8'));
  const words: Catalogue = read('messages/en.json');
  const settings = read('project.inlang/settings.json');
  const write = (path: string, content: unknown) => writeFileSync(join(folder, path), JSON.stringify(content));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  mkdirSync(join(folder, 'messages'));
  write('project.inlang/settings.json', {
    ...settings,
    locales: ['en', ...pseudoLocales],
    modules: settings.modules.map((path: string) => `../${path}`),
  });
  write('messages/en.json', words);
  for (const locale of pseudoLocales) write(`messages/${locale}.json`, pseudoCatalogue(words, locale));
  return project;
}
