import type { BrowserContext, Locator, Page } from '@playwright/test';
import { expect } from '@playwright/test';
import { forget } from './acts';
import { App } from './app';
import { carryOver, type Person } from './person';
import type { Secondstep } from './secondstep';
import type { Say } from './words';

/**
 * Every screen there is and what it looks like in its states, for tests that ask the same of all of them. A tour goes
 * by addresses and by what the API makes true beforehand; how one gets there by hand is for the other tests.
 */
export type Guide = {
  page: Page;
  context: BrowserContext;
  /** The words of the language that the browser asks for. */
  say: Say;
  someone: (whom?: { name?: string; role?: 'member' | 'administrator' }) => Promise<Person>;
  /** Called at each stop, when all is there. */
  look: (stop: string) => Promise<void>;
};

const security = '/parameters/users/me/security';
const other = 'eleven blue pots of coffee';

const press = (where: Page | Locator, name: string) => where.getByRole('button', { name, exact: true }).click();
const title = (page: Page, name: string) => expect(page.getByRole('heading', { name, exact: true })).toBeVisible();
const dialog = (page: Page) => page.getByRole('dialog');
const code = (where: Page | Locator) => where.locator('input[autocomplete="one-time-code"]');
const passwords = (where: Page | Locator) => where.locator('input[name="password"]');

/** All that the screen reads is there. */
async function open(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(page.locator('h1')).toBeVisible();
  await read(page);
}

async function read(page: Page): Promise<void> {
  await expect(page.locator('.skeleton')).toHaveCount(0);
}

async function refuse(page: Page, typed: string, reason: string): Promise<void> {
  await code(page).fill(typed);
  if (typed.length !== 6) await page.keyboard.press('Enter');
  await expect(page.locator(`[data-reason="${reason}"]`)).toBeVisible();
}

/** Setting the installation up. Its links and cookies are those of another server than the others'. */
export async function setup({ page, say, look }: Guide, empty: Secondstep, password: string): Promise<void> {
  await open(page, `${empty.url}/setup`);
  await look('setup without its link');
  await open(page, `${empty.url}/sign-in`);
  await look('sign-in that nobody can use yet');
  await page.goto('about:blank');
  await open(page, empty.setupLink);
  await page.locator('input[autocomplete="name"]').press('Enter');
  await expect(page.locator('[aria-invalid="true"]').first()).toBeFocused();
  await look('setup, nothing filled in');
  await page.locator('input[autocomplete="name"]').fill('Ada Lovelace');
  await page.locator('input[type="email"]').fill('ada@example.test');
  await passwords(page).fill(password);
  await look('setup, filled in');
  await passwords(page).press('Enter');
  await title(page, say('welcome_title'));
  await look('welcome');
}

/** Signing in. */
export async function signingIn(guide: Guide): Promise<void> {
  const { page, context, say, someone, look } = guide;
  const ada = await someone();
  const caller = await ada.enrol({ name: 'Phone' });
  await ada.newCodes(caller);

  await open(page, '/sign-in');
  await look('sign-in');
  await page.locator('input[type="email"]').fill(ada.email);
  await passwords(page).fill('not the right one at all');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toBeVisible();
  await look('sign-in, refused');
  await open(page, '/forgotten-password');
  await look('a forgotten password, no mail');
  await open(page, '/new-password');
  await look('a new password without its link');
  await page.goto('/there/is/nothing/here');
  await title(page, say('not_found_title'));
  await look('nothing here');

  await carryOver(await ada.knock(), context);
  await open(page, '/second-step');
  await look('second step');
  await code(page).fill('ABCDE-FGH');
  await look('second step, a backup code begun');
  await refuse(page, await ada.app.code(-8), 'clock_behind');
  for (const summary of await page.locator('summary').all()) await summary.click();
  await look('second step, the clock is behind');
  await refuse(page, 'ABCDE-FGHIJ-12', 'malformed');
  await look('second step, no code at all');
  await page.goto('/second-step/cannot-get-in');
  await title(page, say('cannot_get_in_title'));
  await look('no way in');
  await press(page, say('recovery_none_works'));
  await press(page, say('recovery_ask'));
  await expect(page.locator('[aria-invalid="true"]').first()).toBeFocused();
  await look('asking to get back in');
  for (const box of await page.getByRole('checkbox').all()) await box.check();
  await press(page, say('recovery_ask'));
  await title(page, say('recovery_waiting_title'));
  await look('waiting to get back in');

  const used = ada.codes[1] ?? '';
  await ada.signIn(used);
  await open(page, '/second-step/backup-code');
  await page.locator('form input').fill(used);
  await page.keyboard.press('Enter');
  await expect(page.locator('[data-reason="backup_code_used"]')).toBeVisible();
  for (const summary of await page.locator('summary').all()) await summary.click();
  await look('backup code, used already');
  const field = page.locator('form input');
  for (const _ of [1, 2, 3]) {
    const answered = page.waitForResponse((answer) => answer.request().method() === 'POST');
    await field.fill('AAAAA-BBBBB-CCCCC');
    await page.keyboard.press('Enter');
    await answered;
    await expect(page.locator('form [aria-disabled="true"]')).toHaveCount(0);
  }
  await expect(field).not.toBeEditable();
  await look('no try left');
  await open(page, '/second-step/backup-code'); // as in another tab, which does not know it
  await field.fill('AAAAA-BBBBB-CCCCC');
  await page.keyboard.press('Enter');
  await expect(page.locator('[data-reason="too_many_attempts"]')).toBeVisible();
  await look('too many tries');

  await forget(page); // as when somebody comes for the first time
  await carryOver(await ada.knock(), context);
  await open(page, '/second-step/backup-code');
  await page.locator('form input').fill(ada.codes[2] ?? '');
  await page.keyboard.press('Enter');
  await title(page, say('after_backup_title'));
  await look('after a backup code');

  const reminded = await someone();
  reminded.server.sql(
    `UPDATE users SET requirement = 'required', deadline = ${Date.now() + 9 * 86_400_000} WHERE email = '${reminded.email}'`,
  );
  await forget(page);
  await carryOver(await reminded.knock(), context);
  await open(page, '/signed-in/reminder');
  await look('a reminder');
}

/** The troubleshooter: of nobody that is known, in a pending sign-in, and signed in. */
export async function fixing({ page, context, say, someone, look }: Guide): Promise<void> {
  const ada = await someone();
  const caller = await ada.enrol({ name: 'Phone' });
  for (const path of ['/fix', '/fix/scan', '/fix/backup-code', '/fix/phone', '/fix/mail']) {
    await open(page, path);
    await look(`${path}, of nobody`);
  }
  await open(page, '/fix/phone#1-yes');
  await look('a lost phone, with a password first');
  await open(page, '/fix/code');
  await expect(page.locator('[data-clock]')).toBeVisible();
  for (const summary of await page.locator('summary').all()) await summary.click();
  await press(page, say('fix_with_password'));
  await look('a code is tested, with a password first');

  await carryOver(await ada.knock(), context);
  await open(page, '/fix/code');
  await expect(page.locator('[data-clock]')).toBeVisible();
  await refuse(page, await ada.app.code(-12), 'clock_behind');
  await page.locator('select').last().selectOption('0');
  await look('a tested code is of another moment');
  await code(page).fill(await ada.app.code(0));
  await expect(page.getByText(say('fix_right_title'))).toBeVisible();
  await look('a tested code is right');

  await forget(page);
  await carryOver(caller, context);
  await open(page, '/fix/backup-code');
  await page.locator('form input').fill(ada.codes[3] ?? '');
  await page.keyboard.press('Enter');
  await expect(page.locator('.told .good')).toBeVisible();
  await look('a tested backup code');
  await open(page, '/fix/phone');
  await look('a lost phone, signed in');
}

/** From a password alone to 2-step verification. */
export async function enrolling({ page, context, say, someone, look }: Guide): Promise<void> {
  const ada = await someone();
  await carryOver(await ada.knock(), context);
  await open(page, '/');
  await look('Home, protection is off');
  await open(page, '/parameters/users');
  await look('Users, as a member');
  await open(page, security);
  await look('Security, off');
  await open(page, `${security}/enable/app`);
  await look('wizard, the app');
  await page.locator('input').fill('Phone');
  await press(page, say('have_app'));
  await title(page, say('scan_heading'));
  await press(page, say('cannot_scan'));
  for (const summary of await page.locator('summary').all()) await summary.click();
  await look('wizard, the picture');
  const secret = ((await page.getByTestId('key').textContent()) ?? '').replaceAll(' ', '');
  ada.app = new App(secret, '');
  await press(page, say('enlarge'));
  await expect(dialog(page)).toBeVisible();
  await look('wizard, the picture enlarged');
  await page.keyboard.press('Escape');
  await press(page, say('scanned'));
  await title(page, say('code_heading'));
  await refuse(page, ada.app.meaningless(), 'wrong_code');
  await look('wizard, a wrong code');
  await code(page).fill(await ada.app.code());
  await title(page, say('save_heading'));
  await look('wizard, the codes');
  await open(page, security);
  await look('Security, not finished');
  await open(page, `${security}/enable/save`);
  await expect(page.getByText(say('save_fresh_title'))).toBeVisible();
  await look('wizard, fresh codes');
  await page.locator('input[type="checkbox"]').check();
  await press(page, say('have_saved'));
  await title(page, say('done_heading'));
  await look('wizard, done');
}

/** Somebody with two apps, few codes left, sessions elsewhere, and much behind them. */
export async function managing(guide: Guide): Promise<void> {
  const { page, context, say, someone, look } = guide;
  const ada = await someone({ name: 'Augusta Ada King, Countess of Lovelace' });
  const caller = await ada.enrol({ name: 'Phone' });
  await ada.addApp(caller, 'Office');
  ada.server.sql(`UPDATE backup_codes SET used_at = 1 WHERE position > 2 AND user_id = '${ada.id}'`);
  await ada.signIn(ada.codes[1] ?? '');
  await carryOver(caller, context);

  await open(page, '/');
  await look('Home, a strange browser and few codes');
  await open(page, security);
  await look('Security, on');
  // By the name in the rail or by the bar, whichever the window has.
  await page.locator('[aria-controls="account-menu"]:visible').click();
  await expect(page.locator('#account-menu')).toBeVisible();
  await look('the account menu');
  await page.keyboard.press('Escape');

  const asked: [string, Locator][] = [
    ['an app renamed', page.getByRole('button', { name: new RegExp(`^${say('rename')}`) }).first()],
    ['an app removed', page.getByRole('button', { name: new RegExp(`^${say('remove')}`) }).first()],
    ['another name', page.getByRole('button', { name: say('name_title'), exact: true })],
    ['all others signed out', page.getByRole('button', { name: say('sessions_end_all'), exact: true })],
    ['this was not me', page.getByRole('button', { name: new RegExp(`^${say('not_me_press')}`) }).first()],
    ['protection turned off', page.getByRole('button', { name: say('disable_ellipsis'), exact: true })],
  ];
  for (const [what, opener] of asked) {
    await opener.click();
    await expect(dialog(page)).toBeVisible();
    await look(`asked: ${what}`);
    await page.keyboard.press('Escape');
    await expect(dialog(page)).toHaveCount(0);
  }

  ada.proofsGetOld();
  await page
    .getByRole('button', { name: new RegExp(`^${say('rename')}`) })
    .first()
    .click();
  await dialog(page).getByRole('textbox').fill('Travel phone');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: say('proof_title') })).toBeVisible();
  await look('asked: is it you');
  await passwords(dialog(page)).fill(ada.password);
  await code(dialog(page)).fill(await ada.app.code());
  await page.keyboard.press('Enter');
  await expect(dialog(page)).toHaveCount(0);

  await open(page, `${security}/password`);
  await passwords(page).first().fill(ada.password);
  await passwords(page).last().fill('passwordpassword1');
  await look('password, a weak one');
  await passwords(page).last().press('Enter');
  await expect(page.locator('[aria-invalid="true"]')).toBeFocused();
  await look('password, refused');
  await open(page, `${security}/lost-phone`);
  await look('the lost phone, which of two');
  await open(page, `${security}/backup-codes`);
  await look('new backup codes');
  await open(page, `${security}/not-me`);
  await look('not me, the beginning');
  await press(page, say('alarm_go'));
  await expect(page.getByText(say('alarm_ended_title'))).toBeVisible();
  await passwords(page).first().fill(ada.password);
  await passwords(page).last().fill(other);
  await look('not me, the password');
  await passwords(page).last().press('Enter');
  await title(page, say('alarm_apps_heading'));
  await look('not me, the apps');
  await press(page, say('alarm_apps_mine'));
  await press(page, say('new_codes_make'));
  await expect(page.locator('ol.codes')).toBeVisible();
  await look('not me, the codes');
  await page.locator('input[type="checkbox"]').check();
  await press(page, say('have_saved'));
  await title(page, say('alarm_done_heading'));
  await look('not me, done');
}

/** An administrator among people in several states. */
export async function administering({ page, context, someone, look, say }: Guide): Promise<void> {
  const root = await someone({ name: 'Root Of All', role: 'administrator' });
  const states: [name: string, columns: string][] = [
    ['Overdue One', `requirement = 'required', deadline = ${Date.now() - 5 * 86_400_000}`],
    ['Required One', `requirement = 'required', deadline = ${Date.now() + 40 * 86_400_000}`],
    ['Forbidden One', "requirement = 'off'"],
    ['Disabled One', `disabled_at = ${Date.now()}`],
  ];
  const one = await someone({ name: 'One Of Many' });
  states.forEach(([name, columns], i) => {
    const own = `id = substr(id, 1, 24) || 'z${i}', name = '${name}', email = 'one-${i}-' || email, email_key = '${i}' || email_key`;
    // A copy of a row is quicker than another person from the console.
    one.server.sql(
      `CREATE TEMP TABLE copy AS SELECT * FROM users WHERE id = '${one.id}';
       UPDATE copy SET ${own}, ${columns}; INSERT INTO users SELECT * FROM copy`,
    );
  });
  const disabled = one.server.sql("SELECT id FROM users WHERE name = 'Disabled One' LIMIT 1");
  const ada = await someone({ name: 'Ada Lovelace' });
  const caller = await ada.enrol({ name: 'Phone' });
  await ada.newCodes(caller);
  await carryOver(await root.knock(), context);

  const lost = await someone({ name: 'Lost Phone' });
  await lost.enrol();
  const asked = { no_backup_codes: true, no_other_browser: true, message: ['It fell into the lake.'] };
  await (await lost.knock()).done('POST', '/api/v1/sign-in/recovery', asked);
  const ticket = lost.server.sql(`SELECT ticket_id FROM recoveries WHERE user_id = '${lost.id}'`);

  await open(page, '/');
  await look('Home of an administrator');
  await open(page, '/parameters/users');
  await expect(page.getByRole('row').nth(4)).toBeVisible();
  await look('Users');
  await open(page, '/parameters/users?query=nobody-is-called-so');
  await expect(page.getByRole('button', { name: say('users_clear') })).toBeVisible();
  await look('Users, nobody fits');
  const subject = `My code is refused, ${ada.email}`;
  await caller.done('POST', '/api/v1/tickets', { subject, lines: ['It worked yesterday.', '', 'What can I do?'] });
  await open(page, '/parameters/tickets');
  await look('Tickets');
  await page.getByRole('link', { name: subject }).click();
  await title(page, subject);
  await read(page);
  await look('a ticket, 2-step verification is off');
  await open(page, '/parameters/tickets?query=nobody-is-called-so');
  await look('Tickets, none fits');
  await open(page, '/parameters/audit');
  await page.locator('li.item button').first().click();
  await look('Audit log, an event opened');
  await open(page, '/parameters/audit?kind=nothing.of.the.kind');
  await expect(page.getByRole('button', { name: say('audit_clear') })).toBeVisible();
  await look('Audit log, nothing fits');
  await open(page, `/parameters/users/${ada.id}/security`);
  await look('Security of somebody else');
  await open(page, `/parameters/users/${disabled}/security`);
  await look('Security of somebody who is disabled');
  const today = Math.floor(Date.now() / 86_400_000);
  one.server.sql(
    `INSERT INTO refusals VALUES (${today}, 'clock_behind', 9, 6, 5), (${today - 3}, 'wrong_code', 1234, 567, 89);
     INSERT INTO clocks VALUES ('x', '', -42000, 31, ${Date.now()})`,
  );
  await open(page, `/parameters/tickets/${ticket}/recovery`);
  await look('a request to get back in');
  await open(page, '/parameters/protection');
  for (const table of await page.getByText(say('protection_as_table')).all()) await table.click();
  await look('Protection');
  one.server.sql('DELETE FROM refusals; DELETE FROM clocks');
  await open(page, security);
  await look('Security of an administrator, off');
  await context.setOffline(true);
  await page.evaluate(() => window.dispatchEvent(new Event('offline')));
  await expect(page.getByText(say('banner_offline'))).toBeVisible();
  await look('offline');
  await context.setOffline(false);
}
