import { type BrowserContext, expect } from '@playwright/test';

type Said = { text: string; where: string };

/**
 * What no page may do, whatever a test is about: write an error to the console, throw, break the content policy, ask
 * another origin for anything. The browser's own line about a refused request is an error too, unless the test has
 * said that it refuses one on purpose.
 */
export class Tidiness {
  #origins = new Set<string>();
  #allowed: { line: RegExp; met: boolean }[] = [];
  #said: Said[] = [];
  #thrown: string[] = [];
  #violations: string[] = [];
  #strangers: string[] = [];

  /** An origin that is ours. */
  home(url: string) {
    this.#origins.add(new URL(url).origin);
  }

  /** The test has requests refused with this status on purpose; it fails when none was. */
  expectRefusals(...statuses: number[]) {
    for (const status of statuses) this.#allow(new RegExp(`the server responded with a status of ${status} `));
  }

  /** Takes back what was announced for all tests of a file. */
  expectNothingRefused() {
    this.#allowed = [];
  }

  /** The test takes the server or the network away. */
  expectUnanswered() {
    this.#allow(/net::ERR_(CONNECTION|INTERNET_DISCONNECTED|EMPTY_RESPONSE|SOCKET|NETWORK|FAILED)/);
  }

  #allow(line: RegExp) {
    if (!this.#allowed.some((one) => one.line.source === line.source)) this.#allowed.push({ line, met: false });
  }

  async watch(context: BrowserContext): Promise<void> {
    await context.exposeBinding('secondstepTestViolation', (_source, violation: string) => {
      this.#violations.push(violation);
    });
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const report = (window as unknown as { secondstepTestViolation: (text: string) => void })
          .secondstepTestViolation;
        report(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
      });
    });
    context.on('console', (message) => {
      if (message.type() === 'error') this.#said.push({ text: message.text(), where: message.location().url });
    });
    context.on('weberror', (error) => this.#thrown.push(String(error.error())));
    context.on('request', (request) => {
      const url = new URL(request.url());
      const inside = url.protocol === 'data:' || url.protocol === 'blob:' || url.href === 'about:blank';
      if (!inside && !this.#origins.has(url.origin)) this.#strangers.push(request.url());
    });
  }

  check() {
    const errors = this.#said.filter(({ text }) => {
      const allowed = this.#allowed.find((one) => one.line.test(text));
      if (allowed) allowed.met = true;
      return allowed === undefined;
    });
    expect.soft(errors, 'console errors').toEqual([]);
    expect.soft(this.#thrown, 'uncaught errors').toEqual([]);
    expect.soft(this.#violations, 'content policy violations').toEqual([]);
    expect.soft(this.#strangers, 'requests to others').toEqual([]);
    const unmet = this.#allowed.filter((one) => !one.met).map((one) => one.line.source);
    expect.soft(unmet, 'refusals that were announced and did not come').toEqual([]);
  }
}
