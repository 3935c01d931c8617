import type { Locator, Page } from '@playwright/test';
import { atHome, codeField, heading } from './kit/acts';
import { App } from './kit/app';
import { inspect } from './kit/inspect';
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
  await expect(page.getByText(say('home_calm'))).toBeVisible();

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
