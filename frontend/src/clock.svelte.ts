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

/** Whole seconds until an instant of the browser's clock, never below 0. Reactive. */
export function secondsUntil(instant: number): number {
  return Math.max(0, Math.ceil((instant - now()) / 1_000));
}
