import { api, type Outcome, send } from '../../api/client';
import type { Problem } from '../../api/problem';
import { serverSaidExactly } from '../../clock.svelte';

/** How far this browser's clock is from the server's. Seconds; minus is behind. */
export type Comparison = { offset: number; uncertainty: number; rounds: number; here: number; there: number };
export type Compared = { ok: true; value: Comparison } | { ok: false; problem: Problem };

export const rounds = 5;
/** A clock that was set while an answer was under way says nothing about that answer. */
const jump = 100;
/** The server's time is in whole milliseconds, and so is the browser's. */
const grain = 1;

/**
 * Asks the server for its time several times. Somewhere between asking and the answer the server looked at its clock; the
 * shortest way there and back leaves the least doubt when that was, and half of it is what may be wrong. It ends early when the screen that asked is gone.
 */
export async function compareClocks(step: (done: number) => void, left?: AbortSignal): Promise<Compared> {
  let best: (Comparison & { trip: number }) | undefined;
  let problem: Problem | undefined;
  for (let n = 0; n < rounds && !left?.aborted; n++) {
    const [began, at] = [performance.now(), Date.now()];
    const outcome: Outcome<{ now: string }> = await send(() => api.GET('/api/v1/time'));
    const [trip, until] = [performance.now() - began, Date.now()];
    step(n + 1);
    if (!outcome.ok) {
      problem = outcome.problem;
      // Whoever is out of reach once is not asked four times more, each until it gives up.
      if (best === undefined) break;
      continue;
    }
    if (Math.abs(until - at - trip) > jump || (best !== undefined && trip >= best.trip)) continue;
    const [here, there] = [at + trip / 2, Date.parse(outcome.value.now)];
    const uncertainty = (trip / 2 + grain) / 1_000;
    best = { offset: (here - there) / 1_000, uncertainty, rounds: n + 1, here, there, trip };
  }
  if (best === undefined) return { ok: false, problem: problem ?? { status: 0, code: 'unreachable', fields: [] } };
  serverSaidExactly(best.there, best.here);
  return { ok: true, value: { ...best, rounds } };
}

export type Judgement = 'right' | 'slight' | 'wrong';
/** Codes live 30 seconds, and one to each side is taken: less than this does no harm, more may. */
const harmless = 25;
const unnoticed = 3;

/** What the difference means for codes, with all its doubt. */
export function judge({ offset, uncertainty }: Pick<Comparison, 'offset' | 'uncertainty'>): Judgement {
  const least = Math.max(0, Math.abs(offset) - uncertainty);
  if (least > harmless) return 'wrong';
  return least > unnoticed ? 'slight' : 'right';
}
