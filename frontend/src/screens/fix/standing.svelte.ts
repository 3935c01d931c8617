import { session } from '../../api/session.svelte';
import { sentSession } from '../../installation';
import { pending } from '../signin/pending.svelte';

/**
 * Who reads this: somebody signed in, somebody who gave the password and owes the second step, or nobody that is known.
 * A session that is for enrolling alone tests nothing.
 */
export type Standing = 'loading' | 'signed-in' | 'enrolling' | 'pending' | 'nobody';

export class Reader {
  standing = $state<Standing>('loading');

  async look() {
    if (session.current !== undefined || (sentSession() === 'live' && (await session.load()).ok)) {
      this.standing = session.current?.confined_to === 'enrolment' ? 'enrolling' : 'signed-in';
      return;
    }
    const waits = await pending.load();
    this.standing = waits.ok && waits.value.state === 'second_step' ? 'pending' : 'nobody';
  }
}
