import type { TicketRow } from '../../api/shapes';
import { m } from '../../paraglide/messages';
import { pillOf } from '../recovery/state';

type State = { tone: 'plain' | 'good' | 'warn' | 'bad'; text: string };

/** How far a ticket is, to those who answer. */
export function stateOf({ state, recovery }: TicketRow): State {
  if (recovery) return pillOf(recovery);
  if (state === 'solved') return { tone: 'good', text: m.tickets_solved() };
  return state === 'waiting' ? { tone: 'plain', text: m.tickets_waiting() } : { tone: 'warn', text: m.tickets_open() };
}

/** What it is about: who wants to get back in has written no subject. */
export function subjectOf({ kind, subject }: TicketRow): string {
  return kind === 'recovery' ? m.tickets_recovery_subject() : subject;
}
