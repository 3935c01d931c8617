import { inspect } from './kit/inspect';
import { carryOver, Person } from './kit/person';
import { expect, password, test } from './kit/test';
import { say } from './kit/words';

test('an administrator sets name, colour and what is asked of new people, by keyboard', async ({
  page,
  context,
  empty,
}) => {
  const root = new Person(empty, 'Root Of All', 'root@example.test', password, 'administrator');
  await empty.add(root);
  await carryOver(await root.enrol(), context);
  await page.emulateMedia({ colorScheme: 'light' });

  // The warnings of Home lead to what is to be done.
  await page.goto(`${empty.url}/`);
  await expect(page.getByText(say('warning_single'), { exact: true })).toBeVisible();
  await inspect(page, 'home, warnings');
  await page.getByRole('link', { name: say('warning_key_act') }).click();
  await expect(page.getByRole('heading', { name: say('settings_key'), exact: true })).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: say('settings_key_press') })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: say('settings_key_again') })).toBeVisible();

  const accent = page.getByLabel(say('settings_accent'), { exact: true });
  await accent.focus();
  await page.keyboard.type('#ffd400');
  await expect(page.getByText(say('settings_accent_unreadable', { colour: '#ffd400' }))).toBeVisible();
  await inspect(page, 'settings, a colour that can’t be read');
  await page.getByRole('button', { name: say('settings_accent_take', { nearest: '#8d7400' }) }).press('Enter');
  await expect(accent).toHaveValue('#8d7400');
  const name = page.getByLabel(say('settings_brand'));
  await name.fill('Acme & Co');
  await name.press('Enter');
  await expect(page.getByRole('region', { name: say('settings_look') }).getByText(say('settings_saved'))).toBeVisible();
  await expect(page).toHaveTitle(/Acme & Co/);
  await inspect(page, 'settings, saved');

  await page.getByRole('radio', { name: say('requirement_required') }).press('Space');
  const days = page.getByLabel(say('settings_new_people_days'));
  await days.fill('30');
  await days.press('Enter');
  const newPeople = page.getByRole('region', { name: say('settings_new_people') });
  await expect(newPeople.getByText(say('settings_saved'))).toBeVisible();

  // Nothing of it is forgotten by a reload, and the colour is there before anything else is.
  await page.emulateMedia({ colorScheme: 'light' });
  await page.reload();
  await expect(name).toHaveValue('Acme & Co');
  await expect(days).toHaveValue('30');
  const button = page.getByRole('button', { name: new RegExp(`^${say('settings_save')}`) }).first();
  await expect(button).toHaveCSS('background-color', 'rgb(141, 116, 0)');

  await page.goto(`${empty.url}/parameters/audit`);
  await expect(
    page.getByText(say('event_brand_changed', { from: 'MailMachine', to: 'Acme & Co' })).first(),
  ).toBeVisible();
  await expect(
    page.getByText(say('event_accent_changed', { from: say('event_accent_own'), to: '#8d7400' })).first(),
  ).toBeVisible();

  // What is asked of new people stands first where somebody is invited, and its buttons are seen in a low window.
  await page.setViewportSize({ width: 1280, height: 640 });
  await page.goto(`${empty.url}/parameters/users`);
  await page.getByRole('button', { name: say('invite'), exact: true }).click();
  await expect(page.getByRole('radio', { name: say('requirement_required') })).toBeChecked();
  await expect(page.getByRole('button', { name: say('invite_submit') })).toBeInViewport({ ratio: 1 });
  await inspect(page, 'invite, low window');
});
