import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test as base, type Page } from '@playwright/test';
import { firefox } from './kit/caller';
import { Demo } from './kit/demo';
import { Secondstep } from './kit/secondstep';
import { say } from './kit/words';
import { auditLog } from './pictures/audit';
import { email } from './pictures/email';
import { firstStart } from './pictures/first-start';
import { fixing } from './pictures/fix';
import { forgotten } from './pictures/forgotten';
import { help } from './pictures/help';
import { atHome } from './pictures/home';
import { importing } from './pictures/import';
import { mails } from './pictures/mails';
import { recovery } from './pictures/recovery';
import { rollOuts } from './pictures/rollout';
import { secondStep } from './pictures/second-step';
import { securityPage } from './pictures/security';
import { settingsScreens } from './pictures/settings';
import { signIn } from './pictures/sign-in';
import { type Chapter, type Scene, Stage } from './pictures/stage';
import { tickets } from './pictures/tickets';
import { troubles } from './pictures/troubles';
import { usersList } from './pictures/users';
import { setUp } from './pictures/wizard';

/**
 * The pictures of docs/screenshots: every screen, in its states, in light, in dark and at 360 px. `make screenshots`
 * takes them again. All of them but the first start are of one demo; scenes that only look come before those that
 * change somebody.
 */

const folder = join(import.meta.dirname, '../../docs/screenshots');
const chapters: Chapter[] = [
  firstStart,
  usersList,
  rollOuts,
  auditLog,
  settingsScreens,
  atHome,
  securityPage,
  email,
  setUp,
  signIn,
  forgotten,
  secondStep,
  recovery,
  fixing,
  troubles,
  importing, // it makes people
  mails,
  help,
  tickets,
];

const wide = { width: 1280, height: 800 };
const narrow = { width: 360, height: 720 };
const looks = [
  { name: 'light', title: 'Light', colorScheme: 'light', size: wide, most: 900 },
  { name: 'dark', title: 'Dark', colorScheme: 'dark', size: wide, most: 900 },
  { name: '360', title: '360 px', colorScheme: 'light', size: narrow, most: 1_000 },
] as const;

type Fixtures = { stage: Stage };
type WorkerFixtures = { demo: Demo };

const test = base.extend<Fixtures, WorkerFixtures>({
  demo: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures' names from the pattern
    async ({}, use) => {
      const demo = new Demo();
      await demo.start();
      await use(demo);
      await demo.remove();
    },
    { scope: 'worker' },
  ],

  baseURL: async ({ demo }, use) => use(demo.url),

  stage: async ({ page, browser, demo, contextOptions, locale, timezoneId }, use) => {
    let empty: Secondstep | undefined;
    const options = { ...contextOptions, baseURL: demo.url, locale, timezoneId, viewport: wide };
    const start = async () => {
      if (empty === undefined) {
        empty = new Secondstep();
        await empty.start();
      }
      return empty;
    };
    const stage = new Stage(page, browser, demo, start, options);
    await use(stage);
    if (stage.page !== page) await stage.page.context().close();
    await empty?.remove();
  },
});

test.use({ viewport: wide, userAgent: firefox });
// One after the other, as they share the demo.
test.describe.configure({ mode: 'default' });

for (const { title, walks } of chapters) {
  for (const walk of walks) {
    test(`${title}: ${walk.map(({ name }) => name).join(', ')}`, async ({ stage }) => {
      for (const scene of walk) {
        await scene.go(stage);
        await take(stage.page, scene);
      }
    });
  }
}

/**
 * In all its looks, and as it was afterwards. The window grows with the page, so that rail and bar stand where they
 * would; the long lists of events and of people, the same in many scenes, are cut unless the scene wants all of them.
 */
async function take(page: Page, { name, whole }: Scene): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await page.mouse.move(0, 0);
  const grows = (await page.locator('dialog[open]').count()) === 0;
  const lists = page.getByRole('heading', { name: say('events_title') }).or(page.getByRole('table'));
  const cut = !whole && (await lists.count()) > 0;
  for (const { name: look, colorScheme, size, most } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(size);
    if (grows) {
      await laidOut(page);
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ ...size, height: cut ? Math.max(size.height, Math.min(height, most)) : height });
    }
    const png = await page.screenshot({ animations: 'disabled' });
    const small = execFileSync('pngquant', ['--strip', '--nofs', '--speed', '3', '16', '-'], { input: png });
    writeFileSync(join(folder, `${name}-${look}.png`), small);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(wide);
}

/** What is as high as the window is that only in its next frame; where scripts are off, no frame is told of. */
async function laidOut(page: Page): Promise<void> {
  const frame = page.evaluate(() => new Promise((done) => requestAnimationFrame(() => done(scrollTo(0, 0)))));
  await Promise.race([frame.catch(() => undefined), setTimeout(1_000)]);
}

test('the index, and nothing that is no picture of today', () => {
  const scenes = chapters.flatMap(({ walks }) => walks.flat());
  const known = new Set(scenes.flatMap(({ name }) => looks.map((look) => `${name}-${look.name}.png`)));
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.png') && !known.has(file)) rmSync(join(folder, file));
  }
  const lines = [
    '# Every screen, in its states',
    '',
    'Written by `make screenshots`, with the pictures: from `secondstep demo`, and from an empty server for the first start.',
    'Each in light, in dark, and in a window of 360 px. The mails are those of `server/mail/testdata`.',
    '',
    ...chapters.map(({ title }) => `- [${title}](#${title.toLowerCase().replaceAll(' ', '-')})`),
  ];
  for (const { title, walks } of chapters) {
    lines.push('', `## ${title}`);
    for (const { name, shows } of walks.flat()) {
      const cells = looks.map((look) => `![${shows}: ${look.title}](${name}-${look.name}.png)`);
      lines.push(
        '',
        `### ${shows}`,
        '',
        '| Light | Dark | 360 px |',
        '| --- | --- | --- |',
        `| ${cells.join(' | ')} |`,
      );
    }
  }
  writeFileSync(join(folder, 'README.md'), `${lines.join('\n')}\n`);
});
