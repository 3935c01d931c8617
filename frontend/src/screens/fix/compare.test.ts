import { afterEach, describe, expect, it, vi } from 'vitest';
import { ok, reply, sent } from '../../testing/server';
import { compareClocks, judge, rounds } from './compare';

/** Both clocks of the browser, set by hand; each answer takes as long as is said, the server's clock goes right. */
function clocks(offset: number, trips: number[], jumps: number[] = []) {
  let [wall, steady, turn] = [Date.UTC(2026, 2, 12, 9, 41), 1_000, 0];
  vi.spyOn(Date, 'now').mockImplementation(() => wall);
  vi.spyOn(performance, 'now').mockImplementation(() => steady);
  reply('GET /time', () => {
    const trip = trips[turn % trips.length] ?? 0;
    const now = new Date(wall + trip / 2 - offset).toISOString();
    wall += trip + (jumps[turn] ?? 0);
    steady += trip;
    turn++;
    return ok({ now });
  });
}

describe('comparing the clocks', () => {
  afterEach(() => vi.restoreAllMocks());

  it('asks several times, and takes the shortest way with half of it as the doubt', async () => {
    clocks(-360_000, [900, 300, 40, 500, 60]);
    const steps: number[] = [];
    const compared = await compareClocks((done) => steps.push(done));
    expect(sent('GET /time')).toHaveLength(rounds);
    expect(steps).toEqual([1, 2, 3, 4, 5]);
    expect(compared).toMatchObject({ ok: true, value: { offset: -360, uncertainty: 0.021, rounds: 5 } });
  });

  it('does not believe an answer during which the clock was set', async () => {
    clocks(2_000, [200, 10, 200, 200, 200], [0, 60_000]);
    const compared = await compareClocks(() => undefined);
    expect(compared).toMatchObject({ ok: true, value: { uncertainty: 0.101 } });
  });

  it('says so when there is no answer, and does not ask on', async () => {
    reply('GET /time', 'unreachable');
    expect(await compareClocks(() => undefined)).toMatchObject({ ok: false, problem: { code: 'unreachable' } });
    expect(sent('GET /time')).toHaveLength(1);
  });

  it('goes by the answers that came', async () => {
    reply('GET /time', ok({ now: new Date().toISOString() }), 'unreachable');
    expect((await compareClocks(() => undefined)).ok).toBe(true);
  });
});

describe('what a difference means', () => {
  it.each([
    [0, 0.02, 'right'],
    [-2.9, 0, 'right'],
    [8, 6, 'right'], // it may be
    [12, 0.1, 'slight'],
    [-24, 0.1, 'slight'],
    [-26, 0.1, 'wrong'],
    [26, 2, 'slight'],
    [360, 0.1, 'wrong'],
    [-3_600, 1, 'wrong'],
  ])('%s seconds, give or take %s: %s', (offset, uncertainty, means) => {
    expect(judge({ offset, uncertainty })).toBe(means);
  });
});
