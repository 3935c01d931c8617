import { cleanup, screen, waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, heading, open } from '../../testing/open';
import { bo, later, openMfa, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const invited = ok({ name: 'Bo Lindqvist', email: 'bo@example.test', expires_at: later(86_400) });

it('says how to open it where the link is not whole, and takes the one that is pasted', async () => {
  open('/join');
  await heading(m.join_no_link_title());
  reply('POST /join/invitation', invited);
  location.hash = '#token=PASTED';
  window.dispatchEvent(new Event('hashchange'));
  await heading(m.join_heading({ brand: 'MailMachine' }));
  expect(location.hash).toBe('');
  // The same link once more: the address is the page's own again, and so is the screen.
  location.hash = '#token=PASTED';
  window.dispatchEvent(new Event('hashchange'));
  await waitFor(() => expect(sent('POST /join/invitation')).toHaveLength(2));
  await heading(m.join_heading({ brand: 'MailMachine' }));
});

it('takes the token out of the address, joins and lands at Home with what comes next', async () => {
  reply('POST /join/invitation', invited);
  reply('POST /join', ok({ state: 'signed_in' }));
  const user = open('/join', { hash: '#token=TOKEN' });
  await screen.findByText(m.join_lead({ email: 'bo@example.test' }));
  expect(location.hash).toBe('');
  const name = screen.getByLabelText(m.name());
  expect((name as HTMLInputElement).value).toBe('Bo Lindqvist');
  await user.clear(name);
  await user.type(name, 'Bo Lind');
  await user.type(screen.getByLabelText(m.password()), 'violet tractor humming');
  reply('GET /session', ok(sessionOf(bo)));
  reply('GET /users/me/security', ok({ user: bo, mfa: openMfa(), enrolment: null }));
  reply('GET /users/me/security/events', ok({ events: [], next_cursor: null }));
  await user.click(await button(m.join_submit()));
  await screen.findByText(m.told_joined());
  await screen.findByText(m.home_off_title());
  expect(place.path).toBe('/');
  expect(sent('POST /join')[0]?.body).toEqual({ token: 'TOKEN', name: 'Bo Lind', password: 'violet tractor humming' });
});

it('leads into the wizard where it is required at once', async () => {
  reply('POST /join/invitation', invited);
  reply('POST /join', ok({ state: 'enrolment_required' }));
  const user = open('/join', { hash: '#token=TOKEN' });
  await user.type(await screen.findByLabelText(m.password()), 'violet tractor humming');
  reply('GET /session', ok(sessionOf(bo, { confined_to: 'enrolment' })));
  reply('GET /users/me/security', ok({ user: bo, mfa: openMfa({ requirement: 'required' }), enrolment: null }));
  await user.click(await button(m.join_submit()));
  await waitFor(() => expect(place.path).toBe('/parameters/users/me/security/enable/app'));
});

it('puts each refusal under its field, and focuses the first', async () => {
  reply('POST /join/invitation', invited);
  reply('POST /join', refuse(422, 'invalid_input', { fields: [{ name: 'password', code: 'password_too_common' }] }));
  const user = open('/join', { hash: '#token=TOKEN' });
  await user.clear(await screen.findByLabelText(m.name()));
  await user.click(await button(m.join_submit()));
  expect(await screen.findAllByText(m.field_required())).toHaveLength(2);
  await user.type(screen.getByLabelText(m.name()), 'Bo');
  await user.type(screen.getByLabelText(m.password()), 'passwordpassword');
  await user.click(await button(m.join_submit()));
  await screen.findByText(m.field_password_too_common());
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(m.password())));
});

it.each([
  ['invitation_used', 410, m.error_invitation_used],
  ['invitation_expired', 410, m.error_invitation_expired],
  ['invitation_replaced', 410, m.error_invitation_replaced],
  ['invitation_withdrawn', 410, m.error_invitation_withdrawn],
  ['invitation_unknown', 410, m.error_invitation_unknown],
  ['account_disabled', 403, m.error_account_disabled],
] as const)('says what is the matter with a link: %s', async (code, status, words) => {
  reply('POST /join/invitation', refuse(status, code));
  open('/join', { hash: '#token=OLD' });
  await heading(words());
  expect(screen.getByRole('link', { name: m.join_sign_in() }).getAttribute('href')).toBe('/sign-in');
  cleanup();
  // The same where it happens while the password is chosen.
  reply('POST /join/invitation', invited);
  reply('POST /join', refuse(status, code));
  const user = open('/join', { hash: '#token=OLD' });
  await user.type(await screen.findByLabelText(m.password()), 'violet tractor humming{Enter}');
  await heading(words());
});
