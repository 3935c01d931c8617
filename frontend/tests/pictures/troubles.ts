import { expect } from '@playwright/test';
import { heading } from '../kit/acts';
import { say } from '../kit/words';
import type { Chapter, Stage } from './stage';

const toUsers = ({ page }: Stage) =>
  page
    .getByRole('navigation')
    .getByRole('link', { name: say('nav_users') })
    .first()
    .click();

export const troubles: Chapter = {
  title: 'Troubles',
  walks: [
    [
      {
        name: 'not-found',
        shows: 'An address that is none, signed out',
        go: async (stage) => {
          await stage.open('/no/such/place');
          await expect(heading(stage.page, say('not_found_title'))).toBeVisible();
        },
      },
      {
        name: 'not-found-signed-in',
        shows: 'The same, signed in',
        go: async (stage) => {
          await stage.at('otto', '/parameters/nothing');
          await expect(heading(stage.page, say('not_found_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'unreachable',
        shows: 'The server does not answer',
        go: async (stage) => {
          await stage.at('ada', '/parameters/users');
          await stage.page.route('**/api/**', (route) => route.abort('connectionrefused'));
          await stage.page
            .getByRole('navigation')
            .getByRole('link', { name: say('nav_home') })
            .first()
            .click();
          await expect(stage.page.getByText(say('banner_unreachable'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'offline',
        shows: 'A screen that is not loaded yet, and no network',
        go: async (stage) => {
          await stage.at('otto', '/');
          await stage.page.context().setOffline(true);
          await toUsers(stage);
          await expect(heading(stage.page, say('offline_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'outdated',
        shows: 'A new version of the server',
        go: async (stage) => {
          await stage.as('otto');
          await stage.page.route('**/api/v1/**', async (route) => {
            const answer = await route.fetch();
            await route.fulfill({ response: answer, headers: { ...answer.headers(), 'secondstep-version': 'newer' } });
          });
          await stage.open('/');
          await expect(stage.page.getByText(say('banner_outdated'))).toBeVisible();
        },
      },
      {
        name: 'outdated-screen',
        shows: 'A screen whose file is gone since',
        go: async (stage) => {
          await stage.page.route('**/assets/Users*', (route) => route.fulfill({ status: 404, body: '' }));
          await toUsers(stage);
          await expect(heading(stage.page, say('screen_failed_title'))).toBeVisible();
        },
      },
    ],
  ],
};
