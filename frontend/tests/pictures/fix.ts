import { expect, type Page } from '@playwright/test';
import { codeField, heading, press, refusal } from '../kit/acts';
import { say } from '../kit/words';
import type { Chapter } from './stage';

const open = async (page: Page, path: string, title: string) => {
  await page.goto(path);
  await expect(heading(page, title)).toBeVisible();
  await expect(page.getByText(say('loading'))).toHaveCount(0);
};

const code = async (page: Page) => {
  await open(page, '/fix/code', say('fix_code_title'));
  await expect(page.locator('[data-clock]')).toBeVisible();
};

/** The demo sends no mail: here it says that it does. */
const sender = (page: Page) =>
  page.route('**/api/v1/mail/sender', (route) =>
    route.fulfill({ status: 200, json: { sends: true, from: 'no-reply@example.org' } }),
  );

export const fixing: Chapter = {
  title: 'The troubleshooter',
  walks: [
    [
      { name: 'fix', shows: 'Its five paths', go: ({ page }) => open(page, '/fix', say('fix_title')), whole: true },
      {
        name: 'fix-code',
        shows: 'My code isn’t accepted, of nobody that is known',
        go: ({ page }) => code(page),
        whole: true,
      },
      {
        name: 'fix-scan',
        shows: 'I can’t scan: a picture to try',
        go: ({ page }) => open(page, '/fix/scan', say('fix_scan_title')),
        whole: true,
      },
      {
        name: 'fix-scan-camera',
        shows: 'The camera is in use',
        go: async ({ page }) => {
          await page.evaluate(() => {
            navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('in use', 'NotReadableError'));
          });
          await press(page, say('fix_camera_try'));
          await expect(page.locator('[data-camera="busy"]')).toBeVisible();
        },
        whole: true,
      },
      {
        name: 'fix-mail-none',
        shows: 'The e-mail doesn’t come: none is sent',
        go: async ({ page }) => {
          await open(page, '/fix/mail', say('fix_mail_title'));
          await expect(page.locator('[data-mail="none"]')).toBeVisible();
        },
        whole: true,
      },
      {
        name: 'fix-mail',
        shows: 'Where it may be, and one more that is waited for',
        go: async ({ page }) => {
          await sender(page);
          await page.route('**/api/v1/forgotten-password', (route) => route.fulfill({ status: 204 }));
          await open(page, '/fix/mail', say('fix_mail_title'));
          await page.getByLabel(say('email')).fill('ada@example.org');
          await press(page, say('fix_mail_again'));
          await expect(page.getByText(say('forgotten_sent_title'))).toBeVisible();
        },
        whole: true,
      },
      {
        name: 'fix-phone',
        shows: 'I lost my phone: one question at a time',
        go: ({ page }) => open(page, '/fix/phone', say('lost_phone')),
        whole: true,
      },
      {
        name: 'fix-phone-password',
        shows: 'I lost my phone: the way is found, and begins with the password',
        go: ({ page }) => open(page, '/fix/phone#1-yes', say('lost_phone')),
        whole: true,
      },
    ],
    [
      {
        name: 'fix-code-slow',
        shows: 'The device’s clock is six minutes behind, and a code of then',
        go: async (stage) => {
          await stage.page.addInitScript(() => {
            const now = Date.now;
            Date.now = () => now() - 360_000;
          });
          await stage.as('otto');
          await code(stage.page);
          await stage.page.route('**/api/v1/session/code-check', (route) =>
            route.fulfill({
              status: 422,
              contentType: 'application/problem+json',
              body: JSON.stringify({
                status: 422,
                code: 'code_refused',
                diagnosis: { reason: 'clock_behind', offset_seconds: -360, attempts_left: 9 },
              }),
            }),
          );
          await codeField(stage.page).fill('123456');
          await refusal(stage.page, 'clock_behind');
        },
        whole: true,
      },
    ],
    [
      {
        name: 'fix-code-right',
        shows: 'A tested code is right',
        go: async (stage) => {
          await stage.as('otto');
          await code(stage.page);
          const right = { accepted: true, factor: 'totp', name: 'Phone', label: 'MailMachine: otto@example.org' };
          await stage.page.route('**/api/v1/session/code-check', (route) =>
            route.fulfill({ status: 200, json: { ...right, offset_seconds: 0, next_code_in_seconds: 24 } }),
          );
          await codeField(stage.page).fill('123456');
          await expect(stage.page.getByText(say('fix_right_title'))).toBeVisible();
        },
        whole: true,
      },
      {
        name: 'fix-backup-code',
        shows: 'A backup code and its number',
        go: async ({ page }) => {
          await open(page, '/fix/backup-code', say('fix_backup_title'));
          const right = { accepted: true, factor: 'backup_code', number: 3, backup_codes_remaining: 8 };
          await page.route('**/api/v1/session/code-check', (route) => route.fulfill({ status: 200, json: right }));
          await page.getByLabel(say('backup_code_label')).fill('7ZZZZ-ZZZZZ-ZZZZZ');
          await press(page, say('fix_test_press'));
          await expect(page.getByText(say('fix_right_backup', { number: 3 }))).toBeVisible();
        },
        whole: true,
      },
      {
        name: 'fix-phone-signed-in',
        shows: 'I lost my phone, signed in',
        go: ({ page }) => open(page, '/fix/phone', say('lost_phone')),
        whole: true,
      },
    ],
  ],
};
