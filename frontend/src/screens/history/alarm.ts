import { api, type Outcome, send } from '../../api/client';
import { session } from '../../api/session.svelte';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { paths } from '../../paths';
import { proof } from '../factor/proof.svelte';

/** "This wasn't me": ends everything else that is open, then leads on to what else there is to do. */
export async function raiseAlarm(id: string, event: string | undefined): Promise<Outcome<{ sessions_ended: number }>> {
  const body = event ? { event } : {};
  // It needs no proof until it was pressed three times within an hour.
  const outcome = await proof.having(m.act_alarm(), () =>
    send(() => api.POST('/api/v1/users/{id}/security/not-me', { params: { path: { id } }, body })),
  );
  if (outcome.ok) {
    void session.load();
    place.go(paths.notMe(id), { note: { alarm: { ended: outcome.value.sessions_ended, step: 'password' } } });
  }
  return outcome;
}
