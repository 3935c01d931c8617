/** Dates, numbers and lengths of time in the language of the document, by the reader's regional habits for it. */
export function locale(): string {
  const language = document.documentElement.lang || 'en';
  const regional = navigator.languages?.find((tag) => tag === language || tag.startsWith(`${language}-`));
  return regional ?? language;
}

export function number(value: number, minimumIntegerDigits = 1): string {
  return new Intl.NumberFormat(locale(), { minimumIntegerDigits }).format(value);
}

/** 4:05, for countdowns that are watched. */
export function clockSpan(seconds: number): string {
  const total = Math.max(0, Math.ceil(seconds));
  if (total < 60) return unit(total, 'second');
  const rest = number(total % 60, 2);
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${number(minutes)}:${rest}`;
  return `${number(Math.floor(minutes / 60))}:${number(minutes % 60, 2)}:${rest}`;
}

export function unit(value: number, name: 'second' | 'minute' | 'hour' | 'day'): string {
  return new Intl.NumberFormat(locale(), { style: 'unit', unit: name, unitDisplay: 'long' }).format(value);
}
