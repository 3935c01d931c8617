import type { Page } from '@playwright/test';
import { goesRound, isNamed } from './kit/access';
import { atHome, codeField, givePassword, heading, press } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { expect, test } from './kit/test';
import { say } from './kit/words';

const chosen = 'seven quiet walnut lamps';

async function look(page: Page, stop: string): Promise<void> {
  await inspect(page, stop);
  await isNamed(page, stop);
  await goesRound(page, stop);
}

async function ask(page: Page, email: string): Promise<void> {
  await page.getByLabel(say('email')).fill(email);
  await press(page, say('forgotten_submit'));
  await expect(heading(page, say('forgotten_sent_title'))).toBeFocused();
}

test('a forgotten password: a link by mail, a new password, and the second step as before', async ({
  page,
  context,
  another,
  someone,
  mailing: { server, mailbox },
  tidy,
}) => {
  tidy.expectRefusals(401, 410, 422);
  const ada = await someone({ on: server });
  const caller = await ada.enrol();
  const elsewhere = await another({ baseURL: server.url });
  await carryOver(caller, elsewhere);
  const old = await elsewhere.newPage();
  await old.goto('/');
  await atHome(old, ada);

  await page.goto(`${server.url}/sign-in`);
  await page.getByLabel(say('email')).fill(ada.email);
  await page.getByRole('link', { name: say('forgot_password') }).click();
  await expect(page.getByLabel(say('email'))).toBeFocused();
  await expect(page.getByLabel(say('email'))).toHaveValue(ada.email);
  await look(page, 'a forgotten password');
  await ask(page, ada.email);
  await expect(page.getByText(say('forgotten_sent_body', { email: ada.email }))).toBeVisible();
  await look(page, 'a link is on its way');
  const first = await mailbox.link(ada.email, '/new-password');
  // Again: the newest is the one that works.
  await press(page, say('forgotten_again'));
  await ask(page, ada.email);
  const newest = () => mailbox.link(ada.email, '/new-password');
  await expect.poll(newest, { timeout: 60_000 }).not.toBe(first);
  const link = await newest();
  expect(link).toMatch(new RegExp(`^${server.url}/new-password#token=`));
  await page.goto(first);
  await expect(heading(page, say('error_password_link_replaced'))).toBeVisible();
  await look(page, 'a link that was replaced');

  await page.goto('about:blank');
  await page.goto(link);
  const field = page.getByLabel(say('password_new'), { exact: true });
  await expect(field).toBeFocused();
  await expect(page).toHaveURL(`${server.url}/new-password`);
  await field.fill('passwordpassword');
  await page.keyboard.press('Enter');
  await expect(page.getByText(say('field_password_too_common'))).toBeVisible();
  await look(page, 'choosing a password, refused');
  await field.fill(chosen);
  await page.keyboard.press('Enter');
  await expect(heading(page, say('new_password_done_title'))).toBeFocused();
  await look(page, 'a password was chosen');
  await old.reload();
  await expect(heading(old, say('sign_in_title'))).toBeVisible();

  await page.getByRole('link', { name: say('new_password_sign_in') }).click();
  await givePassword(page, { email: ada.email, password: ada.password });
  await expect(page.getByText(say('error_bad_credentials'))).toBeVisible();
  await givePassword(page, { email: ada.email, password: chosen });
  await codeField(page).fill(await ada.app.code());
  await atHome(page, ada);
  await context.clearCookies();
  await page.goto('about:blank');
  await page.goto(link);
  await expect(heading(page, say('error_password_link_used'))).toBeVisible();
  await look(page, 'a link that was used');
});

test('without a mail server the page says how one gets a new password here', async ({ page }) => {
  await page.goto('/sign-in');
  await page.getByRole('link', { name: say('forgot_password') }).click();
  await expect(heading(page, say('forgotten_title'))).toBeFocused();
  await expect(page.getByText(say('forgotten_no_mail_ask'))).toBeVisible();
  await look(page, 'a forgotten password, no mail');
  await page.goto('/new-password');
  await expect(heading(page, say('new_password_no_link_title'))).toBeVisible();
  await look(page, 'a new password without its link');
});
