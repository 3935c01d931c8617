import type { RecoveryTicket } from '../../api/shapes';
import { m } from '../../paraglide/messages';
import { waits } from './standing';

type Tone = 'plain' | 'good' | 'warn' | 'bad';

/** How far a request is, in a word or two. */
export function pillOf(ticket: Pick<RecoveryTicket, 'state' | 'decidable_at'>): { tone: Tone; text: string } {
  switch (ticket.state) {
    case 'asked':
      return { tone: 'plain', text: m.recovery_pill_asked() };
    case 'proved':
      return waits(ticket)
        ? { tone: 'plain', text: m.recovery_pill_waits() }
        : { tone: 'warn', text: m.recovery_pill_decide() };
    case 'approved':
      return { tone: 'good', text: m.recovery_pill_approved() };
    case 'done':
      return { tone: 'good', text: m.recovery_pill_done() };
    case 'refused':
      return { tone: 'bad', text: m.recovery_pill_refused() };
    case 'stopped':
      return { tone: 'bad', text: m.recovery_pill_stopped() };
    case 'cancelled':
      return { tone: 'plain', text: m.recovery_pill_cancelled() };
    default:
      return { tone: 'plain', text: m.recovery_pill_expired() };
  }
}
