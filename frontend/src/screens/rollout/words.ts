import type { Outlook, Run } from '../../api/shapes';
import * as format from '../../format';
import { m } from '../../paraglide/messages';

export const counted = (count: number) => ({ count, shown: format.number(count) });

type LeftOut = Outlook['left_out'][number];

const reasons: Record<string, (of: { count: number; shown: string }) => string> = {
  own_requirement: () => m.left_own_requirement(),
  administrator_never_off: m.left_administrator_never_off,
  reset_open: m.left_reset_open,
  off: m.left_off,
  removed: m.left_removed,
  reminded: m.left_reminded,
  invited: m.left_invited,
};

/** Who is left out, and why. */
export function leftOut(list: LeftOut[]): string[] {
  return list.flatMap(({ reason, count }) => reasons[reason]?.(counted(count)) ?? []);
}

/** What is, or was, asked. */
export function titleOf(run: Run): string {
  if (run.kind === 'reminder') return m.run_reminder();
  if (run.requirement === 'off') return m.run_requirement_off();
  return run.requirement === 'allowed' ? m.run_requirement_allowed() : m.run_requirement_required();
}

export function stateOf(run: Run): { tone: 'plain' | 'good' | 'warn'; text: string } {
  if (run.state === 'running') return { tone: 'plain', text: m.run_running() };
  return run.state === 'done' ? { tone: 'good', text: m.run_done() } : { tone: 'warn', text: m.run_stopped() };
}

export function startedBy(run: Run): string {
  const when = format.moment(run.started_at);
  return run.started_by === '' ? m.run_started_gone({ when }) : m.run_started({ name: run.started_by, when });
}

/** The paragraphs of what was typed, without what no mail has: the server refuses control characters. */
export function paragraphs(typed: string): string[] {
  return typed
    .split(/\r\n?|\n/)
    .map((line) => line.replace(/\p{Cc}/gu, ' ').trim())
    .filter((line) => line !== '');
}
