import { screen, waitFor, within } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import * as format from '../../format';
import { m } from '../../paraglide/messages';
import { button, heading, open, pressOn } from '../../testing/open';
import { ada, later, openMfa, openSession, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const path = '/parameters/users/me/security';
const here = openSession({ id: '01SESSION', current: true, browser: 'Firefox on Linux' });
const signedIn = { session: sessionOf() };
const name = pressOn(m.sign_out(), 'Safari on iPhone, 192.0.2.17');

function are(...sessions: unknown[]) {
  reply('GET /users/me/security', ok({ user: ada, mfa: openMfa(), enrolment: null }));
  reply('GET /users/me/sessions', ok({ sessions }));
}

it('lists where one is signed in: this browser marked, the others with when they were last seen', async () => {
  const other = openSession();
  are(here, other);
  open(path, signedIn);
  await screen.findByText('Safari on iPhone');
  expect(screen.getByText(m.session_this())).toBeTruthy();
  const when = screen.getByText(m.session_seen({ when: '2 hours ago' }));
  // Two of the same browser and address are told apart by when they began.
  expect(
    screen.getAllByText(m.session_since({ when: format.moment(other.created_at) }).replace('\u00a0', ' ')),
  ).toHaveLength(2);
  expect(when.getAttribute('title')).toBe(format.exactly(other.last_seen_at));
  expect(when.textContent).toContain(format.exactly(other.last_seen_at));
});

/** The dialog that asks for a fresh proof. */
const question = () => screen.getByText(m.proof_title()).closest('dialog') as HTMLElement;

it('ends one, and the focus stays in the list', async () => {
  are(here, openSession());
  reply('DELETE /users/me/sessions/01OTHER', refuse(500, 'internal_fault'), ok());
  const user = open(path, signedIn);
  await user.click(await button(name));
  await screen.findByText(m.error_internal_fault());
  are(here);
  await user.click(await button(name));
  await screen.findByText(m.sessions_ended({ count: 1 }));
  await screen.findByText(m.sessions_only_this());
  await waitFor(() => expect(document.activeElement?.textContent).toBe(m.sessions_title()));
});

it('asks for a fresh proof where many were ended lately, for one and for all others', async () => {
  are(here, openSession());
  reply('DELETE /users/me/sessions/01OTHER', refuse(403, 'fresh_proof_required'));
  reply('DELETE /users/me/sessions', refuse(403, 'fresh_proof_required'), ok({ ended: 1 }));
  reply('POST /session/proof', ok({ fresh_until: later(600), method: 'password' }));
  const user = open(path, signedIn);
  await user.click(await button(name));
  await heading(m.proof_title());
  await user.click(within(question()).getByRole('button', { name: m.cancel() }));
  await waitFor(() => expect(screen.queryByText(m.proof_title())).toBeNull());
  expect(screen.queryByText(m.error_fresh_proof_required())).toBeNull();
  await user.click(await button(m.sessions_end_all()));
  await heading(m.sessions_end_title());
  await user.click(screen.getAllByRole('button', { name: m.sessions_end_all() }).at(-1) as HTMLElement);
  await heading(m.proof_title());
  are(here);
  await user.type(screen.getByLabelText(m.password()), 'violet tractor humming{Enter}');
  await screen.findByText(m.sessions_ended({ count: 1 }));
});

it('takes one that has ended already as ended', async () => {
  are(here, openSession());
  reply('DELETE /users/me/sessions/01OTHER', refuse(404, 'no_session'));
  const user = open(path, signedIn);
  const press = await button(name);
  are(here);
  await user.click(press);
  await screen.findByText(m.sessions_only_this());
});

it('ends all others after a question, the safe choice first', async () => {
  are(here, openSession(), openSession({ id: '02OTHER' }));
  reply('DELETE /users/me/sessions', refuse(500, 'internal_fault'), ok({ ended: 2 }));
  const user = open(path, signedIn);
  await user.click(await button(m.sessions_end_all()));
  await heading(m.sessions_end_title());
  expect(screen.getByText(m.sessions_end_body({ count: 2 }))).toBeTruthy();
  expect(screen.getByText(m.sessions_end_asks())).toBeTruthy();
  expect(document.activeElement?.textContent?.trim()).toBe(m.cancel());
  const confirm = screen.getAllByRole('button', { name: m.sessions_end_all() }).at(-1) as HTMLElement;
  await user.click(confirm);
  await screen.findByText(m.error_internal_fault());
  are(here);
  await user.click(confirm);
  await screen.findByText(m.sessions_ended({ count: 2 }));
  expect(sent('DELETE /users/me/sessions')).toHaveLength(2);
});

it('says when they cannot be read', async () => {
  are(here);
  reply('GET /users/me/sessions', refuse(500, 'internal_fault'), ok({ sessions: [here] }));
  const user = open(path, signedIn);
  await user.click(await button(m.try_again()));
  await screen.findByText('Firefox on Linux');
});
