import { expect } from '@playwright/test';
import {
  backupField,
  codeField,
  forget,
  giveBackupCode,
  givePassword,
  heading,
  press,
  refusal,
  toBackupStep,
  toSecondStep,
} from '../kit/acts';
import { App } from '../kit/app';
import { say } from '../kit/words';
import type { Chapter, Scene, Stage } from './stage';

/** A code that is refused, for one reason. */
function refused(name: string, shows: string, reason: string, code: (stage: Stage) => Promise<string>): Scene {
  return {
    name,
    shows,
    go: async (stage) => {
      await codeField(stage.page).fill(await code(stage));
      await refusal(stage.page, reason);
    },
  };
}

export const secondStep: Chapter = {
  title: 'The second step',
  walks: [
    [
      {
        name: 'second-step',
        shows: 'The code of the app',
        go: async ({ page, demo }) => toSecondStep(page, await demo.enrolled('hanna')),
      },
      {
        name: 'second-step-malformed',
        shows: 'Five digits are no code; it costs no try',
        go: async ({ page }) => {
          await codeField(page).fill('12345');
          await codeField(page).press('Enter');
          await refusal(page, 'malformed');
        },
      },
      refused('second-step-wrong', 'A code of another account', 'wrong_code', async ({ demo }) =>
        (await demo.enrolled('hanna')).app.meaningless(),
      ),
      refused('second-step-clock-behind', 'The phone’s clock is behind', 'clock_behind', async ({ demo }) =>
        (await demo.enrolled('hanna')).app.code(-8),
      ),
      {
        name: 'second-step-clock-how',
        shows: 'The same, and how to mend it',
        go: ({ page }) => page.getByText(say('show_iphone')).click(),
      },
      refused('second-step-clock-by-hand', 'The clock was set by hand', 'clock_ahead', async ({ demo }) =>
        (await demo.enrolled('hanna')).app.code(120),
      ),
      {
        name: 'second-step-backup-typed',
        shows: 'A backup code, typed where the app’s belongs',
        go: async ({ page, demo }) => {
          await codeField(page).fill((await demo.enrolled('hanna')).codes[1] ?? '');
          await expect(page.getByText(say('code_grown'))).toBeVisible();
        },
      },
      {
        name: 'second-step-fault',
        shows: 'A fault on our side, with the number to report',
        go: async ({ page }) => {
          await page.route('**/api/v1/sign-in/*', (route) =>
            route.fulfill({
              status: 500,
              contentType: 'application/problem+json',
              body: JSON.stringify({ status: 500, code: 'internal_fault', request_id: '01KAVQ4W7N6YQ2B8T5ZC9XJ3RF' }),
            }),
          );
          await press(page, say('continue'));
          await expect(page.getByText(say('error_internal_fault'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'second-step-several',
        shows: 'Somebody with two apps',
        go: ({ page, demo }) => toSecondStep(page, demo.person('hugo')),
      },
    ],
    [
      {
        name: 'second-step-server-clock',
        shows: 'Phone and browser agree, and the server does not',
        go: async ({ page, demo }) => {
          const hanna = await demo.enrolled('hanna');
          await page.clock.install({ time: Date.now() - 8 * 60_000 });
          await toSecondStep(page, hanna);
          await codeField(page).fill(await hanna.app.code(-16));
          await expect(await refusal(page, 'clock_behind')).toContainText(say('server_clock_title'));
        },
      },
    ],
    [
      {
        name: 'second-step-used',
        shows: 'A code that was used here already',
        go: async ({ page, demo }) => {
          const kenji = await demo.enrolled('kenji');
          const code = await kenji.app.code();
          await toSecondStep(page, kenji);
          await codeField(page).fill(code);
          await expect(heading(page, say('home_hello', { name: kenji.name }))).toBeVisible();
          await forget(page, { name: /session/ });
          await toSecondStep(page, kenji);
          await codeField(page).fill(code);
          await refusal(page, 'already_used');
        },
      },
    ],
    [
      {
        name: 'second-step-used-elsewhere',
        shows: 'A code that was used in another browser, and what to do',
        go: async ({ page, demo }) => {
          const kaori = await demo.enrolled('kaori');
          const code = await kaori.app.code();
          await kaori.signIn(code);
          await toSecondStep(page, kaori);
          await codeField(page).fill(code);
          const box = await refusal(page, 'already_used');
          await box.getByText(say('not_me')).click();
        },
      },
    ],
    [
      {
        name: 'second-step-older',
        shows: 'A code before the last one used',
        go: async ({ page, demo }) => {
          const uma = await demo.enrolled('uma');
          const [older = '', newer = ''] = await uma.app.codes(0, 1);
          await uma.signIn(newer);
          await toSecondStep(page, uma);
          await codeField(page).fill(older);
          await refusal(page, 'older_than_last');
        },
      },
    ],
    [
      {
        name: 'second-step-previous',
        shows: 'A code of an earlier setup',
        go: async ({ page, demo }) => {
          const amina = demo.person('amina');
          const caller = await amina.enrol({ name: 'Old phone' });
          const old = amina.app;
          await amina.disable(caller);
          await amina.enrol({ name: 'New phone' });
          await toSecondStep(page, amina);
          await codeField(page).fill(await old.code());
          await refusal(page, 'previous_setup');
        },
      },
    ],
    [
      {
        name: 'second-step-unfinished',
        shows: 'A code of a setup that was not finished',
        go: async ({ page, demo }) => {
          const uma = await demo.enrolled('uma');
          const begun = await uma.begin(await uma.signIn(uma.codes[9] ?? ''), { name: 'Tablet' });
          await toSecondStep(page, uma);
          await codeField(page).fill(await new App(begun.secret, begun.label).code());
          await refusal(page, 'setup_not_finished');
        },
      },
      {
        name: 'second-step-finish',
        shows: 'The same, after “Finish it after signing in”',
        go: async ({ page }) => press(page, say('finish_after_sign_in')),
      },
    ],
    [
      {
        name: 'second-step-break',
        shows: 'A short break after too many tries',
        go: async ({ page, demo }) => {
          const hanna = await demo.enrolled('hanna');
          await toSecondStep(page, hanna);
          await codeField(page).fill(hanna.app.meaningless());
          await refusal(page, 'wrong_code');
          const until = Date.now() + 100_000;
          demo.sql(`UPDATE second_step_tries SET blocked_until = ${until} WHERE user_id = '${hanna.id}'`);
          await codeField(page).fill(hanna.app.meaningless());
          await refusal(page, 'too_many_attempts');
          demo.sql(`UPDATE second_step_tries SET blocked_until = 0 WHERE user_id = '${hanna.id}'`);
        },
      },
    ],
    [
      {
        name: 'second-step-too-many',
        shows: 'Too many tries of one sign-in',
        go: async ({ page, demo }) => {
          const hanna = await demo.enrolled('hanna');
          await toSecondStep(page, hanna);
          demo.sql(`UPDATE pending_sign_ins SET attempts = 5 WHERE user_id = '${hanna.id}'`);
          await codeField(page).fill(hanna.app.meaningless());
          await refusal(page, 'too_many_attempts');
        },
      },
    ],
    [
      {
        name: 'second-step-locked',
        shows: 'Locked after fifty wrong codes',
        go: async ({ page, demo }) => {
          await page.goto('/sign-in');
          await givePassword(page, demo.person('ines'));
          await expect(heading(page, say('locked_title'))).toBeFocused();
        },
      },
    ],
    [
      {
        name: 'second-step-expired',
        shows: 'The sign-in took too long',
        go: async ({ page, demo }) => {
          const hanna = await demo.enrolled('hanna');
          await toSecondStep(page, hanna);
          demo.sql(`UPDATE pending_sign_ins SET expires_at = ${Date.now() - 1} WHERE user_id = '${hanna.id}'`);
          await page.reload();
          await expect(heading(page, say('sign_in_expired_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'cannot-get-in',
        shows: 'The ways back in',
        go: async ({ page, demo }) => {
          await toSecondStep(page, await demo.enrolled('hanna'));
          await page.getByRole('link', { name: say('cannot_get_in') }).click();
          await expect(heading(page, say('cannot_get_in_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'backup-step',
        shows: 'A backup code',
        go: async ({ page, demo }) => toBackupStep(page, await demo.enrolled('hanna')),
      },
      {
        name: 'backup-step-malformed',
        shows: 'Too short for a backup code; it costs no try',
        go: async ({ page }) => {
          await giveBackupCode(page, 'ABCDE');
          await refusal(page, 'malformed');
        },
      },
      {
        name: 'backup-step-wrong',
        shows: 'No backup code of this account',
        go: async ({ page }) => {
          await giveBackupCode(page, 'ABCDE-FGHJK-MNPQR');
          await refusal(page, 'wrong_code');
        },
      },
      {
        name: 'backup-step-used',
        shows: 'A backup code that is used up, and what to do',
        go: async ({ page, demo }) => {
          const hanna = await demo.enrolled('hanna');
          await hanna.signIn(hanna.codes[7] ?? '');
          await giveBackupCode(page, hanna.codes[7] ?? '');
          await (await refusal(page, 'backup_code_used')).getByText(say('not_me')).click();
        },
      },
      {
        name: 'backup-step-not-saved',
        shows: 'A code of a set that was not saved',
        go: async ({ page, demo }) => {
          const hanna = await demo.enrolled('hanna');
          const caller = await hanna.signIn(hanna.codes[6] ?? '');
          const path = '/api/v1/users/me/security/backup-codes';
          await caller.call('POST', path, { password: hanna.password });
          const fresh = await hanna.signIn(await hanna.app.code());
          const made = await fresh.done<{ backup_codes: string[] }>('POST', path, { password: hanna.password });
          await giveBackupCode(page, made.backup_codes[0] ?? '');
          await refusal(page, 'setup_not_finished');
        },
      },
    ],
    [
      {
        name: 'backup-step-replaced',
        shows: 'A code of an older set',
        go: async ({ page, demo }) => {
          const kenji = await demo.enrolled('kenji');
          const old = kenji.codes[4] ?? '';
          await kenji.newCodes(await kenji.signIn(await kenji.app.code(1)));
          await toBackupStep(page, kenji);
          await giveBackupCode(page, old);
          await refusal(page, 'backup_code_replaced');
        },
      },
    ],
    [
      {
        name: 'backup-step-none-left',
        shows: 'No backup code is left',
        go: async ({ page, demo }) => {
          await toBackupStep(page, demo.person('greta'));
          await giveBackupCode(page, 'ABCDE-FGHJK-MNPQR');
          await refusal(page, 'no_backup_codes_left');
        },
      },
    ],
    [
      {
        name: 'after-backup-code',
        shows: 'In with a backup code',
        go: async ({ page, demo }) => {
          const kenji = await demo.enrolled('kenji');
          await toBackupStep(page, kenji);
          await giveBackupCode(page, kenji.codes[2] ?? '');
          await expect(heading(page, say('after_backup_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'after-backup-code-unasked',
        shows: 'In with a backup code that was typed where the app’s belongs',
        go: async ({ page, demo }) => {
          const kenji = await demo.enrolled('kenji');
          await toSecondStep(page, kenji);
          await codeField(page).fill(kenji.codes[3] ?? '');
          await press(page, say('continue'));
          await expect(page.getByText(say('after_backup_unasked'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'after-backup-code-few',
        shows: 'In with one of the last backup codes',
        go: async ({ page, demo }) => {
          await toBackupStep(page, demo.person('farid'));
          await giveBackupCode(page, demo.printed.get('farid') ?? '');
          await expect(page.getByText(say('few_codes_title'))).toBeVisible();
          await expect(backupField(page)).toHaveCount(0);
        },
      },
    ],
  ],
};
