import type { SecurityEvent } from '../../api/shapes';

/** What comes by itself, or from what the server is made to do: nobody has been in the account for it. */
const byItself = new Set([
  'backup_codes.voided',
  'installation.restored',
  'mail.given_up',
  'recovery.expired',
  'reminder.sent',
  'roll_out.ended',
]);

/** The endings of sessions that somebody asked for; any other follows from an event that is asked about itself. */
const askedFor = new Set(['signed_out', 'ended_by_person']);

/** Would "This wasn't me" be an answer to this event: might it be a stranger's doing, which it undoes or stops? */
export function doubtable(event: SecurityEvent): boolean {
  // What administrators, the support and the console do is not undone by ending one's own sessions: it is theirs to undo.
  if (event.actor === 'other' || event.actor === 'console') return false;
  // Nothing was done.
  if (event.result === 'fault') return false;
  if (event.kind === 'session.ended') return askedFor.has(event.reason);
  // Whoever reads this in the session that signed in, or that pressed it (and alone was left then), did it. A stranger in
  // another one may well have pressed it to put the person out, and the mail about it leads here.
  if (event.here && (event.kind === 'sign_in.completed' || event.kind.startsWith('alarm.'))) return false;
  return !byItself.has(event.kind);
}
