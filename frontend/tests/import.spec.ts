import { readFileSync } from 'node:fs';
import type { Download, Page } from '@playwright/test';
import { heading, press } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver, Person } from './kit/person';
import { expect, password, test } from './kit/test';
import { say } from './kit/words';

/** 500 people of a file with 7 bad lines: looked at, confirmed, invited, and out again as a file. */

const all = 500;
const wrong: Record<number, string> = {
  14: ',nameless@example.test,,,',
  73: 'No Address,nobody at all,,,',
  140: 'Root Again,ROOT@example.test,,,',
  141: 'Person 2 again,person2@example.test,,,',
  260: 'King,king@example.test,king,,',
  333: 'Off,off@example.test,administrator,off,',
  480: 'Comma, Somebody,comma@example.test,,,,',
};
const reasons = [
  'import_name_required',
  'import_email_invalid',
  'import_email_taken',
  'import_email_twice',
  'import_role_invalid',
  'import_requirement_never_off',
  'import_line_columns',
] as const;

function staff(): string {
  const lines = ['name,email,role,requirement,deadline'];
  for (let line = 2; line < all + 2; line++) {
    const formula = line === 3 ? '=1+1' : `Person ${line}`;
    lines.push(wrong[line] ?? `${formula},person${line}@example.test,,${line % 2 ? 'required,2099-12-31' : ','}`);
  }
  return `\ufeff${lines.join('\r\n')}\r\n`;
}

async function saved(page: Page, name: string): Promise<string> {
  const downloading = page.waitForEvent('download');
  await press(page, name);
  const download: Download = await downloading;
  return readFileSync(await download.path(), 'utf8');
}

test('500 people with 7 bad lines come in by a file, and go out by one', async ({ page, context, empty, another }) => {
  const root = new Person(empty, 'Root Of All', 'root@example.test', password, 'administrator');
  await empty.add(root);
  await carryOver(await root.enrol(), context);
  const people = () => empty.sql('SELECT COUNT(*) FROM users');

  await page.goto(`${empty.url}/parameters/users`);
  await page.getByRole('link', { name: say('import_open') }).click();
  await expect(heading(page, say('import_title'))).toBeFocused();
  await inspect(page, 'import, choose');
  const input = page.locator('input[type=file]');
  await input.setInputFiles({
    name: 'old.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from('name;email\nJ\xfcrgen;x', 'latin1'),
  });
  await expect(page.getByText(say('import_file_not_utf8'))).toBeVisible();
  await inspect(page, 'import, a file that can not be read');

  await input.setInputFiles({ name: 'staff.csv', mimeType: 'text/csv', buffer: Buffer.from(staff()) });
  await expect(heading(page, say('import_checked_title'))).toBeFocused();
  await expect(page.getByText(say('import_can', { count: 493 }))).toBeVisible();
  await expect(page.getByText(say('import_cannot', { count: 7 }))).toBeVisible();
  const rows = page
    .getByRole('table')
    .getByRole('row')
    .filter({ has: page.getByRole('cell') });
  await expect(rows).toHaveCount(7);
  for (const [n, line] of Object.keys(wrong).entries()) {
    await expect(rows.nth(n).getByRole('rowheader')).toContainText(line);
    await expect(rows.nth(n)).toContainText(say(reasons[n] ?? 'import_nothing', { max: 100 }));
  }
  await inspect(page, 'import, checked');
  expect(people()).toBe('1');
  expect((await saved(page, say('import_bad_download'))).trim().split('\r\n')).toHaveLength(8);

  await press(page, say('import_go', { count: 493 }));
  await expect(heading(page, say('import_done_title'))).toBeFocused();
  await expect(page.getByText(say('import_invited', { count: 493 }))).toBeVisible();
  expect(people()).toBe('494');
  await inspect(page, 'import, done');
  await page.getByRole('link', { name: say('import_to_users') }).click();
  const dialog = page.getByRole('dialog', { name: say('import_leave_links_title') });
  await expect(dialog.getByRole('button', { name: say('leave_stay') })).toBeFocused();
  await inspect(page, 'import, leave without the links');
  await page.keyboard.press('Escape');
  await page.goBack();
  await press(dialog, say('leave_stay'));
  const links = (await saved(page, say('import_links_download'))).trim().split('\r\n');
  expect(links).toHaveLength(494);
  expect(links[2]).toMatch(/^"'=1\+1","person3@example\.test","http/);
  const link = new URL(/"(http[^"]*)"$/.exec(links[1] ?? '')?.[1] ?? '');
  const guest = await (await another()).newPage();
  const told = await guest.request.post(`${empty.url}/api/v1/join/invitation`, {
    headers: { 'Sec-Fetch-Site': 'same-origin', Origin: empty.url },
    data: { token: link.hash.replace('#token=', '') },
  });
  expect(await told.json()).toMatchObject({ name: 'Person 2', email: 'person2@example.test' });

  await page.getByRole('link', { name: say('import_to_users') }).click();
  await expect(heading(page, say('users_title'))).toBeVisible();
  const everybody = (await saved(page, say('export_users'))).trim().split('\r\n');
  expect(everybody).toHaveLength(495);
  expect(everybody).toContain(
    `"'=1+1","person3@example.test","member","required","2099-12-31T23:59:59Z","off","","invited",""`,
  );
  await expect(page.getByText(say('export_done', { count: 494 }))).toBeVisible();
  await inspect(page, 'users, with import and export');
});
