import type { RecoveryView } from '../../api/shapes';
import { serverNow } from '../../clock.svelte';
import * as format from '../../format';
import { mailSent } from '../../installation';
import { m } from '../../paraglide/messages';

export const isOpen = ({ state }: { state: RecoveryView['state'] }) =>
  state === 'asked' || state === 'proved' || state === 'approved';

/** Does the waiting time still run? Reactive. */
export const waits = ({ state, decidable_at }: Pick<RecoveryView, 'state' | 'decidable_at'>) =>
  state === 'proved' && decidable_at != null && Date.parse(decidable_at) > serverNow();

/** What stands over the request, for the person who asked. */
export function titles(request: RecoveryView): string {
  switch (request.state) {
    case 'asked':
      return m.recovery_asked_title();
    case 'proved':
      return waits(request) ? m.recovery_waiting_title() : m.recovery_deciding_title();
    case 'approved':
      return m.recovery_approved_title();
    case 'done':
      return m.recovery_done_title();
    case 'refused':
      return m.recovery_refused_title();
    case 'stopped':
      return m.recovery_stopped_title();
    case 'cancelled':
      return m.recovery_cancelled_title();
    default:
      return m.recovery_expired_title();
  }
}

/** And what to do next. */
export function leads(request: RecoveryView): string {
  const until = format.due(request.expires_at);
  switch (request.state) {
    case 'asked':
      return m.recovery_asked_lead();
    case 'proved':
      if (waits(request)) return m.recovery_waiting_lead();
      return mailSent() ? m.recovery_deciding_lead() : m.recovery_deciding_lead_no_mail();
    case 'approved':
      return (mailSent() ? m.recovery_approved_lead : m.recovery_approved_lead_no_mail)({ until });
    case 'done':
      return m.recovery_done_lead();
    case 'refused':
      return m.recovery_refused_lead();
    case 'stopped':
      return m.recovery_stopped_lead();
    case 'cancelled':
      return m.recovery_cancelled_lead();
    default:
      return request.proved_at ? m.recovery_expired_lead() : m.recovery_unproved_lead();
  }
}
