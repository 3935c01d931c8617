import { api, type Outcome, send } from '../../api/client';
import { session } from '../../api/session.svelte';
import { place } from '../../navigation.svelte';
import { paths } from '../../paths';

/** "This wasn't me": ends everything else that is open, then leads on to what else there is to do. */
export async function raiseAlarm(id: string, event: string | undefined): Promise<Outcome<{ sessions_ended: number }>> {
  const outcome = await send(() =>
    api.POST('/api/v1/users/{id}/security/not-me', { params: { path: { id } }, body: event ? { event } : {} }),
  );
  if (outcome.ok) {
    void session.load();
    place.go(paths.notMe(id), { note: { alarm: { ended: outcome.value.sessions_ended, step: 'password' } } });
  }
  return outcome;
}
