import { expect, type Page } from '@playwright/test';
import { codeField, press } from '../kit/acts';
import { say } from '../kit/words';
import type { Chapter, Scene } from './stage';

const users = '/parameters/users';
const rows = (page: Page) => page.getByRole('row').filter({ has: page.getByRole('cell') });

const other = (name: string, first: string, shows: string): Scene => ({
  name,
  shows,
  go: async (stage) => stage.at('ada', `${users}/${stage.demo.person(first).id}/security`),
});

export const usersList: Chapter = {
  title: 'Users',
  walks: [
    [
      {
        name: 'users',
        shows: 'Everybody, as an administrator sees them',
        go: async (stage) => {
          await stage.at('ada', users);
          await expect(rows(stage.page)).toHaveCount(25);
        },
      },
      {
        name: 'users-next',
        shows: 'The next page',
        go: async ({ page }) => {
          await page.getByRole('button', { name: say('users_next') }).click();
          await expect(rows(page)).toHaveCount(16);
        },
      },
    ],
    [
      {
        name: 'users-search',
        shows: 'Searched',
        go: async (stage) => {
          await stage.at('ada', users);
          await stage.page.getByLabel(say('users_search')).fill('ma');
          await expect(rows(stage.page)).toHaveCount(3);
        },
      },
      {
        name: 'users-none',
        shows: 'Nobody fits',
        go: async ({ page }) => {
          await page.getByLabel(say('users_search')).fill('Zacharias');
          await expect(page.getByText(say('users_none_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'users-filtered',
        shows: 'Those without 2-step verification',
        go: async (stage) => {
          await stage.at('ada', `${users}?protection=off`);
          await expect(rows(stage.page)).not.toHaveCount(0);
        },
      },
    ],
    [
      {
        name: 'users-loading',
        shows: 'Before it is read',
        go: async (stage) => {
          await stage.as('ada');
          await stage.page.route('**/api/v1/users?*', () => undefined);
          await stage.page.goto(users);
          await expect(stage.page.getByRole('status').filter({ hasText: say('loading') })).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'users-member',
        shows: 'A member sees themself',
        go: (stage) => stage.at('otto', users),
      },
      {
        name: 'somebody-refused',
        shows: 'A member asks for somebody else',
        go: async (stage) => {
          await stage.open(`${users}/${stage.demo.person('ada').id}/security`);
          await expect(stage.page.getByRole('alert')).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'protection',
        shows: 'How many are protected, and who needs a hand',
        go: async (stage) => {
          await stage.at('ada', '/parameters/protection');
          await expect(stage.page.getByText(say('protection_as_table'))).toBeVisible();
        },
      },
    ],
    [other('somebody', 'hugo', 'Somebody else, with two apps')],
    [other('somebody-off', 'carla', 'Somebody else, off')],
    [other('somebody-enrolling', 'dmitri', 'Somebody else, not finished')],
    [other('somebody-not-allowed', 'noor', 'Somebody else, who may not')],
    [other('somebody-locked', 'ines', 'Somebody else, locked')],
    [other('somebody-disabled', 'jonas', 'Somebody else, disabled')],
    [other('somebody-reset', 'oscar', 'Somebody else, reset: the link waits')],
    [
      {
        name: 'reset',
        shows: 'Resetting somebody: what it does, and what it asks for',
        go: async (stage) => {
          await stage.at('ada', `${users}/${stage.demo.person('petra').id}/security`);
          await press(stage.page, say('reset_ellipsis'));
          await expect(stage.page.getByLabel(say('reset_reason'))).toBeFocused();
        },
      },
      {
        name: 'reset-link',
        shows: 'Somebody is reset, and the link is shown this once',
        go: async ({ page, demo }) => {
          // Nobody is reset for a picture.
          await page.route('**/security/reset', (route) =>
            route.fulfill({
              json: {
                enrolment_link: `${demo.url}/enrol#token=Pa3SaknZJQf86jBkwSmQMQK6M0IqTerVVmZyUqVFseE`,
                expires_at: new Date(Date.now() + 72 * 3_600_000).toISOString(),
              },
            }),
          );
          const dialog = page.getByRole('dialog');
          await dialog.getByLabel(say('reset_reason')).fill('Lost the phone and the codes; came by in person');
          await dialog.getByLabel(say('reset_password'), { exact: true }).fill('kettle-orbit-plum');
          await codeField(dialog).fill('123456');
          await press(dialog, say('reset'));
          await expect(dialog.getByText(say('reset_once'))).toBeVisible();
        },
      },
    ],
  ],
};
