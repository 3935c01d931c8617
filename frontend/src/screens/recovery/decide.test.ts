import { cleanup, screen, waitFor, within } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';
import * as format from '../../format';
import { m } from '../../paraglide/messages';
import { button, heading, open } from '../../testing/open';
import { ada, bo, later, openMfa, protectedMfa, recoveryTicket, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';
import { warningWords } from './warnings';

const address = '/parameters/tickets/01TICKET/recovery';
const boss = sessionOf(ada, { mfa: { state: 'on', requirement: 'allowed', deadline: null } });
const title = () => m.recovery_ticket_title({ name: bo.name });
const link = 'https://id.example.test/enrol#token=TOKEN';

function at(more: Record<string, unknown> = {}, session: unknown = boss) {
  reply('GET /tickets/01TICKET/recovery', ok(recoveryTicket(more)));
  return open(address, { session });
}

const answered = (more: Record<string, unknown> = {}) =>
  ok({ state: 'approved', approvals: 1, approvals_needed: 1, enrolment_link: null, mailed: true, ...more });

async function fill(user: ReturnType<typeof open>) {
  await user.click(await screen.findByLabelText(m.recovery_check_call()));
  await user.type(screen.getByLabelText(m.reset_reason()), ' Called back on the number we have ');
}

it('shows the request beside what is known, and what speaks against it', async () => {
  at({
    warnings: [{ code: 'new_network' }, { code: 'stopped_before', at: '2026-03-12T09:00:00Z' }],
    earlier: [
      {
        id: '01EARLIER',
        reference: 'AAAAA-BBBBB',
        kind: 'recovery',
        state: 'solved',
        created_at: '2026-03-12T09:00:00Z',
      },
      { id: '01HELP', reference: 'CCCCC-DDDDD', kind: 'help', state: 'solved', created_at: '2026-02-12T09:00:00Z' },
    ],
  });
  await heading(title());
  const request = within(screen.getByRole('region', { name: m.recovery_this_request() }));
  request.getByText(m.recovery_seen());
  request.getByText(m.recovery_never_seen());
  request.getByText('My phone fell into the lake.');
  request.getByText(new RegExp(m.recovery_proved_email()));
  const known = within(screen.getByRole('region', { name: m.recovery_known({ name: bo.name }) }));
  known.getByText('12 March 2024');
  known.getByText('41');
  screen.getByText(m.recovery_warn_new_network());
  screen.getByText(m.recovery_warn_stopped_before());
  expect(screen.getByRole('link', { name: 'AAAAA-BBBBB' }).getAttribute('href')).toBe(
    '/parameters/tickets/01EARLIER/recovery',
  );
  expect(screen.getByRole('link', { name: 'CCCCC-DDDDD' }).getAttribute('href')).toBe('/parameters/tickets/01HELP');
});

it('says where nothing is unusual, and what nobody knows', async () => {
  const known = {
    account_since: '2024-03-12T09:00:00Z',
    mfa_since: null,
    browser_seen: true,
    network_seen: true,
    sign_ins_90_days: 0,
  };
  at({ known, proved_by: 'nothing', request: { browser: 'Firefox', address: '192.0.2.7', message: '' } });
  await screen.findByText(m.recovery_no_warnings());
  screen.getByText(m.recovery_proved_nothing());
  expect(screen.getAllByText(m.recovery_unknown())).toHaveLength(2);
  expect(screen.queryByText(m.recovery_they_write())).toBeNull();
});

it('is approved with a ticked line and a reason, after a question and a fresh proof', async () => {
  const user = at();
  reply('POST /tickets/01TICKET/decision', refuse(403, 'fresh_proof_required'), answered());
  reply('POST /session/proof', ok({ fresh_until: later(600), method: 'totp' }));
  await user.click(await button(m.recovery_approve_ellipsis()));
  await screen.findByText(m.recovery_check_missing());
  screen.getByText(m.reset_reason_missing());
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(m.recovery_check_call())));
  await fill(user);
  await user.click(await button(m.recovery_approve_ellipsis()));
  const dialog = within(await screen.findByRole('dialog', { name: m.recovery_approve_title({ name: bo.name }) }));
  dialog.getByText(m.recovery_check_call());
  reply('GET /tickets/01TICKET/recovery', ok(recoveryTicket({ state: 'approved', link_until: later(250_000) })));
  await user.click(dialog.getByRole('button', { name: m.recovery_approve() }));
  await screen.findByText(m.proof_title());
  await user.type(screen.getByLabelText(m.password()), 'violet tractor humming');
  await user.type(document.querySelector('input[autocomplete="one-time-code"]') as HTMLElement, '123456{Enter}');
  await screen.findByText(m.recovery_at_approved());
  screen.getByText(m.reset_mailed({ name: bo.name }));
  expect(sent('POST /tickets/01TICKET/decision')[1]?.body).toEqual({
    approve: true,
    checked: [m.recovery_check_call()],
    reason: 'Called back on the number we have',
  });
  await waitFor(() => expect(screen.queryByRole('heading', { name: m.recovery_decide() })).toBeNull());
});

it('shows a link that is to be handed over this once', async () => {
  const user = at();
  reply('POST /tickets/01TICKET/decision', answered({ enrolment_link: link, mailed: false }));
  await fill(user);
  await user.click(await button(m.recovery_approve_ellipsis()));
  reply('GET /tickets/01TICKET/recovery', ok(recoveryTicket({ state: 'approved' })));
  await user.click(await button(m.recovery_approve()));
  await heading(m.recovery_link_title({ name: bo.name }));
  expect(screen.getByLabelText<HTMLInputElement>(m.link_step_field()).value).toBe(link);
  await user.click(await button(m.done()));
  expect(screen.queryByDisplayValue(link)).toBeNull();
  // It got lost: another one.
  const other = `${link}2`;
  reply('POST /tickets/01TICKET/link', answered({ enrolment_link: other, mailed: false }));
  await user.click(await button(m.reset_again_ellipsis()));
  await user.click(await button(m.reset_again()));
  await heading(m.recovery_link_title({ name: bo.name }));
  expect(screen.getByLabelText<HTMLInputElement>(m.link_step_field()).value).toBe(other);
});

it('counts an approval where more than one is needed', async () => {
  const user = at({ approvals_needed: 2 });
  await screen.findByText(m.recovery_needs({ needed: '2' }));
  reply('POST /tickets/01TICKET/decision', answered({ state: 'proved', approvals_needed: 2, mailed: false }));
  await fill(user);
  await user.click(await button(m.recovery_approve_ellipsis()));
  const mine = { by: ada, reason: 'Called back', checked: [m.recovery_check_call()], at: later(0) };
  reply(
    'GET /tickets/01TICKET/recovery',
    ok(recoveryTicket({ approvals_needed: 2, approvals: [mine], decidable: false, refusal: 'already_decided' })),
  );
  await user.click(await button(m.recovery_approve()));
  await screen.findByText(m.recovery_told_more({ count: 1 }));
  await screen.findByText(m.recovery_approvals({ given: '1', needed: '2' }));
  await screen.findByText(m.error_already_decided());
});

it('can still be refused by who has approved it', async () => {
  const mine = { by: ada, reason: 'Called back', checked: [m.recovery_check_call()], at: later(0) };
  const user = at({ approvals_needed: 2, decidable: false });
  await fill(user);
  reply('POST /tickets/01TICKET/decision', answered({ state: 'proved', approvals_needed: 2, mailed: false }));
  await user.click(await button(m.recovery_approve_ellipsis()));
  reply(
    'GET /tickets/01TICKET/recovery',
    ok(recoveryTicket({ approvals_needed: 2, approvals: [mine], decidable: false, refusal: 'already_decided' })),
  );
  await user.click(await button(m.recovery_approve()));
  await screen.findByText(m.error_already_decided());
  expect(((await button(m.recovery_approve_ellipsis())) as HTMLButtonElement).disabled).toBe(true);
  // Why it was approved is not why it is refused.
  const reason = screen.getByLabelText<HTMLInputElement>(m.reset_reason());
  expect(reason.value).toBe('');
  expect(screen.getByLabelText<HTMLInputElement>(m.recovery_check_call()).checked).toBe(false);
  await user.type(reason, 'It was somebody else');
  reply('POST /tickets/01TICKET/decision', answered({ state: 'refused', approvals: 0, mailed: false }));
  await user.click(await button(m.recovery_refuse_ellipsis()));
  const refused = { by: ada, reason: 'It was somebody else', checked: [], at: later(0) };
  reply(
    'GET /tickets/01TICKET/recovery',
    ok(recoveryTicket({ state: 'refused', refused, decidable: false, refusal: 'recovery_changed' })),
  );
  await user.click(await button(m.recovery_refuse()));
  await screen.findByText(m.recovery_at_refused_by({ by: ada.name, why: 'It was somebody else' }));
  expect(sent('POST /tickets/01TICKET/decision').at(-1)?.body).toMatchObject({ approve: false, checked: [] });
});

it('can be refused while it waits, and be approved once the time is over', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const until = later(30);
  const waiting = { decidable: false, refusal: 'recovery_too_early', refuses_until: until, decidable_at: until };
  reply('GET /tickets/01TICKET/recovery', ok(recoveryTicket(waiting)), ok(recoveryTicket({ decidable_at: until })));
  const user = open(address, { session: boss });
  await screen.findByText(m.recovery_at_waits());
  screen.getByText(m.recovery_approve_from({ when: format.due(until) }));
  expect(((await button(m.recovery_approve_ellipsis())) as HTMLButtonElement).disabled).toBe(true);
  await user.type(screen.getByLabelText(m.reset_reason()), 'They did not ask');
  await vi.advanceTimersByTimeAsync(33_000);
  await waitFor(() => expect(screen.queryByText(m.recovery_at_waits())).toBeNull());
  expect(((await button(m.recovery_approve_ellipsis())) as HTMLButtonElement).disabled).toBe(false);
  // What was typed is not lost by it, and a refusal needs no ticked line.
  reply('POST /tickets/01TICKET/decision', answered({ state: 'refused', approvals: 0, mailed: false }));
  await user.click(await button(m.recovery_refuse_ellipsis()));
  const dialog = within(await screen.findByRole('dialog', { name: m.recovery_refuse_title({ name: bo.name }) }));
  const refused = { by: ada, reason: 'They did not ask', checked: [], at: later(0) };
  reply(
    'GET /tickets/01TICKET/recovery',
    ok(recoveryTicket({ state: 'refused', refused, decidable: false, refusal: 'recovery_changed' })),
  );
  await user.click(dialog.getByRole('button', { name: m.recovery_refuse() }));
  await screen.findByText(m.recovery_at_refused_by({ by: ada.name, why: 'They did not ask' }));
  expect(sent('POST /tickets/01TICKET/decision')[0]?.body).toMatchObject({ approve: false, checked: [] });
});

it('asks once a second where the server finds the wait not over yet', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const until = later(-60);
  at({ decidable: false, refusal: 'recovery_too_early', refuses_until: until, decidable_at: until });
  await heading(title());
  const before = sent('GET /tickets/01TICKET/recovery').length;
  await vi.advanceTimersByTimeAsync(5_500);
  const loads = sent('GET /tickets/01TICKET/recovery').length - before;
  expect(loads).toBeGreaterThan(1);
  expect(loads).toBeLessThanOrEqual(6);
});

it('offers nothing that would be refused, and says why', async () => {
  at({ decidable: false, refusal: 'own_recovery' });
  await screen.findByText(m.error_own_recovery());
  expect(screen.queryByLabelText(m.reset_reason())).toBeNull();
  cleanup();
  at({ decidable: false, refusal: 'recovery_on_console' });
  await screen.findByText(m.error_recovery_on_console());
  expect(((await button(m.recovery_approve_ellipsis())) as HTMLButtonElement).disabled).toBe(true);
  expect(((await button(m.recovery_refuse_ellipsis())) as HTMLButtonElement).disabled).toBe(false);
  cleanup();
  at({ decidable: false, refusal: 'own_mfa_first' }, sessionOf(ada));
  await screen.findByText(m.error_own_mfa_first());
  expect(screen.queryByLabelText(m.reset_reason())).toBeNull();
  cleanup();
  at({ state: 'approved', decidable: false, refusal: 'recovery_changed' }, sessionOf(ada));
  await screen.findByText(m.error_own_mfa_first());
  expect(screen.queryByRole('button', { name: m.reset_again_ellipsis() })).toBeNull();
});

it('uses the lines of the installation', async () => {
  at({ checklist: ['Seen at the gate'] });
  await screen.findByLabelText('Seen at the gate');
  expect(screen.queryByLabelText(m.recovery_check_call())).toBeNull();
});

it.each([
  ['asked', m.recovery_at_asked, m.recovery_pill_asked],
  ['approved', m.recovery_at_approved, m.recovery_pill_approved],
  ['done', () => m.recovery_at_done({ name: bo.name }), m.recovery_pill_done],
  ['stopped', m.recovery_at_stopped, m.recovery_pill_stopped],
  ['cancelled', m.recovery_at_cancelled, m.recovery_pill_cancelled],
  ['expired', m.recovery_at_expired, m.recovery_pill_expired],
] as const)('says what became of it: %s', async (state, words, pill) => {
  at({
    state,
    decidable: false,
    refusal: 'recovery_changed',
    ...(state === 'asked' && { proved_at: undefined, proved_by: '' }),
  });
  await heading(title());
  expect(screen.getAllByText(words()).length).toBeGreaterThan(0);
  expect(screen.getAllByText(pill()).length).toBeGreaterThan(0);
  expect(screen.queryByRole('heading', { name: m.recovery_decide() })).toBeNull();
});

it('says that there is no such request', async () => {
  reply('GET /tickets/01TICKET/recovery', refuse(404, 'no_recovery'));
  open(address, { session: boss });
  await screen.findByText(m.error_no_recovery());
});

it('has words for every warning', () => {
  const codes =
    'password_changed password_by_mailbox email_changed role_changed wrong_codes codes_locked new_browser new_network proved_by_nothing stopped_before refused_before several_requests';
  expect(Object.keys(warningWords).sort()).toEqual(codes.split(' ').sort());
});

it('a person’s Security page leads an administrator to the request', async () => {
  const asked = {
    id: '01TICKET',
    reference: 'AAAAA-BBBBB',
    state: 'proved',
    asked_at: later(-600),
    browser: 'Firefox',
    address: '192.0.2.7',
    expires_at: later(86_000),
    delay_seconds: 86_400,
    can_confirm: false,
  };
  reply('GET /users/01BO/security', ok({ user: bo, mfa: protectedMfa(), enrolment: null }));
  reply('GET /users/01BO/security/recovery', ok({ recovery: asked }));
  open('/parameters/users/01BO', { session: boss });
  await screen.findByText(m.recovery_open_title());
  expect(screen.getByRole('link', { name: m.recovery_open_go() }).getAttribute('href')).toBe(address);
  cleanup();
  reply('GET /users/01BO/security/recovery', ok({ recovery: { ...asked, state: 'asked' } }));
  open('/parameters/users/01BO', { session: boss });
  await screen.findByText(/not confirmed yet/);
  expect(screen.queryByRole('link', { name: m.recovery_open_go() })).toBeNull();
  cleanup();
  reply('GET /users/01BO/security', ok({ user: bo, mfa: openMfa(), enrolment: null }));
  open('/parameters/users/01BO', { session: boss });
  await heading(bo.name);
  expect(screen.queryByText(m.recovery_open_title())).toBeNull();
});
