import { m } from '../../paraglide/messages';

type Words = [name: () => string, next: () => string];

/** A reason as an administrator reads it, with what they can tell people. */
const words: Record<string, Words> = {
  wrong_code: [m.stuck_wrong_code, m.stuck_wrong_code_next],
  already_used: [m.stuck_already_used, m.stuck_already_used_next],
  older_than_last: [m.stuck_older, m.stuck_older_next],
  clock_behind: [m.stuck_behind, m.stuck_clock_next],
  clock_ahead: [m.stuck_ahead, m.stuck_clock_next],
  previous_setup: [m.stuck_previous, m.stuck_previous_next],
  setup_not_finished: [m.stuck_unfinished, m.stuck_unfinished_next],
  sign_in_expired: [m.stuck_expired, m.stuck_expired_next],
  backup_code_used: [m.stuck_code_used, m.stuck_code_used_next],
  backup_code_replaced: [m.stuck_code_replaced, m.stuck_code_replaced_next],
  no_backup_codes_left: [m.stuck_none_left, m.stuck_none_left_next],
};

/** One that this page does not know yet is something else. */
export function wordsOf(reason: string): { name: string; next: string } {
  const [name, next] = words[reason] ?? [m.stuck_other, m.stuck_other_next];
  return { name: name(), next: next() };
}
