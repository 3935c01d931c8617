import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { atHome, codeField, giveBackupCode, givePassword, heading, press, refusal, signOut } from './kit/acts';
import { App } from './kit/app';
import { Postgres } from './kit/postgres';
import { entryOf, readQr } from './kit/qr';
import { Secondstep } from './kit/secondstep';
import { Switching } from './kit/switching';
import { expect, password, test } from './kit/test';
import { longDate, pattern, say } from './kit/words';

/** The whole main job, as a new user would do it: on an empty folder, and on PostgreSQL with two instances. */

const ada = { name: 'Ada Lovelace', email: 'ada@example.test', password };

type Installation = {
  url: string;
  link: string;
  /** Something goes wrong in the machine room, between two steps. */
  shake: () => Promise<void>;
};

async function secondStep(page: Page): Promise<void> {
  await givePassword(page, ada);
  await expect(codeField(page)).toBeFocused();
}

async function readEntry(page: Page): Promise<App> {
  await expect(heading(page, say('scan_heading'))).toBeVisible();
  const { secret, label } = entryOf(readQr(await page.screenshot()));
  return new App(secret, label);
}

/** From the link to protection being on; answers the entry in the phone and the codes in the file. */
async function turnOn(page: Page, { link, shake }: Installation): Promise<{ app: App; codes: string[] }> {
  await page.goto(link);
  await page.getByLabel(say('name'), { exact: true }).fill(ada.name);
  await page.getByLabel(say('email')).fill(ada.email);
  await page.getByLabel(say('password'), { exact: true }).fill(password);
  await press(page, say('setup_submit'));
  await page.getByRole('link', { name: say('turn_on') }).click();
  await page.reload();
  await press(page, say('have_app'));
  const app = await readEntry(page);
  await shake();
  await page.reload();
  expect((await readEntry(page)).secret).toBe(app.secret);
  await press(page, say('scanned'));
  await page.reload();
  await codeField(page).fill(await app.code(-1));
  await expect(heading(page, say('save_heading'))).toBeVisible();
  await shake();
  await page.reload();
  await expect(page.getByText(say('save_fresh_title'))).toBeVisible();
  const downloading = page.waitForEvent('download');
  await press(page, say('download'));
  const file = readFileSync(await (await downloading).path(), 'utf8');
  const codes = ['', ...[...file.matchAll(/^ ?\d+\. (\S+)$/gm)].map((line) => line[1] ?? '')];
  expect(codes).toHaveLength(11);
  await press(page, say('have_saved'));
  await expect(heading(page, say('done_heading'))).toBeVisible();
  await page.getByRole('link', { name: say('done_home') }).click();
  await expect(page.getByText(say('warning_single'), { exact: true })).toBeVisible();
  return { app, codes };
}

/** Refused four times, each time told why; then in by a backup code typed where the app's belongs. */
async function beRefused(page: Page, app: App, codes: string[], used: string): Promise<void> {
  await secondStep(page);
  await page.getByRole('link', { name: say('use_backup_code') }).click();
  await giveBackupCode(page, codes[7] ?? '');
  let box = await refusal(page, 'backup_code_used');
  await expect(box).toContainText(pattern('backup_used_title'));
  await expect(box).toContainText(/today, \d\d:\d\d/);
  await expect(box).toContainText(say('backup_used_next', { number: 1 }));

  await page.getByRole('link', { name: say('use_app_code') }).click();
  await codeField(page).fill(used);
  box = await refusal(page, 'already_used');
  await expect(box).toContainText(say('already_used_title'));

  await codeField(page).fill(await app.code(-7));
  box = await refusal(page, 'clock_behind');
  await expect(box).toContainText(say('clock_behind_title', { span: '4 minutes' }));

  await codeField(page).fill(codes[8] ?? '');
  await press(page, say('continue'));
  await expect(page.getByText(say('after_backup_unasked'))).toBeVisible();
  await expect(page.getByText(say('codes_left', { count: 8 }))).toBeVisible();
  await press(page, say('have_my_phone'));
  await atHome(page, ada);
}

async function walk(page: Page, installation: Installation): Promise<void> {
  const { shake, url } = installation;
  const { app, codes } = await turnOn(page, installation);
  await signOut(page, ada);

  await secondStep(page);
  const used = await app.code();
  await shake();
  await codeField(page).fill(used);
  await atHome(page, ada);
  await signOut(page, ada);

  await secondStep(page);
  await page.getByRole('link', { name: say('use_backup_code') }).click();
  await giveBackupCode(page, codes[7] ?? '');
  await expect(page.getByText(say('codes_left', { count: 9 }))).toBeVisible();
  await press(page, say('have_my_phone'));
  await atHome(page, ada);
  await signOut(page, ada);
  await beRefused(page, app, codes, used);

  // A setup that is begun and not finished.
  await page.goto(`${url}/parameters/users/me/security`);
  await page.getByRole('link', { name: say('replace') }).click(); // for which a backup code is enough
  await press(page, say('have_app'));
  const unfinished = await readEntry(page);
  await signOut(page, ada);
  await secondStep(page);
  await codeField(page).fill(await unfinished.code());
  const box = await refusal(page, 'setup_not_finished');
  await expect(box).toContainText(say('not_finished_body', { label: unfinished.label }));
  await shake();
  await codeField(page).fill(await app.code(1));
  await expect(page.getByText(say('security_replacing'))).toBeVisible();

  await page.goto(`${url}/parameters/users/me/security`);
  await press(page, say('disable_ellipsis'));
  const dialog = page.getByRole('dialog', { name: say('disable_title') });
  await dialog.getByLabel(say('password'), { exact: true }).fill(password);
  await press(dialog, say('disable_confirm'));
  await expect(page.getByText(say('told_protection_off'))).toBeVisible();
  await expect(page.getByText(say('security_on_since', { date: longDate(new Date()) }))).toHaveCount(0);
  await signOut(page, ada);
  await givePassword(page, ada);
  await atHome(page, ada);
}

test.describe.configure({ timeout: 240_000 });

test('the whole way on an empty folder, through kill -9', async ({ page, empty, tidy }) => {
  tidy.expectRefusals(422);
  await walk(page, {
    url: empty.url,
    link: empty.setupLink,
    shake: async () => {
      await empty.stop('SIGKILL');
      await empty.start();
    },
  });
});

test('the same on PostgreSQL with two instances, another one at every request, through kill -9', async ({
  page,
  tidy,
}) => {
  tidy.expectRefusals(422);
  const postgres = new Postgres();
  const proxy = new Switching();
  await postgres.start();
  const url = await proxy.start();
  tidy.home(url);
  const flags = ['--database-url', postgres.database(), '--public-url', url, '--trusted-proxy', '127.0.0.1/32'];
  const first = new Secondstep({ flags });
  const second = new Secondstep({ flags, folder: first.folder });
  try {
    await first.start();
    await second.start();
    proxy.instances = [first.address, second.address];
    const both = [first, second];
    let killed = 0;
    await walk(page, {
      url,
      // The one printed last is good; an older one is not.
      link: second.setupLink,
      shake: async () => {
        const victim = both[killed++ % 2];
        await victim?.stop('SIGKILL');
        await victim?.start();
      },
    });
    expect([...proxy.served.keys()].sort()).toEqual([...proxy.instances].sort());
  } finally {
    await second.remove();
    await first.remove();
    await proxy.stop();
    await postgres.stop();
  }
});
