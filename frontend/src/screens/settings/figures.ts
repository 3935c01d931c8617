import { m } from '../../paraglide/messages';

const language = () => document.documentElement.lang || 'en';

/** 4.5:1, rounded down: what is just too little is not shown as enough. */
export function ratio(value: number): string {
  const one = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return m.settings_ratio({ ratio: new Intl.NumberFormat(language(), one).format(Math.floor(value * 10) / 10) });
}

/** The name of a language in the reader's own; nothing for none. */
export function languageName(tag: string): string {
  return tag === '' ? '' : (new Intl.DisplayNames([language()], { type: 'language' }).of(tag) ?? tag);
}
