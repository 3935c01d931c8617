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
          await expect(rows(page)).toHaveCount(17);
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
          await expect(stage.page.getByText(say('protection_as_table')).first()).toBeVisible();
        },
      },
      {
        name: 'protection-stuck',
        shows: 'Where people get stuck',
        go: async (stage) => {
          await expect(stage.page.getByText(say('stuck_got_in')).first()).toBeAttached();
        },
        whole: true,
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
    [other('somebody-invited', 'theo', 'Somebody who was invited')],
    [
      {
        name: 'users-invite',
        shows: 'Inviting somebody',
        go: async (stage) => {
          await stage.at('ada', users);
          await stage.button(say('invite')).click();
          await stage.page.getByLabel(say('name'), { exact: true }).fill('Vera Lang');
          await stage.page.getByLabel(say('email'), { exact: true }).fill('vera@example.org');
          await stage.page.getByRole('radio', { name: say('requirement_required') }).check();
        },
      },
      {
        name: 'users-invited',
        shows: 'The link of the invitation, this once',
        go: async ({ page }) => {
          const user = { id: '01VERA', name: 'Vera Lang', email: 'vera@example.org', role: 'member' };
          const link = 'https://id.example.org/join#token=qk3Zt0bXnE1dG8mVtYw2uLr5sA7cHf9pJiO4xKzQe6M';
          const expires_at = new Date(Date.now() + 72 * 3_600_000).toISOString();
          await page.route('**/api/v1/users', (route) =>
            route.fulfill({ status: 201, json: { user, invitation_link: link, expires_at } }),
          );
          await page.getByRole('button', { name: say('invite_submit') }).click();
          await expect(page.getByLabel(say('invited_link'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'somebody-requirement',
        shows: 'What is asked of somebody, and what they will see',
        go: async (stage) => {
          await stage.at('ada', `${users}/${stage.demo.person('carla').id}/security`);
          await stage.button(say('requirement_change')).click();
          await stage.page.getByRole('radio', { name: say('requirement_required') }).check();
        },
      },
      {
        name: 'somebody-requirement-off',
        shows: 'Switching it off for somebody, with a reason',
        go: ({ page }) => page.getByRole('radio', { name: say('requirement_off') }).check(),
      },
    ],
    [
      {
        name: 'somebody-remove',
        shows: 'Removing somebody',
        go: async (stage) => {
          await stage.at('ada', `${users}/${stage.demo.person('carla').id}/security`);
          await stage.button(say('remove_account_open')).click();
        },
      },
    ],
    [
      {
        name: 'join',
        shows: 'Whoever was invited chooses a password',
        go: async ({ page }) => {
          const json = { name: 'Vera Lang', email: 'vera@example.org', expires_at: '2040-01-01T00:00:00Z' };
          await page.route('**/api/v1/join/invitation', (route) => route.fulfill({ json }));
          await page.goto('/join#token=x');
          await page.getByLabel(say('password'), { exact: true }).fill('violet tractor');
        },
      },
      {
        name: 'join-expired',
        shows: 'An invitation that is too old',
        go: async ({ page }) => {
          const json = { status: 410, code: 'invitation_expired', title: '', detail: '' };
          await page.unroute('**/api/v1/join/invitation');
          await page.route('**/api/v1/join/invitation', (route) =>
            route.fulfill({ status: 410, json, contentType: 'application/problem+json' }),
          );
          await page.reload();
          await page.goto('/join#token=y');
          await expect(page.getByRole('heading', { name: say('error_invitation_expired') })).toBeVisible();
        },
      },
    ],
  ],
};
