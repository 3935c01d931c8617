import { api, type Outcome, send } from '../../api/client';
import { session } from '../../api/session.svelte';
import type { SecurityView } from '../../api/shapes';
import * as format from '../../format';
import { type Note, place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { paths } from '../../paths';
import { proof } from '../factor/proof.svelte';

export type AlarmStep = NonNullable<Note['alarm']>['step'];

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

/** Each app is the person's own, or nothing of what is left need be done. */
export function settleAlarm(id: string, done: 'apps' | 'all'): Promise<Outcome<unknown>> {
  const body = { done };
  return send(() => api.PATCH('/api/v1/users/{id}/security/not-me', { params: { path: { id } }, body }));
}

/** Is a second step asked for, so that its apps and codes are worth a look? */
export function asksSecondStep(mfa: { state: string; requirement: string } | undefined): boolean {
  return mfa?.state === 'on' && mfa.requirement !== 'off';
}

/** What is still to do after an alarm, whoever did the rest and wherever; without a second step that is offered. */
export function nextStep({ alarm, mfa }: SecurityView): AlarmStep {
  return alarm?.left[0] ?? (asksSecondStep(mfa) ? 'done' : 'codes');
}

/** That it was pressed, and what is left to do. */
export function leftInWords(alarm: NonNullable<SecurityView['alarm']>): string {
  const names = { password: m.alarm_left_password, apps: m.alarm_left_apps, codes: m.alarm_left_codes };
  const left = format.list(
    alarm.left.map((one) => names[one]()),
    'conjunction',
  );
  return m.home_alarm_body({ when: format.moment(alarm.at), left });
}
