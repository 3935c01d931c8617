import { codeField, givePassword, heading, press, toSecondStep } from './kit/acts';
import { App } from './kit/app';
import { Caller } from './kit/caller';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { entryOf, readQr } from './kit/qr';
import { expect, test } from './kit/test';
import { pattern, say } from './kit/words';

test('somebody who lost everything is reset, and is back with link and password alone', async ({
  page,
  context,
  another,
  someone,
  server,
  tidy,
}) => {
  tidy.expectRefusals(410);
  const boss = await someone({ name: 'Grace Hopper', role: 'administrator' });
  await carryOver(await boss.enrol(), context);
  const ada = await someone();
  const there = await another();
  await carryOver(await ada.enrol(), there);
  const theirs = await there.newPage();
  await theirs.goto('/parameters/users/me/security');
  await expect(heading(theirs, say('my_security'))).toBeVisible();

  // The administrator: what it does, why, and the link this once.
  await page.goto(`/parameters/users/${ada.id}/security`);
  await expect(page.getByText(say('help_reset_body'))).toBeVisible();
  await expect(page.getByText(say('event_enrolment_activated'))).toBeVisible();
  await inspect(page, 'security of somebody else, administrator');
  await press(page, say('reset_ellipsis'));
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel(say('reset_reason'))).toBeFocused();
  await inspect(page, 'reset');
  await dialog.getByLabel(say('reset_reason')).fill('Lost the phone and the paper; seen in person');
  await dialog.getByLabel(say('reset_password'), { exact: true }).fill(boss.password);
  await codeField(dialog).fill(await boss.app.code());
  await press(dialog, say('reset'));
  await expect(page.getByRole('dialog', { name: say('reset_done_title', { name: ada.name }) })).toBeVisible();
  const link = await dialog.getByText(`${server.url}/enrol#token=`).innerText();
  await inspect(page, 'reset, the link');
  await press(dialog, say('reset_close'));
  await expect(page.getByText(say('security_reset'))).toBeVisible();
  await expect(page.getByText(say('sessions_theirs_none'))).toBeVisible();
  await expect(page.getByText(pattern('event_reset_why'))).toBeVisible();
  await expect(page.getByText(link)).toHaveCount(0);
  await inspect(page, 'security of somebody who was reset');

  // The person: signed out, and the password alone leads to a question for the link.
  await theirs.reload();
  await expect(heading(theirs, say('sign_in_title'))).toBeVisible();
  await givePassword(theirs, ada);
  await expect(heading(theirs, say('link_step_title'))).toBeVisible();
  await expect(codeField(theirs)).toHaveCount(0);
  await inspect(theirs, 'the link is asked for');
  await theirs.getByLabel(say('link_step_field')).fill(`${server.url}/enrol#token=not-the-link`);
  await press(theirs, say('continue'));
  await expect(theirs.getByText(say('error_enrolment_link_expired'))).toBeVisible();

  // With the link: the password, and then the wizard and nothing else.
  await theirs.goto('about:blank'); // a link from a chat opens a new page
  await theirs.goto(link);
  await expect(theirs.getByText(say('sign_in_link_title'))).toBeVisible();
  expect(theirs.url()).not.toContain('token');
  await inspect(theirs, 'sign-in by an enrolment link');
  await givePassword(theirs, ada);
  await expect(heading(theirs, say('wizard_title'))).toBeVisible();
  await expect(theirs.getByText(say('wizard_by_link'))).toBeVisible();
  await inspect(theirs, 'wizard by an enrolment link');
  await theirs.goto('/parameters/users/me/security');
  await expect(theirs).toHaveURL(/enable\/app$/);
  await press(theirs, say('have_app'));
  await expect(heading(theirs, say('scan_heading'))).toBeVisible();
  const { secret, label } = entryOf(readQr(await theirs.screenshot({ fullPage: true })));
  const app = new App(secret, label);
  await press(theirs, say('scanned'));
  await codeField(theirs).fill(await app.code(-1));
  await theirs.getByLabel(say('wrote_them_down')).check();
  await press(theirs, say('have_saved'));
  await expect(heading(theirs, say('done_heading'))).toBeVisible();

  // What was there is gone, what is new works, and the way is open.
  const caller = new Caller(server.url);
  await caller.done('POST', '/api/v1/sign-in', { email: ada.email, password: ada.password });
  const old = await caller.call('POST', '/api/v1/sign-in/totp', { code: await ada.app.code() });
  expect(old.status).toBe(422);
  await theirs.goto('/parameters/users/me/security');
  await expect(theirs.getByText(say('security_on_body'))).toBeVisible();
  const fresh = await another();
  const again = await fresh.newPage();
  await toSecondStep(again, ada);
  await codeField(again).fill(await app.code());
  await expect(heading(again, say('home_hello', { name: ada.name }))).toBeVisible();
  await page.reload();
  await expect(page.getByText(say('security_on_body_other'))).toBeVisible();
});
