import type { Page } from '@playwright/test';
import { goesRound, isNamed } from './kit/access';
import { heading, press } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { expect, test } from './kit/test';
import { say } from './kit/words';

// The words of the pages of the help are the server's (server/help/articles/en), not the catalogue's.

async function look(page: Page, stop: string): Promise<void> {
  await inspect(page, stop);
  await isNamed(page, stop);
  await goesRound(page, stop);
}

const text = 'Hello,\n\nit says <b>no</b> & nothing else.';

async function write(page: Page, fields: Record<string, string>): Promise<void> {
  for (const [label, typed] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(typed);
  await press(page, 'Send');
}

test('a stranger without JavaScript writes, opens the mailed link, is answered, and says that it is solved', async ({
  page,
  another,
  someone,
  mailing: { server, mailbox },
  tidy,
}) => {
  tidy.expectRefusals(404, 422);
  const ada = await someone({ on: server, role: 'administrator' });
  const caller = await ada.enrol();
  const plain = await another({ javaScriptEnabled: false, baseURL: server.url });
  const stranger = await plain.newPage();

  await stranger.goto('/help/sign-in');
  await stranger.getByRole('link', { name: 'Contact support' }).click();
  await expect(heading(stranger, 'Contact support')).toBeVisible();
  await write(stranger, {
    'Your name': 'Grace Hopper',
    'Your e-mail address': 'grace@localhost.localdomain',
    'What is it about?': 'It says no',
    'Your message': text,
  });
  await expect(heading(stranger, 'Check your mail')).toBeVisible();
  await expect(stranger).toHaveURL(/\/help\/contact\?said=sent$/);

  // The link opens a page, and the page asks for a press; looking does nothing.
  await page.goto(await mailbox.link('grace@localhost.localdomain', '/help/ticket'));
  await press(page, 'Open');
  await expect(heading(page, 'Did you write this?')).toBeVisible();
  await look(page, 'a ticket that waits for its word');
  await page.goto('/help');

  // Without a script, reference and key are typed from the mail.
  const link = await mailbox.link('grace@localhost.localdomain', '/help/ticket');
  const [, key = '', reference = ''] = /#token=([0-9A-Z-]+)&reference=([0-9A-Z-]+)$/.exec(link) ?? [];
  await stranger.goto(link);
  await expect(heading(stranger, 'Your tickets')).toBeVisible();
  const open = async (typed: string) => {
    await stranger.getByLabel('Reference', { exact: true }).fill(reference.toLowerCase());
    await stranger.getByLabel('Key', { exact: true }).fill(typed);
    await press(stranger, 'Open');
  };
  await open(key.replace(/.$/, key.endsWith('0') ? '1' : '0'));
  await expect(stranger.getByRole('alert')).toContainText('There is no ticket with this reference and this key');
  await expect(stranger.getByLabel('Key', { exact: true })).toHaveValue('');
  await open(key.replaceAll('-', ' '));
  // What was written stands there before they say that it was them.
  await expect(heading(stranger, 'Did you write this?')).toBeVisible();
  await expect(stranger.getByText('It says no')).toBeVisible();
  await expect(stranger.getByText('it says <b>no</b> & nothing else.')).toBeVisible();
  await expect(stranger.getByRole('button', { name: "I didn't write this" })).toBeVisible();
  await press(stranger, 'Yes, I wrote this: send it');
  await expect(stranger.getByRole('status')).toHaveText(/Your ticket is with the support/);
  await expect(heading(stranger, 'It says no')).toBeVisible();
  await expect(stranger.getByText('it says <b>no</b> & nothing else.')).toBeVisible();
  expect(stranger.url()).not.toContain(key);

  // An administrator finds it by Home and answers.
  const desk = await another({ baseURL: server.url });
  await carryOver(caller, desk);
  const inside = await desk.newPage();
  await inside.goto('/');
  await expect(inside.getByText(say('home_tickets_title', { count: 1, shown: '1' }))).toBeVisible();
  await inspect(inside, 'Home with a ticket');
  await inside.getByRole('link', { name: say('home_tickets_open') }).click();
  await expect(inside.getByRole('row', { name: /It says no/ })).toContainText('Grace Hopper');
  await look(inside, 'tickets');
  await inside.getByRole('link', { name: 'It says no' }).click();
  await expect(heading(inside, 'It says no')).toBeFocused();
  await expect(inside.getByText('it says <b>no</b> & nothing else.')).toBeVisible();
  await look(inside, 'a ticket');
  await press(inside, say('ticket_send'));
  await expect(inside.getByText(say('field_required'))).toBeVisible();
  await inspect(inside, 'a ticket, no answer');
  await inside.getByLabel(say('ticket_reply')).fill('Say please.');
  await press(inside, say('ticket_send'));
  await expect(inside.getByText(say('ticket_replied_mailed'))).toBeVisible();
  await inspect(inside, 'a ticket, answered');

  // The mail about the answer has a link of its own. With JavaScript it fills the form, and a press opens the ticket.
  await expect
    .poll(() => mailbox.link('grace@localhost.localdomain', '/help/ticket'), { timeout: 60_000 })
    .not.toBe(link);
  await page.goto(await mailbox.link('grace@localhost.localdomain', '/help/ticket'));
  await expect(page.getByLabel('Reference', { exact: true })).toHaveValue(reference);
  await expect(page.getByLabel('Key', { exact: true })).not.toHaveValue('');
  expect(page.url()).not.toContain('#');
  await look(page, 'a link to a ticket');
  await press(page, 'Open');
  await expect(page.getByText('Say please.')).toBeVisible();
  await look(page, 'a ticket, at its person');
  await page.getByLabel('Write back').fill(' ');
  await press(page, 'Send');
  await expect(page.getByText('This is needed.')).toBeVisible();
  await expect(page.getByLabel('Write back')).toBeFocused();
  await look(page, 'a ticket, nothing written back');
  await write(page, { 'Write back': 'Please worked. Thank you.' });
  await expect(page.getByRole('status')).toHaveText('Your message is sent.');
  await press(page, 'It is solved');
  await expect(page.getByRole('status')).toHaveText('Thank you. This ticket is solved.');
  await look(page, 'a solved ticket');

  await inside.reload();
  await expect(inside.getByText('Please worked. Thank you.')).toBeVisible();
  await expect(inside.getByText(say('ticket_is_solved'))).toBeVisible();
  await look(inside, 'a solved ticket, at the support');
  await press(inside, say('ticket_reopen'));
  await expect(inside.getByText(say('ticket_reopened'))).toBeVisible();
  await inside.goto('/parameters/tickets?query=nobody');
  await expect(heading(inside, say('tickets_none_title'))).toBeVisible();
  await look(inside, 'tickets, none found');
});

test('without a mail server a reference and a key lead back, and whoever is signed in finds their own', async ({
  page,
  context,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(422);
  await page.goto('/help/contact');
  await look(page, 'contact support');
  await page.getByLabel('Your e-mail address').fill('nobody');
  await page.evaluate(() => document.querySelector('main form')?.setAttribute('novalidate', ''));
  await press(page, 'Send');
  await expect(page.getByText('This is no e-mail address that mail can be sent to.')).toBeVisible();
  await expect(page.getByLabel('Your name')).toBeFocused();
  await look(page, 'contact support, to be mended');
  await write(page, {
    'Your name': 'Grace Hopper',
    'Your e-mail address': 'grace@example.test',
    'What is it about?': 'No mail here',
    'Your message': text,
  });
  await expect(heading(page, 'Your ticket is open')).toBeVisible();
  await look(page, 'a ticket is open');
  await press(page, 'Open my ticket');
  await expect(heading(page, 'No mail here')).toBeVisible();

  const ada = await someone();
  await carryOver(await ada.enrol(), context);
  await page.goto('/help/ticket');
  await expect(page.getByText('You have written no ticket yet.')).toBeVisible();
  await look(page, 'no tickets');
  await page.getByRole('link', { name: 'Contact support' }).click();
  await expect(page.getByText(`You write as ${ada.name} (${ada.email}).`, { exact: false })).toBeVisible();
  await expect(page.getByLabel('Your e-mail address')).toHaveCount(0);
  await write(page, { 'What is it about?': 'My phone', 'Your message': 'It is gone.' });
  await expect(page.getByRole('status')).toHaveText(/Your ticket is open/);
  await expect(heading(page, 'My phone')).toBeVisible();
  await page.getByRole('link', { name: 'Your tickets' }).click();
  await expect(page.getByRole('link', { name: 'My phone' })).toBeVisible();
  await look(page, 'own tickets');
});
