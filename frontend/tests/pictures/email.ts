import { expect, type Page } from '@playwright/test';
import { heading, press } from '../kit/acts';
import { say } from '../kit/words';
import type { Chapter, Scene, Stage } from './stage';
import { security } from './stage';

const token = 'qk3Zt0bXnE1dG8mVtYw2uLr5sA7cHf9pJiO4xKzQe6M';
const next = 'ada.new@example.org';
const waits = { email: next, expires_at: '2040-01-01T09:00:00Z', asked: 'self' };

/** The demo sends no mail: what the page reads of somebody says that it does. */
async function withMail({ page }: Stage, more: Record<string, unknown> = {}) {
  await page.route(/\/api\/v1\/users\/me(\/security)?$/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), mails: true, ...more } });
  });
}

const answers = (page: Page, path: string, json: unknown, status = 200) =>
  page.route(`**/api/v1/${path}`, (route) =>
    route.fulfill({ status, json, contentType: status < 400 ? 'application/json' : 'application/problem+json' }),
  );

/** A link of "Stop this" is opened. */
const stop = (name: string, shows: string, kind: 'email' | 'reset'): Scene => ({
  name,
  shows,
  go: async ({ page }) => {
    await answers(page, 'stop/link', { kind, email: 'ada@example.org', expires_at: '2040-01-01T09:00:00Z' });
    await answers(page, 'stop', { kind, restored: true });
    await page.goto(`/stop#token=${token}`);
    await expect(page.getByRole('button', { name: say('stop_this') })).toBeVisible();
  },
});

const stopped = (name: string, shows: string): Scene => ({
  name,
  shows,
  go: async ({ page }) => {
    await press(page, say('stop_this'));
    await expect(page.getByRole('link', { name: say('sign_in_title') })).toBeVisible();
  },
});

export const email: Chapter = {
  title: 'Another e-mail address',
  walks: [
    [
      {
        name: 'email',
        shows: 'Change the e-mail address',
        go: async (stage) => {
          await withMail(stage);
          await stage.at('ada', security);
          await press(stage.page, say('email_title'));
        },
      },
      {
        name: 'email-sent',
        shows: 'The link is on its way',
        go: async ({ page }) => {
          await answers(page, 'users/me/email', { email: next, expires_at: waits.expires_at, email_link: null });
          await page.getByLabel(say('email_new')).fill(next);
          await press(page, say('email_send'));
          await expect(heading(page, say('email_sent_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'email-waits',
        shows: 'An address that waits to be confirmed',
        whole: true,
        go: async (stage) => {
          await withMail(stage, { email_change: waits });
          await stage.at('ada', security);
          await stage.button(say('email_again')).scrollIntoViewIfNeeded();
        },
      },
      {
        name: 'email-confirm',
        shows: 'Its link is opened where the person is signed in',
        go: async ({ page }) => {
          await page.goto(`/email#token=${token}`);
          await expect(heading(page, say('email_confirm_title'))).toBeVisible();
        },
      },
      {
        name: 'email-confirmed',
        shows: 'The address is changed',
        go: async ({ page }) => {
          await answers(page, 'users/me/email/confirm', { email: next, sessions_ended: 1 });
          await press(page, say('email_confirm'));
          await expect(heading(page, say('email_done_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'email-signed-out',
        shows: 'Its link is opened where nobody is signed in',
        go: async ({ page }) => {
          await page.goto(`/email#token=${token}`);
          await expect(heading(page, say('email_sign_in_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'email-other',
        shows: 'Its link is opened where somebody else is signed in',
        go: async (stage) => {
          await stage.as('carla');
          await stage.page.goto(`/email#token=${token}`);
          await expect(stage.button(say('email_other_sign_out'))).toBeVisible();
        },
      },
    ],
    [stop('stop-email', 'Stop the change of an address', 'email'), stopped('stop-email-done', 'The address is back')],
    [stop('stop-reset', 'Stop a reset', 'reset'), stopped('stop-reset-done', 'The reset is stopped')],
    [
      {
        name: 'stop-over',
        shows: 'There is nothing left to stop',
        go: async ({ page }) => {
          await answers(page, 'stop/link', { status: 410, code: 'stop_link_expired', title: '', detail: '' }, 410);
          await page.goto(`/stop#token=${token}`);
          await expect(heading(page, say('error_stop_link_expired'))).toBeVisible();
        },
      },
    ],
  ],
};
