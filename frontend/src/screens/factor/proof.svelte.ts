import type { Outcome } from '../../api/client';

export type Asked = {
  /** What is about to happen, in words, for the dialog. */
  act: string;
  /** A backup code does not do for this: only the app's. */
  appOnly: boolean;
  /** Called once: true when the proof was given. */
  answer: (given: boolean) => void;
};

/** Asks for a fresh proof wherever a call turns out to need one; the dialog is the frame's. */
class Proof {
  asked = $state.raw<Asked | undefined>();

  /**
   * Makes a call; when the server wants a fresh proof first, asks the person for it and then makes the call again by
   * itself. A person who gives none gets the refusal, which the screen need not show.
   */
  async having<T>(act: string, call: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
    for (;;) {
      const outcome = await call();
      if (outcome.ok) return outcome;
      const appOnly = outcome.problem.code === 'app_code_required';
      if (!appOnly && outcome.problem.code !== 'fresh_proof_required') return outcome;
      if (!(await this.#ask(act, appOnly))) return outcome;
    }
  }

  #ask(act: string, appOnly: boolean): Promise<boolean> {
    return new Promise((resolve) => {
      this.asked = {
        act,
        appOnly,
        answer: (given) => {
          this.asked = undefined;
          resolve(given);
        },
      };
    });
  }
}

export const proof = new Proof();

/** The person closed the question: no error to show. */
export function declined(outcome: Outcome<unknown>): boolean {
  return (
    !outcome.ok && (outcome.problem.code === 'fresh_proof_required' || outcome.problem.code === 'app_code_required')
  );
}
