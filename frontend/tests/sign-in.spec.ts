import {
  atHome,
  backupField,
  codeField,
  giveBackupCode,
  givePassword,
  heading,
  press,
  signOut,
  toBackupStep,
  toSecondStep,
} from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { expect, test } from './kit/test';
import { say } from './kit/words';

test('password alone, where 2-step verification is off', async ({ page, someone }) => {
  const ada = await someone();
  await page.goto('/sign-in');
  await expect(page.getByLabel(say('email'))).toBeFocused();
  await inspect(page, 'sign-in');
  await givePassword(page, ada);
  await atHome(page, ada);
  await expect(page.getByText(say('home_off_body'))).toBeVisible();
  await inspect(page, 'home, protection off');
  await signOut(page, ada);
  await inspect(page, 'sign-in, signed out');
});

test('a wrong password is said, and what was typed stays', async ({ page, someone, tidy }) => {
  tidy.expectRefusals(401);
  const ada = await someone();
  await page.goto('/sign-in');
  await press(page, say('continue'));
  await expect(page.getByText(say('field_required'))).toHaveCount(2);
  await expect(page.getByLabel(say('email'))).toBeFocused();
  await givePassword(page, { email: ada.email, password: 'something else altogether' });
  await expect(page.getByRole('alert')).toContainText(say('error_bad_credentials'));
  await expect(page.getByRole('alert')).toContainText(say('error_bad_credentials_next'));
  await expect(page.getByLabel(say('email'))).toHaveValue(ada.email);
  await expect(page.getByLabel(say('password'), { exact: true })).toBeFocused();
  await inspect(page, 'sign-in, refused');
});

test('too many wrong passwords: the button counts down, and then works', async ({ page, someone, tidy }) => {
  tidy.expectRefusals(401, 429);
  const ada = await someone();
  await page.goto('/sign-in');
  for (let tries = 0; tries < 5; tries++) {
    await givePassword(page, { email: ada.email, password: `something else ${tries}` });
    await expect(page.getByText(say('error_bad_credentials'))).toBeVisible();
  }
  // The fifth one starts a delay, here made long enough to be looked at.
  ada.server.sql(`UPDATE password_tries SET blocked_until = ${Date.now() + 90_000} WHERE failures = 5`);
  await givePassword(page, ada);
  await expect(page.getByRole('alert')).toContainText(say('error_too_many_passwords'));
  const waiting = page.getByRole('button', { name: /1:[12]\d/ });
  await expect(waiting).toBeDisabled();
  const said = await waiting.textContent();
  await expect(waiting).not.toHaveText(said ?? '');
  await expect(page.getByLabel(say('password'), { exact: true })).toHaveValue(ada.password);
  await inspect(page, 'sign-in, slowed down');
});

test('with the code of the app, which submits itself at the sixth digit', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  await toSecondStep(page, ada);
  await expect(heading(page, say('second_step_heading'))).toBeVisible();
  await expect(page.getByText(say('second_step_lead', { label: ada.app.label }))).toBeVisible();
  await inspect(page, 'second step');
  const code = await ada.app.code();
  await codeField(page).pressSequentially(code.slice(0, 5));
  await expect(codeField(page)).toHaveValue(code.slice(0, 5));
  await codeField(page).press(code.slice(5));
  await atHome(page, ada);
  await expect(page.getByText(say('home_calm'))).toBeVisible();
  await inspect(page, 'home, nothing to do');
});

test('with a code pasted with its space', async ({ page, someone, context, baseURL }) => {
  const ada = await someone();
  await ada.enrol();
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: baseURL ?? '' });
  await toSecondStep(page, ada);
  const code = await ada.app.code();
  await page.evaluate((text) => navigator.clipboard.writeText(text), `${code.slice(0, 3)} ${code.slice(3)}`);
  await codeField(page).press('ControlOrMeta+V');
  await atHome(page, ada);
});

test('with a backup code full of slips: it simply works, and says how many are left', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  await toBackupStep(page, ada);
  await inspect(page, 'backup code step');
  const slips = (ada.codes[7] ?? '').toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l').replaceAll('-', ' ');
  await giveBackupCode(page, `  ${slips.slice(0, 2)} ${slips.slice(2)} `);
  await expect(heading(page, say('after_backup_title'))).toBeVisible();
  await expect(page.getByText(say('after_backup_lead'))).toBeVisible();
  await expect(page.getByText(say('codes_left', { count: 9 }))).toBeVisible();
  await expect(page.getByText(say('few_codes_title'))).toHaveCount(0);
  await inspect(page, 'after a backup code');
  await press(page, say('have_my_phone'));
  await atHome(page, ada);
});

test('below four codes the person is asked to make new ones', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  ada.server.sql(`UPDATE backup_codes SET used_at = 1 WHERE user_id = '${ada.id}' AND position > 4`);
  await toBackupStep(page, ada);
  await giveBackupCode(page, ada.codes[1] ?? '');
  await expect(page.getByText(say('codes_left', { count: 3 }))).toBeVisible();
  await expect(page.getByText(say('few_codes_title'))).toBeVisible();
  await expect(page.getByText(say('after_backup_few'))).toBeVisible();
  await inspect(page, 'after a backup code, few left');
  await press(page, say('have_my_phone'));
  await expect(page.getByText(say('home_few_codes_title'))).toBeVisible();
  await expect(page.getByText(say('home_few_codes_body', { codes: say('codes_left', { count: 3 }) }))).toBeVisible();
  await inspect(page, 'home, few codes');
});

test('a backup code in the field for the app is used, and the person is told', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  await toSecondStep(page, ada);
  await codeField(page).fill(ada.codes[2] ?? '');
  await expect(page.getByText(say('code_grown'))).toBeVisible();
  await inspect(page, 'second step, grown');
  await press(page, say('continue'));
  await expect(heading(page, say('after_backup_title'))).toBeVisible();
  await expect(page.getByText(say('after_backup_unasked'))).toBeVisible();
  await expect(page.getByText(say('codes_left', { count: 9 }))).toBeVisible();
});

test('a code of the app in the field for backup codes is used, and the person is told', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  await toBackupStep(page, ada);
  await giveBackupCode(page, await ada.app.code());
  await atHome(page, ada);
  await expect(page.getByText(say('told_app_code_used'))).toBeVisible();
  await inspect(page, 'home, told that an app code was used');
});

test('"I lost my phone" leads to replacing it', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol({ name: 'Old phone' });
  await toBackupStep(page, ada);
  await giveBackupCode(page, ada.codes[1] ?? '');
  await page.getByRole('link', { name: say('lost_phone') }).click();
  await expect(heading(page, say('security_lost_title'))).toBeVisible();
  await inspect(page, 'wizard, replacing');
  await press(page, say('have_app'));
  await expect(heading(page, say('scan_heading'))).toBeVisible();
  await page.goto('/');
  await page.getByRole('link', { name: say('go_on'), exact: true }).click();
  await expect(heading(page, say('security_lost_title'))).toBeVisible();
});

test('a reload on the second step keeps one there; both ways lead to each other', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  await toSecondStep(page, ada);
  await page.reload();
  await expect(codeField(page)).toBeFocused();
  await expect(page.getByText(say('second_step_lead', { label: ada.app.label }))).toBeVisible();
  await page.getByRole('link', { name: say('use_backup_code') }).click();
  await page.reload();
  await expect(backupField(page)).toBeFocused();
  await page.getByRole('link', { name: say('use_app_code') }).click();
  await codeField(page).fill(await ada.app.code());
  await atHome(page, ada);
});

test('a sign-in that took too long starts again, and comes back to where one wanted to go', async ({
  page,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(401, 422);
  const ada = await someone();
  await ada.enrol();
  await page.goto('/parameters/users/me/security');
  await givePassword(page, ada);
  await expect(codeField(page)).toBeFocused();
  ada.server.sql(`UPDATE pending_sign_ins SET expires_at = ${Date.now() - 1} WHERE user_id = '${ada.id}'`);
  await page.reload();
  await expect(heading(page, say('sign_in_expired_title'))).toBeVisible();
  await expect(page.getByText(say('sign_in_expired_body'))).toBeVisible();
  await inspect(page, 'sign-in took too long');
  await press(page, say('start_again'));
  await givePassword(page, ada);
  await codeField(page).fill(await ada.app.code());
  await expect(page).toHaveURL('/parameters/users/me/security');
  await expect(heading(page, say('my_security'))).toBeVisible();
});

test('"I can’t get in" names the ways back, the quickest first', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  await toSecondStep(page, ada);
  await page.getByRole('link', { name: say('cannot_get_in') }).click();
  await expect(heading(page, say('cannot_get_in_title'))).toBeVisible();
  const ways = page.getByRole('list').getByRole('heading');
  await expect(ways).toHaveText([say('way_backup_title'), say('way_app_title'), say('way_browser_title')]);
  await expect(page.getByRole('button', { name: say('recovery_none_works') })).toBeVisible();
  await inspect(page, 'cannot get in');
  await page.reload();
  await page.getByRole('link', { name: say('use_backup_code') }).click();
  await giveBackupCode(page, ada.codes[10] ?? '');
  await expect(heading(page, say('after_backup_title'))).toBeVisible();
});

test('whoever is signed in already is not asked again', async ({ page, context, someone }) => {
  const ada = await someone();
  await carryOver(await ada.knock(), context);
  await page.goto('/parameters/users');
  await expect(heading(page, say('users_title'))).toBeVisible();
});
