import type { BrowserContext, Page } from '@playwright/test';
import { codeField, heading, press, refusal } from './kit/acts';
import { App } from './kit/app';
import type { Caller } from './kit/caller';
import { inspect } from './kit/inspect';
import { carryOver, type Enrolment, type Person } from './kit/person';
import { expect, test } from './kit/test';
import { say } from './kit/words';

/** The rows of guidance.md that apply where a new app is confirmed. */

const wizard = '/parameters/users/me/security/enable';

type Begun = { caller: Caller; app: App; enrolment: Enrolment };

/** At the third step, in the session of the caller. */
async function atCode(page: Page, context: BrowserContext, person: Person, caller: Caller): Promise<Begun> {
  const enrolment = await person.begin(caller, { name: 'New phone' });
  await carryOver(caller, context);
  await page.goto(`${wizard}/code`);
  await expect(codeField(page)).toBeFocused();
  return { caller, enrolment, app: new App(enrolment.secret, enrolment.label) };
}

test('wrong_code and both clocks: the new entry is named; then the right code does', async ({
  page,
  context,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(422);
  const ada = await someone();
  const { app } = await atCode(page, context, ada, await ada.knock());
  await codeField(page).fill(app.meaningless());
  let box = await refusal(page, 'wrong_code');
  await expect(box).toContainText(say('wrong_new_title'));
  await expect(box).toContainText(say('wrong_new_body', { label: app.label }));
  await inspect(page, 'enrolment refused: wrong code');

  await codeField(page).fill(await app.code(-7));
  box = await refusal(page, 'clock_behind');
  await expect(box).toContainText(say('clock_behind_title', { span: '4 minutes' }));
  await expect(box.getByText(say('show_android'))).toBeVisible();

  await codeField(page).fill(await app.code(120));
  box = await refusal(page, 'clock_ahead');
  await expect(box).toContainText(say('clock_ahead_exactly', { span: '1 hour' }));

  await codeField(page).fill('12345');
  await codeField(page).press('Enter');
  box = await refusal(page, 'malformed');
  await expect(box).toContainText(say('malformed_app_title'));

  await codeField(page).fill(await app.code());
  await expect(heading(page, say('save_heading'))).toBeVisible();
});

test('previous_setup: a code of the entry in use, and of one that was given up', async ({
  page,
  context,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(422);
  const ada = await someone();
  const caller = await ada.enrol({ name: 'Old phone' });
  const given = await ada.begin(caller, { name: 'Never used' });
  const { app } = await atCode(page, context, ada, caller);
  await codeField(page).fill(await ada.app.codeUnlike(app));
  let box = await refusal(page, 'previous_setup');
  await expect(box).toContainText(say('other_entry_title'));
  await expect(box).toContainText(say('other_entry_body', { old: ada.app.label, label: app.label }));
  await inspect(page, 'enrolment refused: the other entry');

  await codeField(page).fill(await new App(given.secret, given.label).codeUnlike(app));
  box = await refusal(page, 'previous_setup');
  await expect(box).toContainText(say('previous_setup_title'));
  await expect(box).toContainText(say('previous_setup_entries', { old: given.label, label: app.label }));
});

test('already_used: the code that confirmed it before does not take it up again', async ({
  page,
  context,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(422);
  const ada = await someone();
  const caller = await ada.knock();
  const begun = await ada.begin(caller);
  const app = new App(begun.secret, begun.label);
  const code = await app.code();
  await caller.done('POST', `/api/v1/users/me/security/enrolments/${begun.id}/confirm`, { code });
  await carryOver(await ada.knock(), context);
  await page.goto(`${wizard}/code`);
  await codeField(page).fill(code);
  const box = await refusal(page, 'already_used');
  await expect(box).toContainText(say('next_code_in', { time: '' }).trim().split(' in')[0] ?? '');
  await codeField(page).fill(await app.code(1));
  await expect(heading(page, say('save_heading'))).toBeVisible();
});

test('enrolment_expired: it ran out; one press starts again', async ({ page, context, someone, tidy }) => {
  tidy.expectRefusals(422);
  const ada = await someone();
  const { app } = await atCode(page, context, ada, await ada.knock());
  ada.server.sql(`UPDATE totp_enrolments SET expires_at = ${Date.now() - 1} WHERE user_id = '${ada.id}'`);
  await codeField(page).fill(await app.code());
  await expect(page.getByRole('alert')).toContainText(say('enrolment_expired_title'));
  await expect(page.getByRole('alert')).toContainText(say('enrolment_expired_body'));
  await expect(page.getByRole('alert')).toContainText(say('enrolment_expired_entry'));
  await inspect(page, 'enrolment expired');
  await press(page, say('start_again'));
  await expect(heading(page, say('scan_heading'))).toBeVisible();
  await expect(page).toHaveURL(`${wizard}/scan`);
});

test('enrolment_expired: a newer start elsewhere took its place', async ({ page, context, someone, tidy }) => {
  tidy.expectRefusals(422);
  const ada = await someone();
  const { app } = await atCode(page, context, ada, await ada.knock());
  await ada.begin(await ada.knock());
  await codeField(page).fill(await app.code());
  await expect(page.getByRole('alert')).toContainText(say('enrolment_expired_title'));
  await press(page, say('start_again'));
  await expect(heading(page, say('scan_heading'))).toBeVisible();
});

test('begun elsewhere: here it starts anew, and says so', async ({ page, context, someone }) => {
  const ada = await someone();
  await ada.begin(await ada.knock());
  await carryOver(await ada.knock(), context);
  await page.goto('/parameters/users/me/security');
  await expect(page.getByText(say('security_elsewhere'))).toBeVisible();
  await page.getByRole('link', { name: say('go_on'), exact: true }).click();
  await expect(page.getByText(say('resume_elsewhere_body'))).toBeVisible();
  await inspect(page, 'wizard, begun elsewhere');
  await press(page, say('have_app'));
  await expect(heading(page, say('scan_heading'))).toBeVisible();
});

test('too_many_attempts: the account is safe, and one can start again', async ({ page, context, someone, tidy }) => {
  tidy.expectRefusals(429);
  const ada = await someone();
  const { app } = await atCode(page, context, ada, await ada.knock());
  ada.server.sql(`UPDATE totp_enrolments SET attempts = 1000 WHERE user_id = '${ada.id}'`);
  await codeField(page).fill(app.meaningless());
  const box = await refusal(page, 'too_many_attempts');
  await expect(box).toContainText(say('too_many_title'));
  await expect(box).toContainText(say('too_many_here_body'));
  await inspect(page, 'enrolment refused: too many tries');
  await press(box, say('start_again'));
  await expect(heading(page, say('scan_heading'))).toBeVisible();
});

test('a browser whose clock is wrong by more than an enrolment lives can enrol all the same', async ({
  page,
  context,
  someone,
}) => {
  const ada = await someone();
  const caller = await ada.knock();
  await page.clock.install({ time: Date.now() + 15 * 60_000 });
  const { app } = await atCode(page, context, ada, caller);
  await codeField(page).fill(await app.code());
  await expect(heading(page, say('save_heading'))).toBeVisible();
});
