import { onMount, tick } from 'svelte';
import type { Outcome } from '../api/client';
import type { Problem } from '../api/problem';
import { wordsOf } from '../api/words';
import { focusScreen } from '../focus';
import { leaveToken, takeToken } from './token';

type Ways<T> = {
  /** Asks what the link is for. A screen that learns it at the press alone asks nothing. */
  asks?: (token: string) => Promise<Outcome<T>>;
  /** What the link before came to is over. */
  begins?: () => void;
  /** It is known what the link is for. */
  came?: (value: T) => void;
};

/** A link with a one-time token, on the screen that it opened; opening it does nothing yet. */
export class Opened<T = never> {
  token = $state(takeToken());
  value = $state.raw<T | undefined>();
  /** The link is good for nothing, or not known to be good. */
  over = $state.raw<Problem | undefined>();
  readonly words = $derived(this.over && wordsOf(this.over));

  constructor(readonly ways: Ways<T> = {}) {
    onMount(() => {
      const page = location.pathname;
      void this.look();
      // A link pasted over this page's own address changes nothing but the fragment: no new page is loaded.
      const pasted = () => {
        if (location.hash === '') return; // it was taken out of the address, here
        this.token = takeToken();
        ways.begins?.();
        void this.look();
      };
      window.addEventListener('hashchange', pasted);
      return () => {
        window.removeEventListener('hashchange', pasted);
        leaveToken(page);
      };
    });
  }

  async look() {
    const { asks, came } = this.ways;
    this.value = undefined;
    this.over = undefined;
    const shown = this.token;
    if (shown === undefined || asks === undefined) return;
    const outcome = await asks(shown);
    if (shown !== this.token) return;
    if (outcome.ok) {
      this.value = outcome.value;
      came?.(outcome.value);
    } else this.over = outcome.problem;
    // What was focused on arrival is gone.
    await tick();
    focusScreen();
  }
}
