import { execFileSync } from 'node:child_process';
import { expect } from '@playwright/test';

const period = 30;

/** Seconds that the code of now still lives. */
function left(): number {
  return period - ((Date.now() / 1_000) % period);
}

/**
 * An authenticator app with one entry. Its codes come from `oathtool`, which knows nothing of the server: an
 * independent witness.
 */
export class App {
  constructor(
    readonly secret: string,
    readonly label: string,
  ) {}

  /**
   * The code so many steps from now. One step each way is accepted: −1 to confirm, then 0 and 1 to sign in, without
   * waiting for the next half minute. On a busy machine it may be a step older on arrival: where a screen says how far
   * the clock is off, take the step that is rounded as the one behind it is, −7 with −8 for four minutes.
   */
  async code(step = 0): Promise<string> {
    const [code] = await this.codes(step);
    return code ?? '';
  }

  /** The codes of several steps, all counted from the same now, which has some seconds to go. */
  async codes(...steps: number[]): Promise<string[]> {
    await steady();
    const far = Math.max(...steps.map(Math.abs));
    const around = codesFrom(this.secret, Date.now() / 1_000 - far * period, 2 * far + 1);
    const codes = steps.map((step) => around[far + step] ?? '');
    // Of two steps with one code the nearer is meant, so one that has a twin is asked for anew half a minute later.
    if (codes.every((code) => around.indexOf(code) === around.lastIndexOf(code))) return codes;
    await expect.poll(left, { intervals: [100], timeout: (period + 5) * 1_000 }).toBeLessThan(1);
    return this.codes(...steps);
  }

  /** Six digits that are no code of this entry, however far the clock is off. */
  meaningless(): string {
    const all = this.#ever();
    for (let number = 111_111; ; number += 7_919) {
      const code = String(number % 1_000_000).padStart(6, '0');
      if (!all.has(code)) return code;
    }
  }

  /** A code of now that another entry has at no time that is searched: one in some thousand is, by chance. */
  async codeUnlike(other: App): Promise<string> {
    const taken = other.#ever();
    const codes = await this.codes(0, 1, -1);
    return codes.find((code) => !taken.has(code)) ?? '';
  }

  /** The codes of all clocks that may be meant. */
  #ever(): Set<string> {
    const hours = 15;
    return new Set(codesFrom(this.secret, Date.now() / 1_000 - hours * 3_600, (2 * hours * 3_600) / period));
  }
}

/** Waits for the next half minute when this one is about to end. */
export async function steady(seconds = 6): Promise<void> {
  await expect.poll(left, { intervals: [100], timeout: (seconds + 5) * 1_000 }).toBeGreaterThan(seconds);
}

/** `count` codes in a row from the step of an instant (seconds since 1970) on. */
function codesFrom(secret: string, seconds: number, count: number): string[] {
  const when = new Date(seconds * 1_000).toISOString().replace('T', ' ').replace(/\..*/, ' UTC');
  const window = count > 1 ? ['-w', String(count - 1)] : [];
  const printed = execFileSync('oathtool', ['--totp', '-b', ...window, '--now', when, secret], { encoding: 'utf8' });
  return printed.trim().split('\n');
}
