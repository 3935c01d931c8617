import type { Locator, Page } from '@playwright/test';
import { codeField, heading, press, refusal } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { expect, test } from './kit/test';
import { pattern, say } from './kit/words';

/** Fresh proof: what it asks for, and the rows of guidance.md that apply there. */

/** "I have one", with an old proof: the question comes. */
async function asked(page: Page, act: string, query = ''): Promise<Locator> {
  await page.goto(`/parameters/users/me/security/enable/app${query}`);
  await press(page, say('have_app'));
  const dialog = page.getByRole('dialog', { name: say('proof_title') });
  await expect(dialog.getByText(say('proof_body', { act }))).toBeVisible();
  return dialog;
}

const passwordOf = (dialog: Locator) => dialog.getByLabel(say('password'), { exact: true });

test('without 2-step verification the password does, and what was wanted goes on by itself', async ({
  page,
  context,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(403, 422);
  const ada = await someone();
  await carryOver(await ada.knock(), context);
  ada.proofsGetOld();
  const dialog = await asked(page, say('act_enable'));
  await expect(passwordOf(dialog)).toBeFocused();
  await expect(codeField(dialog)).toHaveCount(0);
  await inspect(page, 'fresh proof, password');
  await passwordOf(dialog).fill('not the right one at all');
  await press(dialog, say('continue'));
  await expect(dialog.getByText(say('error_wrong_password'))).toBeVisible();
  await passwordOf(dialog).fill(ada.password);
  await press(dialog, say('continue'));
  await expect(heading(page, say('scan_heading'))).toBeVisible();
});

test('Cancel, or Escape, leaves everything as it was', async ({ page, context, someone, tidy }) => {
  tidy.expectRefusals(403);
  const ada = await someone();
  await carryOver(await ada.knock(), context);
  ada.proofsGetOld();
  const dialog = await asked(page, say('act_enable'));
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('alert')).toHaveCount(0);
  await press(page, say('have_app'));
  await press(dialog, say('cancel'));
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('button', { name: say('have_app') })).toBeFocused();
});

test('with 2-step verification a code too, and each refusal says why', async ({ page, context, someone, tidy }) => {
  tidy.expectRefusals(403, 422);
  const ada = await someone();
  const caller = await ada.enrol();
  const used = await ada.app.code();
  await ada.signIn(used);
  await carryOver(caller, context);
  ada.proofsGetOld();
  const dialog = await asked(page, say('act_enable'));
  await inspect(page, 'fresh proof, password and code');
  await passwordOf(dialog).fill(ada.password);
  const give = async (code: string) => {
    await codeField(dialog).fill(code);
    await press(dialog, say('continue'));
  };

  await give(ada.app.meaningless());
  let box = await refusal(dialog, 'wrong_code');
  await expect(box).toContainText(say('wrong_code_body', { label: ada.app.label }));
  await inspect(page, 'fresh proof refused: wrong code');
  await give(used);
  box = await refusal(dialog, 'already_used');
  await expect(box).toContainText(say('already_used_elsewhere_title'));
  await expect(box.getByText(pattern('next_code_in')).or(box.getByText(say('next_code_now')))).toBeVisible();
  await give(await ada.app.code(-7));
  box = await refusal(dialog, 'clock_behind');
  await expect(box).toContainText(say('clock_behind_title', { span: '4 minutes' }));
  await give('12345');
  box = await refusal(dialog, 'malformed');
  await expect(box).toContainText(say('malformed_app_title'));

  await give(await ada.app.code(1));
  await expect(heading(page, say('scan_heading'))).toBeVisible();
});

test('a backup code is taken as one to replace the app; to turn protection off it does not do', async ({
  page,
  context,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(403);
  const ada = await someone();
  await carryOver(await ada.enrol(), context);
  ada.proofsGetOld();
  const dialog = await asked(page, say('act_enable'), `?replaces=${ada.firstApp}`);
  await passwordOf(dialog).fill(ada.password);
  await codeField(dialog).fill(ada.codes[1] ?? '');
  await press(dialog, say('continue'));
  await expect(heading(page, say('scan_heading'))).toBeVisible();

  await page.goto('/parameters/users/me/security');
  await press(page, say('disable_ellipsis'));
  const disabling = page.getByRole('dialog', { name: say('disable_title') });
  await passwordOf(disabling).fill(ada.password);
  await press(disabling, say('disable_confirm'));
  const proving = page.getByRole('dialog', { name: say('proof_title') });
  await expect(proving.getByText(say('error_app_code_required_next'))).toBeVisible();
  await inspect(page, 'fresh proof, app code wanted');
  // The password was typed for the act itself: what lacks is the code.
  await expect(passwordOf(proving)).toHaveCount(0);
  await expect(codeField(proving)).toBeFocused();
  await codeField(proving).fill(await ada.app.code());
  await press(proving, say('continue'));
  await expect(page.getByText(say('told_protection_off'))).toBeVisible();
});

test('too_many_attempts there: when it works again', async ({ page, context, someone, tidy }) => {
  tidy.expectRefusals(403, 422, 429);
  const ada = await someone();
  await carryOver(await ada.enrol(), context);
  ada.proofsGetOld();
  const dialog = await asked(page, say('act_enable'));
  await passwordOf(dialog).fill(ada.password);
  await codeField(dialog).fill(ada.app.meaningless());
  await press(dialog, say('continue'));
  await refusal(dialog, 'wrong_code');
  const until = Date.now() + 90_000;
  ada.server.sql(`UPDATE second_step_tries SET blocked_until = ${until} WHERE user_id = '${ada.id}'`);
  await codeField(dialog).fill(await ada.app.code());
  await press(dialog, say('continue'));
  const box = await refusal(dialog, 'too_many_attempts');
  await expect(box).toContainText(say('too_many_body'));
  await expect(box.getByText(pattern('try_again_in'))).toContainText(/1:[12]\d/);
});
