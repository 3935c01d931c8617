import { expect, type Locator, type Page } from '@playwright/test';
import type { Person } from './person';
import { say } from './words';

/** What people do on several screens. */

export const heading = (page: Page, name: string): Locator => page.getByRole('heading', { name, exact: true });
export const press = (page: Page | Locator, name: string) => page.getByRole('button', { name, exact: true }).click();
/** The field for a code of the app; it is called otherwise once it takes a backup code. */
export const codeField = (page: Page | Locator): Locator => page.locator('input[autocomplete="one-time-code"]');
export const backupField = (page: Page | Locator): Locator => page.getByLabel(say('backup_code_label'));

/** E-mail and password, from the sign-in screen. */
export async function givePassword(page: Page, person: { email: string; password: string }): Promise<void> {
  await page.getByLabel(say('email')).fill(person.email);
  await page.getByLabel(say('password'), { exact: true }).fill(person.password);
  await press(page, say('continue'));
}

/** To the second step. */
export async function toSecondStep(page: Page, person: Person): Promise<void> {
  await page.goto('/sign-in');
  await givePassword(page, person);
  await expect(codeField(page)).toBeFocused();
}

/** To the field for a backup code. */
export async function toBackupStep(page: Page, person: Person): Promise<void> {
  await toSecondStep(page, person);
  await page.getByRole('link', { name: say('use_backup_code') }).click();
  await expect(backupField(page)).toBeFocused();
}

/** A backup code, and Continue. */
export async function giveBackupCode(page: Page, code: string): Promise<void> {
  await backupField(page).fill(code);
  await press(page, say('continue'));
}

/** Signed in, and at Home, with all that it reads: a server that ends before would be missed. */
export async function atHome(page: Page, person: { name: string }): Promise<void> {
  await expect(heading(page, say('home_hello', { name: person.name }))).toBeVisible();
  await expect(page.getByText(say('loading'))).toHaveCount(0);
}

/** Password and code in the question for a fresh proof. */
export async function giveProof(page: Page, person: Person): Promise<void> {
  const proof = page.getByRole('dialog', { name: say('proof_title') });
  await proof.getByLabel(say('password'), { exact: true }).fill(person.password);
  await codeField(proof).fill(await person.app.code(0));
  await press(proof, say('continue'));
}

/**
 * Signed out in this browser alone, while the server keeps the session. The page goes first: what it still reads
 * would be refused without its cookies, and say so in the console.
 */
export async function forget(page: Page, cookies?: { name: RegExp }): Promise<void> {
  await page.goto('about:blank');
  await page.context().clearCookies(cookies);
}

export async function signOut(page: Page, person: { name: string }): Promise<void> {
  await page.getByRole('navigation').getByRole('button', { name: person.name }).click();
  await press(page, say('sign_out'));
  await expect(page.getByText(say('told_signed_out'))).toBeVisible();
}

/** The refusal under a code field, once it gives this reason. */
export async function refusal(page: Page | Locator, reason: string): Promise<Locator> {
  const box = page.locator(`[data-reason="${reason}"]`);
  await expect(box).toBeVisible();
  return box;
}
