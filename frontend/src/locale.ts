import { baseLocale, getTextDirection, locales, overwriteGetLocale } from './paraglide/runtime';

/**
 * The language of the page: the first that the browser asks for and a catalogue is there for, be it the one of another
 * region; else the one that all others are translated from.
 */
export function preferred<L extends string>(asked: readonly string[], there: readonly L[], otherwise: L): L {
  for (const tag of asked) {
    const language = tag.replace(/-.*/, '');
    const found =
      there.find((one) => one === tag) ??
      there.find((one) => one === language) ??
      there.find((one) => one.startsWith(`${language}-`));
    if (found !== undefined) return found;
  }
  return otherwise;
}

/** Chooses once for as long as the page lives: words, dates, numbers and the direction of writing go together. */
export function settle() {
  const locale = preferred(navigator.languages ?? [], locales, baseLocale);
  overwriteGetLocale(() => locale);
  document.documentElement.lang = locale;
  document.documentElement.dir = getTextDirection(locale);
}
