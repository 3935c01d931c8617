import { createSubscriber } from 'svelte/reactivity';

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 500);
  return () => clearInterval(timer);
});

/** The browser's clock, as state: what reads it in a template is brought up to date twice a second. Milliseconds. */
export function now(): number {
  subscribe();
  return Date.now();
}

let ahead = 0;

/**
 * Notes an answer's Date: what lives and dies on the server goes by the server's clock, and a browser whose own is wrong
 * must not find its sign-in over before it began. To the second, which is enough for minutes.
 */
export function serverSaid(date: string | null) {
  const said = Date.parse(date ?? '');
  if (!Number.isNaN(said)) ahead = said + 500 - Date.now();
}

/** The server's clock as far as its last answer tells, as state. Milliseconds. */
export function serverNow(): number {
  return now() + ahead;
}

/** Whole seconds until an instant of the browser's clock, never below 0. Reactive. */
export function secondsUntil(instant: number): number {
  return Math.max(0, Math.ceil((instant - now()) / 1_000));
}
