import { tick } from 'svelte';
import { api, send } from '../../api/client';
import type { Problem, ProblemField } from '../../api/problem';
import type { AskedOfMany, Outlook } from '../../api/shapes';
import { focusFirstError } from '../../focus';
import { m } from '../../paraglide/messages';
import { declined, proof } from '../factor/proof.svelte';

/**
 * Something that is asked of many people: a form, a look at whom it comes to, then the press, which is good for no
 * more people than were seen.
 */
export class Asking {
  outlook = $state.raw<Outlook | undefined>();
  problem = $state.raw<Problem | undefined>();
  busy = $state(false);
  form = $state<HTMLFormElement>();

  constructor(
    readonly body: () => AskedOfMany,
    /** Puts what the server says of fields under them; false where there is nothing of them. */
    readonly refused: (fields: ProblemField[]) => boolean,
    /** The form or the outlook took the other's place, and what had the focus is gone. */
    readonly shown: () => void,
  ) {}

  /** From the form on; one with something wrong in it goes nowhere. */
  async submit(whole: boolean) {
    if (this.busy) return;
    this.problem = undefined;
    if (whole) await this.#look();
    else await focusFirstError(this.form);
  }

  async #look() {
    this.busy = true;
    const outcome = await send(() => api.POST('/api/v1/users/requirement/look', { body: this.body() }));
    this.busy = false;
    if (outcome.ok) return this.#show(outcome.value);
    this.problem = this.refused(outcome.problem.fields) ? undefined : outcome.problem;
    await this.#show(undefined);
    await focusFirstError(this.form);
  }

  /** Begins it, for those who were seen. The id of what began, where it did; when more match by now, it looks again. */
  async start(): Promise<string | undefined> {
    const seen = this.outlook?.people;
    if (this.busy || seen === undefined) return undefined;
    this.busy = true;
    this.problem = undefined;
    const outcome = await proof.having(m.act_ask_many(), () =>
      send(() => api.POST('/api/v1/users/requirement', { body: { ...this.body(), seen } })),
    );
    this.busy = false;
    if (outcome.ok) return outcome.value.id;
    if (declined(outcome)) return undefined;
    this.problem = outcome.problem;
    if (outcome.problem.code === 'selection_changed') await this.#look();
    return undefined;
  }

  async back() {
    this.problem = undefined;
    await this.#show(undefined);
  }

  async #show(outlook: Outlook | undefined) {
    const other = outlook !== this.outlook;
    this.outlook = outlook;
    await tick();
    if (other) this.shown();
  }
}
