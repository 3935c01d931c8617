import { locale, unit } from './numbers';

export { clockSpan, number } from './numbers';

/** 78 %, rounded down so that 100 % is everybody. */
export function share(part: number, whole: number): string {
  const exact = whole === 0 ? 0 : Math.floor((part * 100) / whole) / 100;
  return new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: 0 }).format(exact);
}

/** 12 March 2026 */
export function date(instant: string | Date): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'long' }).format(new Date(instant));
}

/** 5 Dec, with the year when it is not this one. */
export function shortDate(instant: string | Date, now = new Date()): string {
  const when = new Date(instant);
  const year = when.getFullYear() === now.getFullYear() ? undefined : 'numeric';
  return new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short', year }).format(when);
}

export function time(instant: string | Date): string {
  return new Intl.DateTimeFormat(locale(), { timeStyle: 'short' }).format(new Date(instant));
}

/** today, 09:41 · yesterday, 18:03 · 4 days ago · 12 March 2026 */
export function moment(instant: string | Date, now = new Date()): string {
  const when = new Date(instant);
  const days = Math.round((startOfDay(when) - startOfDay(now)) / 86_400_000);
  if (days > 0 || days < -13) return date(when);
  const day = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(days, 'day');
  return days < -1 ? day : list([day, time(when)], 'unit');
}

/** today, 14:05 · tomorrow, 09:41 · 28 November 2026 at 09:41: to the minute, for what somebody waits for. */
export function due(instant: string | Date, now = new Date()): string {
  const when = new Date(instant);
  const days = Math.round((startOfDay(when) - startOfDay(now)) / 86_400_000);
  if (days < 0 || days > 1)
    return new Intl.DateTimeFormat(locale(), { dateStyle: 'long', timeStyle: 'short' }).format(when);
  const day = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(days, 'day');
  return list([day, time(when)], 'unit');
}

/** now · 5 minutes ago · 3 hours ago, and from a day on as `moment` says it. */
export function ago(instant: string | Date, now = new Date()): string {
  const minutes = Math.max(0, Math.floor((now.getTime() - new Date(instant).getTime()) / 60_000));
  if (minutes >= 24 * 60) return moment(instant, now);
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  if (minutes === 0) return relative.format(0, 'second');
  return minutes < 60 ? relative.format(-minutes, 'minute') : relative.format(-Math.floor(minutes / 60), 'hour');
}

/** 12 March 2026 at 09:41:07 */
export function exactly(instant: string | Date): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'long', timeStyle: 'medium' }).format(new Date(instant));
}

/** 3 days: how long since, in whole days, at least one. */
export function daysSince(instant: string, now = new Date()): string {
  const days = Math.max(1, Math.floor((now.getTime() - new Date(instant).getTime()) / 86_400_000));
  return unit(days, 'day');
}

/** 2026-03-12 by the reader's own calendar day: for names of files. */
export function isoDay(instant: string | Date): string {
  const when = new Date(instant);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
}

/** 12 seconds, 4 minutes, 1 hour and 30 minutes, 2 days: rounded to what a person would say. */
export function span(seconds: number): string {
  const total = Math.abs(Math.round(seconds));
  if (total < 60) return unit(total, 'second');
  const minutes = Math.round(total / 60);
  if (minutes < 60) return unit(minutes, 'minute');
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours >= 48) {
    const days = unit(Math.floor(hours / 24), 'day');
    return hours % 24 === 0 ? days : list([days, unit(hours % 24, 'hour')], 'conjunction');
  }
  return rest === 0 ? unit(hours, 'hour') : list([unit(hours, 'hour'), unit(rest, 'minute')], 'conjunction');
}

export function list(parts: string[], type: 'unit' | 'conjunction' | 'disjunction'): string {
  return new Intl.ListFormat(locale(), { type, style: 'long' }).format(parts);
}

function startOfDay(when: Date): number {
  return new Date(when.getFullYear(), when.getMonth(), when.getDate()).getTime();
}
