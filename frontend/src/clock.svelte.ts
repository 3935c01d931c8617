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

let ahead = $state.raw(0);
let exact = $state.raw(false);

/**
 * Notes an answer's Date: what lives and dies on the server goes by the server's clock, and a browser whose own is wrong
 * must not find its sign-in over before it began. To the second, which is enough for minutes.
 */
export function serverSaid(date: string | null) {
  const said = Date.parse(date ?? '') + 500;
  if (Number.isNaN(said)) return;
  const difference = said - Date.now();
  // What is known better stays, unless one of the clocks was set meanwhile.
  if (exact && Math.abs(difference - ahead) < 2_000) return;
  ahead = difference;
  exact = false;
}

/** Notes the server's time to the millisecond, as it was at an instant of the browser's clock. */
export function serverSaidExactly(time: number, at: number) {
  ahead = time - at;
  exact = true;
}

/** The server's clock as far as its last answer tells, as state. Milliseconds. */
export function serverNow(): number {
  return now() + ahead;
}

/** Is the server's clock known to the millisecond, as the life of a code wants it? Reactive. */
export function knowsServerClock(): boolean {
  return exact;
}

/** Whole seconds until an instant of the browser's clock, never below 0. Reactive. */
export function secondsUntil(instant: number): number {
  return Math.max(0, Math.ceil((instant - now()) / 1_000));
}
