import { giveProof, heading, press } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { expect, test } from './kit/test';
import { say } from './kit/words';

test('require it of somebody who is chosen, turn it on for many with a message, watch it, and remind nobody without mail', async ({
  page,
  context,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(403);
  const boss = await someone({ name: 'Rolla Administrator', role: 'administrator' });
  const rory = await someone({ name: 'Rory Outman' });
  const one = { count: 1, shown: '1' };
  await carryOver(await boss.enrol(), context);
  boss.proofsGetOld();

  await page.goto(`/parameters/users?query=${encodeURIComponent(rory.email)}`);
  await page.getByRole('checkbox', { name: say('select_one', { name: 'Rory Outman', email: rory.email }) }).check();
  await expect(page.getByText(say('select_count', one))).toBeVisible();
  await inspect(page, 'somebody is chosen');
  await press(page, say('select_requirement'));
  await inspect(page, 'a requirement for a selection');
  await page.getByRole('radio', { name: say('requirement_required') }).check();
  await press(page, say('look_go'));
  await expect(page.getByRole('dialog').getByText(say('look_changed', one))).toBeVisible();
  await inspect(page, 'who changes by a requirement');
  await press(page, say('look_confirm', one));
  await giveProof(page, boss);
  await expect(heading(page, say('run_outcome'))).toBeVisible();
  await expect(page.getByText(say('run_changed', one))).toBeVisible();
  await inspect(page, 'what came of a requirement for a selection');

  await page.goto('/parameters/protection');
  await page.getByRole('link', { name: say('roll_out_begin') }).click();
  await expect(page.getByText(say('roll_out_no_mail'))).toBeVisible();
  await page.getByRole('radio', { name: say('roll_out_some') }).check();
  await page.getByLabel(say('users_search')).fill(boss.email);
  await page.getByLabel(say('roll_out_message')).fill('It is <b>time</b>.\n\nAsk Rolla.');
  await inspect(page, 'turn it on for many');
  await press(page, say('roll_out_look'));
  await expect(heading(page, say('roll_out_look_title'))).toBeFocused();
  await inspect(page, 'what a roll-out does');
  await press(page, say('roll_out_confirm', one));
  await expect(page.getByText(say('run_watch_of', { ...one, protected: '1' }))).toBeVisible();
  await expect(page.getByText('It is <b>time</b>.')).toBeVisible();
  await inspect(page, 'watching a roll-out');
  await page
    .getByRole('link', { name: say('protection_title') })
    .first()
    .click();
  await expect(heading(page, say('roll_outs_title'))).toBeVisible();
  await inspect(page, 'what was asked of many');

  await page.goto(`/parameters/users?query=${encodeURIComponent(rory.email)}`);
  await page.getByRole('link', { name: 'Rory Outman' }).click();
  await expect(page.getByText(say('remind_one_no_mail'))).toBeVisible();
  await expect(page.getByRole('button', { name: say('remind_go') })).toHaveCount(0);
  await inspect(page, 'somebody who cannot be reminded');
});
