import { sessionIs } from '../installation';
import { localPath, type Note, place } from '../navigation.svelte';
import { paths } from '../paths';
import { api, type Outcome, onRefusal, read, send } from './client';
import type { SessionView } from './shapes';

/** Who is signed in here, as far as this page knows. */
class Session {
  current = $state.raw<SessionView | undefined>();

  constructor() {
    onRefusal((problem) => {
      const gone = problem.code === 'session_ended' || problem.code === 'not_signed_in';
      // During the sign-in the same code means that the pending sign-in is over; its screens say so themselves.
      if (gone && this.current !== undefined) this.ended();
      if (problem.code === 'enrolment_required' && this.current !== undefined) void this.load();
    });
  }

  /** Asks the server who is signed in. */
  async load(): Promise<Outcome<SessionView>> {
    const outcome = await read(() => api.GET('/api/v1/session'));
    if (outcome.ok) {
      this.current = outcome.value;
      sessionIs('live');
    }
    return outcome;
  }

  /** The server no longer knows the session: sign in again, and come back to where one was. */
  ended() {
    const back = place.path + place.search;
    this.forget();
    place.go(paths.signIn, { replace: true, note: { ended: true, back } });
  }

  async signOut() {
    const outcome = await send(() => api.DELETE('/api/v1/session'));
    if (!outcome.ok && outcome.problem.status !== 401) return outcome;
    // Another person may sign in next: nothing of this one may stay in memory.
    this.forget();
    place.go(paths.signIn, { replace: true, note: { told: 'signed_out' } });
    return outcome;
  }

  private forget() {
    this.current = undefined;
    // Whoever is out can't stay for anything.
    place.hold = undefined;
    sessionIs('none');
  }

  /** The password, and where there is one the second step, were right: find out who that was, and go in. */
  async begin(back: string | undefined): Promise<Outcome<SessionView>> {
    const outcome = await this.load();
    if (outcome.ok) this.enter(back);
    return outcome;
  }

  /**
   * To where the person wanted to go; to the wizard when the session is for nothing else, and by way of a reminder
   * where it soon will be.
   */
  enter(back: string | undefined, told?: Note['told']) {
    const { confined_to, mfa } = this.current ?? {};
    const to = localPath(back) ?? paths.home;
    if (confined_to === 'enrolment') place.go(paths.enable('me'), { replace: true, note: { told } });
    else if (mfa?.requirement === 'required' && mfa.state !== 'on')
      place.go(paths.reminder, { replace: true, note: { back: to, told } });
    else place.go(to, { replace: true, note: { told } });
  }
}

export const session = new Session();
