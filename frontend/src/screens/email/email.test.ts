import { cleanup, screen, waitFor, within } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, heading, open } from '../../testing/open';
import { ada, bo, later, openMfa, protectedMfa, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const security = '/parameters/users/me/security';
const next = 'ann@example.test';
const member = sessionOf(bo);

function mine(more: Record<string, unknown> = {}) {
  const view = { user: bo, mfa: openMfa(), enrolment: null, mails: true, email_change: null, ...more };
  reply('GET /users/me/security', ok(view));
}

const waiting = (asked = 'self') => ({ email: next, expires_at: later(86_400), asked });

it('asks for another address after a fresh proof, and says where to look', async () => {
  mine();
  reply(
    'POST /users/me/email',
    refuse(403, 'fresh_proof_required'),
    ok({ email: next, expires_at: later(86_400), email_link: null }),
  );
  reply('POST /session/proof', ok({ fresh_until: later(600), method: 'password' }));
  const user = open(security, { session: member });
  await user.click(await button(m.email_title()));
  await screen.findByText(m.email_lead({ email: bo.email }));
  await user.click(await button(m.email_send()));
  await screen.findByText(m.field_required());
  await user.type(screen.getByLabelText(m.email_new()), ` ${next}{Enter}`);
  await user.type(await screen.findByLabelText(m.password()), 'violet tractor humming{Enter}');
  await heading(m.email_sent_title());
  expect(sent('POST /users/me/email').at(-1)?.body).toEqual({ email: next });
  mine({ email_change: waiting() });
  await user.click(await button(m.done()));
  await button(m.email_again());
  expect(screen.queryByRole('button', { name: m.email_title() })).toBeNull();
});

it('says under the field what is wrong with the address', async () => {
  mine();
  reply(
    'POST /users/me/email',
    refuse(422, 'invalid_input', { fields: [{ name: 'email', code: 'email_unchanged' }] }),
    refuse(409, 'email_taken'),
    refuse(429, 'too_many_changes'),
  );
  const user = open(security, { session: member });
  await user.click(await button(m.email_title()));
  const field = screen.getByLabelText(m.email_new());
  await user.type(field, `${bo.email}{Enter}`);
  await screen.findByText(m.field_email_unchanged());
  expect(document.activeElement).toBe(field);
  await user.type(field, 'x{Enter}');
  await screen.findByText(m.error_email_taken());
  await user.type(field, 'x{Enter}');
  await screen.findByText(m.error_too_many_changes());
  expect((field as HTMLInputElement).value).toBe(`${bo.email}xx`);
});

it('shows what waits, sends it again, and withdraws it', async () => {
  mine({ email_change: waiting('administrator') });
  reply('POST /users/me/email', ok({ email: next, expires_at: later(86_400), email_link: null }));
  reply('DELETE /users/me/email', ok());
  const user = open(security, { session: member });
  await screen.findByText(new RegExp(m.email_waits_administrator()));
  await user.click(await button(m.email_again()));
  await heading(m.email_sent_title());
  await user.click(await button(m.done()));
  mine();
  await user.click(await button(m.email_withdraw()));
  await screen.findByText(m.told_email_withdrawn());
  await button(m.email_title());
  expect(sent('DELETE /users/me/email')).toHaveLength(1);
});

it('says who can, where no mail leaves', async () => {
  mine({ mails: false });
  open(security, { session: member });
  await screen.findByText(m.email_no_mail());
  cleanup();
  const handed = waiting('administrator');
  mine({ mails: false, email_change: handed });
  open(security, { session: member });
  await screen.findByText(/An administrator has the link for you/);
  await button(m.email_withdraw());
  expect(screen.queryByRole('button', { name: m.email_new_link() })).toBeNull();
  expect(screen.queryByRole('button', { name: m.email_title() })).toBeNull();
  cleanup();
  reply('GET /users/me/security', ok({ user: ada, mfa: protectedMfa(), enrolment: null, mails: false }));
  open(security, { session: sessionOf(ada, { mfa: { state: 'on', requirement: 'allowed', deadline: null } }) });
  await screen.findByText(m.email_no_mail_console());
});

it('an administrator gets the link once to hand over, where no mail leaves', async () => {
  const link = 'https://id.example.test/email#token=TOKEN';
  reply('GET /users/01BO/security', ok({ user: bo, mfa: openMfa(), enrolment: null, mails: false }));
  reply('POST /users/01BO/email', ok({ email: next, expires_at: later(86_400), email_link: link }));
  const boss = sessionOf(ada, { mfa: { state: 'on', requirement: 'allowed', deadline: null } });
  const user = open('/parameters/users/01BO', { session: boss });
  await user.click(await button(m.their_email_title()));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByText(m.their_email_lead_no_mail({ name: bo.name, email: bo.email }))).toBeTruthy();
  await user.type(dialog.getByLabelText(m.email_new()), next);
  await user.click(dialog.getByRole('button', { name: m.email_make_link() }));
  await heading(m.email_link_title({ name: bo.name }));
  expect((screen.getByLabelText(m.email_link()) as HTMLInputElement).value).toBe(link);
});

it('the link is confirmed by one press, signed in', async () => {
  reply('GET /users/me', ok({ user: bo, mfa: openMfa(), email_change: waiting(), mails: true }));
  reply('POST /users/me/email/confirm', ok({ email: next, sessions_ended: 1 }));
  const user = open('/email', { session: member, hash: '#token=TOKEN' });
  await screen.findByText(m.email_confirm_body({ name: bo.name, email: next }));
  expect(location.hash).toBe('');
  expect(sent('POST /users/me/email/confirm')).toHaveLength(0);
  await user.click(await button(m.email_confirm()));
  await heading(m.email_done_title());
  await screen.findByText(new RegExp(m.email_done_told()));
  expect(sent('POST /users/me/email/confirm')[0]?.body).toEqual({ token: 'TOKEN' });
});

it('the link waits for whoever has to sign in first', async () => {
  const user = open('/email', { hash: '#token=TOKEN' });
  await heading(m.email_sign_in_title());
  await user.click(await button(m.sign_in_title()));
  await waitFor(() => expect(place.path).toBe('/sign-in'));
  expect(place.note.back).toBe('/email');
});

it('says what to do with a link that is not for who is signed in, or is no good', async () => {
  reply('GET /users/me', ok({ user: bo, mfa: openMfa(), email_change: null, mails: true }));
  open('/email', { session: member, hash: '#token=TOKEN' });
  await heading(m.error_email_link_expired());
  await screen.findByText(m.email_other_body({ name: bo.name }));
  cleanup();
  reply('GET /users/me', ok({ user: bo, mfa: openMfa(), email_change: waiting(), mails: true }));
  reply('POST /users/me/email/confirm', refuse(409, 'email_taken'), refuse(410, 'email_link_expired'));
  const user = open('/email', { session: member, hash: '#token=TOKEN' });
  await user.click(await button(m.email_confirm()));
  await screen.findByText(m.error_email_taken());
  await user.click(await button(m.email_confirm()));
  await heading(m.error_email_link_expired());
});

it('says nothing of a link while it is not known who waits for it', async () => {
  reply('GET /users/me', refuse(500, 'internal_fault'), ok({ user: bo, mfa: openMfa(), email_change: waiting() }));
  const user = open('/email', { session: member, hash: '#token=TOKEN' });
  await screen.findByText(m.error_internal_fault());
  expect(screen.queryByText(m.error_email_link_expired())).toBeNull();
  expect(screen.queryByRole('button', { name: m.email_other_sign_out() })).toBeNull();
  await user.click(await button(m.try_again()));
  await heading(m.email_confirm_title());
});

it('stops a change by one press, and by nothing less', async () => {
  reply('POST /stop/link', ok({ kind: 'email', email: bo.email, expires_at: later(86_400) }));
  reply('POST /stop', refuse(503, 'busy', {}), ok({ kind: 'email', restored: true }));
  const user = open('/stop', { hash: '#token=STOP' });
  await heading(m.stop_email_title());
  expect(location.hash).toBe('');
  expect(sent('POST /stop')).toHaveLength(0);
  await user.click(await button(m.stop_this()));
  await screen.findByText(m.error_busy());
  await user.click(await button(m.stop_this()));
  await heading(m.stop_email_done_title());
  expect(sent('POST /stop').at(-1)?.body).toEqual({ token: 'STOP' });
  expect(screen.getByRole('link', { name: m.sign_in_title() }).getAttribute('href')).toBe('/sign-in');
});

it('says what could not be put back, and what a stopped reset means', async () => {
  reply('POST /stop/link', ok({ kind: 'email', email: bo.email, expires_at: later(86_400) }));
  reply('POST /stop', ok({ kind: 'email', restored: false }));
  let user = open('/stop', { hash: '#token=STOP' });
  await user.click(await button(m.stop_this()));
  await heading(m.stop_email_half_title());
  cleanup();
  reply('POST /stop/link', ok({ kind: 'reset', email: bo.email, expires_at: later(86_400) }));
  reply('POST /stop', ok({ kind: 'reset', restored: false }));
  user = open('/stop', { hash: '#token=STOP' });
  await screen.findByText(m.stop_reset_keeps());
  await user.click(await button(m.stop_this()));
  await heading(m.stop_reset_done_title());
});

it('has nothing to stop without a link, or with one that is over', async () => {
  reply('POST /stop/link', refuse(410, 'stop_link_expired'));
  open('/stop', { hash: '#token=STOP' });
  await heading(m.error_stop_link_expired());
  // The same link once more, or another one, in the same page.
  reply('POST /stop/link', ok({ kind: 'email', email: bo.email, expires_at: later(86_400) }));
  location.hash = '#token=STOP';
  window.dispatchEvent(new Event('hashchange'));
  await heading(m.stop_email_title());
  expect(location.hash).toBe('');
});

it('stops a request to be let back in, and says what to do then', async () => {
  reply('POST /stop/link', ok({ kind: 'recovery', email: bo.email, expires_at: later(86_400) }));
  reply('POST /stop', ok({ kind: 'recovery', restored: false }));
  const user = open('/stop', { hash: '#token=STOP' });
  await heading(m.stop_recovery_title());
  screen.getByText(m.stop_recovery_keeps());
  await user.click(await button(m.stop_this()));
  await heading(m.recovery_stop_done());
  screen.getByText(m.stop_recovery_done_body());
});
