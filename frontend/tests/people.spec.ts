import { atHome, givePassword, giveProof, heading, press } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { expect, test } from './kit/test';
import { longDate, say } from './kit/words';

test('invite somebody, who joins in another browser; require, then disable: the next request is refused', async ({
  page,
  context,
  another,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(401, 403, 410);
  const boss = await someone({ name: 'Boss Administrator', role: 'administrator' });
  await carryOver(await boss.enrol(), context);
  boss.proofsGetOld();
  const email = boss.email.replace('ada', 'nia');

  await page.goto('/parameters/users');
  await press(page, say('invite'));
  await expect(page.getByLabel(say('name'), { exact: true })).toBeFocused();
  await page.getByLabel(say('name'), { exact: true }).fill('Nia New');
  await page.getByLabel(say('email'), { exact: true }).fill(email);
  await page.getByRole('radio', { name: say('requirement_required') }).check();
  await inspect(page, 'inviting');
  await page.getByRole('radio', { name: say('requirement_allowed') }).check();
  await press(page, say('invite_submit'));
  // The proof of before is old: it is asked for once more, and then it goes on by itself.
  await giveProof(page, boss);
  await expect(heading(page, say('invited_title', { name: 'Nia New' }))).toBeVisible();
  await inspect(page, 'the link of an invitation');
  const link = await page.getByLabel(say('invited_link')).inputValue();
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/join#token=[\w-]{43}$/);
  await press(page, say('done'));
  await page.getByLabel(say('users_search')).fill(email);
  await expect(page.getByRole('row').filter({ hasText: email })).toContainText(say('user_invited'));

  const theirs = await (await another()).newPage();
  await theirs.goto(link);
  await expect(theirs.getByText(say('join_lead', { email }))).toBeVisible();
  await expect(theirs).toHaveURL(/\/join$/);
  await expect(theirs.getByLabel(say('password'), { exact: true })).toBeFocused();
  await inspect(theirs, 'joining');
  await theirs.getByLabel(say('name'), { exact: true }).fill('Nia Newman');
  await theirs.getByLabel(say('password'), { exact: true }).fill('seven blue umbrellas waiting');
  await press(theirs, say('join_submit'));
  await atHome(theirs, { name: 'Nia Newman' });
  await expect(theirs.getByText(say('told_joined'))).toBeVisible();
  await expect(theirs.getByText(say('home_off_title'))).toBeVisible();
  await inspect(theirs, 'home, just joined');

  // The link was good once.
  const late = await (await another()).newPage();
  await late.goto(link);
  await expect(heading(late, say('error_invitation_used'))).toBeVisible();
  await inspect(late, 'an invitation that was used');

  await page.getByLabel(say('users_search')).fill('newman');
  await page.getByRole('link', { name: 'Nia Newman' }).click();
  await expect(heading(page, say('their_account_title'))).toBeVisible();
  await inspect(page, "somebody's account, administrator");
  await press(page, say('requirement_change'));
  await page.getByRole('radio', { name: say('requirement_off') }).check();
  await expect(page.getByLabel(say('requirement_reason'))).toBeVisible();
  await inspect(page, 'requirement, off');
  await page.getByRole('radio', { name: say('requirement_required') }).check();
  const day = new Date(Date.now() + 9 * 86_400_000);
  await page.getByLabel(say('requirement_deadline')).fill(day.toISOString().slice(0, 10));
  const by = say('home_required_by', { date: longDate(new Date(`${day.toISOString().slice(0, 10)}T12:00:00Z`)) });
  await expect(page.getByRole('dialog')).toContainText(by);
  await inspect(page, 'requirement, by a day');
  await press(page, say('requirement_save'));
  await expect(page.getByText(say('told_requirement_set'))).toBeVisible();
  await theirs.reload();
  await expect(theirs.getByText(by)).toBeVisible();

  await press(page, say('disable_account'));
  await expect(page.getByRole('dialog').getByRole('button', { name: say('cancel') })).toBeFocused();
  await inspect(page, 'disabling somebody');
  await press(page, say('disable_account_confirm'));
  await expect(page.getByText(say('told_user_disabled'))).toBeVisible();
  await expect(page.getByText(say('account_closed_body'))).toBeVisible();
  await inspect(page, "somebody's account, disabled");
  const next = await theirs.evaluate(() => fetch('/api/v1/session').then((answer) => answer.status));
  expect(next).toBe(401);
  await theirs.reload();
  await expect(heading(theirs, say('sign_in_title'))).toBeVisible();
  await givePassword(theirs, { email, password: 'seven blue umbrellas waiting' });
  await expect(theirs.getByText(say('error_account_disabled'))).toBeVisible();

  await press(page, say('remove_account_open'));
  await page.getByLabel(say('remove_account_type', { email })).fill(email);
  await inspect(page, 'removing somebody');
  await press(page, say('remove_account_confirm'));
  await expect(page.getByText(say('told_user_removed'))).toBeVisible();
  await page.getByLabel(say('users_search')).fill(email);
  await expect(page.getByText(say('users_none_title'))).toBeVisible();
});
