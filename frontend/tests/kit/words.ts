import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type catalogue from '../../messages/en.json';

/** A message of the catalogue. */
export type Key = Exclude<keyof typeof catalogue, '$schema'>;

type Plural = { declarations: string[]; selectors: string[]; match: Record<string, string> };
export type Catalogue = Record<string, string | Plural[]>;
export type Say = (key: Key, params?: Record<string, string | number>) => string;

export const messages: Catalogue = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../messages/en.json'), { encoding: 'utf8' }),
);

/**
 * What a message reads on the screen, its places filled. Tests say what they expect by the catalogue's keys, so that a
 * better sentence breaks none of them.
 */
export const say: Say = sayer(messages, 'en');

/** The same by another catalogue. */
export function sayer(catalogue: Catalogue, locale: string): Say {
  const plurals = new Intl.PluralRules(locale);
  return (key, params = {}) => {
    const message = catalogue[key];
    if (message === undefined) throw new Error(`the catalogue has no message ${key}`);
    const text = typeof message === 'string' ? message : chosen(message, plurals.select(Number(params.count)));
    const shown = params.count ?? '';
    return text
      .replace(/\{(\w+)\}/g, (_, name: string) => {
        const value = { shown, ...params }[name];
        if (value === undefined) throw new Error(`${key} wants ${name}`);
        return String(value);
      })
      .replaceAll('**', '');
  };
}

function chosen([only]: Plural[], category: Intl.LDMLPluralRule): string {
  const form = `countPlural=${category}`;
  const text = only?.match[form];
  if (text === undefined) throw new Error(`no form ${form}`);
  return text;
}

/** The words of a message before, between and after its places: for what stands around a figure that moves. */
export function pattern(key: Key): RegExp {
  const message = messages[key];
  if (typeof message !== 'string') throw new Error(`${key} has plural forms`);
  const pieces = message.replaceAll('**', '').split(/\{\w+\}/);
  return new RegExp(pieces.map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+?'));
}

const zone = 'Europe/Berlin';

/** A date as the pages write it, in the zone and language of the tests' browsers: 12 March 2026. */
export function longDate(when: Date): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: zone }).format(when);
}

/** A day as names of files have it, in the zone of the tests' browsers. */
export function isoDay(when: Date): string {
  return new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeZone: zone }).format(when);
}

/** Today with a time, as the pages write what was a moment ago. */
export function today(when: Date): string {
  const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: zone }).format(when);
  return `today, ${time}`;
}
