import { heading, press } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { expect, test } from './kit/test';
import { say } from './kit/words';

const security = '/parameters/users/me/security';

test('turned off with the password, and on again', async ({ page, context, someone, tidy }) => {
  tidy.expectRefusals(422);
  const ada = await someone();
  await carryOver(await ada.enrol(), context);
  await page.goto(security);
  await press(page, say('disable_ellipsis'));
  const dialog = page.getByRole('dialog', { name: say('disable_title') });
  await expect(dialog.getByRole('button', { name: say('keep_it_on') })).toBeFocused();
  await expect(dialog.getByRole('listitem')).toHaveText([
    say('disable_loses_password'),
    say('disable_loses_app'),
    say('disable_loses_codes', { count: 10 }),
  ]);
  await expect(dialog.getByText(say('disable_administrator_body'))).toHaveCount(0);
  await inspect(page, 'disable');
  await press(dialog, say('keep_it_on'));
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('button', { name: say('disable_ellipsis') })).toBeFocused();

  await press(page, say('disable_ellipsis'));
  await press(dialog, say('disable_confirm'));
  await expect(dialog.getByText(say('field_required'))).toBeVisible();
  const password = dialog.getByLabel(say('password'), { exact: true });
  await expect(password).toBeFocused();
  await password.fill('not the right one at all');
  await press(dialog, say('disable_confirm'));
  await expect(dialog.getByText(say('error_wrong_password'))).toBeVisible();
  await expect(password).toBeFocused();
  await inspect(page, 'disable, wrong password');
  await password.fill(ada.password);
  await press(dialog, say('disable_confirm'));
  await expect(page.getByText(say('told_protection_off'))).toBeVisible();
  await expect(page.getByText(say('security_off'), { exact: true })).toBeVisible();
  await inspect(page, 'security, just turned off');

  await page.getByRole('link', { name: say('enable'), exact: true }).click();
  await press(page, say('have_app'));
  await expect(heading(page, say('scan_heading'))).toBeVisible();
});

test('an administrator reads why it is a bad idea', async ({ page, context, someone }) => {
  const ada = await someone({ role: 'administrator' });
  await carryOver(await ada.enrol(), context);
  await page.goto(security);
  await press(page, say('disable_ellipsis'));
  const dialog = page.getByRole('dialog', { name: say('disable_title') });
  await expect(dialog.getByText(say('disable_administrator'), { exact: true })).toBeVisible();
  await expect(dialog.getByText(say('disable_administrator_body'))).toBeVisible();
  await inspect(page, 'disable, administrator');
});

test('where it is required it cannot be turned off', async ({ page, context, someone }) => {
  const ada = await someone();
  await carryOver(await ada.enrol(), context);
  ada.server.sql(`UPDATE users SET requirement = 'required' WHERE id = '${ada.id}'`);
  await page.goto(security);
  await expect(page.getByText(say('turn_off_required'))).toBeVisible();
  await expect(page.getByRole('button', { name: say('disable_ellipsis') })).toHaveCount(0);
  await inspect(page, 'security, required');
});

test('where it is not allowed it is not offered', async ({ page, context, someone }) => {
  const ada = await someone();
  await carryOver(await ada.knock(), context);
  ada.server.sql(`UPDATE users SET requirement = 'off' WHERE id = '${ada.id}'`);
  await page.goto(security);
  await expect(page.getByText(say('security_not_allowed_body'))).toBeVisible();
  await expect(page.getByRole('link', { name: say('enable'), exact: true })).toHaveCount(0);
  await inspect(page, 'security, not allowed');
  await page.goto('/');
  await expect(page.getByText(say('home_calm_off'))).toBeVisible();
});
