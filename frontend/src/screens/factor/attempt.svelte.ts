import type { Outcome } from '../../api/client';
import type { Diagnosis, Problem } from '../../api/problem';
import { now } from '../../clock.svelte';
import { compact, plain } from '../../code';

export type Kind = 'app_code' | 'backup_code';

/** A refused code: why, what it was taken for, when (by the browser's clock) the answer came, and what was typed. */
export type Refused = { diagnosis: Diagnosis; typed: Kind; at: number; text: string };

/** What a code is by its shape alone; dashes and spaces do not count. */
export function shapeOf(code: string): Kind | undefined {
  const bare = compact(code);
  if (/^[0-9]{6}$/.test(bare)) return 'app_code';
  return /^[0-9a-z]{15}$/i.test(bare) ? 'backup_code' : undefined;
}

/** One code field and what became of the code in it: used at sign-in, in the wizard and for a fresh proof. */
export class CodeAttempt {
  value = $state('');
  busy = $state(false);
  refused = $state.raw<Refused | undefined>();
  /** Why it could not even be checked. */
  problem = $state.raw<Problem | undefined>();

  /** This place takes no code any more, whatever it is. */
  over = $state(false);

  /** What stands around the field, to bring the focus back into it. */
  box = $state.raw<HTMLElement>();

  /** `strict`: no other kind of code does here. */
  constructor(
    readonly expected: Kind,
    readonly strict = false,
  ) {}

  /** No code is taken: for a while, or not in this place any more. Reactive. */
  get closed(): boolean {
    if (this.over) return true;
    const { diagnosis: d, at = 0 } = this.refused ?? {};
    if (d?.reason !== 'too_many_attempts') return false;
    return d.locked === true || d.start_again === true || at + (d.retry_after_seconds ?? 0) * 1_000 > now();
  }

  /**
   * Sends what is in the field. A code that has no code's shape is refused here, with the words that the server has
   * for it: it would cost a try for nothing. Answers the value of the call, or nothing when it was refused.
   */
  async submit<T>(call: (body: { code: string; browser_now: string }) => Promise<Outcome<T>>): Promise<T | undefined> {
    if (this.busy) return undefined;
    // A refusal has just emptied the field, and a late Enter sends nothing: why it was refused is worth more to say.
    if (compact(this.value) === '' && (this.refused || this.problem)) {
      this.box?.querySelector('input')?.focus();
      return undefined;
    }
    const typed = shapeOf(this.value);
    this.problem = undefined;
    this.refused = undefined;
    if (typed === undefined || (this.strict && typed !== this.expected)) {
      const meant = this.#meant();
      this.refuse({ reason: 'malformed', expected: meant }, meant);
      return undefined;
    }
    this.busy = true;
    // The browser's clock is a third witness when the phone's and the server's differ.
    const outcome = await call({ code: plain(this.value), browser_now: new Date().toISOString() });
    this.busy = false;
    if (outcome.ok) return outcome.value;
    this.take(outcome.problem, typed);
    return undefined;
  }

  /** What a code that is none was to be: with a letter in it, a backup code, and the field has said so. */
  #meant(): Kind {
    return !this.strict && /[^0-9]/.test(compact(this.value)) ? 'backup_code' : this.expected;
  }

  take(problem: Problem, typed: Kind) {
    if (problem.diagnosis !== undefined) this.refuse(problem.diagnosis, typed);
    else this.problem = problem;
  }

  refuse(diagnosis: Diagnosis, typed: Kind) {
    this.refused = { diagnosis, typed, at: Date.now(), text: this.value };
    // A code of the app is stale in a moment, the next one is typed afresh; a backup code may only want a letter mended.
    if (typed === 'app_code' && diagnosis.reason !== 'malformed') this.value = '';
  }

  clear() {
    this.value = '';
    this.refused = undefined;
    this.problem = undefined;
  }
}
