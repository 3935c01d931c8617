import type { Page } from '@playwright/test';
import { atHome, codeField, givePassword, heading, toSecondStep } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver, Person } from './kit/person';
import { expect, password, test } from './kit/test';
import { say } from './kit/words';

// The words of these pages are the server's (server/help/articles/en), not the catalogue's.
const ask = 'Was this helpful?';

async function search(page: Page, query: string) {
  await page.getByRole('searchbox').fill(query);
  await page.keyboard.press('Enter');
}

test('without JavaScript one finds an article, reads it, and says what was missing', async ({
  another,
  empty,
  tidy,
}) => {
  tidy.expectRefusals(404);
  const plain = await another({ javaScriptEnabled: false, baseURL: empty.url });
  const page = await plain.newPage();
  await page.goto('/help');
  await expect(heading(page, 'Help')).toBeVisible();
  await search(page, 'phone stolen');
  await page
    .getByRole('link', { name: /^Lost phone/ })
    .first()
    .click();
  await expect(heading(page, 'Lost phone')).toBeVisible();
  await page.getByRole('navigation', { name: 'On this page' }).getByRole('link', { name: 'None of these' }).click();
  await expect(page).toHaveURL(/lost-phone#none$/);

  await expect(heading(page, ask)).toBeVisible();
  await page.getByRole('button', { name: 'No', exact: true }).click();
  await expect(page).toHaveURL(/lost-phone\?said=no#helpful$/);
  await expect(page.getByRole('status')).toHaveText(/Thank you/);
  await page.getByRole('textbox', { name: /missing/ }).fill('My phone is a <landline> & has no camera');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page).toHaveURL(/said=told#helpful$/);
  await page.getByRole('link', { name: /^Next/ }).click();
  await expect(heading(page, 'Lost phone and codes')).toBeVisible();

  await search(page, 'xyzzy');
  await expect(heading(page, 'Nothing was found for “xyzzy”')).toBeVisible();
  const missing = await page.goto('/help/nothing');
  expect(missing?.status()).toBe(404);
  await expect(heading(page, 'There is no such article')).toBeVisible();

  // What was said arrives where administrators read it.
  const root = new Person(empty, 'Root Of All', 'root@example.test', password, 'administrator');
  await empty.add(root);
  const inside = await another({ baseURL: empty.url });
  await carryOver(await root.knock(), inside);
  const desk = await inside.newPage();
  await desk.goto('/parameters/help');
  await expect(desk.getByText('My phone is a <landline> & has no camera', { exact: true })).toBeVisible();
  await expect(desk.getByRole('row', { name: /^Lost phone/ })).toContainText('1');
  await inspect(desk, 'help centre, a sentence is open');
  await desk.getByRole('button', { name: say('help_votes_mark') }).click();
  await expect(desk.getByText(say('help_votes_none_open'))).toBeVisible();
  await inspect(desk, 'help centre, nothing is open');
});

test('the pages of the help are sound in each theme, follow the reading, and go by the keyboard', async ({
  page,
  tidy,
}) => {
  for (const path of ['/help', '/help/code-not-accepted', '/help/install', '/help/require', '/help/search?q=code']) {
    await page.goto(path);
    await inspect(page, path);
  }
  await page.goto('/help/set-up?said=yes');
  await inspect(page, 'an answer');

  await page.goto('/help/set-up');
  const contents = page.getByRole('navigation', { name: 'On this page' });
  await expect(contents.locator('[aria-current]')).toHaveCount(0);
  await contents.getByRole('link', { name: 'Enter the code' }).click();
  await expect(contents.locator('[aria-current]')).toHaveText('Enter the code');
  await page.mouse.wheel(0, 20_000);
  await expect(contents.locator('[aria-current]')).toHaveText('Closed the page too early?');

  await page.goto('/help/sign-in');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('navigation', { name: 'You are here' }).getByRole('link')).toBeFocused();
  await page.getByRole('button', { name: 'Yes', exact: true }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: /helped/ })).toBeVisible();

  // A theme that was chosen holds here too, and pictures that are shown are there.
  await page.evaluate(() => localStorage.setItem('secondstep-theme', 'dark'));
  await page.goto('/help/set-up');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  const picture = page.locator('.picture').first();
  await picture.scrollIntoViewIfNeeded();
  await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  tidy.expectRefusals(404);
  await page.goto('/help/pictures/none.png');
});

test('every screen leads to the paragraph that fits, and a refused code to the one about it', async ({
  page,
  context,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(422);
  const ada = await someone({ role: 'administrator' });
  await ada.enrol();
  await page.goto('/sign-in');
  await page.getByRole('link', { name: say('help_title') }).click();
  await expect(page).toHaveURL(/\/help\/sign-in$/);
  await page.getByRole('link', { name: 'Sign in' }).first().click();
  await givePassword(page, ada);
  await codeField(page).fill(ada.app.meaningless());
  const opening = context.waitForEvent('page');
  await page.getByRole('link', { name: say('help_more') }).click();
  const beside = await opening;
  await expect(beside).toHaveURL(/\/help\/code-not-accepted#entry$/);
  await beside.close();

  await toSecondStep(page, ada);
  await codeField(page).fill(await ada.app.code(1));
  await atHome(page, ada);
  for (const [path, leads] of [
    ['/parameters/users', 'people'],
    ['/parameters/protection', 'roll-out#follow'],
    ['/parameters/audit', 'audit'],
    ['/parameters/users/me/security', 'set-up#begin'],
  ] as const) {
    await page.goto(path);
    const way = page.getByRole('link', { name: say('help_title'), exact: true });
    await expect(way).toHaveAttribute('href', `/help/${leads}`);
  }
  await page.getByRole('link', { name: say('help_title'), exact: true }).click();
  await page.getByRole('link', { name: /^Back to/ }).click();
  await atHome(page, ada);
});
