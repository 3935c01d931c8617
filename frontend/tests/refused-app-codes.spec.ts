import type { Locator, Page } from '@playwright/test';
import { atHome, codeField, forget, givePassword, press, refusal, toSecondStep } from './kit/acts';
import { App } from './kit/app';
import { otherBrowser } from './kit/caller';
import { inspect } from './kit/inspect';
import { expect, test } from './kit/test';
import { longDate, pattern, say, today } from './kit/words';

/** Each row of guidance.md about codes of an app, at sign-in, in the order of its table. */

test.beforeEach(({ tidy }) => tidy.expectRefusals(422));

const tries = (page: Page, count: number) => page.getByText(say('tries_left', { count }));

/** The countdown under a refusal moves by itself. */
async function moves(box: Locator): Promise<void> {
  const line = box.getByText(pattern('next_code_in'));
  const before = (await line.textContent()) ?? '';
  expect(before).toMatch(/\d+/);
  await expect(box).not.toContainText(before);
}

test('wrong_code: the entry to look for, and the tries that are left', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  await toSecondStep(page, ada);
  await codeField(page).fill(ada.app.meaningless());
  const box = await refusal(page, 'wrong_code');
  await expect(box).toContainText(say('wrong_code_title'));
  await expect(box).toContainText(say('wrong_code_body', { label: ada.app.label }));
  await expect(page.getByRole('link', { name: say('use_backup_code') })).toBeVisible();
  await expect(tries(page, 4)).toBeVisible();
  await expect(codeField(page)).toHaveValue('');
  await expect(codeField(page)).toBeFocused();
  await expect(codeField(page)).toHaveAttribute('aria-describedby', /refusal/);
  await inspect(page, 'refused: wrong code');
  // Nothing is lost: the right one still gets in.
  await codeField(page).fill(await ada.app.code());
  await atHome(page, ada);
});

test('already_used here: no alarm, and how long to wait', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  const code = await ada.app.code();
  await toSecondStep(page, ada);
  await codeField(page).fill(code);
  await atHome(page, ada);
  await forget(page, { name: /session/ });
  await toSecondStep(page, ada);
  await codeField(page).fill(code);
  const box = await refusal(page, 'already_used');
  await expect(box).toContainText(say('already_used_title'));
  await expect(box).toContainText(say('already_used_body'));
  await expect(box.getByText(say('not_me'))).toHaveCount(0);
  await expect(codeField(page)).not.toHaveAttribute('aria-invalid', 'true');
  await moves(box);
  await inspect(page, 'refused: already used here');
});

test('already_used elsewhere: when, in which browser, and what if it was not me', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  const code = await ada.app.code();
  await ada.signIn(code);
  const used = new Date();
  await toSecondStep(page, ada);
  await codeField(page).fill(code);
  const box = await refusal(page, 'already_used');
  await expect(box).toContainText(say('already_used_elsewhere_title'));
  await expect(box).toContainText(say('already_used_elsewhere_body'));
  const minuteBefore = new Date(used.getTime() - 60_000);
  const said = [used, minuteBefore].map((when) => say('used_at_in', { when: today(when), browser: otherBrowser }));
  await expect(box.getByText(said[0] ?? '').or(box.getByText(said[1] ?? ''))).toBeVisible();
  await moves(box);
  await box.getByText(say('not_me')).click();
  await expect(box.getByRole('listitem')).toHaveText([say('not_me_password'), say('not_me_app'), say('not_me_codes')]);
  await inspect(page, 'refused: already used elsewhere');
});

test('older_than_last: wait for the next one', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  const [older = '', newer = ''] = await ada.app.codes(0, 1);
  await ada.signIn(newer);
  await toSecondStep(page, ada);
  await codeField(page).fill(older);
  const box = await refusal(page, 'older_than_last');
  await expect(box).toContainText(say('older_title'));
  await expect(box).toContainText(say('older_body'));
  await moves(box);
  await inspect(page, 'refused: older than the last');
});

for (const { reason, step } of [
  { reason: 'clock_behind', step: -7 },
  { reason: 'clock_ahead', step: 8 },
] as const) {
  test(`${reason}: by about 4 minutes, and how to switch automatic time on`, async ({ page, someone }) => {
    const ada = await someone();
    await ada.enrol();
    await toSecondStep(page, ada);
    await codeField(page).fill(await ada.app.code(step));
    const box = await refusal(page, reason);
    await expect(box).toContainText(say(`${reason}_title`, { span: '4 minutes' }));
    await expect(box).toContainText(say(`${reason}_body`, { span: '4 minutes' }));
    await box.getByText(say('show_android')).click();
    await expect(box.getByText(say('android_time_2'))).toBeVisible();
    await box.getByText(say('show_iphone')).click();
    await expect(box.getByText(say('iphone_time_2'))).toBeVisible();
    await inspect(page, `refused: ${reason}`);
  });
}

test('on a phone the steps for that phone are open already', async ({ another, someone }) => {
  const agent =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148';
  const ada = await someone();
  await ada.enrol();
  const phone = await another({ userAgent: agent, viewport: { width: 390, height: 844 } });
  const page = await phone.newPage();
  await toSecondStep(page, ada);
  await codeField(page).fill(await ada.app.code(-8));
  const box = await refusal(page, 'clock_behind');
  await expect(box.getByText(say('iphone_time_1'))).toBeVisible();
  await expect(box.getByText(say('android_time_1'))).toBeHidden();
});

for (const { reason, step, span } of [
  { reason: 'clock_behind', step: -180, span: '1 hour and 30 minutes' },
  { reason: 'clock_ahead', step: 1_200, span: '10 hours' },
] as const) {
  test(`${reason} by whole quarter-hours: ${span}, set by hand`, async ({ page, someone }) => {
    const ada = await someone();
    await ada.enrol();
    await toSecondStep(page, ada);
    await codeField(page).fill(await ada.app.code(step));
    const box = await refusal(page, reason);
    await expect(box).toContainText(say(`${reason}_exactly`, { span }));
    await expect(box).toContainText(say('clock_zone_body'));
    await expect(box.getByText(say('show_android'))).toBeVisible();
  });
}

for (const { by, minutes } of [
  { by: 'behind', minutes: -8 },
  { by: 'ahead', minutes: 8 },
]) {
  test(`phone and browser agree on a time ${by} ours: it may be our clock`, async ({ page, someone, server }) => {
    const ada = await someone();
    await ada.enrol();
    await page.clock.install({ time: Date.now() + minutes * 60_000 });
    await toSecondStep(page, ada);
    await codeField(page).fill(await ada.app.code(minutes * 2));
    const box = await refusal(page, minutes < 0 ? 'clock_behind' : 'clock_ahead');
    await expect(box).toContainText(say('server_clock_title'));
    await expect(box).toContainText(say('server_clock_body'));
    await expect(box.getByText(say('show_android'))).toHaveCount(0);
    expect(server.log()).toContain('check the server');
    await inspect(page, `refused: our clock may be wrong, ${by}`);
  });
}

test('previous_setup: when it was replaced, which entry to delete, which to use', async ({ page, someone }) => {
  const ada = await someone();
  const caller = await ada.enrol({ name: 'Old phone' });
  const old = ada.app;
  ada.app = await ada.addApp(caller, 'New phone', ada.firstApp);
  await toSecondStep(page, ada);
  await codeField(page).fill(await old.codeUnlike(ada.app));
  const box = await refusal(page, 'previous_setup');
  await expect(box).toContainText(say('previous_setup_title'));
  await expect(box).toContainText(say('previous_setup_when', { date: longDate(new Date()) }));
  expect(old.label).not.toBe(ada.app.label);
  await expect(box).toContainText(say('previous_setup_entries', { old: old.label, label: ada.app.label }));
  await inspect(page, 'refused: previous setup');
});

test('previous_setup: of an app that was removed, which was never replaced', async ({ page, someone }) => {
  const ada = await someone();
  const caller = await ada.enrol({ name: 'Phone' });
  const old = ada.app;
  const first = ada.firstApp;
  ada.app = await ada.addApp(caller, 'Tablet');
  await caller.done('DELETE', `/api/v1/users/me/security/factors/${first}`);
  await toSecondStep(page, ada);
  await codeField(page).fill(await old.codeUnlike(ada.app));
  const box = await refusal(page, 'previous_setup');
  await expect(box).toContainText(say('previous_removed_title'));
  await expect(box).toContainText(say('previous_removed_when', { date: longDate(new Date()) }));
  await expect(box).toContainText(say('previous_setup_entries', { old: old.label, label: ada.app.label }));
});

test('setup_not_finished: which one, and a way to finish it', async ({ page, someone }) => {
  const ada = await someone();
  const caller = await ada.enrol();
  const begun = await ada.begin(caller, { name: 'Second phone' });
  const unfinished = new App(begun.secret, begun.label);
  await toSecondStep(page, ada);
  await codeField(page).fill(await unfinished.codeUnlike(ada.app));
  const box = await refusal(page, 'setup_not_finished');
  await expect(box).toContainText(say('not_finished_title'));
  await expect(box).toContainText(say('not_finished_body', { label: begun.label }));
  await inspect(page, 'refused: setup not finished');
  await press(box, say('finish_after_sign_in'));
  await expect(page.getByText(say('finish_noted'))).toBeVisible();
  await codeField(page).fill(await ada.app.code());
  await expect(page).toHaveURL(/\/security\/enable\/app/);
});

test('malformed: what a code looks like, at no cost', async ({ page, someone, tidy }) => {
  tidy.expectNothingRefused();
  const ada = await someone();
  await ada.enrol();
  await toSecondStep(page, ada);
  for (const typed of ['12345', '1234567']) {
    await codeField(page).fill(typed);
    await codeField(page).press('Enter');
    const box = await refusal(page, 'malformed');
    await expect(box).toContainText(say('malformed_app_title'));
    await expect(box).toContainText(say('malformed_app_body'));
    await expect(codeField(page)).toHaveValue(typed);
  }
  await inspect(page, 'refused: malformed');
  await codeField(page).fill('abcdef');
  await codeField(page).press('Enter');
  const box = await refusal(page, 'malformed');
  await expect(box).toContainText(say('malformed_backup_title'));
  await expect(box).toContainText(say('malformed_backup_count', { count: 6 }));
  await inspect(page, 'refused: malformed, taken as a backup code');
  expect(ada.server.sql(`SELECT attempts FROM pending_sign_ins WHERE user_id = '${ada.id}'`)).toBe('0');
  await codeField(page).fill(await ada.app.code());
  await atHome(page, ada);
});

test('too_many_attempts: when it works again, and that the account is safe', async ({ page, someone, tidy }) => {
  tidy.expectRefusals(429);
  const ada = await someone();
  await ada.enrol();
  await toSecondStep(page, ada);
  await codeField(page).fill(ada.app.meaningless());
  await refusal(page, 'wrong_code');
  const until = Date.now() + 90_000;
  ada.server.sql(`UPDATE second_step_tries SET blocked_until = ${until} WHERE user_id = '${ada.id}'`);
  await codeField(page).fill(await ada.app.code());
  const box = await refusal(page, 'too_many_attempts');
  await expect(box).toContainText(say('too_many_title'));
  await expect(box).toContainText(say('too_many_body'));
  await expect(box.getByRole('link', { name: say('cannot_get_in') })).toBeVisible();
  const line = box.getByText(pattern('try_again_in'));
  await expect(line).toContainText(/1:[12]\d/);
  const before = (await line.textContent()) ?? '';
  await expect(line).not.toHaveText(before);
  await expect(codeField(page)).not.toBeEditable();
  await inspect(page, 'refused: too many tries');
});

test('too many tries of one sign-in: there is a way on that works', async ({ page, someone, tidy }) => {
  tidy.expectNothingRefused();
  tidy.expectRefusals(429);
  const ada = await someone();
  await ada.enrol();
  await toSecondStep(page, ada);
  ada.server.sql(`UPDATE pending_sign_ins SET attempts = 5 WHERE user_id = '${ada.id}'`);
  await codeField(page).fill(await ada.app.code());
  const box = await refusal(page, 'too_many_attempts');
  await expect(box).toContainText(say('too_many_here_body'));
  await inspect(page, 'refused: too many tries of one sign-in');
  await box.getByRole('link', { name: say('start_again') }).click();
  await givePassword(page, ada);
  await codeField(page).fill(await ada.app.code());
  await atHome(page, ada);
});

test('locked after very many: an administrator can help', async ({ page, someone, tidy }) => {
  tidy.expectRefusals(429);
  const ada = await someone();
  await ada.enrol();
  await toSecondStep(page, ada);
  await codeField(page).fill(ada.app.meaningless());
  await refusal(page, 'wrong_code');
  ada.server.sql(`UPDATE second_step_tries SET locked_at = ${Date.now()} WHERE user_id = '${ada.id}'`);
  await codeField(page).fill(await ada.app.code());
  await expect(page.getByRole('heading', { name: say('locked_title') })).toBeFocused();
  await expect(page.getByText(say('locked_ways_body'))).toBeVisible();
  await expect(page.getByRole('link', { name: say('contact_support') })).toBeVisible();
  await expect(codeField(page)).toHaveCount(0);
  await inspect(page, 'refused: locked');
});

test('sign_in_expired: start again, nothing is lost', async ({ page, someone }) => {
  const ada = await someone();
  await ada.enrol();
  await toSecondStep(page, ada);
  ada.server.sql(`UPDATE pending_sign_ins SET expires_at = ${Date.now() - 1} WHERE user_id = '${ada.id}'`);
  await codeField(page).fill(await ada.app.code());
  await expect(page.getByRole('heading', { name: say('sign_in_expired_title') })).toBeVisible();
  await expect(page.getByText(say('sign_in_expired_body'))).toBeVisible();
  await press(page, say('start_again'));
  await expect(page.getByLabel(say('email'))).toBeFocused();
});
