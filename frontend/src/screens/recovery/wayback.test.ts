import { cleanup, screen, waitFor, within } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';
import * as format from '../../format';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, heading, open } from '../../testing/open';
import { later, recovery, secondStep } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const address = '/second-step/cannot-get-in';

function waiting(more: Record<string, unknown> = {}) {
  reply('GET /sign-in', ok({ ...secondStep(), ...more }));
}

function standing(more: Record<string, unknown> = {}, rest: Record<string, unknown> = {}) {
  waiting();
  reply('GET /sign-in/recovery', ok({ recovery: recovery(more), askable: false, delay_seconds: 86_400, ...rest }));
  return open(address);
}

it('offers what works at once, and only then to ask', async () => {
  waiting();
  const user = open(address);
  await screen.findByText(m.way_backup_title());
  expect(screen.getByRole('link', { name: m.use_backup_code() }).getAttribute('href')).toBe('/second-step/backup-code');
  await user.click(await button(m.recovery_none_works()));
  await heading(m.recovery_ask_title());
  expect(document.activeElement?.tagName).toBe('H1');
  await user.click(await button(m.back()));
  await screen.findByText(m.way_backup_title());
});

it('asks once both are ruled out, with what the person writes, and says what comes next', async () => {
  waiting();
  reply('POST /sign-in/recovery', ok(recovery()));
  const user = open(address);
  await user.click(await button(m.recovery_none_works()));
  await user.click(await button(m.recovery_ask()));
  await screen.findByText(m.recovery_try_codes());
  await screen.findByText(m.recovery_try_browser());
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(m.recovery_no_codes())));
  expect(sent('POST /sign-in/recovery')).toHaveLength(0);
  await user.click(screen.getByLabelText(m.recovery_no_codes()));
  expect(screen.queryByText(m.recovery_try_codes())).toBeNull();
  await user.click(screen.getByLabelText(m.recovery_no_browser()));
  await user.type(screen.getByLabelText(m.recovery_message()), ' Call me{Enter}at the shop ');
  await user.click(await button(m.recovery_ask()));
  await heading(m.recovery_asked_title());
  expect(sent('POST /sign-in/recovery')[0]?.body).toEqual({
    no_backup_codes: true,
    no_other_browser: true,
    message: ['Call me', 'at the shop'],
  });
  screen.getByText('7KQ2M-XW4TD');
  screen.getByText(m.recovery_close_page());
});

it('says before how long it takes, by what the installation has set', async () => {
  waiting();
  reply('GET /sign-in/recovery', ok({ recovery: null, askable: true, delay_seconds: 93_600 }));
  reply('POST /sign-in/recovery', ok(recovery()));
  const user = open(address);
  await user.click(await button(m.recovery_none_works()));
  await screen.findByText(m.recovery_then_wait({ time: '26 hours' }));
  await user.click(screen.getByLabelText(m.recovery_no_codes()));
  await user.click(screen.getByLabelText(m.recovery_no_browser()));
  await user.click(await button(m.recovery_ask()));
  await screen.findByText(m.recovery_asked_wait({ time: '26 hours' }));
  cleanup();
  reply('GET /sign-in/recovery', ok({ recovery: recovery(), askable: false, delay_seconds: 309_600 }));
  open(address);
  await screen.findByText(m.recovery_asked_wait({ time: '3 days and 14 hours' }));
});

it('keeps what was typed when it is refused', async () => {
  waiting();
  reply(
    'POST /sign-in/recovery',
    refuse(422, 'invalid_input', { fields: [{ name: 'message', code: 'too_long' }] }),
    refuse(500, 'internal_fault'),
  );
  const user = open(address);
  await user.click(await button(m.recovery_none_works()));
  await user.click(screen.getByLabelText(m.recovery_no_codes()));
  await user.click(screen.getByLabelText(m.recovery_no_browser()));
  const field = screen.getByLabelText<HTMLTextAreaElement>(m.recovery_message());
  await user.click(field);
  await user.paste('x'.repeat(1_001));
  await user.click(await button(m.recovery_ask()));
  await screen.findByText(m.recovery_message_long({ most: '1,000' }));
  expect(sent('POST /sign-in/recovery')).toHaveLength(0);
  await user.clear(field);
  await user.type(field, 'Call me');
  await user.click(await button(m.recovery_ask()));
  await screen.findByText(m.field_too_long());
  await waitFor(() => expect(document.activeElement).toBe(field));
  await user.click(await button(m.recovery_ask()));
  await screen.findByText(m.error_internal_fault());
  expect(field.value).toBe('Call me');
});

it('says what to do where somebody else has used the requests up', async () => {
  waiting();
  reply('POST /sign-in/recovery', refuse(429, 'recovery_too_often', { retry_after_seconds: 7_200 }));
  const user = open(address);
  await user.click(await button(m.recovery_none_works()));
  await user.click(screen.getByLabelText(m.recovery_no_codes()));
  await user.click(screen.getByLabelText(m.recovery_no_browser()));
  await user.click(await button(m.recovery_ask()));
  await screen.findByText(m.error_recovery_too_often());
  screen.getByText(m.error_recovery_too_often_next({ time: '2 hours' }));
});

it('says why it cannot be asked here', async () => {
  waiting();
  reply(
    'GET /sign-in/recovery',
    ok({ recovery: null, askable: false, delay_seconds: 86_400, refusal: 'recovery_on_console' }),
  );
  open(address);
  await screen.findByText(m.error_recovery_on_console());
  expect(screen.queryByRole('button', { name: m.recovery_none_works() })).toBeNull();
});

it('waits with a countdown, and then for the decision', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const decidable = later(95);
  standing({ state: 'proved', proved_at: later(-100), decidable_at: decidable, approvals_needed: 2, approvals: 1 });
  await heading(m.recovery_waiting_title());
  screen.getByText(/^1:3\d$/);
  expect(screen.getByRole('img').getAttribute('aria-label')).toContain(m.recovery_decidable_from());
  screen.getByText(m.recovery_agreed({ given: '1', needed: '2' }));
  await vi.advanceTimersByTimeAsync(100_000);
  await heading(m.recovery_deciding_title());
  expect(screen.queryByRole('img')).toBeNull();
});

it('promises no mail where none leaves', async () => {
  waiting();
  const decided = { state: 'proved', proved_at: later(-90_000), decidable_at: later(-3_600), proof_by_mail: false };
  reply('GET /sign-in/recovery', ok({ recovery: recovery(decided), askable: false, delay_seconds: 86_400 }));
  open(address, { mails: false });
  await screen.findByText(m.recovery_deciding_lead_no_mail());
  cleanup();
  const until = later(250_000);
  reply(
    'GET /sign-in/recovery',
    ok({ recovery: recovery({ state: 'approved', expires_at: until }), askable: false, delay_seconds: 86_400 }),
  );
  open(address, { mails: false });
  await screen.findByText(m.recovery_approved_lead_no_mail({ until: format.due(until) }));
  cleanup();
  reply('GET /sign-in/recovery', ok({ recovery: null, askable: true, delay_seconds: 86_400 }));
  const user = open(address, { mails: false });
  await user.click(await button(m.recovery_none_works()));
  await heading(m.recovery_ask_title());
  expect(screen.queryByText(m.recovery_then_mail())).toBeNull();
});

it('has news of a request while the sign-in lives, and leaves what it knows standing after it', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  reply('GET /sign-in', ok(secondStep()));
  reply(
    'GET /sign-in/recovery',
    ok({ recovery: recovery(), askable: false, delay_seconds: 86_400 }),
    ok({
      recovery: recovery({ state: 'proved', proved_at: later(0), decidable_at: later(86_400) }),
      askable: false,
      delay_seconds: 86_400,
    }),
  );
  const user = open(address);
  await heading(m.recovery_asked_title());
  await vi.advanceTimersByTimeAsync(21_000);
  await heading(m.recovery_waiting_title());
  await vi.advanceTimersByTimeAsync(301_000);
  await screen.findByText(m.recovery_over_title());
  await heading(m.recovery_waiting_title());
  expect(screen.queryByText(m.recovery_withdraw_ellipsis())).toBeNull();
  const asked = sent('GET /sign-in/recovery').length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent('GET /sign-in/recovery')).toHaveLength(asked);
  await user.click(await button(m.sign_in_title()));
  expect(place.path).toBe('/sign-in');
});

it('is withdrawn in the browser that asked, after a question', async () => {
  const user = standing();
  reply('DELETE /sign-in/recovery', ok());
  await user.click(await button(m.recovery_withdraw_ellipsis()));
  const dialog = within(await screen.findByRole('dialog'));
  expect(document.activeElement?.textContent).toContain(m.recovery_keep());
  reply(
    'GET /sign-in/recovery',
    ok({ recovery: recovery({ state: 'cancelled' }), askable: true, delay_seconds: 86_400 }),
  );
  await user.click(dialog.getByRole('button', { name: m.recovery_withdraw() }));
  await heading(m.recovery_cancelled_title());
  await user.click(await button(m.recovery_ask_again()));
  await heading(m.recovery_ask_title());
  cleanup();
  standing({ here: false });
  await heading(m.recovery_asked_title());
  expect(screen.queryByText(m.recovery_withdraw_ellipsis())).toBeNull();
});

it.each([
  ['done', {}, m.recovery_done_title, m.use_app_code, '/second-step'],
  [
    'approved',
    { expires_at: '2099-03-12T09:00:00Z' },
    m.recovery_approved_title,
    m.recovery_have_link,
    '/second-step/enrolment-link',
  ],
] as const)('%s: leads on', async (state, more, title, press, to) => {
  const user = standing({ state, ...more });
  await heading(title());
  if (state === 'approved') screen.getByText(m.recovery_approved_lead({ until: format.due('2099-03-12T09:00:00Z') }));
  await user.click(await button(press()));
  expect(place.path).toBe(to);
});

it('whoever was let back in can ask again, when the new phone is lost too', async () => {
  const user = standing({ state: 'done' }, { askable: true });
  await heading(m.recovery_done_title());
  await user.click(await button(m.recovery_other_ways()));
  await screen.findByText(m.way_backup_title());
  await button(m.recovery_none_works());
  cleanup();
  const again = standing({ state: 'done' }, { askable: true });
  await again.click(await button(m.recovery_ask_again()));
  await heading(m.recovery_ask_title());
});

it.each([
  ['refused', { proved_at: later(-9) }, m.recovery_refused_title, m.recovery_refused_lead],
  ['stopped', { proved_at: later(-9) }, m.recovery_stopped_title, m.recovery_stopped_lead],
  ['cancelled', {}, m.recovery_cancelled_title, m.recovery_cancelled_lead],
  ['expired', { proved_at: later(-9) }, m.recovery_expired_title, m.recovery_expired_lead],
  ['expired', {}, m.recovery_expired_title, m.recovery_unproved_lead],
] as const)('%s is said, and one can ask again', async (state, more, title, words) => {
  const user = standing({ state, ...more }, { askable: true, delay_seconds: 86_400 });
  await heading(title());
  screen.getByText(words());
  await user.click(await button(m.recovery_other_ways()));
  await screen.findByText(m.way_backup_title());
  cleanup();
  standing({ state, ...more }, { askable: false, delay_seconds: 86_400 });
  await heading(title());
  expect(screen.queryByRole('button', { name: m.recovery_ask_again() })).toBeNull();
});

it('the second step tells of a request that is under way', async () => {
  waiting({ recovery: 'proved' });
  open('/second-step');
  await screen.findByText(m.recovery_under_way());
  expect(screen.getByRole('link', { name: m.recovery_see() }).getAttribute('href')).toBe(address);
  cleanup();
  waiting({ recovery: 'approved' });
  open('/second-step');
  await screen.findByText(m.recovery_approved_title());
  cleanup();
  waiting({ recovery: '' });
  open('/second-step');
  await heading(m.second_step_heading());
  expect(screen.queryByText(m.recovery_under_way())).toBeNull();
});

it.each([
  ['refused', m.recovery_refused_title],
  ['stopped', m.recovery_stopped_title],
  ['expired', m.recovery_expired_title],
] as const)('the second step tells that it has ended: %s', async (how, title) => {
  waiting({ recovery_ended: how });
  open('/second-step');
  await screen.findByText(title());
  expect(screen.getByRole('link', { name: m.recovery_see() }).getAttribute('href')).toBe(address);
});

it('a request that cannot be read is asked for again by a press', async () => {
  waiting();
  reply(
    'GET /sign-in/recovery',
    refuse(500, 'internal_fault'),
    ok({ recovery: null, askable: true, delay_seconds: 86_400 }),
  );
  const user = open(address);
  await screen.findByText(m.error_internal_fault());
  await user.click(await button(m.try_again()));
  await screen.findByText(m.way_backup_title());
});
