import type { Page } from '@playwright/test';
import { atHome, codeField, forget, giveBackupCode, givePassword, heading, press, toBackupStep } from './kit/acts';
import { App } from './kit/app';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { entryOf, readQr } from './kit/qr';
import { expect, password, test } from './kit/test';
import { say } from './kit/words';

const security = '/parameters/users/me/security';
const section = (page: Page, title: string) => page.locator('section').filter({ has: heading(page, title) });
const events = (page: Page) => section(page, say('events_title')).getByRole('listitem');
const sessions = (page: Page) => section(page, say('sessions_title')).getByRole('listitem');

test('a lost phone: in with a backup code, the new phone set up, new codes saved, and all of it to be read', async ({
  page,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(422);
  const ada = await someone();
  const elsewhere = await ada.enrol({ name: 'Old phone' });
  await toBackupStep(page, ada);
  await giveBackupCode(page, ada.codes[1] ?? '');
  await page.getByRole('link', { name: say('lost_phone') }).click();
  await expect(heading(page, say('security_lost_title'))).toBeVisible();
  await press(page, say('have_app'));
  await expect(heading(page, say('scan_heading'))).toBeVisible();
  const entry = entryOf(readQr(await page.screenshot()));
  const app = new App(entry.secret, entry.label);
  await press(page, say('scanned'));
  await codeField(page).fill(await app.code(-1));
  await expect(heading(page, say('save_heading'))).toBeVisible();
  await page.getByLabel(say('wrote_them_down')).check();
  await press(page, say('have_saved'));
  await expect(heading(page, say('done_heading_app'))).toBeVisible();

  await page.goto(security);
  await expect(sessions(page)).toHaveCount(1);
  await expect(page.getByText(say('sessions_only_this'))).toBeVisible();
  expect((await elsewhere.call('GET', '/api/v1/session')).status).toBe(401);
  await expect(events(page).filter({ hasText: say('event_app_replaced') })).toHaveCount(1);
  await expect(events(page).filter({ hasText: say('event_signed_in_code') })).toHaveCount(1);
  await expect(events(page).filter({ hasText: say('event_codes_activated') })).toHaveCount(1);
  await expect(events(page).filter({ hasText: say('event_enrolment_activated') })).toHaveCount(1); // the old phone's
  await inspect(page, 'my security, after a lost phone');
  await forget(page);
  await page.goto('/sign-in');
  await givePassword(page, ada);
  await codeField(page).fill(await ada.app.codeUnlike(app));
  await expect(page.locator('[data-reason="previous_setup"]')).toBeVisible();
});

test('this was not me: sessions ended, a new password, the stranger’s app gone, new codes', async ({
  page,
  context,
  someone,
}) => {
  const ada = await someone();
  await ada.enrol({ name: 'Phone' });
  const thief = await ada.signIn(ada.codes[2] ?? '');
  await ada.prove(thief, await ada.app.code()); // she has told it to somebody
  await ada.addApp(thief, 'Not hers');
  await carryOver(await ada.signIn(await ada.app.code(1)), context);
  await page.goto(security);
  await expect(sessions(page)).toHaveCount(2);
  await inspect(page, 'my security, signed in twice');
  const strange = events(page).filter({ hasText: say('event_signed_in_code') });
  await strange.getByRole('button').click();
  await inspect(page, 'this was not me, asked');
  await press(page.getByRole('dialog'), say('alarm_go'));
  await expect(page.getByText(say('alarm_ended', { count: 1 }))).toBeVisible();
  expect((await thief.call('GET', '/api/v1/session')).status).toBe(401);
  await inspect(page, 'this was not me, password');

  await page.getByLabel(say('password_present'), { exact: true }).fill(password);
  await page.getByLabel(say('password_new'), { exact: true }).fill('eleven blue pots of coffee');
  await press(page, say('password_change'));
  await expect(heading(page, say('alarm_apps_heading'))).toBeVisible();
  await expect(page.getByText(say('told_password_changed'))).toBeVisible();
  await inspect(page, 'this was not me, apps');

  // What is left for later stays to be done.
  await page.getByRole('link', { name: say('later'), exact: true }).click();
  await expect(page.getByText(say('home_alarm_title'))).toBeVisible();
  await inspect(page, 'my security, with something left to do');
  await page.goto('/');
  await expect(page.getByText(say('home_alarm_title'))).toBeVisible();
  await inspect(page, 'home, with something left to do');
  await page.getByRole('link', { name: say('go_on') }).click();
  await expect(heading(page, say('alarm_apps_heading'))).toBeVisible();
  await page.getByRole('listitem').filter({ hasText: 'Not hers' }).getByRole('button').click();
  await inspect(page, 'this was not me, an app is removed');
  await press(page.getByRole('dialog'), say('remove_confirm'));
  await expect(heading(page, say('alarm_app_heading'))).toBeFocused();
  await press(page, say('alarm_app_mine'));

  await page.getByLabel(say('password'), { exact: true }).fill('eleven blue pots of coffee');
  await press(page, say('new_codes_make'));
  await page.getByLabel(say('wrote_them_down')).check();
  await inspect(page, 'this was not me, codes');
  await press(page, say('have_saved'));
  await expect(heading(page, say('alarm_done_heading'))).toBeVisible();
  await inspect(page, 'this was not me, done');
  await page.goto('/');
  await expect(page.getByText(say('home_calm'))).toBeVisible();
});

test('that was me: said in a browser of before, it is asked in no other', async ({ page, someone, another }) => {
  const ada = await someone();
  await page.goto('/sign-in');
  await givePassword(page, ada);
  await atHome(page, ada);
  const phone = await (await another()).newPage();
  await phone.goto('/sign-in');
  await givePassword(phone, ada);
  await atHome(phone, ada);
  await page.goto('/');
  await expect(page.getByText(say('home_doubt_title'))).toBeVisible();
  await expect(page.getByText(say('home_doubt_password'))).toBeVisible();
  await inspect(page, 'home, a sign-in that may not have been theirs');
  await page.getByRole('button', { name: say('home_doubt_me') }).click();
  await expect(page.getByText(say('home_doubt_title'))).toHaveCount(0);
  const third = await (await another()).newPage();
  await third.goto('/sign-in');
  await givePassword(third, ada);
  await atHome(third, ada);
  await third.goto('/');
  await expect(third.getByText(say('home_off_title'))).toBeVisible();
  await expect(third.getByText(say('home_doubt_title'))).toHaveCount(0);
});

test('a password is changed where the rules say why not, sessions are ended, an app gets a name', async ({
  page,
  context,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(422);
  const ada = await someone();
  await carryOver(await ada.enrol({ name: 'Phone' }), context);
  await ada.signIn(await ada.app.code());
  await page.goto(security);
  await expect(sessions(page)).toHaveCount(2);
  await page.getByRole('button', { name: say('sessions_end_all') }).click();
  await inspect(page, 'all others, asked');
  await page.getByRole('dialog').getByRole('button').last().click();
  await expect(page.getByText(say('sessions_ended', { count: 1 }))).toBeVisible();
  await expect(sessions(page)).toHaveCount(1);

  await page.getByRole('button', { name: new RegExp(`^${say('rename')}`) }).click();
  await page.getByRole('dialog').getByRole('textbox').fill('New phone');
  await press(page.getByRole('dialog'), say('save'));
  await expect(page.getByText(say('factor_named', { name: 'New phone' }))).toBeVisible();

  await page.getByRole('link', { name: say('password_title') }).click();
  await page.getByLabel(say('password_present'), { exact: true }).fill(password);
  await page.getByLabel(say('password_new'), { exact: true }).fill('passwordpassword1');
  await press(page, say('password_change'));
  await expect(page.getByText(say('field_password_too_common'))).toBeVisible();
  await inspect(page, 'password, refused');
  await page.getByLabel(say('password_new'), { exact: true }).fill('eleven blue pots of coffee');
  await press(page, say('password_change'));
  await expect(page.getByText(say('told_password_changed'))).toBeVisible();
  await forget(page);
  await page.goto('/sign-in');
  await givePassword(page, { email: ada.email, password: 'eleven blue pots of coffee' });
  await codeField(page).fill(await ada.app.code(1));
  await atHome(page, ada);
});
