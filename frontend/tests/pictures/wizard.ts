import { expect } from '@playwright/test';
import { codeField, heading, press, refusal } from '../kit/acts';
import { App } from '../kit/app';
import { carryOver } from '../kit/person';
import { say } from '../kit/words';
import { type Chapter, type Stage, security, wizard } from './stage';

/** The app that this browser is setting up. */
async function begun({ page }: Stage): Promise<App> {
  const answer = await page.request.get('/api/v1/users/me/security/enrolments/current');
  const { secret, label } = (await answer.json()) as { secret: string; label: string };
  return new App(secret, label);
}

const iphone = {
  userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Version/18.4 Mobile/15E148',
};

export const setUp: Chapter = {
  title: 'Turning it on',
  walks: [
    [
      {
        name: 'wizard-app',
        shows: 'Step 1: get an app',
        go: async (stage) => {
          await stage.at('xavier', security);
          await stage.link(say('enable')).click();
          await expect(heading(stage.page, say('app_heading'))).toBeVisible();
          await stage.page.getByLabel(say('device_name')).fill('Work phone');
        },
      },
      {
        name: 'wizard-scan',
        shows: 'Step 2: scan',
        go: async ({ page }) => {
          await press(page, say('have_app'));
          await expect(heading(page, say('scan_heading'))).toBeVisible();
        },
      },
      { name: 'wizard-enlarged', shows: 'The QR code, large', go: ({ page }) => press(page, say('enlarge')) },
      {
        name: 'wizard-by-hand',
        shows: 'The key, to type in by hand',
        go: async ({ page }) => {
          await press(page.getByRole('dialog'), say('close'));
          await press(page, say('cannot_scan'));
        },
      },
      {
        name: 'wizard-scan-help',
        shows: 'What to do when it does not work',
        go: async ({ page }) => {
          await press(page, say('cannot_scan'));
          await page.getByText(say('scan_help_heading')).click();
        },
      },
      {
        name: 'wizard-code',
        shows: 'Step 3: enter the code',
        go: async ({ page }) => {
          await press(page, say('scanned'));
          await expect(codeField(page)).toBeFocused();
          await expect(page.getByRole('img').or(page.locator('.life')).first()).toBeVisible();
        },
      },
      {
        name: 'wizard-code-wrong',
        shows: 'The code of another entry',
        go: async (stage) => {
          await codeField(stage.page).fill((await begun(stage)).meaningless());
          await refusal(stage.page, 'wrong_code');
        },
      },
      {
        name: 'wizard-code-clock',
        shows: 'The phone’s clock is ahead',
        go: async (stage) => {
          await codeField(stage.page).fill(await (await begun(stage)).code(8));
          await refusal(stage.page, 'clock_ahead');
        },
      },
      {
        name: 'security-begun',
        shows: 'The Security page meanwhile',
        go: (stage) => stage.open(security),
      },
      { name: 'home-begun', shows: 'Home meanwhile', go: (stage) => stage.open('/') },
      {
        name: 'wizard-resume',
        shows: '“Go on” leads to where one was',
        go: async (stage) => {
          await stage.link(say('go_on')).click();
          await expect(heading(stage.page, say('scan_heading'))).toBeVisible();
        },
      },
      {
        name: 'wizard-save',
        shows: 'Step 4: save the codes',
        go: async (stage) => {
          const app = await begun(stage);
          await stage.open(`${wizard}/code`);
          await codeField(stage.page).fill(await app.code(-1));
          await expect(heading(stage.page, say('save_heading'))).toBeVisible();
        },
      },
      {
        name: 'wizard-save-ticked',
        shows: 'Saved: the way on is open',
        go: ({ page }) => page.getByLabel(say('wrote_them_down')).check(),
      },
      {
        name: 'security-not-saved',
        shows: 'The Security page, when one leaves before that',
        go: (stage) => stage.open(security),
      },
      {
        name: 'wizard-save-fresh',
        shows: 'Fresh codes, when one comes back',
        go: async (stage) => {
          await stage.link(say('finish_setup')).click();
          await expect(stage.page.getByText(say('save_fresh_title'))).toBeVisible();
        },
      },
      {
        name: 'wizard-done',
        shows: 'It is on',
        go: async ({ page }) => {
          await page.getByLabel(say('wrote_them_down')).check();
          await press(page, say('have_saved'));
          await expect(heading(page, say('done_heading'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'wizard-elsewhere',
        shows: 'Begun in another browser',
        go: async (stage) => {
          const rosa = stage.demo.person('rosa');
          await rosa.begin(await rosa.knock());
          await stage.at('rosa', `${wizard}/app`);
          await expect(stage.page.getByText(say('resume_elsewhere_body'))).toBeVisible();
        },
      },
      {
        name: 'security-elsewhere',
        shows: 'The Security page then',
        go: (stage) => stage.open(security),
      },
      {
        name: 'wizard-too-many',
        shows: 'Too many wrong codes of a new app',
        go: async (stage) => {
          await stage.open(`${wizard}/app`);
          await press(stage.page, say('have_app'));
          await expect(heading(stage.page, say('scan_heading'))).toBeVisible();
          await press(stage.page, say('scanned'));
          const { id } = stage.demo.person('rosa');
          stage.demo.sql(`UPDATE totp_enrolments SET attempts = 1000 WHERE user_id = '${id}'`);
          await codeField(stage.page).fill((await begun(stage)).meaningless());
          await refusal(stage.page, 'too_many_attempts');
        },
      },
      {
        name: 'wizard-expired',
        shows: 'The setup is over',
        go: async (stage) => {
          await press(stage.page, say('start_again'));
          await expect(heading(stage.page, say('scan_heading'))).toBeVisible();
          await press(stage.page, say('scanned'));
          const app = await begun(stage);
          const { id } = stage.demo.person('rosa');
          stage.demo.sql(`UPDATE totp_enrolments SET expires_at = ${Date.now() - 1} WHERE user_id = '${id}'`);
          await codeField(stage.page).fill(await app.code());
          await expect(stage.page.getByText(say('enrolment_expired_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'wizard-on-a-phone',
        shows: 'Step 2 on the phone that has the app',
        go: async (stage) => {
          await stage.change(iphone);
          await stage.at('carla', `${wizard}/app`);
          await press(stage.page, say('have_app'));
          await expect(heading(stage.page, say('scan_heading'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'overdue',
        shows: 'Required and overdue: nothing else is open',
        go: async (stage) => {
          await stage.as('liam');
          await stage.open('/');
          await expect(heading(stage.page, say('wizard_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'replace-app',
        shows: 'A new phone: step 1',
        go: async (stage) => {
          const daniel = await stage.demo.enrolled('daniel');
          await carryOver(await daniel.signIn(daniel.codes[1] ?? ''), stage.page.context());
          await stage.open(security);
          await stage.page.getByRole('link', { name: new RegExp(`^${say('replace')}`) }).click();
          await expect(heading(stage.page, say('wizard_title_replace'))).toBeVisible();
        },
      },
      {
        name: 'replace-other-entry',
        shows: 'The code of the old phone does not confirm the new one',
        go: async (stage) => {
          const { page, demo } = stage;
          await page.getByLabel(say('device_name')).fill('New phone');
          await press(page, say('have_app'));
          await press(page, say('scanned'));
          await codeField(page).fill(await (await demo.enrolled('daniel')).app.code());
          await refusal(page, 'previous_setup');
        },
      },
      {
        name: 'replace-save',
        shows: 'The new codes, while the old ones still work',
        go: async (stage) => {
          await codeField(stage.page).fill(await (await begun(stage)).code());
          await expect(heading(stage.page, say('save_heading'))).toBeVisible();
        },
      },
      {
        name: 'security-codes-waiting',
        shows: 'The Security page, when one leaves before saving them',
        go: (stage) => stage.open(security),
      },
      {
        name: 'replace-done',
        shows: 'The new phone is in use',
        go: async (stage) => {
          await stage.link(say('finish_setup')).click();
          await stage.page.getByLabel(say('wrote_them_down')).check();
          await press(stage.page, say('have_saved'));
          await expect(heading(stage.page, say('done_heading_app'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'wizard-another',
        shows: 'Another setup is under way',
        go: async (stage) => {
          await stage.at('chiara', '/parameters/users/me/security');
          await stage.page.getByRole('link', { name: say('replace') }).click();
          await stage.page.getByRole('button', { name: say('have_app') }).click();
          await expect(stage.page.getByRole('heading', { name: say('scan_heading') })).toBeVisible();
          await stage.at('chiara', `${wizard}/app`);
          await expect(stage.page.getByText(say('resume_another'))).toBeVisible();
        },
      },
      {
        name: 'wizard-full',
        shows: 'Five apps are there already',
        go: async (stage) => {
          const caller = await stage.demo.signedIn('chiara');
          const chiara = stage.demo.person('chiara');
          for (const name of ['Tablet', 'Laptop', 'Work phone', 'Spare phone']) await chiara.addApp(caller, name);
          await stage.at('chiara', `${wizard}/app`);
          await expect(stage.page.getByText(say('error_too_many_apps'))).toBeVisible();
        },
      },
    ],
  ],
};
