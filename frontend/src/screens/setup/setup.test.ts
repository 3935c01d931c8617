import { cleanup, screen, waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { paths } from '../../paths';
import { button, heading, open } from '../../testing/open';
import { sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

async function fill(user: ReturnType<typeof open>) {
  await user.type(await screen.findByLabelText(m.name()), 'Ada Admin');
  await user.type(screen.getByLabelText(m.email()), 'ada@example.test');
  await user.type(screen.getByLabelText(m.password()), 'violet tractor humming');
}

it('says how to open it where the link is not whole', async () => {
  open('/setup', { setupNeeded: true });
  await heading(m.setup_no_link_title());
});

it('takes the link that is pasted over its own address', async () => {
  open('/setup', { setupNeeded: true });
  await heading(m.setup_no_link_title());
  location.hash = '#token=PASTED';
  window.dispatchEvent(new Event('hashchange'));
  await heading(m.setup_title());
  expect(location.hash).toBe('');
});

it('has its link over a reload, and no longer than the page is open', async () => {
  open('/setup', { setupNeeded: true, hash: '#token=TOKEN' });
  await heading(m.setup_title());
  const stored = { ...sessionStorage };
  place.go(paths.signIn);
  await heading(m.sign_in_title());
  await waitFor(() => expect(JSON.stringify({ ...sessionStorage })).not.toContain('TOKEN'));
  cleanup();
  // What a reload finds: nothing in the memory, and this in the tab.
  for (const [key, value] of Object.entries(stored)) sessionStorage.setItem(key, value);
  open('/setup', { setupNeeded: true });
  await heading(m.setup_title());
  cleanup();
  open('/join');
  await heading(m.join_no_link_title());
});

it('takes the token out of the address, makes the account and offers protection right away', async () => {
  reply('POST /setup', ok({ state: 'signed_in' }));
  const user = open('/setup', { setupNeeded: true, hash: '#token=TOKEN' });
  await fill(user);
  expect(location.hash).toBe('');
  reply('GET /session', ok(sessionOf()));
  await user.click(await button(m.setup_submit()));
  await heading(m.welcome_title());
  expect(sent('POST /setup')[0]?.body).toEqual({
    token: 'TOKEN',
    name: 'Ada Admin',
    email: 'ada@example.test',
    password: 'violet tractor humming',
  });
  const on = screen.getByRole('link', { name: m.turn_on() });
  expect(on.getAttribute('href')).toBe('/parameters/users/me/security/enable/app');
});

it('puts each refusal under its field, and focuses the first', async () => {
  const fields = [
    { name: 'email', code: 'email_invalid' },
    { name: 'password', code: 'password_too_short', params: { min: 12 } },
  ];
  reply('POST /setup', refuse(422, 'invalid_input', { fields }));
  const user = open('/setup', { setupNeeded: true, hash: '#token=TOKEN' });
  await fill(user);
  await user.click(await button(m.setup_submit()));
  await screen.findByText(m.field_email_invalid());
  expect(screen.getByText(m.field_password_too_short({ min: '12' }))).toBeTruthy();
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(m.email())));
});

it('shows the rules as they are met', async () => {
  const user = open('/setup', { setupNeeded: true, hash: '#token=TOKEN' });
  const password = await screen.findByLabelText(m.password());
  await user.type(password, 'short');
  await screen.findByText(m.strength_label({ strength: m.strength_0() }));
  await user.type(password, ' violet tractor humming');
  await screen.findByText(m.strength_label({ strength: m.strength_4() }));
});

it('says that a link no longer works', async () => {
  reply('POST /setup', refuse(410, 'setup_link_expired'));
  const user = open('/setup', { setupNeeded: true, hash: '#token=OLD' });
  await fill(user);
  await user.click(await button(m.setup_submit()));
  await heading(m.setup_expired_title());
});
