import type { Response } from '@playwright/test';
import { heading } from './kit/acts';
import { expect, test } from './kit/test';
import { say } from './kit/words';

const mostRequests = 4;
const mostBytes = 35_000;

test('signed out, one downloads the sign-in and nothing else; only hashed files are kept', async ({ page }) => {
  const answers: Response[] = [];
  page.on('response', (answer) => answers.push(answer));
  await page.goto('/sign-in', { waitUntil: 'networkidle' });
  await expect(heading(page, say('sign_in_title'))).toBeVisible();
  const loaded = answers.filter((answer) => !answer.url().startsWith('data:'));
  expect(
    loaded
      .map((answer) => new URL(answer.url()).pathname)
      .join(' ')
      .split(' ').length,
  ).toBeLessThanOrEqual(mostRequests);
  let bytes = 0;
  for (const answer of loaded) {
    const { pathname } = new URL(answer.url());
    const caching = await answer.headerValue('cache-control');
    if (pathname.startsWith('/assets/')) {
      expect(pathname).toMatch(/-[\w-]{8,}\.\w+$/);
      expect(caching).toBe('public, max-age=31536000, immutable');
    } else {
      expect(caching).toBe('no-store');
    }
    if (!/\.(js|css)$/.test(pathname)) continue;
    expect(await answer.headerValue('content-encoding')).toMatch(/^(br|gzip)$/);
    bytes += (await answer.request().sizes()).responseBodySize;
  }
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(mostBytes);
});

test('the policy allows no inline code, and the page carries none', async ({ request, baseURL }) => {
  const page = await request.get(`${baseURL}/sign-in`, { headers: { Accept: 'text/html' } });
  const policy = page.headers()['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('unsafe');
  const html = await page.text();
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/i);
});

test('without JavaScript the page says what to do', async ({ another }) => {
  const plain = await another({ javaScriptEnabled: false });
  const page = await plain.newPage();
  await page.goto('/sign-in');
  // By element: searches for text leave out what is in <noscript>.
  const words = page.locator('noscript').locator('h1, p');
  const sentences = ['no_script_title', 'no_script_body', 'no_script_next', 'no_script_help'] as const;
  await expect(words).toHaveText(sentences.map((sentence) => say(sentence)));
  await expect(words.first()).toBeVisible();
  await page.locator('noscript a').click();
  await expect(page).toHaveURL('/help');
  await expect(page.getByRole('searchbox')).toBeVisible();
});

test('without cookies the sign-in says so, and what to do', async ({ page, someone, tidy }) => {
  tidy.expectRefusals(401);
  const ada = await someone();
  await page.route('**/api/v1/sign-in', async (route) => {
    const answer = await route.fetch();
    const headers = Object.fromEntries(Object.entries(answer.headers()).filter(([name]) => name !== 'set-cookie'));
    // The test's own fetch kept the cookie in the browser's place.
    await page.context().clearCookies();
    await route.fulfill({ response: answer, headers });
  });
  await page.goto('/sign-in');
  await page.getByLabel(say('email')).fill(ada.email);
  await page.getByLabel(say('password'), { exact: true }).fill(ada.password);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText(say('cookies_off_title'));
  await expect(page.getByRole('alert')).toContainText(say('cookies_off_body'));
});
