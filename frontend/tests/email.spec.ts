import { codeField, givePassword, giveProof, heading, press } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { expect, password, test } from './kit/test';
import { say } from './kit/words';

test('a new address is proved by its mailbox, and the mailbox of before stops it', async ({
  page,
  context,
  another,
  someone,
  mailing: { server, mailbox },
  tidy,
}) => {
  tidy.expectRefusals(403, 410);
  const ada = await someone({ on: server });
  await carryOver(await ada.enrol(), context);
  ada.proofsGetOld();
  const email = ada.email.replace('ada', 'ann');

  await page.goto(`${server.url}/parameters/users/me/security`);
  await press(page, say('email_title'));
  await expect(page.getByLabel(say('email_new'))).toBeFocused();
  await inspect(page, 'another address');
  await page.getByLabel(say('email_new')).fill(email);
  await press(page, say('email_send'));
  await giveProof(page, ada);
  await expect(heading(page, say('email_sent_title'))).toBeVisible();
  await inspect(page, 'the link is on its way');
  await press(page, say('done'));
  await expect(page.getByRole('button', { name: say('email_withdraw') })).toBeVisible();
  await inspect(page, 'an address that waits');

  // In a browser that nobody is signed in with, the link waits for the sign-in. Opened, it has done nothing.
  const proving = await mailbox.link(email, '/email');
  expect(proving.startsWith(server.url)).toBe(true);
  const elsewhere = await (await another()).newPage();
  await elsewhere.goto(proving);
  await expect(heading(elsewhere, say('email_sign_in_title'))).toBeVisible();
  await expect(elsewhere).toHaveURL(/\/email$/);
  await inspect(elsewhere, 'sign in to confirm');
  await press(elsewhere, say('sign_in_title'));
  await givePassword(elsewhere, ada);
  await codeField(elsewhere).fill(await ada.app.code(1));
  await expect(heading(elsewhere, say('email_confirm_title'))).toBeVisible();
  await inspect(elsewhere, 'confirm an address');
  await press(elsewhere, say('email_confirm'));
  await expect(heading(elsewhere, say('email_done_title'))).toBeVisible();
  await inspect(elsewhere, 'a confirmed address');
  await page.goto(`${server.url}/`);
  await expect(page.getByLabel(say('email'))).toBeVisible();

  const stopping = await mailbox.link(ada.email, '/stop');
  const owner = await (await another()).newPage();
  await owner.goto(stopping);
  await expect(heading(owner, say('stop_email_title'))).toBeVisible();
  await inspect(owner, 'stop this');
  await press(owner, say('stop_this'));
  await expect(heading(owner, say('stop_email_done_title'))).toBeVisible();
  await inspect(owner, 'stopped');
  await owner.goto(stopping);
  await expect(heading(owner, say('error_stop_link_expired'))).toBeVisible();
  await inspect(owner, 'nothing left to stop');
  await elsewhere.goto(`${server.url}/`);
  await givePassword(elsewhere, { email: ada.email, password });
  await expect(codeField(elsewhere)).toBeFocused();
});
