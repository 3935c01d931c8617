import type { Page } from '@playwright/test';
import { atHome, codeField, forget, givePassword, heading, press, toSecondStep } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { expect, test } from './kit/test';
import { longDate, say } from './kit/words';

/**
 * guidance.md, "Everything else that stops people": each has words of its own and a next step. Offline, a server that
 * restarts and a new version are in connection.spec.ts, no JavaScript and a lost cookie of a session in first-load.spec.ts, a
 * forgotten password in forgotten.spec.ts.
 */

/** Answers lose their cookies on the way, as where a browser keeps none. */
async function loseCookies(page: Page, path: string): Promise<void> {
  await page.route(`**${path}`, async (route) => {
    const answer = await route.fetch();
    const headers = Object.fromEntries(Object.entries(answer.headers()).filter(([name]) => name !== 'set-cookie'));
    // The test's own fetch kept the cookie in the browser's place.
    await page.context().clearCookies();
    await route.fulfill({ response: answer, headers });
  });
}

test('no cookies, at the second step: not called late, but what it is', async ({ page, someone, tidy }) => {
  tidy.expectRefusals(401);
  const ada = await someone();
  await ada.enrol();
  await loseCookies(page, '/api/v1/sign-in');
  await toSecondStep(page, ada);
  await codeField(page).fill(await ada.app.code());
  await expect(heading(page, say('cookies_off_title'))).toBeVisible();
  await expect(page.getByText(say('cookies_off_body'))).toBeVisible();
  await inspect(page, 'second step, no cookies');
  await page.unroute('**/api/v1/sign-in');
  await press(page, say('start_again'));
  await givePassword(page, ada);
  await codeField(page).fill(await ada.app.code(1));
  await atHome(page, ada);
});

test('a browser that lets the site keep nothing: the page is there, and says so before anything is typed', async ({
  page,
}) => {
  await page.addInitScript(() => {
    const denied = () => {
      throw new DOMException('denied', 'SecurityError');
    };
    Object.defineProperty(navigator, 'cookieEnabled', { value: false });
    for (const storage of ['localStorage', 'sessionStorage']) Object.defineProperty(window, storage, { get: denied });
  });
  await page.goto('/sign-in');
  await expect(page.getByRole('alert')).toContainText(say('cookies_off_body'));
  await expect(page.getByLabel(say('email'))).toBeVisible();
  await inspect(page, 'sign-in, nothing is kept');
});

test('an account that is disabled: said after the right password alone, with whom to ask', async ({
  page,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(401, 403);
  const ada = await someone();
  await ada.enrol();
  ada.server.sql(`UPDATE users SET disabled_at = 1 WHERE id = '${ada.id}'`);
  await page.goto('/sign-in');
  await givePassword(page, { email: ada.email, password: 'another one altogether' });
  await expect(page.getByRole('alert')).toContainText(say('error_bad_credentials'));
  await page.getByLabel(say('password'), { exact: true }).fill(ada.password);
  await press(page, say('continue'));
  const alert = page.getByRole('alert');
  await expect(alert).toContainText(say('error_account_disabled'));
  await expect(alert).toContainText(say('error_account_disabled_next'));
  await inspect(page, 'sign-in, disabled account');
});

test('a deadline that has passed: since when, that all else waits, and the setup under it', async ({
  page,
  someone,
}) => {
  const ada = await someone();
  const passed = Date.UTC(2026, 0, 15, 12);
  ada.server.sql(`UPDATE users SET requirement = 'required', deadline = ${passed} WHERE id = '${ada.id}'`);
  await page.goto('/parameters/users');
  await givePassword(page, ada);
  await expect(page).toHaveURL(/\/enable\//);
  await expect(page.getByText(say('home_required_now'))).toBeVisible();
  await expect(page.getByText(say('wizard_confined_since', { date: longDate(new Date(passed)) }))).toBeVisible();
  await inspect(page, 'wizard, overdue');
  await press(page, say('have_app'));
  await expect(heading(page, say('scan_heading'))).toBeVisible();
});

test.describe('while scanning', () => {
  const answers = [
    ['help_dim', 'help_dim_body'],
    ['help_camera', 'help_camera_body'],
    ['help_broken_camera', 'help_broken_camera_body'],
    ['help_other_app', 'help_other_app_body'],
  ] as const;
  const ways = { enlarge: 'enlarge', byHand: 'cannot_scan' } as const;

  test('a dim screen, a camera that is not allowed or broken, another app: each with its way, which is there', async ({
    page,
    context,
    someone,
  }) => {
    const ada = await someone();
    await carryOver(await ada.knock(), context);
    await page.goto('/parameters/users/me/security/enable/app');
    await press(page, say('have_app'));
    await page.getByText(say('scan_help_heading')).click();
    for (const [title, body] of answers) {
      await expect(page.getByText(say(title), { exact: true })).toBeVisible();
      await expect(page.getByText(say(body))).toBeVisible();
    }
    // On a computer the phone is another device.
    await expect(page.getByText(say('help_same_phone'))).toHaveCount(0);
    expect(say('help_dim_body')).toContain(say(ways.enlarge));
    expect(say('help_broken_camera_body')).toContain(say(ways.byHand));
    await press(page, say(ways.enlarge));
    await page.keyboard.press('Escape');
    await press(page, say(ways.byHand));
    await expect(page.getByTestId('key')).toBeVisible();
    await inspect(page, 'wizard, what to do about scanning');
  });

  for (const [device, userAgent] of [
    ['phone', 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36'],
    ['tablet', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.4 Safari/605.1.15'],
  ] as const) {
    test(`on the very ${device} with the app there is nothing to scan, and a way all the same`, async ({
      another,
      someone,
    }) => {
      const context = await another({ userAgent, hasTouch: true });
      const page = await context.newPage();
      await page.addInitScript(() => Object.defineProperty(navigator, 'maxTouchPoints', { value: 5 }));
      const ada = await someone();
      await carryOver(await ada.knock(), context);
      await page.goto('/parameters/users/me/security/enable/app');
      await press(page, say('have_app'));
      await expect(page.getByText(say('this_device_note'))).toBeVisible();
      await expect(page.getByRole('link', { name: say('open_in_app') })).toHaveAttribute('href', /^otpauth:/);
      await page.getByText(say('scan_help_heading')).click();
      await expect(page.getByText(say('help_same_phone_body'))).toBeVisible();
      // The link of this page stops Chromium now and then when the page is left with it.
      await page.close();
    });
  }
});

test('a page open since yesterday, after an update: the second step’s file is gone, a reload goes on there', async ({
  page,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(404);
  const ada = await someone();
  await ada.enrol();
  await page.goto('/sign-in');
  await page.route('**/assets/steps*', (route) => route.fulfill({ status: 404, body: '' }));
  await givePassword(page, ada);
  await expect(heading(page, say('screen_failed_title'))).toBeVisible();
  await expect(page.getByText(say('screen_failed_body'))).toBeVisible();
  await page.unroute('**/assets/steps*');
  await press(page, say('reload_page'));
  await codeField(page).fill(await ada.app.code());
  await atHome(page, ada);
});

test('a mail that does not come: where to look, and to ask again', async ({ page, mailing }) => {
  await page.goto(`${mailing.server.url}/sign-in`);
  await page.getByRole('link', { name: say('forgot_password') }).click();
  await expect(heading(page, say('forgotten_title'))).toBeVisible(); // the screen before has an e-mail field too
  await page.getByLabel(say('email')).fill('nobody@example.test');
  await press(page, say('forgotten_submit'));
  await expect(page.getByText(say('forgotten_nothing_title'))).toBeVisible();
  await expect(page.getByText(say('forgotten_nothing_body'))).toBeVisible();
  await press(page, say('forgotten_again'));
  await expect(page.getByLabel(say('email'))).toHaveValue('nobody@example.test');
  await forget(page);
});
