import type { Page } from '@playwright/test';
import { codeField, givePassword, giveProof, heading, press } from './kit/acts';
import { App } from './kit/app';
import { Caller } from './kit/caller';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { entryOf, readQr } from './kit/qr';
import { expect, test } from './kit/test';
import { say } from './kit/words';

const day = 24 * 3_600_000;

/** Presses Tab until it has the focus, then a key. */
async function byKeyboard(page: Page, name: string, role: 'button' | 'link' | 'checkbox', key: string): Promise<void> {
  const wanted = page.getByRole(role, { name, exact: true });
  await expect(wanted).toBeVisible();
  for (let presses = 0; presses < 40; presses++) {
    if (await wanted.evaluate((one) => one === document.activeElement)) break;
    await page.keyboard.press('Tab');
  }
  await expect(wanted).toBeFocused();
  await page.keyboard.press(key);
}

test('somebody who lost phone and codes asks, is stopped, asks again, waits, and is let back in', async ({
  page,
  context,
  another,
  someone,
  mailing: { server, mailbox },
  tidy,
}) => {
  // No sign-in is pending where the mailed link is opened; the old code is refused in the end.
  tidy.expectRefusals(401, 403);
  const boss = await someone({ name: 'Grace Hopper', role: 'administrator', on: server });
  const bossIn = await boss.enrol();
  const ada = await someone({ on: server });
  const there = await another();
  await carryOver(await ada.enrol(), there);

  // Only after the password, and after what works at once: by keyboard alone.
  await page.goto(`${server.url}/sign-in`);
  await givePassword(page, ada);
  await expect(codeField(page)).toBeFocused();
  await byKeyboard(page, say('cannot_get_in'), 'link', 'Enter');
  await expect(page.getByText(say('way_backup_title'))).toBeVisible();
  await inspect(page, 'the ways that work at once');
  await byKeyboard(page, say('recovery_none_works'), 'button', 'Enter');
  await expect(heading(page, say('recovery_ask_title'))).toBeVisible();
  await byKeyboard(page, say('recovery_ask'), 'button', 'Enter');
  await expect(page.getByRole('checkbox', { name: say('recovery_no_codes') })).toBeFocused();
  await inspect(page, 'asking, nothing ticked');
  await page.keyboard.press('Space');
  await byKeyboard(page, say('recovery_no_browser'), 'checkbox', 'Space');
  await page.getByLabel(say('recovery_message')).fill('My phone fell into the lake.\nCall me at the shop.');
  await inspect(page, 'asking, filled in');
  await byKeyboard(page, say('recovery_ask'), 'button', 'Enter');
  await expect(heading(page, say('recovery_asked_title'))).toBeFocused();
  await inspect(page, 'check your mail');

  const first = await mailbox.link(ada.email, '/recovery');

  // The other browser is told, and stops it with one press.
  const theirs = await there.newPage();
  await theirs.goto(`${server.url}/`);
  await expect(theirs.getByRole('alert')).toContainText(say('recovery_banner_title'));
  await expect(theirs.getByRole('button', { name: say('recovery_me') })).toBeVisible();
  await inspect(theirs, 'somebody asks');
  await press(theirs, say('stop_this'));
  await expect(theirs.getByText(say('recovery_stop_done'))).toBeVisible();
  await inspect(theirs, 'it is stopped');
  await press(theirs, say('close'));
  await expect(theirs.getByText(say('recovery_stop_done'))).toHaveCount(0);
  await page.reload();
  await expect(heading(page, say('recovery_stopped_title'))).toBeVisible();
  await inspect(page, 'stopped');

  // Asked again, it is proved by the link and the password, in whatever browser.
  await press(page, say('recovery_ask_again'));
  await page.getByLabel(say('recovery_no_codes')).check();
  await page.getByLabel(say('recovery_no_browser')).check();
  await page.getByLabel(say('recovery_message')).fill('My phone fell into the lake.\nCall me at the shop.');
  await press(page, say('recovery_ask'));
  await expect(heading(page, say('recovery_asked_title'))).toBeVisible();
  const elsewhere = await (await another()).newPage();
  let second = first;
  await expect(async () => {
    second = await mailbox.link(ada.email, '/recovery');
    expect(second).not.toBe(first);
  }).toPass({ timeout: 60_000 });
  await elsewhere.goto(second);
  await expect(heading(elsewhere, say('recovery_password_title'))).toBeVisible();
  await expect(elsewhere).toHaveURL(/\/recovery$/);
  await inspect(elsewhere, 'the mailed link, the password first');
  await press(elsewhere, say('enrol_sign_in'));
  await givePassword(elsewhere, ada);
  await expect(heading(elsewhere, say('recovery_confirm_title'))).toBeVisible();
  expect(server.sql('SELECT state FROM recoveries WHERE ended_at IS NULL')).toBe('asked');
  await inspect(elsewhere, 'the mailed link, to be confirmed');
  await press(elsewhere, say('recovery_confirm'));
  await expect(heading(elsewhere, say('recovery_waiting_title'))).toBeVisible();
  await expect(elsewhere.getByText(/^2[34]:\d\d:\d\d$/)).toBeVisible();
  await expect(elsewhere.getByRole('button', { name: say('recovery_withdraw_ellipsis') })).toHaveCount(0);
  await inspect(elsewhere, 'waiting');
  await elsewhere.close();

  // One can come back to it, with the password alone.
  await page.goto(`${server.url}/sign-in`);
  await givePassword(page, ada);
  await expect(page.getByText(say('recovery_under_way'))).toBeVisible();
  await inspect(page, 'second step, with a request under way');
  await page.getByRole('link', { name: say('recovery_see') }).click();
  await expect(heading(page, say('recovery_waiting_title'))).toBeVisible();
  await press(page, say('recovery_withdraw_ellipsis'));
  await expect(page.getByRole('button', { name: say('recovery_keep') })).toBeFocused();
  await inspect(page, 'withdraw?');
  await page.keyboard.press('Enter');

  // The administrator: not before its time, and not without having made sure.
  const desk = await another();
  await carryOver(bossIn, desk);
  const office = await desk.newPage();
  await office.goto(`${server.url}/parameters/users/${ada.id}/security`);
  await office.getByRole('link', { name: say('recovery_open_go') }).click();
  await expect(heading(office, say('recovery_ticket_title', { name: ada.name }))).toBeVisible();
  await expect(office.getByText('Call me at the shop.')).toBeVisible();
  await expect(office.getByText(say('recovery_at_waits'))).toBeVisible();
  await expect(office.getByRole('button', { name: say('recovery_approve_ellipsis') })).toBeDisabled();
  await inspect(office, 'a request, waiting');
  server.sql(`UPDATE recoveries SET proved_at = proved_at - ${day}, decidable_at = decidable_at - ${day}`);
  await office.reload();
  await press(office, say('recovery_approve_ellipsis'));
  await expect(office.getByText(say('recovery_check_missing'))).toBeVisible();
  await inspect(office, 'a request, nothing ticked');
  await office.getByLabel(say('recovery_check_call')).check();
  await office.getByLabel(say('reset_reason')).fill('Called back on the number from the contract');
  boss.proofsGetOld();
  await press(office, say('recovery_approve_ellipsis'));
  await expect(office.getByRole('dialog', { name: say('recovery_approve_title', { name: ada.name }) })).toBeVisible();
  await inspect(office, 'let them back in?');
  await press(office, say('recovery_approve'));
  await giveProof(office, boss);
  await expect(office.getByText(say('recovery_at_approved'))).toBeVisible();
  await expect(office.getByText(say('reset_mailed', { name: ada.name }))).toBeVisible();
  await inspect(office, 'approved');

  // The link and the password, and all that was before goes with the new codes, not sooner.
  await page.reload();
  await expect(heading(page, say('recovery_approved_title'))).toBeVisible();
  await inspect(page, 'let back in');
  await press(page, say('recovery_have_link'));
  await expect(page.getByText(say('link_step_lead_back'))).toBeVisible();
  await inspect(page, 'the link is asked for');
  await page.goto('about:blank');
  await page.goto(await mailbox.link(ada.email, '/enrol'));
  await expect(page.getByText(say('sign_in_link_title'))).toBeVisible();
  await givePassword(page, ada);
  await expect(heading(page, say('wizard_title'))).toBeVisible();
  await expect(page.getByText(say('recovery_banner_title'))).toHaveCount(0);
  await press(page, say('have_app'));
  await expect(heading(page, say('scan_heading'))).toBeVisible();
  const { secret, label } = entryOf(readQr(await page.screenshot({ fullPage: true })));
  const app = new App(secret, label);
  await press(page, say('scanned'));
  await codeField(page).fill(await app.code(-1));
  await page.getByLabel(say('wrote_them_down')).check();
  await press(page, say('have_saved'));
  await expect(heading(page, say('done_heading'))).toBeVisible();
  await page.goto('about:blank');
  await context.clearCookies();
  const caller = new Caller(server.url);
  await caller.done('POST', '/api/v1/sign-in', { email: ada.email, password: ada.password });
  expect((await caller.call('POST', '/api/v1/sign-in/totp', { code: await ada.app.code() })).status).toBe(422);
  await page.goto(`${server.url}/sign-in`);
  await givePassword(page, ada);
  await codeField(page).fill(await app.code());
  await expect(heading(page, say('home_hello', { name: ada.name }))).toBeVisible();

  // The whole story is on record.
  await office.reload();
  await expect(office.getByText(say('recovery_at_done', { name: ada.name }))).toBeVisible();
  await inspect(office, 'back in');
  await office.goto(`${server.url}/parameters/audit?person=${ada.id}`);
  for (const part of [
    'event_recovery_asked',
    'event_recovery_stopped',
    'event_recovery_proved',
    'event_recovery_approved',
    'event_recovery_completed',
  ] as const) {
    await expect(office.locator('li.item', { hasText: say(part) }).first()).toBeVisible();
  }
});
