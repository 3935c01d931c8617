import type { Locator, Page } from '@playwright/test';
import { atHome, backupField, codeField, givePassword, heading } from './kit/acts';
import { App } from './kit/app';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { expect, password, test } from './kit/test';
import { say } from './kit/words';

/** Presses Tab until the wanted one has the focus, and sees that the focus shows. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await expect(wanted).toBeVisible();
  const most = 60;
  for (let presses = 0; presses < most; presses++) {
    if (await wanted.evaluate((one) => one === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  await expect(wanted).toBeFocused();
}

/** The focus can be seen: something around it is drawn that is not there without it. */
async function shows(page: Page): Promise<void> {
  const drawn = await page.evaluate(() => {
    const style = getComputedStyle(document.activeElement ?? document.body);
    return style.outlineStyle !== 'none' || style.boxShadow !== 'none' || style.borderStyle !== 'none';
  });
  expect(drawn).toBe(true);
}

async function pressAt(page: Page, wanted: Locator, key = 'Enter'): Promise<void> {
  await tabTo(page, wanted);
  await shows(page);
  await page.keyboard.press(key);
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('from the setup link to signed in with a code, by keyboard alone', async ({ page, empty }) => {
  const ada = { name: 'Ada Lovelace', email: 'ada@example.test' };
  await page.goto(empty.setupLink);
  await expect(page.getByLabel(say('name'), { exact: true })).toBeFocused();
  await inspect(page, 'setup');
  await page.keyboard.type(ada.name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(ada.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');

  await expect(heading(page, say('welcome_title'))).toBeVisible();
  await inspect(page, 'welcome');
  await pressAt(page, page.getByRole('link', { name: say('turn_on') }));
  await tabTo(page, page.getByLabel(say('device_name')));
  await page.keyboard.type('Phone');
  await page.keyboard.press('Enter');

  await expect(heading(page, say('scan_heading'))).toBeVisible();
  await pressAt(page, button(page, say('enlarge')), 'Space');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(button(page, say('enlarge'))).toBeFocused();
  await pressAt(page, button(page, say('cannot_scan')));
  const key = (await page.getByTestId('key').textContent()) ?? '';
  const app = new App(key.replaceAll(' ', ''), '');
  await pressAt(page, button(page, say('scanned')));

  await expect(codeField(page)).toBeFocused();
  await page.keyboard.type(await app.code());
  await expect(heading(page, say('save_heading'))).toBeVisible();
  await pressAt(page, page.getByLabel(say('wrote_them_down')), 'Space');
  await pressAt(page, button(page, say('have_saved')));
  await expect(heading(page, say('done_heading'))).toBeVisible();
  await pressAt(page, page.getByRole('link', { name: say('done_home') }));
  await expect(page.getByText(say('warning_single'), { exact: true })).toBeVisible();

  await pressAt(page, page.getByRole('navigation').getByRole('button', { name: ada.name }));
  await pressAt(page, button(page, say('sign_out')));
  await expect(page.getByText(say('told_signed_out'))).toBeVisible();
  await expect(page.getByLabel(say('email'))).toBeFocused();
  await page.keyboard.type(ada.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await expect(codeField(page)).toBeFocused();
  await page.keyboard.type(await app.code(1));
  await expect(heading(page, say('home_hello', { name: ada.name }))).toBeFocused();
  await atHome(page, ada);
});

test('the account menu closes with Escape and gives the focus back; the skip link skips', async ({ page, empty }) => {
  await page.goto(empty.setupLink);
  await page.getByLabel(say('name'), { exact: true }).fill('Ada Lovelace');
  await page.getByLabel(say('email')).fill('ada@example.test');
  await page.getByLabel(say('password'), { exact: true }).fill(password);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: say('later') }).click();
  const opener = page.getByRole('navigation').getByRole('button', { name: 'Ada Lovelace' });
  await pressAt(page, opener);
  await expect(button(page, say('sign_out'))).toBeVisible();
  await inspect(page, 'account menu');
  await page.keyboard.press('Escape');
  await expect(button(page, say('sign_out'))).toHaveCount(0);
  await expect(opener).toBeFocused();

  await pressAt(page, page.getByRole('link', { name: say('skip_to_content') }));
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
});

test('My security by keyboard alone: each question has the focus, and gives it back to where one was', async ({
  page,
  context,
  someone,
}) => {
  const ada = await someone();
  const caller = await ada.enrol({ name: 'Phone' });
  await ada.addApp(caller, 'Office');
  await ada.signIn(ada.codes[1] ?? '');
  await carryOver(caller, context);
  const dialog = page.getByRole('dialog');
  const closed = () => expect(dialog).toHaveCount(0);
  const of = (act: string, what: string) => page.getByRole('button', { name: new RegExp(`^${act} ?: ${what}`) });
  await page.goto('/parameters/users/me/security');
  await expect(heading(page, say('my_security'))).toBeVisible();

  await pressAt(page, of(say('rename'), 'Phone'));
  await expect(dialog.getByRole('textbox')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(of(say('rename'), 'Phone')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('textbox')).toBeFocused();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('Old phone');
  await page.keyboard.press('Enter');
  await closed();
  await expect(of(say('rename'), 'Old phone')).toBeFocused();

  await pressAt(page, of(say('remove'), 'Old phone'));
  await expect(button(page, say('cancel'))).toBeFocused();
  await pressAt(page, button(page, say('remove_confirm')));
  await closed();
  // What was pressed is gone with its app: reading goes on at the list.
  await expect(heading(page, say('ways_title'))).toBeFocused();

  await pressAt(page, button(page, say('name_title')));
  await expect(dialog.getByRole('textbox')).toBeFocused();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('Ada King');
  await page.keyboard.press('Enter');
  await closed();
  await expect(button(page, say('name_title'))).toBeFocused();

  const strange = of(say('not_me_press'), say('event_signed_in_code'));
  await pressAt(page, strange, 'Space');
  await expect(button(page, say('cancel'))).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(strange).toBeFocused();
  await pressAt(page, button(page, say('disable_ellipsis')));
  await expect(button(page, say('keep_it_on'))).toBeFocused();
  await page.keyboard.press('Space');
  await expect(button(page, say('disable_ellipsis'))).toBeFocused();

  await pressAt(page, page.getByRole('link', { name: say('password_title') }));
  await expect(page.getByLabel(say('password_present'), { exact: true })).toBeFocused();
  await page.keyboard.type(password);
  await tabTo(page, page.getByLabel(say('password_new'), { exact: true }));
  await page.keyboard.type('eleven blue pots of coffee');
  await page.keyboard.press('Enter');
  await expect(page.getByText(say('told_password_changed'))).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();

  await pressAt(page, button(page, say('disable_ellipsis')));
  await tabTo(page, dialog.getByLabel(say('password'), { exact: true }));
  await page.keyboard.type('eleven blue pots of coffee');
  await page.keyboard.press('Enter');
  await expect(page.getByText(say('told_protection_off'))).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
});

test('sessions, "This wasn\'t me" and a lost phone by keyboard alone', async ({ page, context, someone }) => {
  const ada = await someone();
  const caller = await ada.enrol({ name: 'Phone' });
  await ada.addApp(caller, 'Office');
  await ada.signIn(ada.codes[1] ?? '');
  await ada.signIn(ada.codes[2] ?? '');
  await carryOver(caller, context);
  await page.goto('/parameters/users/me/security');
  const others = page.getByRole('button', { name: new RegExp(`^${say('sign_out')} ?: `) });
  await expect(others).toHaveCount(2);
  await pressAt(page, others.first());
  await expect(others).toHaveCount(1);
  await expect(heading(page, say('sessions_title'))).toBeFocused();
  await pressAt(page, button(page, say('sessions_end_all')));
  await tabTo(page, page.getByRole('dialog').getByRole('button').last());
  await page.keyboard.press('Enter');
  await expect(others).toHaveCount(0);
  await expect(heading(page, say('sessions_title'))).toBeFocused();

  await pressAt(page, page.getByRole('button', { name: new RegExp(`^${say('not_me_press')}`) }).first());
  await pressAt(page, button(page, say('alarm_go')));
  await expect(page.getByText(say('alarm_ended_title'))).toBeVisible();
  await expect(page.getByLabel(say('password_present'), { exact: true })).toBeFocused();
  await page.goto('/parameters/users/me/security/lost-phone');
  await pressAt(page, page.getByRole('link', { name: new RegExp(`^${say('lost_this_one')} ?: Office`) }));
  await expect(heading(page, say('security_lost_title'))).toBeFocused();
  await pressAt(page, button(page, say('have_app')));
  await expect(heading(page, say('security_lost_title'))).toBeFocused();
  await expect(heading(page, say('scan_heading'))).toBeVisible();
});

test.describe('in a window of 1280 × 1024 at 400 %', () => {
  test.use({ viewport: { width: 320, height: 256 } });

  test('the field that has the focus is seen, with its label', async ({ page, someone }) => {
    const ada = await someone();
    await ada.enrol();
    await page.goto('/sign-in');
    await givePassword(page, ada);
    const label = page.getByText(say('code_label'), { exact: true });
    for (const arrive of [() => undefined, () => page.reload()]) {
      await arrive();
      await expect(codeField(page)).toBeFocused();
      await expect(codeField(page)).toBeInViewport({ ratio: 1 });
      await expect(label).toBeInViewport({ ratio: 1 });
    }
    await page.getByRole('link', { name: say('use_backup_code') }).click();
    await expect(backupField(page)).toBeFocused();
    await expect(backupField(page)).toBeInViewport({ ratio: 1 });
  });

  test('a question is read from its title on, and its safe choice is what Tab comes to', async ({
    page,
    context,
    someone,
  }) => {
    const ada = await someone();
    const caller = await ada.enrol({ name: 'Phone' });
    await ada.addApp(caller, 'Office');
    await carryOver(caller, context);
    await page.goto('/parameters/users/me/security');
    const questions = [
      [new RegExp(`^${say('remove')} ?: Phone`), say('remove_title', { name: 'Phone' }), say('cancel')],
      [say('disable_ellipsis'), say('disable_title'), say('keep_it_on')],
    ] as const;
    for (const [act, title, safe] of questions) {
      const opener = page.getByRole('button', { name: act });
      await pressAt(page, opener);
      const dialog = page.getByRole('dialog');
      await expect(dialog.getByRole('heading', { name: title })).toBeFocused();
      await expect(dialog.getByRole('heading', { name: title })).toBeInViewport({ ratio: 1 });
      expect(await dialog.evaluate((one) => one.scrollTop)).toBe(0);
      await tabTo(page, button(page, safe));
      await expect(button(page, safe)).toBeInViewport({ ratio: 1 });
      await page.keyboard.press('Escape');
      await expect(opener).toBeFocused();
    }
  });
});
