import { expect, type Page } from '@playwright/test';
import { codeField, heading, press, refusal } from '../kit/acts';
import { carryOver, type Person } from '../kit/person';
import { password as another } from '../kit/test';
import { say } from '../kit/words';
import { type Chapter, type Scene, type Stage, security, wizard } from './stage';

/** Somebody's own Security page. */
const page = (name: string, first: string, shows: string): Scene => ({
  name,
  shows,
  go: (stage) => stage.at(first, security),
});

const dialog = ({ page }: Stage) => page.getByRole('dialog');
const present = (page: Page) => page.getByLabel(say('password_present'), { exact: true });
const chosen = (page: Page) => page.getByLabel(say('password_new'), { exact: true });
const secret = (stage: Stage) => dialog(stage).getByLabel(say('password'), { exact: true });

/** Eleven minutes pass since the proof of all sessions. */
function proofsGetOld(person: Person): void {
  const old = Date.now() - 11 * 60_000;
  person.server.sql(`UPDATE sessions SET proof_at = ${old} WHERE user_id = '${person.id}'`);
}

export const securityPage: Chapter = {
  title: 'The Security page',
  walks: [
    [{ ...page('security', 'ben', 'On'), whole: true }],
    [page('security-two-apps', 'hugo', 'On, with two apps')],
    [page('security-few-codes', 'farid', 'On, with few backup codes left')],
    [page('security-no-codes', 'greta', 'On, with no backup code left')],
    [page('security-required-on', 'otto', 'On, and required')],
    [page('security-off', 'carla', 'Off')],
    [page('security-off-administrator', 'grace', 'Off, for an administrator')],
    [page('security-required', 'kaori', 'Off, and required by a day')],
    [page('security-not-allowed', 'noor', 'Not available')],
    [page('security-kept', 'mira', 'Not available any more, though an app is there')],
    [
      {
        name: 'security-loading',
        shows: 'Before it is read',
        go: async (stage) => {
          await stage.as('ben');
          await stage.page.route('**/api/v1/users/me/security', () => undefined);
          await stage.page.goto(security);
          await expect(stage.page.getByRole('status').filter({ hasText: say('loading') })).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'security-failed',
        shows: 'When it could not be read',
        go: async (stage) => {
          await stage.as('ben');
          await stage.page.route('**/api/v1/users/me/security', (route) =>
            route.fulfill({
              status: 500,
              contentType: 'application/problem+json',
              body: JSON.stringify({ status: 500, code: 'internal_fault', request_id: '01KAVQ4W7N6YQ2B8T5ZC9XJ3RF' }),
            }),
          );
          await stage.open(security);
          await expect(stage.page.getByText(say('error_internal_fault'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'events-more',
        shows: 'What happened lately, further back',
        whole: true,
        go: async (stage) => {
          await stage.at('esther', security);
          await press(stage.page, say('events_more'));
          await expect(stage.page.getByRole('listitem').nth(14)).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'rename',
        shows: 'Rename an app',
        go: async (stage) => {
          await stage.at('hugo', security);
          await stage.page
            .getByRole('button', { name: new RegExp(`^${say('rename')}`) })
            .first()
            .click();
        },
      },
      {
        name: 'remove',
        shows: 'Remove one of two apps',
        go: async (stage) => {
          await press(dialog(stage), say('cancel'));
          await stage.page
            .getByRole('button', { name: new RegExp(`^${say('remove')}`) })
            .first()
            .click();
        },
      },
      {
        name: 'lost-phone',
        shows: 'I lost my phone: which one was it',
        go: (stage) => stage.open(`${security}/lost-phone`),
      },
      {
        name: 'add-app',
        shows: 'Add another app',
        go: async (stage) => {
          await stage.open(security);
          await stage.link(say('add_app')).click();
          await expect(heading(stage.page, say('wizard_title_add'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'disable',
        shows: 'Turn it off',
        go: async (stage) => {
          await stage.at('ben', security);
          await press(stage.page, say('disable_ellipsis'));
        },
      },
      {
        name: 'disable-refused',
        shows: 'Turn it off, a wrong password',
        go: async (stage) => {
          await secret(stage).fill('kettle orbit plum');
          await press(dialog(stage), say('disable_confirm'));
          await expect(stage.page.getByText(say('error_wrong_password'))).toBeVisible();
        },
      },
      {
        name: 'name',
        shows: 'Change the name',
        go: async (stage) => {
          await press(dialog(stage), say('keep_it_on'));
          await press(stage.page, say('name_title'));
        },
      },
    ],
    [
      {
        name: 'disable-administrator',
        shows: 'Turn it off, as an administrator',
        go: async (stage) => {
          await stage.at('ada', security);
          await press(stage.page, say('disable_ellipsis'));
        },
      },
    ],
    [
      {
        name: 'security-off-told',
        shows: 'Just turned off',
        go: async (stage) => {
          await stage.at('zoltan', security);
          await press(stage.page, say('disable_ellipsis'));
          await secret(stage).fill(stage.demo.person('zoltan').password);
          await press(dialog(stage), say('disable_confirm'));
          await expect(stage.page.getByText(say('told_protection_off'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'sessions-end-others',
        shows: 'Sign out everywhere else',
        go: async (stage) => {
          const kenji = await stage.demo.enrolled('kenji');
          await carryOver(await kenji.signIn(kenji.codes[6] ?? ''), stage.page.context());
          await stage.open(security);
          await press(stage.page, say('sessions_end_all'));
        },
      },
      {
        name: 'sessions-ended',
        shows: 'Signed out everywhere else',
        whole: true,
        go: async (stage) => {
          await dialog(stage).getByRole('button').last().click();
          await expect(stage.page.getByText(say('sessions_only_this'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'new-codes',
        shows: 'New backup codes',
        go: (stage) => stage.at('yara', `${security}/backup-codes`),
      },
      {
        name: 'new-codes-refused',
        shows: 'New backup codes, a wrong password',
        go: async ({ page }) => {
          await page.getByLabel(say('password'), { exact: true }).fill('kettle orbit plum');
          await press(page, say('new_codes_make'));
          await expect(page.getByText(say('error_wrong_password'))).toBeVisible();
        },
      },
      {
        name: 'new-codes-made',
        shows: 'The new codes, to be saved',
        go: async ({ page, demo }) => {
          await page.getByLabel(say('password'), { exact: true }).fill(demo.person('yara').password);
          await press(page, say('new_codes_make'));
          await expect(page.getByText(say('not_replaced_yet_body'))).toBeVisible();
        },
      },
      {
        name: 'new-codes-leave',
        shows: 'Leaving them unsaved is asked about',
        go: async ({ page }) => {
          await page
            .getByRole('navigation', { name: say('crumbs_label') })
            .getByText(say('nav_users'))
            .click();
          await expect(page.getByRole('dialog', { name: say('leave_codes_title') })).toBeVisible();
        },
      },
      {
        name: 'home-codes-wait',
        shows: 'Home, while new codes wait to be saved',
        go: async (stage) => {
          await press(stage.page, say('leave_go'));
          await stage.open('/');
          await expect(stage.page.getByText(say('security_codes_waiting'))).toBeVisible();
        },
      },
      {
        name: 'new-codes-again',
        shows: 'New codes, while others wait',
        go: async ({ page }) => {
          await page.getByRole('link', { name: say('new_codes_make') }).click();
          await expect(page.getByText(say('security_codes_waiting'))).toBeVisible();
        },
      },
      {
        name: 'new-codes-saved',
        shows: 'Saved',
        go: async ({ page, demo }) => {
          await page.getByLabel(say('password'), { exact: true }).fill(demo.person('yara').password);
          await press(page, say('new_codes_make'));
          await page.getByLabel(say('wrote_them_down')).check();
          await press(page, say('have_saved'));
          await expect(page.getByText(say('told_codes_saved'))).toBeVisible();
          await expect(page.getByText(say('loading'))).toHaveCount(0);
        },
      },
    ],
    [
      {
        name: 'password',
        shows: 'Change the password',
        go: (stage) => stage.at('esther', `${security}/password`),
      },
      {
        name: 'password-weak',
        shows: 'A new password that would be guessed',
        go: async ({ page, demo }) => {
          await present(page).fill(demo.person('esther').password);
          await chosen(page).fill('passwordpassword1');
          await press(page, say('password_change'));
          await expect(page.getByText(say('field_password_too_common'))).toBeVisible();
        },
      },
      {
        name: 'password-strong',
        shows: 'A new password that is hard to guess',
        go: async ({ page }) => {
          await chosen(page).fill(another);
          await expect(page.getByText(say('strength_label', { strength: say('strength_4') }))).toBeVisible();
        },
      },
      {
        name: 'password-changed',
        shows: 'Changed',
        go: async ({ page }) => {
          await press(page, say('password_change'));
          await expect(page.getByText(say('told_password_changed'))).toBeVisible();
          await expect(page.getByText(say('loading'))).toHaveCount(0);
        },
      },
    ],
    [
      {
        name: 'not-me',
        shows: '“This wasn’t me”',
        go: async (stage) => {
          const nadia = await stage.demo.enrolled('nadia');
          const stranger = await nadia.signIn(nadia.codes[2] ?? '');
          await nadia.prove(stranger, await nadia.app.code());
          await nadia.addApp(stranger, 'Pixel');
          await carryOver(await nadia.signIn(await nadia.app.code(1)), stage.page.context());
          await stage.open(security);
          const strange = stage.page.getByRole('listitem').filter({ hasText: say('event_signed_in_code') });
          await strange.first().getByRole('button').click();
        },
      },
      {
        name: 'not-me-password',
        shows: 'Sessions are ended; a new password',
        go: async (stage) => {
          await press(dialog(stage), say('alarm_go'));
          await expect(stage.page.getByText(say('alarm_ended_title'))).toBeVisible();
        },
      },
      {
        name: 'not-me-apps',
        shows: 'Is each of these yours?',
        go: async ({ page, demo }) => {
          await present(page).fill(demo.person('nadia').password);
          await chosen(page).fill(another);
          await press(page, say('password_change'));
          await expect(heading(page, say('alarm_apps_heading'))).toBeVisible();
        },
      },
      {
        name: 'not-me-later',
        shows: 'Home, until it is finished',
        go: async (stage) => {
          await stage.open('/');
          await expect(stage.page.getByText(say('home_alarm_title'))).toBeVisible();
        },
      },
      {
        name: 'not-me-left',
        shows: 'And Security',
        go: (stage) => stage.open(security),
      },
      {
        name: 'not-me-app',
        shows: 'The strange one is removed; one is left',
        go: async ({ page }) => {
          await page.getByRole('link', { name: say('go_on') }).click();
          await page.getByRole('listitem').filter({ hasText: 'Pixel' }).getByRole('button').click();
          await press(page.getByRole('dialog'), say('remove_confirm'));
          await expect(heading(page, say('alarm_app_heading'))).toBeVisible();
        },
      },
      {
        name: 'not-me-codes',
        shows: 'New backup codes',
        go: async ({ page }) => {
          await press(page, say('alarm_app_mine'));
          await expect(page.getByRole('button', { name: say('new_codes_make') })).toBeVisible();
        },
      },
      {
        name: 'not-me-done',
        shows: 'The account is secured',
        go: async ({ page }) => {
          await page.getByLabel(say('password'), { exact: true }).fill(another);
          await press(page, say('new_codes_make'));
          await page.getByLabel(say('wrote_them_down')).check();
          await press(page, say('have_saved'));
          await expect(heading(page, say('alarm_done_heading'))).toBeVisible();
        },
      },
      {
        name: 'not-me-read',
        shows: 'What happened lately, afterwards',
        go: (stage) => stage.open(security),
      },
    ],
    [
      {
        name: 'not-me-link',
        shows: '“This wasn’t me”, by a link',
        go: (stage) => stage.at('igor', `${security}/not-me`),
      },
    ],
    [
      {
        name: 'proof',
        shows: 'Is it you? With a password alone',
        go: async (stage) => {
          await stage.as('sven');
          proofsGetOld(stage.demo.person('sven'));
          await stage.open(`${wizard}/app`);
          await press(stage.page, say('have_app'));
          await expect(secret(stage)).toBeFocused();
        },
      },
    ],
    [
      {
        name: 'proof-code',
        shows: 'Is it you? With a code too',
        go: async (stage) => {
          await stage.as('bruno');
          proofsGetOld(stage.demo.person('bruno'));
          await stage.open(`${wizard}/app`);
          await press(stage.page, say('have_app'));
          await expect(codeField(dialog(stage))).toBeVisible();
        },
      },
      {
        name: 'proof-refused',
        shows: 'Is it you? The code is refused',
        go: async (stage) => {
          await secret(stage).fill(stage.demo.person('bruno').password);
          await codeField(dialog(stage)).fill('314159');
          await press(dialog(stage), say('continue'));
          await refusal(dialog(stage), 'wrong_code');
        },
      },
    ],
    [
      {
        name: 'proof-app-code',
        shows: 'After a backup code, this needs the app',
        go: async (stage) => {
          const kenji = await stage.demo.enrolled('kenji');
          await carryOver(await kenji.signIn(kenji.codes[7] ?? ''), stage.page.context());
          await stage.open(security);
          await press(stage.page, say('disable_ellipsis'));
          await secret(stage).fill(kenji.password);
          await press(dialog(stage), say('disable_confirm'));
          await expect(stage.page.getByText(say('error_app_code_required_next'))).toBeVisible();
        },
      },
    ],
  ],
};
