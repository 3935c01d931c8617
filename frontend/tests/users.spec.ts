import type { Page } from '@playwright/test';
import { heading } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver, Person } from './kit/person';
import { expect, password, test } from './kit/test';
import { say } from './kit/words';

const rows = (page: Page) => page.getByRole('row').filter({ has: page.getByRole('cell') });

test('a member sees themself and nobody else', async ({ page, context, someone, tidy }) => {
  tidy.expectRefusals(403);
  const ada = await someone();
  const eve = await someone({ name: 'Eve Other' });
  await carryOver(await ada.knock(), context);
  await page.goto('/parameters/users');
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText(ada.email);
  await expect(page.getByText(say('users_member_note'))).toBeVisible();
  await inspect(page, 'users, member');
  await page.getByRole('link', { name: ada.name }).click();
  await expect(page).toHaveURL(`/parameters/users/${ada.id}/security`);
  await expect(heading(page, say('my_security'))).toBeVisible();

  await page.goto(`/parameters/users/${eve.id}/security`);
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByText(eve.email)).toHaveCount(0);
  await inspect(page, 'security of somebody else, member');
  const refused = await page.evaluate(() => fetch('/api/v1/users').then((answer) => answer.status));
  expect(refused).toBe(403);
});

test('an administrator searches, filters, sorts and pages; the address holds the view', async ({
  page,
  context,
  empty,
}) => {
  const root = new Person(empty, 'Root Of All', 'root@example.test', password, 'administrator');
  await empty.add(root);
  const people = Array.from({ length: 26 }, (_, i) => ({
    name: `Person ${String.fromCharCode(65 + i)}`,
    email: `${26 - i}0@example.test`.padStart(16, '0'),
    password,
    role: 'member',
  }));
  for (const person of people) await empty.add(person);
  const protectedOne = new Person(empty, 'Person C', '240@example.test', password, 'member');
  await protectedOne.enrol();
  await carryOver(await root.knock(), context);

  await page.goto(`${empty.url}/parameters/users`);
  await expect(rows(page)).toHaveCount(25);
  await expect(rows(page).first()).toContainText('Person A');
  await expect(page.getByText(say('users_range', { first: 1, last: 25, total: 27 }))).toBeVisible();
  await inspect(page, 'users');

  await page.getByRole('button', { name: say('users_next') }).click();
  await expect(rows(page)).toHaveCount(2);
  await expect(rows(page).last()).toContainText(root.name);
  await expect(rows(page).last()).toContainText(say('you'));
  await expect(page).toHaveURL(/cursor=/);
  await page.reload();
  await expect(rows(page)).toHaveCount(2);
  await page.getByRole('button', { name: say('users_previous') }).click();
  await expect(rows(page)).toHaveCount(25);
  await page.goBack();
  await expect(rows(page)).toHaveCount(2);
  await page.goto(`${empty.url}/parameters/users`);

  await page.getByLabel(say('users_search')).fill('person c');
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText(say('protection_on'));
  await expect(page).toHaveURL(/query=person[+%]/);
  await page.reload();
  await expect(page.getByLabel(say('users_search'))).toHaveValue('person c');
  await expect(rows(page)).toHaveCount(1);
  await page.getByLabel(say('users_search')).fill('nobody at all');
  await expect(page.getByText(say('users_none_title'))).toBeVisible();
  await inspect(page, 'users, nobody fits');
  await page.getByRole('button', { name: say('users_clear') }).click();
  await expect(rows(page)).toHaveCount(25);

  await page.getByLabel(say('users_filter_protection')).selectOption('on');
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText('Person C');
  await expect(page).toHaveURL(/protection=on/);
  await page.getByLabel(say('users_filter_protection')).selectOption('required_not_yet');
  await expect(page.getByText(say('users_none_title'))).toBeVisible();
  await inspect(page, 'users, the longest filter');
  await page.getByLabel(say('users_filter_protection')).selectOption('');
  await page.getByLabel(say('users_filter_role')).selectOption('administrator');
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText(root.email);
  await expect(page).toHaveURL(/role=administrator/);
  await page.getByLabel(say('users_filter_role')).selectOption('');
  await page.getByLabel(say('users_sort')).selectOption('email');
  await expect(rows(page).first()).toContainText('010@example.test');
  await expect(page).toHaveURL(/sort=email/);

  await page.getByRole('link', { name: 'Person Z' }).click();
  await expect(heading(page, 'Person Z')).toBeVisible();
  await expect(page.getByText(say('security_off_body_other'))).toBeVisible();
  await expect(page.getByRole('link', { name: say('enable'), exact: true })).toHaveCount(0);
  await inspect(page, 'security of somebody else, administrator');
  await page.goBack();
  await expect(page).toHaveURL(/sort=email/);
  await expect(page.getByLabel(say('users_sort'))).toHaveValue('email');
  await expect(rows(page)).toHaveCount(25); // or the server ends before it answers
});
