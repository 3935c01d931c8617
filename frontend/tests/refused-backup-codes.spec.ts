import { backupField, codeField, giveBackupCode, heading, press, refusal, toBackupStep } from './kit/acts';
import { App } from './kit/app';
import { otherBrowser } from './kit/caller';
import { inspect } from './kit/inspect';
import { expect, test } from './kit/test';
import { isoDay, longDate, say, today } from './kit/words';

/** Each row of guidance.md about backup codes, at sign-in. */

test.beforeEach(({ tidy }) => tidy.expectRefusals(422));

test('backup_code_used: when and where, the next unused number, and what if it was not me', async ({
  page,
  someone,
}) => {
  const ada = await someone();
  await ada.enrol();
  await ada.signIn(ada.codes[1] ?? '');
  await ada.signIn(ada.codes[7] ?? '');
  const used = new Date();
  await toBackupStep(page, ada);
  await giveBackupCode(page, ada.codes[7] ?? '');
  const box = await refusal(page, 'backup_code_used');
  const minuteBefore = new Date(used.getTime() - 60_000);
  const said = [used, minuteBefore].map((when) => say('backup_used_title', { date: today(when) }));
  await expect(box.getByText(said[0] ?? '').or(box.getByText(said[1] ?? ''))).toBeVisible();
  await expect(box).toContainText(say('backup_used_browser', { browser: otherBrowser }));
  await expect(box).toContainText(say('backup_used_next', { number: 2 }));
  await expect(backupField(page)).toHaveValue(ada.codes[7] ?? '');
  await box.getByText(say('not_me')).click();
  await expect(box).toContainText(say('not_me_codes'));
  await inspect(page, 'refused: backup code used');
  await giveBackupCode(page, ada.codes[2] ?? '');
  await expect(page.getByText(say('codes_left', { count: 7 }))).toBeVisible();
});

test('a code used some weeks ago is told by its date', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  await ada.signIn(ada.codes[3] ?? '');
  const long = new Date(Date.now() - 40 * 86_400_000);
  ada.server.sql(`UPDATE backup_codes SET used_at = ${long.getTime()} WHERE user_id = '${ada.id}' AND position = 3`);
  await toBackupStep(page, ada);
  await giveBackupCode(page, ada.codes[3] ?? '');
  const box = await refusal(page, 'backup_code_used');
  await expect(box).toContainText(say('backup_used_title', { date: longDate(long) }));
});

test('backup_code_replaced: the date of the newer set, and the name of its file', async ({ page, someone }) => {
  const ada = await someone();
  const caller = await ada.enrol();
  const old = ada.codes[4] ?? '';
  await ada.newCodes(caller);
  await toBackupStep(page, ada);
  await giveBackupCode(page, old);
  const box = await refusal(page, 'backup_code_replaced');
  const now = new Date();
  await expect(box).toContainText(say('backup_replaced_title'));
  const file = `MailMachine-backup-codes-${isoDay(now)}.txt`;
  await expect(box).toContainText(say('backup_replaced_body', { date: longDate(now), file }));
  await inspect(page, 'refused: backup code replaced');
});

test('wrong_code: what they look like, and the tries that are left', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  await toBackupStep(page, ada);
  await giveBackupCode(page, 'ABCDE-FGHJK-MNPQR');
  const box = await refusal(page, 'wrong_code');
  await expect(box).toContainText(say('wrong_backup_title'));
  await expect(box).toContainText(say('wrong_backup_body'));
  await expect(page.getByText(say('tries_left', { count: 4 }))).toBeVisible();
  await inspect(page, 'refused: not a backup code of theirs');
});

test('malformed: what a backup code looks like, at no cost', async ({ page, someone, tidy }) => {
  tidy.expectNothingRefused();
  const ada = await someone();
  await ada.enrol();
  await toBackupStep(page, ada);
  await giveBackupCode(page, 'ABCDE');
  const box = await refusal(page, 'malformed');
  await expect(box).toContainText(say('malformed_backup_title'));
  await expect(box).toContainText(say('malformed_backup_body'));
  await inspect(page, 'refused: malformed backup code');
});

test('six digits there are tried as a code of the app', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  await toBackupStep(page, ada);
  await giveBackupCode(page, ada.app.meaningless());
  const box = await refusal(page, 'wrong_code');
  await expect(box).toContainText(say('wrong_code_title'));
  await expect(box).toContainText(say('wrong_code_body', { label: ada.app.label }));
});

test('a code of a set that was never saved: new ones after signing in', async ({ page, someone }) => {
  const ada = await someone();
  const caller = await ada.enrol();
  const path = '/api/v1/users/me/security/backup-codes';
  const made = await caller.done<{ backup_codes: string[] }>('POST', path, { password: ada.password });
  await toBackupStep(page, ada);
  await giveBackupCode(page, made.backup_codes[0] ?? '');
  const box = await refusal(page, 'setup_not_finished');
  await expect(box).toContainText(say('codes_not_saved_title'));
  await expect(box).toContainText(say('codes_not_saved_body'));
  await inspect(page, 'refused: backup code not saved');
  await press(box, say('new_codes_after_sign_in'));
  await expect(page.getByText(say('finish_noted'))).toBeVisible();
  await giveBackupCode(page, await ada.app.code());
  await expect(heading(page, say('new_codes_title'))).toBeVisible();
  await expect(page.getByText(say('security_codes_waiting'))).toBeVisible();
});

test('no_backup_codes_left: the app still works, and what else one can do', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  ada.server.sql(`UPDATE backup_codes SET used_at = ${Date.now()} WHERE user_id = '${ada.id}'`);
  await toBackupStep(page, ada);
  await giveBackupCode(page, 'ABCDE-FGHJK-MNPQR');
  const box = await refusal(page, 'no_backup_codes_left');
  await expect(box).toContainText(say('no_codes_left_title'));
  await expect(box).toContainText(say('no_codes_left_body'));
  await expect(box.getByRole('link', { name: say('cannot_get_in') })).toBeVisible();
  await inspect(page, 'refused: no backup codes left');
  await page
    .getByRole('link', { name: say('use_app_code') })
    .first()
    .click();
  await expect(codeField(page)).toBeFocused();
});

test('the last code used: none is left, and Home says so', async ({ page, someone, tidy }) => {
  tidy.expectNothingRefused();
  const ada = await someone();
  await ada.enrol();
  ada.server.sql(`UPDATE backup_codes SET used_at = 1 WHERE user_id = '${ada.id}' AND position > 1`);
  await toBackupStep(page, ada);
  await giveBackupCode(page, ada.codes[1] ?? '');
  await expect(page.getByText(say('codes_left_none'))).toBeVisible();
  await press(page, say('have_my_phone'));
  await expect(page.getByText(say('home_few_codes_body', { codes: say('codes_left_none') }))).toBeVisible();
});

test('a code typed while another browser replaces the app names the app in use', async ({ page, someone }) => {
  const ada = await someone();
  const caller = await ada.enrol({ name: 'Old phone' });
  const view = await caller.done<{ mfa: { factors: { id: string }[] } }>('GET', '/api/v1/users/me');
  const begun = await ada.begin(caller, { name: 'New phone', replaces: view.mfa.factors[0]?.id });
  const fresh = new App(begun.secret, begun.label);
  const path = `/api/v1/users/me/security/enrolments/${begun.id}/confirm`;
  await caller.done('POST', path, { code: await fresh.code(-1) });
  await toBackupStep(page, ada);
  await giveBackupCode(page, await ada.app.code(1));
  const box = await refusal(page, 'previous_setup');
  await expect(box).toContainText(say('previous_setup_entries', { old: ada.app.label, label: fresh.label }));
  await giveBackupCode(page, await fresh.code());
  await expect(heading(page, say('home_hello', { name: ada.name }))).toBeVisible();
});
