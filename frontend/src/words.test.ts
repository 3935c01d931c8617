import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import './api/inside';
import { pseudoCatalogue, pseudoLocales } from '../build/pseudo';
import catalogue from '../messages/en.json';
import settings from '../project.inlang/settings.json';
import { fieldWords, problemWords } from './api/words';

type Message = string | { match: Record<string, string> }[];
type Messages = [key: string, message: Message][];
const messages = entries(catalogue as unknown as Record<string, Message>);

function entries(words: Record<string, Message>): Messages {
  return Object.entries(words).filter(([key]) => key !== '$schema');
}

/** All texts of a message: one for each form of its plural. */
function texts(message: Message): string[] {
  return typeof message === 'string' ? [message] : message.flatMap((variant) => Object.values(variant.match));
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'paraglide' || entry.name === 'generated' ? [] : sources(path);
    return /\.(svelte|ts)$/.test(entry.name) && !entry.name.endsWith('.test.ts') ? [path] : [];
  });
}

const here = dirname(fileURLToPath(import.meta.url));
const code = sources(here).map((path) => ({ path, text: readFileSync(path, 'utf8') }));
const all = code.map((file) => file.text).join('\n') + readFileSync(join(here, '../index.html'), 'utf8');

describe('the catalogue', () => {
  it('has no word that nothing shows', () => {
    const unused = messages.map(([key]) => key).filter((key) => !new RegExp(`\\bm\\.${key}\\b|%${key}%`).test(all));
    expect(unused).toEqual([]);
  });

  it('has no word that is not there', () => {
    const known = new Set(messages.map(([key]) => key));
    const named = [...all.matchAll(/\bm\.([a-z][a-z0-9_]*)\b/g)].map((found) => found[1] ?? '');
    expect([...new Set(named)].filter((key) => !known.has(key))).toEqual([]);
  });

  it('is calm: no exclamation marks, no "oops", no stray spaces', () => {
    for (const [key, message] of messages) {
      for (const text of texts(message)) {
        expect(text, key).not.toMatch(/!|oops|\s{2}|^\s|\s$/i);
      }
    }
  });

  it('has two sentences for every problem, and one for every field', () => {
    const keys = new Set(messages.map(([key]) => key));
    for (const name of Object.keys(problemWords)) {
      expect(keys.has(`error_${name}`), name).toBe(true);
      expect(keys.has(`error_${name}_next`), name).toBe(true);
    }
    for (const name of Object.keys(fieldWords)) expect(keys.has(`field_${name}`), name).toBe(true);
    const named = [...keys].filter((key) => key.startsWith('error_') && !key.endsWith('_next'));
    expect(named.map((key) => key.slice(6)).sort()).toEqual(Object.keys(problemWords).sort());
  });

  it('has words for every code that the server can answer with', () => {
    const made = new Set<string>();
    const room = (folder: string) => {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) room(path);
        else if (entry.name.endsWith('.go') && !entry.name.endsWith('_test.go')) {
          const text = readFileSync(path, 'utf8');
          for (const found of text.matchAll(/problem\.New\([^,]+,\s*"([a-z_]+)"/g)) made.add(found[1] ?? '');
        }
      }
    };
    room(join(here, '../../server'));
    expect([...made].filter((name) => !(name in problemWords))).toEqual([]);
  });
});

/** The places of a message, in the order of the alphabet. */
function places(message: Message): string[] {
  const all = texts(message).flatMap((text) => text.match(/\{\w+\}/g) ?? []);
  return [...new Set(all)].sort();
}

const translations: [locale: string, words: Messages][] = [
  ...settings.locales
    .filter((locale) => locale !== settings.baseLocale)
    .map((locale): [string, Messages] => {
      const words = JSON.parse(readFileSync(join(here, `../messages/${locale}.json`), 'utf8'));
      return [locale, entries(words)];
    }),
  ...pseudoLocales.map((locale): [string, Messages] => {
    return [locale, entries(pseudoCatalogue(Object.fromEntries(messages) as never, locale) as never)];
  }),
];

/** What is wrong with a translation: messages that it lacks or has alone, places lost or never filled, forms of numbers. */
function faults(locale: string, words: Messages): string[] {
  const found: string[] = [];
  const english = new Map(messages);
  const translated = new Map(words);
  for (const key of english.keys()) if (!translated.has(key)) found.push(`${key} is missing`);
  const forms = [...new Intl.PluralRules(locale).resolvedOptions().pluralCategories].sort();
  for (const [key, message] of words) {
    const original = english.get(key);
    if (original === undefined) {
      found.push(`${key} is not English`);
      continue;
    }
    if (`${places(message)}` !== `${places(original)}`) found.push(`${key} has the places ${places(message)}`);
    if (typeof message === 'string') continue;
    const named = message.flatMap((variant) => Object.keys(variant.match).map((name) => name.split('=')[1]));
    if (`${named.sort()}` !== `${forms}`) found.push(`${key} has the forms ${named}`);
  }
  return found;
}

describe('a translation', () => {
  it.each(translations)('into %s is whole', (locale, words) => {
    expect(faults(locale, words)).toEqual([]);
  });

  it('is found wanting where it is not', () => {
    const placed = messages.find(([, message]) => typeof message === 'string' && places(message).length > 0)?.[0] ?? '';
    const counted = messages.find(([, message]) => typeof message !== 'string')?.[0] ?? '';
    const wrong = messages
      .slice(1)
      .map(([key, message]): Messages[number] => (key === placed ? [key, 'without its place'] : [key, message]));
    expect(faults('ar-EG', [...wrong, ['of_its_own', 'more']])).toEqual(
      expect.arrayContaining([
        `${messages[0]?.[0]} is missing`,
        `${placed} has the places `,
        `${counted} has the forms one,other`,
        'of_its_own is not English',
      ]),
    );
  });
});

describe('components', () => {
  it('hold no words of their own', () => {
    const found: string[] = [];
    for (const { path, text } of code.filter((file) => file.path.endsWith('.svelte'))) {
      const markup = text
        .replace(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>|<!--[\s\S]*?-->/g, '')
        .replace(/\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}/g, '');
      for (const words of markup.matchAll(/>([^<>]*\p{L}{3,}[^<>]*)</gu)) found.push(`${path}: ${words[1]?.trim()}`);
      for (const words of markup.matchAll(/(?:placeholder|title|alt|aria-label)="([^"]*\p{L}{3,}[^"]*)"/gu)) {
        found.push(`${path}: ${words[1]}`);
      }
    }
    expect(found).toEqual([]);
  });

  it('carry no style attribute, which the policy of the page would drop', () => {
    expect(code.filter((file) => /\sstyle="/.test(file.text)).map((file) => file.path)).toEqual([]);
  });

  it('name the sides of text, not left and right', () => {
    const physical = [
      /(margin|padding|border|(?<!area-)inset)-(left|right|top|bottom)\b/,
      /[\s;{](left|right|top|bottom):/,
      /(text-align|float|clear|caption-side): (left|right)/,
      // Four values of which the second and the fourth differ.
      /(margin|padding|inset|border-(?:width|color|style)): *([\w.%()-]+) +([\w.%()-]+) +([\w.%()-]+) +(?!\3;)[^;]+;/,
      /border-radius: *[^; ]+ [^;]+;|translateX|\b(?:to|at) (left|right)\b/,
    ];
    const styles = [
      ...code.map((file) => ({ ...file, text: file.text.match(/<style[\s\S]*<\/style>/)?.[0] ?? '' })),
      ...[
        'base.css',
        'tokens.css',
        'help/help.css',
        'help/article.css',
        'help/index.css',
        'help/support.css',
        'help/print.css',
      ].map((path) => ({
        path,
        text: readFileSync(join(here, path), 'utf8'),
      })),
    ];
    for (const one of physical) {
      expect(
        styles.filter((file) => one.test(file.text)).map((file) => `${file.path}: ${one.exec(file.text)?.[0]}`),
      ).toEqual([]);
    }
  });
});
