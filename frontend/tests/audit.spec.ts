import { readFile } from 'node:fs/promises';
import { inspect } from './kit/inspect';
import { carryOver, Person } from './kit/person';
import { expect, password, test } from './kit/test';
import { say } from './kit/words';

test('an administrator reads what happened, narrows it, and sees all that is stored', async ({
  page,
  context,
  empty,
}) => {
  const root = new Person(empty, 'Root Of All', 'root@example.test', password, 'administrator');
  const bo = new Person(empty, 'Bo Lindqvist', 'bo@example.test', password, 'member');
  await empty.add(root);
  await empty.add(bo);
  await bo.enrol();
  await bo.signIn(bo.codes[1] ?? '');
  await carryOver(await root.enrol(), context);
  const rows = page.locator('li.item');

  await page.goto(`${empty.url}/`);
  await page
    .getByRole('link', { name: say('audit_title') })
    .filter({ visible: true })
    .click();
  await expect(rows.first()).toContainText(root.name);
  await expect(rows.filter({ hasText: say('event_signed_in_password') })).not.toHaveCount(0);
  await inspect(page, 'audit log');

  await page.getByLabel(say('audit_person')).fill('bo');
  await expect(page.locator('datalist option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/person=bo%40example\.test/);
  await expect(rows.first()).toContainText(bo.name);
  await expect(rows.filter({ hasText: root.name })).toHaveCount(0);
  await page.getByLabel(say('audit_kind')).selectOption({ label: say('event_signed_in') });
  await expect(page).toHaveURL(/kind=sign_in\.completed/);
  await expect(rows.first()).toContainText(say('event_signed_in_code'));
  await page.reload();
  await expect(page.getByLabel(say('audit_person'))).toHaveValue(bo.email);
  await expect(rows.first()).toContainText(say('event_signed_in_code'));

  await rows.first().getByRole('button').click();
  await expect(rows.first()).toContainText('sign_in.completed');
  await expect(rows.first()).toContainText('request_id');
  await inspect(page, 'audit log, an event opened');

  await page.getByLabel(say('audit_result')).selectOption('fault');
  await expect(page.getByText(say('audit_none_title'))).toBeVisible();
  await inspect(page, 'audit log, nothing fits');
  await page.getByRole('button', { name: say('audit_clear') }).click();
  await expect(rows.filter({ hasText: root.name })).not.toHaveCount(0);

  const taken = page.waitForEvent('download');
  await page.getByRole('button', { name: say('audit_export_lines') }).click();
  const file = await taken;
  expect(file.suggestedFilename()).toMatch(/-audit-\d{4}-\d\d-\d\d\.jsonl$/);
  const lines = (await readFile(await file.path(), 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).kind)).toContain('audit.exported');
  await inspect(page, 'audit log, exported');

  await page.goto(`${empty.url}/parameters/users`);
  await page.getByRole('link', { name: bo.name }).first().click();
  await page.getByRole('link', { name: say('events_in_log') }).click();
  await expect(page).toHaveURL(/parameters\/audit\?person=/);
  await expect(page.getByLabel(say('audit_person'))).toHaveValue(bo.email);
  await expect(rows.first()).toContainText(bo.name);
});
