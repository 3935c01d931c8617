import { execFileSync } from 'node:child_process';
import { defineConfig } from '@playwright/test';

/** Debian's browser without its window, which opens a page in a third of the time; CHROMIUM names another one. */
const chromium =
  process.env.CHROMIUM ??
  execFileSync('sh', ['-c', 'command -v chromium-headless-shell || command -v chromium'], { encoding: 'utf8' }).trim();

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  fullyParallel: true,
  forbidOnly: true,
  // For two processors: a test uses less than half of one, since it waits for pages, for the next code and for mail.
  workers: 4,
  retries: 0,
  // A quiet machine needs a tenth of it; one that compiles beside the tests may not.
  timeout: 240_000,
  expect: { timeout: 15_000 },
  reporter: 'line',
  use: {
    browserName: 'chromium',
    actionTimeout: 15_000,
    navigationTimeout: 30_000,
    locale: 'en-GB',
    // Neither the server's zone nor a whole day's neighbour of it: a slip in a date shows.
    timezoneId: 'Europe/Berlin',
    colorScheme: 'light',
    contextOptions: { reducedMotion: 'reduce' },
    screenshot: 'only-on-failure',
    trace: 'off',
    launchOptions: {
      executablePath: chromium,
      args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    },
  },
  projects: [
    { name: 'tests', testMatch: '**/*.spec.ts' },
    // Pictures for the README, by `make screenshots` only.
    ...(process.env.SECONDSTEP_SCREENSHOTS ? [{ name: 'screenshots', testMatch: '**/screenshots.ts' }] : []),
  ],
});
