import { expect } from '@playwright/test';
import { givePassword, heading, press, signOut } from '../kit/acts';
import { say } from '../kit/words';
import { type Chapter, security } from './stage';

export const signIn: Chapter = {
  title: 'Signing in',
  walks: [
    [
      { name: 'sign-in', shows: 'Sign-in', go: (stage) => stage.open('/sign-in') },
      {
        name: 'sign-in-missing',
        shows: 'Sign-in, sent with nothing filled in',
        go: ({ page }) => press(page, say('continue')),
      },
      {
        name: 'sign-in-refused',
        shows: 'Sign-in, a wrong password',
        go: async ({ page, demo }) => {
          await givePassword(page, { email: demo.person('carla').email, password: 'kettle orbit plum' });
          await expect(page.getByText(say('error_bad_credentials'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'sign-in-slowed',
        shows: 'Sign-in, after many wrong passwords',
        go: async ({ page, demo }) => {
          const { email } = demo.person('wanda');
          await page.goto('/sign-in');
          for (let tries = 0; tries < 5; tries++) {
            await givePassword(page, { email, password: `kettle orbit ${tries}` });
            await expect(page.getByText(say('error_bad_credentials'))).toBeVisible();
          }
          demo.sql(`UPDATE password_tries SET blocked_until = ${Date.now() + 100_000} WHERE failures = 5`);
          await givePassword(page, { email, password: 'kettle orbit plum' });
          await expect(page.getByText(say('error_too_many_passwords'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'sign-in-disabled',
        shows: 'Sign-in, an account that is disabled',
        go: async ({ page, demo }) => {
          await page.goto('/sign-in');
          await givePassword(page, demo.person('jonas'));
          await expect(page.getByText(say('error_account_disabled'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'sign-in-reminder',
        shows: 'Signed in before a deadline: a reminder that can be put off',
        go: async ({ page, demo }) => {
          await page.goto('/sign-in');
          await givePassword(page, demo.person('kaori'));
          await expect(page.getByRole('button', { name: say('reminder_later') })).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'link-asked',
        shows: 'After a reset: the password is right, and the enrolment link is asked for',
        go: async ({ page, demo }) => {
          await page.goto('/sign-in');
          await givePassword(page, demo.person('oscar'));
          await expect(heading(page, say('link_step_title'))).toBeVisible();
        },
      },
      {
        name: 'link-refused',
        shows: 'An enrolment link that does not work',
        go: async ({ page }) => {
          await page.getByLabel(say('link_step_field')).fill('an older one');
          await press(page, say('continue'));
          await expect(page.getByText(say('error_enrolment_link_expired'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'link-opened',
        shows: 'An enrolment link is opened: the password comes first',
        go: async ({ page }) => {
          await page.goto('/enrol#token=Pa3SaknZJQf86jBkwSmQMQK6M0IqTerVVmZyUqVFseE');
          await expect(page.getByText(say('sign_in_link_title'))).toBeVisible();
        },
      },
    ],
    [{ name: 'link-missing', shows: 'Its page without a link', go: (stage) => stage.open('/enrol') }],
    [
      {
        name: 'link-signed-in',
        shows: 'An enrolment link is opened where somebody is signed in',
        go: async (stage) => {
          await stage.as('carla');
          await stage.page.goto('/enrol#token=Pa3SaknZJQf86jBkwSmQMQK6M0IqTerVVmZyUqVFseE');
          await expect(stage.button(say('enrol_other_sign_out'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'sign-in-busy',
        shows: 'Sign-in, the server is busy and is asked again',
        go: async ({ page, demo }) => {
          await page.goto('/sign-in');
          await page.route('**/api/v1/sign-in', (route) =>
            route.fulfill({
              status: 503,
              headers: { 'retry-after': '30' },
              contentType: 'application/problem+json',
              body: JSON.stringify({ status: 503, code: 'busy' }),
            }),
          );
          await givePassword(page, demo.person('carla'));
          await expect(page.getByText(/30 s|29 s/)).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'sign-in-unreachable',
        shows: 'Sign-in, the server does not answer',
        go: async ({ page, demo }) => {
          await page.goto('/sign-in');
          await page.route('**/*', (route) => route.abort('connectionrefused'));
          await givePassword(page, demo.person('carla'));
          await expect(page.getByText(say('error_unreachable'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'sign-in-offline',
        shows: 'Sign-in, no network',
        go: async ({ page }) => {
          await page.goto('/sign-in');
          await page.context().setOffline(true);
          await expect(page.getByText(say('banner_offline'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'sign-in-cookies-off',
        shows: 'Sign-in, cookies are switched off',
        go: async ({ page }) => {
          await page.addInitScript(() => Object.defineProperty(navigator, 'cookieEnabled', { value: false }));
          await page.goto('/sign-in');
          await expect(page.getByText(say('cookies_off_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'no-script',
        shows: 'Any page, without JavaScript',
        go: async (stage) => {
          await stage.change({ javaScriptEnabled: false });
          await stage.page.goto('/');
          await expect(heading(stage.page, say('no_script_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'signed-out',
        shows: 'Signed out',
        go: async ({ page, demo }) => {
          const carla = demo.person('carla');
          await page.goto('/sign-in');
          await givePassword(page, carla);
          await signOut(page, carla);
        },
      },
    ],
    [
      {
        name: 'session-ended',
        shows: 'Sign-in, after the session has ended',
        go: async ({ page, demo }) => {
          const carla = demo.person('carla');
          await page.goto('/sign-in');
          await givePassword(page, carla);
          await expect(heading(page, say('home_hello', { name: carla.name }))).toBeVisible();
          await page.goto(security);
          await expect(heading(page, say('my_security'))).toBeVisible();
          demo.sql(`DELETE FROM sessions WHERE user_id = '${carla.id}'`);
          await page.reload();
          await expect(page.getByText(say('session_ended_title'))).toBeVisible();
        },
      },
    ],
  ],
};
