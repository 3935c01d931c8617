import { api, type Outcome, send } from '../../api/client';
import { session } from '../../api/session.svelte';
import type { OwnPassword } from './ownPassword.svelte';

export type Asked = {
  /** What is about to happen, in words, for the dialog. */
  act: string;
  /** A backup code does not do for this: only the app's. */
  appOnly: boolean;
  /** One was given all the same, before this was known. */
  refused: boolean;
  /** The password that was typed already for the act itself: it is not asked for twice. */
  own?: OwnPassword;
  /** Called once: true when the proof was given. */
  answer: (given: boolean) => void;
};

/** Asks for a fresh proof wherever a call turns out to need one; the dialog is the frame's. */
class Proof {
  asked = $state.raw<Asked | undefined>();

  /**
   * Makes a call; when the server wants a fresh proof first, asks the person for it and then makes the call again by
   * itself. A person who gives none gets the refusal, which the screen need not show. Where the screen has asked for the
   * password of now, which is what the proof wants too, `own` has it. `appOnly` is for what the server can't say before it
   * has looked at the whole call.
   */
  async having<T>(
    act: string,
    call: () => Promise<Outcome<T>>,
    { own, appOnly = false }: { own?: OwnPassword; appOnly?: boolean } = {},
  ): Promise<Outcome<T>> {
    let tried = false;
    for (;;) {
      const outcome = await call();
      if (outcome.ok) return outcome;
      const refused = outcome.problem.code === 'app_code_required';
      if (!refused && outcome.problem.code !== 'fresh_proof_required') return outcome;
      if (own && own.value !== '' && !tried && !refused && session.current?.mfa.state !== 'on') {
        tried = true;
        const given = await send(() => api.POST('/api/v1/session/proof', { body: { password: own.value } }));
        if (given.ok) {
          void session.load();
          continue;
        }
        if (given.problem.code !== 'code_required') return given;
      }
      const only = appOnly || refused || outcome.problem.appOnly === true;
      if (!(await this.#ask({ act, appOnly: only, refused, own }))) return outcome;
    }
  }

  #ask(what: Omit<Asked, 'answer'>): Promise<boolean> {
    return new Promise((resolve) => {
      this.asked = {
        ...what,
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
