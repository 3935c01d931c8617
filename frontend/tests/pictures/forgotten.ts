import { expect, type Page } from '@playwright/test';
import { heading, press } from '../kit/acts';
import { say } from '../kit/words';
import type { Chapter, Scene } from './stage';

const ada = 'ada@example.org';
const api = '**/api/v1/forgotten-password';
const link = '/new-password#token=Pa3SaknZJQf86jBkwSmQMQK6M0IqTerVVmZyUqVFseE';

/** The demo sends no mail: here it says that it does, and answers so. */
async function mailing(page: Page): Promise<void> {
  await page.route('**/forgotten-password', async (route) => {
    if (route.request().method() !== 'GET') return route.fulfill({ status: 204 });
    const answer = await route.fetch();
    const body = (await answer.text()).replace('secondstep-mails" content="false"', 'secondstep-mails" content="true"');
    await route.fulfill({ response: answer, body });
  });
}

const opened = async (page: Page) => {
  const body = JSON.stringify({ name: 'Ada Lovelace', email: ada, expires_at: new Date().toISOString() });
  await page.route(`${api}/link`, (route) => route.fulfill({ status: 200, contentType: 'application/json', body }));
  await page.goto(link);
  await expect(page.getByLabel(say('password_new'), { exact: true })).toBeFocused();
};

const refused = (name: string, code: string, title: string, shows: string): Scene => ({
  name,
  shows,
  go: async ({ page }) => {
    const body = JSON.stringify({ status: 410, code });
    await page.route(`${api}/link`, (route) =>
      route.fulfill({ status: 410, contentType: 'application/problem+json', body }),
    );
    await page.goto(link);
    await expect(heading(page, title)).toBeVisible();
  },
});

export const forgotten: Chapter = {
  title: 'A forgotten password',
  walks: [
    [
      {
        name: 'forgotten',
        shows: 'A link is asked for',
        go: async ({ page }) => {
          await mailing(page);
          await page.goto('/forgotten-password');
          await expect(page.getByLabel(say('email'))).toBeFocused();
        },
      },
      {
        name: 'forgotten-sent',
        shows: 'A link is on its way, if there is such an account',
        go: async ({ page }) => {
          await page.getByLabel(say('email')).fill(ada);
          await press(page, say('forgotten_submit'));
          await expect(heading(page, say('forgotten_sent_title'))).toBeFocused();
        },
      },
      {
        name: 'forgotten-too-often',
        shows: 'It was asked for too often',
        go: async ({ page }) => {
          await press(page, say('forgotten_again'));
          const body = JSON.stringify({ status: 429, code: 'too_many_asks', retry_after_seconds: 2_400 });
          await page.route(api, (route) =>
            route.fulfill({ status: 429, contentType: 'application/problem+json', body }),
          );
          await press(page, say('forgotten_submit'));
          await expect(page.getByText(say('error_too_many_asks'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'forgotten-no-mail',
        shows: 'No mail server: how one gets a new password',
        go: (stage) => stage.open('/forgotten-password'),
      },
    ],
    [
      { name: 'new-password', shows: 'The link is opened: a new password', go: ({ page }) => opened(page) },
      {
        name: 'new-password-typed',
        shows: 'One that is hard to guess',
        go: async ({ page }) => {
          await page.getByLabel(say('password_new'), { exact: true }).fill('seven quiet walnut lamps');
          await expect(page.getByText(say('strength_label', { strength: say('strength_4') }))).toBeVisible();
        },
      },
      {
        name: 'new-password-done',
        shows: 'It is set, and nobody is signed in by it',
        go: async ({ page }) => {
          await page.route(`${api}/password`, (route) => route.fulfill({ status: 204 }));
          await press(page, say('new_password_submit'));
          await expect(heading(page, say('new_password_done_title'))).toBeFocused();
        },
      },
    ],
    [{ name: 'new-password-missing', shows: 'Its page without a link', go: (stage) => stage.open('/new-password') }],
    [
      refused('new-password-used', 'password_link_used', say('error_password_link_used'), 'A link that was used'),
      refused(
        'new-password-late',
        'password_link_expired',
        say('error_password_link_expired'),
        'A link that is too old',
      ),
    ],
  ],
};
