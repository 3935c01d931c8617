import { heading, press } from './kit/acts';
import { inspect } from './kit/inspect';
import { expect, password, test } from './kit/test';
import { say } from './kit/words';

test('nobody is set up: sign-in says where the link is', async ({ page, empty }) => {
  await page.goto(`${empty.url}/sign-in`);
  await expect(page.getByText(say('setup_needed_title'))).toBeVisible();
  await expect(page.getByText(say('setup_needed_body'))).toBeVisible();
  await inspect(page, 'sign-in, nobody set up');
  await page.goto(`${empty.url}/setup`);
  await expect(heading(page, say('setup_no_link_title'))).toBeVisible();
  await inspect(page, 'setup without its link');
});

test('each field says what it lacks, and what was typed stays', async ({ page, empty, tidy }) => {
  tidy.expectRefusals(422);
  await page.goto(empty.setupLink);
  // The token is taken out of the address and the history at once.
  await expect(page).toHaveURL(`${empty.url}/setup`);
  await press(page, say('setup_submit'));
  await expect(page.getByText(say('field_required'))).toHaveCount(3);
  await expect(page.getByLabel(say('name'), { exact: true })).toBeFocused();
  await inspect(page, 'setup, fields missing');
  await page.getByLabel(say('name'), { exact: true }).fill('Ada Lovelace');
  await page.getByLabel(say('email')).fill('not an address');
  await page.getByLabel(say('password'), { exact: true }).fill('short');
  await expect(page.getByText(say('strength_label', { strength: say('strength_0') }))).toBeVisible();
  await press(page, say('setup_submit'));
  await expect(page.getByText(say('field_email_invalid'))).toBeVisible();
  await expect(page.getByText(say('field_password_too_short', { min: 12 }))).toBeVisible();
  await expect(page.getByLabel(say('email'))).toBeFocused();
  await expect(page.getByLabel(say('email'))).toHaveValue('not an address');
  await inspect(page, 'setup, fields refused');

  await page.getByLabel(say('email')).fill('ada@example.test');
  await page.getByLabel(say('password'), { exact: true }).fill('passwordpassword');
  await press(page, say('setup_submit'));
  await expect(page.getByText(say('field_password_too_common'))).toBeVisible();
  await page.getByLabel(say('password'), { exact: true }).fill('adalovelace1815');
  await press(page, say('setup_submit'));
  await expect(page.getByText(say('field_password_contains_context'))).toBeVisible();
  await page.getByLabel(say('password'), { exact: true }).fill(password);
  await press(page, say('setup_submit'));
  await expect(heading(page, say('welcome_title'))).toBeVisible();
  await expect(page.getByText(say('welcome_administrator'))).toBeVisible();
});

test('a link that was used is over, and says what to do', async ({ page, empty, tidy }) => {
  tidy.expectRefusals(410);
  const link = empty.setupLink;
  await empty.add({ name: 'Quick Hand', email: 'quick@example.test', password, role: 'administrator' });
  await page.goto(link);
  await page.getByLabel(say('name'), { exact: true }).fill('Ada Lovelace');
  await page.getByLabel(say('email')).fill('ada@example.test');
  await page.getByLabel(say('password'), { exact: true }).fill(password);
  await press(page, say('setup_submit'));
  await expect(heading(page, say('setup_expired_title'))).toBeVisible();
  await expect(page.getByText(say('setup_expired_body'))).toBeVisible();
  await inspect(page, 'setup link over');
  await page.getByRole('link', { name: say('setup_expired_sign_in') }).click();
  await expect(heading(page, say('sign_in_title'))).toBeVisible();
});
