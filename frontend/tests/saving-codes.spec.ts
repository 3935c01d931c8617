import { readFileSync } from 'node:fs';
import type { BrowserContext, Page } from '@playwright/test';
import { codeField, heading, press } from './kit/acts';
import { App } from './kit/app';
import { inspect } from './kit/inspect';
import { carryOver, type Enrolment, type Person } from './kit/person';
import { entryOf } from './kit/qr';
import { expect, test } from './kit/test';
import { isoDay, longDate, pattern, say } from './kit/words';

/** At the fourth step, by the shortest way; answers the codes as they stand on the screen, in their order. */
async function atCodes(page: Page, context: BrowserContext, person: Person): Promise<string[]> {
  const caller = await person.knock();
  const begun = await person.begin(caller);
  const code = await new App(begun.secret, begun.label).code(-1);
  await caller.done('POST', `/api/v1/users/me/security/enrolments/${begun.id}/confirm`, { code });
  await carryOver(caller, context);
  await page.goto('/parameters/users/me/security/enable/save');
  await expect(heading(page, say('save_heading'))).toBeVisible();
  const items = page.getByRole('list', { name: say('codes_list') }).getByRole('listitem');
  await expect(items).toHaveCount(10);
  return (await items.allTextContents()).map((text, i) => {
    expect(text).toMatch(new RegExp(`^${i + 1}\\s*[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}$`));
    return text.replace(/^\d+?\s*(?=.{17}$)/, '');
  });
}

const saved = (page: Page) => page.getByRole('button', { name: say('have_saved') });

/** The file's lines for these codes: numbered as on the screen. */
const numbered = (codes: string[]) => codes.map((code, i) => `${String(i + 1).padStart(2)}. ${code}`).join('\n');

test('Download: the file says whose codes they are, numbered as on the screen', async ({ page, context, someone }) => {
  const ada = await someone();
  const codes = await atCodes(page, context, ada);
  await expect(saved(page)).toBeDisabled();
  await expect(page.getByText(say('save_first'))).toBeVisible();
  await inspect(page, 'wizard, save the codes');
  const downloading = page.waitForEvent('download');
  await press(page, say('download'));
  const file = await downloading;
  expect(file.suggestedFilename()).toBe(`MailMachine-backup-codes-${isoDay(new Date())}.txt`);
  const text = readFileSync(await file.path(), 'utf8');
  expect(text).toContain(numbered(codes));
  expect(text).toContain(say('file_title', { brand: 'MailMachine' }));
  expect(text).toContain(say('file_account', { account: ada.email }));
  expect(text).toContain(say('file_made', { date: longDate(new Date()) }));
  expect(text).toContain(say('file_note'));
  await expect(saved(page)).toBeEnabled();
  await inspect(page, 'wizard, codes saved');
});

test('Back: to a step of the wizard it leads to the same codes, out of it only once the person says so', async ({
  page,
  context,
  someone,
}) => {
  const caller = await (await someone()).knock();
  await carryOver(caller, context);
  await page.goto('/parameters/users/me/security');
  await page.getByRole('link', { name: say('enable'), exact: true }).click();
  await press(page, say('have_app'));
  await press(page, say('scanned'));
  await expect(heading(page, say('code_heading'))).toBeVisible();
  const { otpauth_uri: uri } = await caller.done<Enrolment>('GET', '/api/v1/users/me/security/enrolments/current');
  const { secret, label } = entryOf(uri);
  await codeField(page).fill(await new App(secret, label).code());
  const codes = page.getByRole('list', { name: say('codes_list') }).getByRole('listitem');
  await expect(codes).toHaveCount(10);
  const shown = await codes.allTextContents();
  const leaving = page.getByRole('dialog', { name: say('leave_codes_title') });
  // The steps of the scan and of the app.
  for (let step = 0; step < 2; step++) {
    await page.goBack();
    await expect(page).toHaveURL(/enable\/save$/);
    await expect(leaving).toHaveCount(0);
    expect(await codes.allTextContents()).toEqual(shown);
  }
  await page.goBack();
  await expect(leaving.getByText(say('leave_codes_off'))).toBeVisible();
  await press(leaving, say('leave_stay'));
  await page.goBack();
  await press(leaving, say('leave_go'));
  await expect(page).toHaveURL(/\/me\/security$/);
  await expect(codes).toHaveCount(0);
});

test('Copy: the clipboard has the same', async ({ page, context, someone, baseURL }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: baseURL ?? '' });
  const codes = await atCodes(page, context, await someone());
  await expect(saved(page)).toBeDisabled();
  await press(page, say('copy'));
  await expect(page.getByRole('button', { name: say('copied') })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(numbered(codes));
  await expect(saved(page)).toBeEnabled();
});

test('Copy that fails saves nothing', async ({ page, context, someone }) => {
  await page.addInitScript(() => {
    navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'));
  });
  await atCodes(page, context, await someone());
  await press(page, say('copy'));
  await expect(page.getByRole('button', { name: say('copy_failed') })).toBeVisible();
  await expect(saved(page)).toBeDisabled();
});

test('Print: on paper are the codes and whose they are, and nothing else', async ({ page, context, someone }) => {
  await page.addInitScript(() => {
    window.print = () => document.documentElement.setAttribute('data-printed', '');
  });
  const ada = await someone();
  const codes = await atCodes(page, context, ada);
  await expect(saved(page)).toBeDisabled();
  await press(page, say('print'));
  await expect(page.locator('html[data-printed]')).toHaveCount(1);
  await expect(saved(page)).toBeEnabled();

  await page.emulateMedia({ media: 'print' });
  const expected = [
    say('file_title', { brand: 'MailMachine' }),
    say('file_account', { account: ada.email }),
    say('file_made', { date: longDate(new Date()) }),
    ...codes.map((code, i) => `${i + 1} ${code}`),
    say('file_note'),
  ];
  await expect(page.locator('body')).toHaveText(expected.join(' '), { useInnerText: true });
  await expect(page.getByRole('button')).toHaveCount(0);
});

test('the box alone does too, and unticked it does not', async ({ page, context, someone }) => {
  await atCodes(page, context, await someone());
  await page.getByLabel(say('wrote_them_down')).check();
  await expect(saved(page)).toBeEnabled();
  await page.getByLabel(say('wrote_them_down')).uncheck();
  await expect(saved(page)).toBeDisabled();
});

test('new codes: the old set works until the new one is saved', async ({ page, context, someone, tidy }) => {
  tidy.expectRefusals(422);
  const ada = await someone();
  await carryOver(await ada.enrol(), context);
  await page.goto('/parameters/users/me/security');
  await page.getByRole('link', { name: say('new_codes') }).click();
  await expect(heading(page, say('new_codes_title'))).toBeVisible();
  await inspect(page, 'new codes, password');
  await page.getByLabel(say('password'), { exact: true }).fill('not the right one at all');
  await press(page, say('new_codes_make'));
  await expect(page.getByText(say('error_wrong_password'))).toBeVisible();
  await page.getByLabel(say('password'), { exact: true }).fill(ada.password);
  await press(page, say('new_codes_make'));
  await expect(page.getByText(say('not_replaced_yet_body'))).toBeVisible();
  await inspect(page, 'new codes, made');

  // Left without saving them, which is asked about, they wait: the old ones work until new ones are saved.
  const users = page
    .getByRole('navigation', { name: say('crumbs_label') })
    .getByRole('link', { name: say('nav_users') });
  await users.click();
  const leaving = page.getByRole('dialog', { name: say('leave_codes_title') });
  await expect(leaving.getByText(say('leave_codes_old'))).toBeVisible();
  await inspect(page, 'new codes, left unsaved');
  await press(leaving, say('leave_go'));
  await expect(heading(page, say('users_title'))).toBeVisible();
  await page.goto('/');
  await expect(page.getByText(say('security_codes_waiting'))).toBeVisible();
  await inspect(page, 'home, new codes wait');
  await page.getByRole('link', { name: say('new_codes_make') }).click();
  await expect(page.getByText(pattern('new_codes_again'))).toBeVisible();
  await inspect(page, 'new codes, while others wait');
  await page.getByLabel(say('password'), { exact: true }).fill(ada.password);
  await press(page, say('new_codes_make'));
  await expect(page.getByText(say('not_replaced_yet_body'))).toBeVisible();
  const active = `SELECT COUNT(*) FROM backup_code_sets WHERE user_id = '${ada.id}' AND state = 'active'`;
  const old = ada.server.sql(active.replace('COUNT(*)', 'id'));
  await page.getByLabel(say('wrote_them_down')).check();
  await press(page, say('have_saved'));
  await expect(page.getByText(say('told_codes_saved'))).toBeVisible();
  expect(ada.server.sql(active)).toBe('1');
  expect(ada.server.sql(active.replace('COUNT(*)', 'id'))).not.toBe(old);
});
