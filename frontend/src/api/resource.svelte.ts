import { onDestroy } from 'svelte';
import type { Outcome } from './client';
import type { Problem } from './problem';

/** Something that a screen reads: loading, there, or refused. What came last stays while it is read anew. */
export class Resource<T> {
  value = $state.raw<T | undefined>();
  problem = $state.raw<Problem | undefined>();
  loading = $state(false);
  #abort: AbortController | undefined;

  constructor(readonly fetch: (signal: AbortSignal) => Promise<Outcome<T>>) {
    onDestroy(() => this.#abort?.abort());
  }

  /** Reads; an older read that is still under way is forgotten. */
  async load(): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.loading = true;
    const outcome = await this.fetch(abort.signal);
    if (abort.signal.aborted) return;
    this.loading = false;
    this.problem = outcome.ok ? undefined : outcome.problem;
    if (outcome.ok) this.value = outcome.value;
  }
}
