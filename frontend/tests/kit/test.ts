import { type BrowserContext, type BrowserContextOptions, test as base } from '@playwright/test';
import { Mailbox } from './mailbox';
import { Person } from './person';
import { binary, Secondstep } from './secondstep';
import { Tidiness } from './tidiness';

type Whom = { name?: string; role?: 'member' | 'administrator'; on?: Secondstep };

type Fixtures = {
  /** The program that is started. */
  program: string;
  /** One installation for the tests of a worker, each of which brings its own people. */
  server: Secondstep;
  /** Watches every page of the test, asked for or not. */
  tidy: Tidiness;
  /** An installation that nobody has set up, for this test alone. */
  empty: Secondstep;
  /** An installation with an administrator, and the mailbox that its mail arrives in. */
  mailing: { server: Secondstep; mailbox: Mailbox };
  /** Another browser of the same kind: its own cookies, watched like the first. */
  another: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /** Adds somebody to the account, without 2-step verification. */
  someone: (whom?: Whom) => Promise<Person>;
};

type WorkerFixtures = {
  /** The worker's installation of a program, with an administrator, from when it is first asked for. */
  serverOf: (program: string) => Promise<Secondstep>;
};

export const password = 'nine green cups of tea';

let count = 0;

export const test = base.extend<Fixtures, WorkerFixtures>({
  program: [binary, { option: true }],

  serverOf: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from the pattern
    async ({}, use) => {
      const servers = new Map<string, Secondstep>();
      await use(async (program) => {
        const server = servers.get(program) ?? new Secondstep({ program });
        if (!servers.has(program)) {
          servers.set(program, server);
          await server.start();
          await server.add({ name: 'First Of All', email: 'first@example.test', password, role: 'administrator' });
        }
        return server;
      });
      for (const server of servers.values()) await server.remove();
    },
    { scope: 'worker' },
  ],

  server: async ({ serverOf, program }, use) => use(await serverOf(program)),

  baseURL: async ({ server }, use) => use(server.url),

  tidy: [
    async ({ server }, use) => {
      const tidy = new Tidiness();
      tidy.home(server.url);
      await use(tidy);
      tidy.check();
    },
    { auto: true },
  ],

  context: async ({ context, tidy }, use) => {
    await tidy.watch(context);
    await use(context);
  },

  empty: async ({ tidy, program }, use) => {
    const server = new Secondstep({ program });
    await server.start();
    tidy.home(server.url);
    await use(server);
    await server.remove();
  },

  mailing: async ({ tidy, program }, use) => {
    const mailbox = await Mailbox.open();
    const flags = ['--smtp-url', mailbox.url, '--mail-from', 'no-reply@example.test'];
    const server = new Secondstep({ program, flags });
    await server.start();
    await server.add({ name: 'First Of All', email: 'first@example.test', password, role: 'administrator' });
    tidy.home(server.url);
    await use({ server, mailbox });
    await server.remove();
    mailbox.close();
  },

  another: async ({ browser, tidy, contextOptions, baseURL, locale, timezoneId, colorScheme }, use) => {
    const opened: BrowserContext[] = [];
    await use(async (options = {}) => {
      const usual = { ...contextOptions, baseURL, locale, timezoneId, colorScheme };
      const context = await browser.newContext({ ...usual, ...options });
      opened.push(context);
      await tidy.watch(context);
      return context;
    });
    await Promise.all(opened.map((context) => context.close()));
  },

  someone: async ({ server }, use, info) => {
    await use(async ({ name = 'Ada Lovelace', role = 'member', on = server } = {}) => {
      const email = `ada-${info.workerIndex}-${++count}@example.test`;
      const person = new Person(on, name, email, password, role);
      await on.add(person);
      return person;
    });
  },
});

export { expect } from '@playwright/test';
