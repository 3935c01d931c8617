import { expect } from '@playwright/test';
import { heading, press } from '../kit/acts';
import { password } from '../kit/test';
import { say } from '../kit/words';
import type { Chapter, Stage } from './stage';

async function fill({ page }: Stage, secret: string): Promise<void> {
  await page.getByLabel(say('name'), { exact: true }).fill('Ada Lindqvist');
  await page.getByLabel(say('email')).fill('ada@example.org');
  await page.getByLabel(say('password'), { exact: true }).fill(secret);
}

export const firstStart: Chapter = {
  title: 'First start',
  walks: [
    [
      {
        name: 'nobody-yet',
        shows: 'Sign-in, when nobody has an account yet',
        go: async ({ page, empty }) => {
          await page.goto(`${(await empty()).url}/sign-in`);
          await expect(page.getByText(say('setup_needed_title'))).toBeVisible();
        },
      },
      {
        name: 'setup-no-link',
        shows: 'Setup without its link',
        go: async ({ page, empty }) => {
          await page.goto(`${(await empty()).url}/setup`);
          await expect(heading(page, say('setup_no_link_title'))).toBeVisible();
        },
      },
      {
        name: 'setup',
        shows: 'Setup, by the link of the console',
        go: async ({ page, empty }) => {
          await page.goto((await empty()).setupLink);
          await expect(heading(page, say('setup_title'))).toBeVisible();
        },
      },
      {
        name: 'setup-missing',
        shows: 'Setup, sent with nothing filled in',
        go: async ({ page }) => press(page, say('setup_submit')),
      },
      {
        name: 'setup-refused',
        shows: 'Setup, with a password that others use too',
        go: async (stage) => {
          await fill(stage, 'passwordpassword');
          await press(stage.page, say('setup_submit'));
          await expect(stage.page.getByText(say('field_password_too_common'))).toBeVisible();
        },
      },
      {
        name: 'setup-typed',
        shows: 'Setup, with a password that is hard to guess',
        go: async (stage) => {
          await fill(stage, password);
          await expect(stage.page.getByText(say('strength_label', { strength: say('strength_4') }))).toBeVisible();
        },
      },
      {
        name: 'welcome',
        shows: 'The first administrator is in, and is asked to turn it on',
        go: async ({ page }) => {
          await press(page, say('setup_submit'));
          await expect(heading(page, say('welcome_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'setup-expired',
        shows: 'Setup, with a link that is over',
        go: async (stage) => {
          const server = await stage.empty();
          await stage.page.goto(server.setupLink);
          await server.add({ name: 'Grace Okafor', email: 'grace@example.org', password, role: 'administrator' });
          await fill(stage, password);
          await press(stage.page, say('setup_submit'));
          await expect(heading(stage.page, say('setup_expired_title'))).toBeVisible();
        },
      },
    ],
  ],
};
