import { api, type Outcome, send } from '../../api/client';
import type { SignInState } from '../../api/shapes';

/** In this tab only, and over a reload: the password is asked for between the link and its use. */
const place = 'secondstep-enrolment-link';
/** Where the browser keeps nothing for this site, it is kept until a reload. */
let inMemory: string | undefined;

function keep(token: string | undefined) {
  inMemory = token;
  try {
    if (token === undefined) sessionStorage.removeItem(place);
    else sessionStorage.setItem(place, token);
  } catch {
    // The memory has it.
  }
}

/** The token in what somebody pastes: a whole link, or what stands behind its `#token=`. */
export function tokenIn(text: string): string {
  const bare = text.trim();
  return new URLSearchParams(bare.slice(bare.indexOf('#') + 1)).get('token') ?? bare;
}

/**
 * The enrolment link that somebody came by. Its token is taken out of the address and the history, so that it stays in
 * no place where the next one at this computer could find it.
 */
export const link = {
  take(): string | undefined {
    const found = new URLSearchParams(location.hash.slice(1)).get('token');
    if (found) {
      keep(found);
      history.replaceState(history.state, '', location.pathname + location.search);
    }
    return this.kept();
  },

  kept(): string | undefined {
    try {
      return sessionStorage.getItem(place) ?? inMemory;
    } catch {
      return inMemory;
    }
  },

  /** It was used, it is no good, or it was not what was wanted. */
  forget() {
    keep(undefined);
  },

  /** Gives the link for the sign-in whose password was right. A session confined to enrolling is what it opens. */
  redeem(token: string): Promise<Outcome<SignInState>> {
    return send(() => api.POST('/api/v1/sign-in/enrolment-link', { body: { token } }));
  },
};
