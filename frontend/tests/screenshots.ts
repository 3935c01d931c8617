import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { codeField, heading, press, refusal, toSecondStep } from './kit/acts';
import { carryOver } from './kit/person';
import { expect, test } from './kit/test';
import { say } from './kit/words';

/** The pictures of the README: `make screenshots` takes them again. */

const folder = join(import.meta.dirname, '../../docs/screenshots');

/** Light and dark, in the window of the test. */
async function picture(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
  }
}

test.use({ viewport: { width: 1120, height: 720 } });

test('sign-in', async ({ page }) => {
  await page.goto('/sign-in');
  await expect(heading(page, say('sign_in_title'))).toBeVisible();
  await picture(page, 'sign-in');
});

test('a refused code', async ({ page, someone, tidy }) => {
  tidy.expectRefusals(422);
  const ada = await someone();
  await ada.enrol();
  await toSecondStep(page, ada);
  await codeField(page).fill(await ada.app.code(-8));
  await refusal(page, 'clock_behind');
  await picture(page, 'second-step-refused');
});

test('wizard', async ({ page, context, someone }) => {
  const ada = await someone();
  await carryOver(await ada.knock(), context);
  await page.goto('/parameters/users/me/security/enable/app');
  await press(page, say('have_app'));
  await expect(heading(page, say('scan_heading'))).toBeVisible();
  await picture(page, 'wizard-scan');
});

test('security', async ({ page, context, someone }) => {
  const ada = await someone();
  await carryOver(await ada.enrol({ name: 'Phone' }), context);
  await page.goto('/parameters/users/me/security');
  await expect(page.getByText(say('codes_of', { remaining: 10, total: 10 }))).toBeVisible();
  await picture(page, 'security');
});
