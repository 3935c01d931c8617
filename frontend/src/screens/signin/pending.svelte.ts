import { api, type Outcome, read } from '../../api/client';
import type { SignInState } from '../../api/shapes';

/** The sign-in that waits for its second step. The server keeps it; this is what it last said about it. */
class Pending {
  current = $state.raw<SignInState | undefined>();

  /** No code is taken in this sign-in, of whatever kind. */
  get locked(): boolean {
    return this.current?.codes_locked === true;
  }

  /** A reload forgets, the server does not: ask it. */
  async load(): Promise<Outcome<SignInState>> {
    const outcome = await read(() => api.GET('/api/v1/sign-in'));
    this.current = outcome.ok ? outcome.value : undefined;
    return outcome;
  }
}

export const pending = new Pending();
