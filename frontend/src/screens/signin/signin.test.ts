import { cleanup, screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import * as format from '../../format';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, heading, open } from '../../testing/open';
import { ada, bo, later, openMfa, protectedMfa, secondStep, sessionOf } from '../../testing/people';
import { ok, refuse, refuseCode, reply, sent } from '../../testing/server';

async function giveCredentials(user: ReturnType<typeof open>) {
  await user.type(await screen.findByLabelText(m.email()), 'ada@example.test');
  await user.type(screen.getByLabelText(m.password()), 'violet tractor humming{Enter}');
}

describe('sign-in', () => {
  it('goes to the second step, and takes the way back along', async () => {
    reply('POST /sign-in', ok(secondStep()));
    const user = open('/sign-in', { note: { ended: true, back: '/parameters/users' } });
    await heading(m.sign_in_title());
    expect(screen.getByText(m.session_ended_back())).toBeTruthy();
    await giveCredentials(user);
    await heading(m.second_step_heading());
    expect(place.note.back).toBe('/parameters/users');
    expect(sent('POST /sign-in')[0]?.body).toEqual({ email: 'ada@example.test', password: 'violet tractor humming' });
  });

  it('goes home where there is no second step', async () => {
    reply('POST /sign-in', ok({ state: 'signed_in' }));
    reply('GET /session', ok(sessionOf()));
    reply('GET /users/me/security', ok({ user: ada, mfa: openMfa(), enrolment: null }));
    await giveCredentials(open('/sign-in'));
    await heading(m.home_hello({ name: 'Ada Admin' }));
  });

  it('reminds of a deadline first, and lets it be put off', async () => {
    const mfa = { state: 'off', requirement: 'required', deadline: later(3 * 86_400 + 60) };
    reply('POST /sign-in', ok({ state: 'signed_in' }));
    reply('GET /session', ok(sessionOf(bo, { mfa })));
    reply('GET /users/me/security', ok({ user: bo, mfa: openMfa(mfa), enrolment: null }));
    const user = open('/sign-in', { note: { back: '/parameters/users/me/security' } });
    await giveCredentials(user);
    await heading(m.home_required_by({ date: format.date(mfa.deadline) }));
    screen.getByText(m.reminder_days({ count: 3, shown: '3' }));
    expect(screen.getByRole('link', { name: m.turn_on() }).getAttribute('href')).toBe(
      '/parameters/users/me/security/enable/app',
    );
    await user.click(await button(m.reminder_later()));
    await heading(m.my_security());
    expect(place.path).toBe('/parameters/users/me/security');
  });

  it('hands on what was to be told', async () => {
    const mfa = { state: 'off', requirement: 'required', deadline: later(3 * 86_400) };
    reply('POST /join/invitation', ok({ name: bo.name, email: bo.email, expires_at: later(86_400) }));
    reply('POST /join', ok({ state: 'signed_in' }));
    const user = open('/join', { hash: '#token=TOKEN' });
    await user.type(await screen.findByLabelText(m.password()), 'violet tractor humming');
    reply('GET /session', ok(sessionOf(bo, { mfa })));
    reply('GET /users/me/security', ok({ user: bo, mfa: openMfa(mfa), enrolment: null }));
    await user.click(await button(m.join_submit()));
    await user.click(await button(m.reminder_later()));
    await screen.findByText(m.told_joined());
  });

  it('says on the last day until when', async () => {
    const mfa = { state: 'off', requirement: 'required', deadline: later(3_600) };
    open('/signed-in/reminder', { session: sessionOf(bo, { mfa }) });
    await screen.findByText(m.reminder_last({ time: format.moment(mfa.deadline) }));
  });

  it('has nothing to remind of once it is on', async () => {
    reply('GET /users/me/security', ok({ user: bo, mfa: protectedMfa(), enrolment: null }));
    open('/signed-in/reminder', {
      session: sessionOf(bo, { mfa: { state: 'on', requirement: 'required', deadline: later(9) } }),
    });
    await heading(m.home_hello({ name: bo.name }));
  });

  it('goes to the wizard where the session is for nothing else', async () => {
    const confined = { confined_to: 'enrolment' };
    reply('POST /sign-in', ok({ state: 'enrolment_required' }));
    reply('GET /session', ok(sessionOf(ada, confined)));
    reply('GET /users/me/security', ok({ user: ada, mfa: openMfa(), enrolment: null }));
    await giveCredentials(open('/sign-in', { note: { back: '/parameters/users' } }));
    await heading(m.wizard_title());
    expect(screen.queryByText(m.nav_home())).toBeNull();
  });

  it('asks for what is missing, and focuses the first of it', async () => {
    const user = open('/sign-in');
    await user.click(await button(m.continue()));
    expect(screen.getAllByText(m.field_required())).toHaveLength(2);
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(m.email())));
    const described = screen.getByLabelText(m.email()).getAttribute('aria-describedby');
    expect(document.getElementById(described ?? '')?.textContent).toBe(m.field_required());
  });

  it.each([
    ['bad_credentials', 401, m.error_bad_credentials],
    ['account_disabled', 403, m.error_account_disabled],
    ['internal_fault', 500, m.error_internal_fault],
  ])('says %s and keeps what was typed', async (code, status, words) => {
    reply('POST /sign-in', refuse(status, code));
    await giveCredentials(open('/sign-in'));
    await screen.findByText(words());
    expect(screen.getByLabelText<HTMLInputElement>(m.email()).value).toBe('ada@example.test');
    expect(screen.getByLabelText<HTMLInputElement>(m.password()).value).toBe('violet tractor humming');
  });

  it('counts down while sign-ins are slowed down', async () => {
    reply('POST /sign-in', refuse(429, 'too_many_passwords', { retry_after_seconds: 95 }));
    await giveCredentials(open('/sign-in'));
    const pressed = await button(/1:3\d/);
    expect((pressed as HTMLButtonElement).disabled).toBe(true);
  });

  it('tries a busy server again by itself', async () => {
    reply('POST /sign-in', refuse(503, 'busy', { retry_after_seconds: 1 }), ok(secondStep()));
    vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 100 });
    await giveCredentials(open('/sign-in'));
    await button(/Busy/);
    await vi.advanceTimersByTimeAsync(1_100);
    await heading(m.second_step_heading());
    expect(sent('POST /sign-in')).toHaveLength(2);
  });

  it('says that it is offline, and that the server does not answer', async () => {
    reply('POST /sign-in', 'unreachable');
    const online = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    const user = open('/sign-in');
    await giveCredentials(user);
    await screen.findByText(m.error_offline());
    online.mockReturnValue(true);
    await user.click(await button(m.continue()));
    await screen.findByText(m.error_unreachable());
  });

  it('points to the setup link where nobody has an account', async () => {
    open('/sign-in', { setupNeeded: true });
    await screen.findByText(m.setup_needed_title());
    expect(screen.queryByLabelText(m.password())).toBeNull();
  });

  it('says that cookies are off: before, and when the session did not stick', async () => {
    const enabled = vi.spyOn(navigator, 'cookieEnabled', 'get').mockReturnValue(false);
    open('/sign-in');
    await screen.findByText(m.cookies_off_title());
    enabled.mockReturnValue(true);
    cleanup();
    reply('POST /sign-in', ok({ state: 'signed_in' }));
    reply('GET /session', refuse(401, 'not_signed_in'));
    await giveCredentials(open('/sign-in'));
    await screen.findByText(m.cookies_off_title());
  });
});

describe('second step', () => {
  it('comes back after a reload, and sends itself at the sixth digit', async () => {
    reply('GET /sign-in', ok(secondStep()));
    reply('POST /sign-in/totp', ok({ state: 'signed_in', method: 'totp' }));
    reply('GET /users/me/security', ok({ user: ada, mfa: protectedMfa(), enrolment: null }));
    const user = open('/second-step');
    const field = await screen.findByLabelText(m.code_label());
    await waitFor(() => expect(document.activeElement).toBe(field));
    reply('GET /session', ok(sessionOf()));
    await user.type(field, '123456');
    await screen.findByText(m.home_calm());
    const { body } = sent('POST /sign-in/totp')[0] ?? {};
    expect(body?.code).toBe('123456');
    expect(String(body?.browser_now)).toMatch(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/);
  });

  it('says under the field why a code was refused, empties it and counts the tries', async () => {
    reply('GET /sign-in', ok(secondStep()));
    reply('POST /sign-in/totp', refuseCode({ reason: 'clock_behind', offset_seconds: -240, attempts_left: 3 }));
    const user = open('/second-step');
    const field = await screen.findByLabelText<HTMLInputElement>(m.code_label());
    await user.type(field, '123456');
    await screen.findByText(m.clock_behind_title({ span: '4 minutes' }));
    expect(screen.getByText(m.tries_left({ count: 3 }))).toBeTruthy();
    expect(field.value).toBe('');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(document.getElementById(field.getAttribute('aria-describedby') ?? '')).toBeTruthy();
  });

  it('says that cookies are off where the code came without one, and not that it took too long', async () => {
    reply('GET /sign-in', ok(secondStep()));
    reply('POST /sign-in/totp', refuse(401, 'not_signed_in'));
    reply('GET /session', refuse(401, 'not_signed_in'));
    const user = open('/second-step');
    await user.type(await screen.findByLabelText(m.code_label()), '123456');
    await heading(m.cookies_off_title());
    await user.click(await button(m.start_again()));
    await heading(m.sign_in_title());
  });

  it('goes in where another tab took the second step meanwhile', async () => {
    reply('GET /sign-in', ok(secondStep()));
    reply('POST /sign-in/totp', refuse(401, 'not_signed_in'));
    reply('GET /session', ok(sessionOf()));
    reply('GET /users/me/security', ok({ user: ada, mfa: protectedMfa(), enrolment: null }));
    const user = open('/second-step');
    await user.type(await screen.findByLabelText(m.code_label()), '123456');
    await screen.findByText(m.home_calm());
  });

  it('is locked while there were too many tries', async () => {
    reply('GET /sign-in', ok(secondStep()));
    reply('POST /sign-in/totp', refuseCode({ reason: 'too_many_attempts', retry_after_seconds: 60 }));
    const user = open('/second-step');
    const field = await screen.findByLabelText<HTMLInputElement>(m.code_label());
    await user.type(field, '123456');
    await screen.findByText(m.too_many_title());
    expect(field.readOnly).toBe(true);
    expect(await button(m.continue())).toHaveProperty('disabled', true);
  });

  it('takes a backup code in the same field, and says what became of it', async () => {
    reply('GET /sign-in', ok(secondStep()));
    reply('POST /sign-in/totp', ok({ state: 'signed_in', method: 'backup_code', backup_codes_remaining: 2 }));
    const user = open('/second-step');
    const field = await screen.findByLabelText(m.code_label());
    reply('GET /session', ok(sessionOf()));
    await user.click(field);
    await user.paste('F8QY4-0YGEC-YYS9E');
    await screen.findByText(m.code_grown());
    await user.click(await button(m.continue()));
    await screen.findByText(m.after_backup_unasked());
    expect(screen.getByText(m.codes_left({ count: 2 }))).toBeTruthy();
    expect(screen.getByText(m.few_codes_title())).toBeTruthy();
    expect(sent('POST /sign-in/totp')[0]?.body.code).toBe('F8QY4-0YGEC-YYS9E');
  });

  it('says that no backup code was spent when an app code was typed there', async () => {
    reply('GET /sign-in', ok(secondStep()));
    reply('POST /sign-in/backup-code', ok({ state: 'signed_in', method: 'totp' }));
    reply('GET /users/me/security', ok({ user: ada, mfa: protectedMfa(), enrolment: null }));
    const user = open('/second-step/backup-code');
    const field = await screen.findByLabelText(m.backup_code_label());
    reply('GET /session', ok(sessionOf()));
    await user.type(field, '123456{Enter}');
    await screen.findByText(m.told_app_code_used());
  });

  it('keeps a refused backup code for mending', async () => {
    reply('GET /sign-in', ok(secondStep()));
    reply(
      'POST /sign-in/backup-code',
      refuseCode({ reason: 'backup_code_used', used_at: later(-86_400), next_number: 8, attempts_left: 4 }),
    );
    const user = open('/second-step/backup-code');
    const field = await screen.findByLabelText<HTMLInputElement>(m.backup_code_label());
    await user.type(field, 'RXR6H-VFKVG-KN0TM{Enter}');
    await screen.findByText(m.backup_used_next({ number: 8 }));
    expect(field.value).toBe('RXR6H-VFKVG-KN0TM');
  });

  it('does not spend a try on what is no code', async () => {
    reply('GET /sign-in', ok(secondStep()));
    const user = open('/second-step');
    await user.type(await screen.findByLabelText(m.code_label()), '12345{Enter}');
    await screen.findByText(m.malformed_app_title());
    expect(sent('POST /sign-in/totp')).toHaveLength(0);
  });

  it.each(['totp', 'backup-code'])('keeps saying why when an empty field is sent after a refusal (%s)', async (way) => {
    reply('GET /sign-in', ok(secondStep()));
    reply(`POST /sign-in/${way}`, refuseCode({ reason: 'clock_behind', offset_seconds: -240, attempts_left: 3 }));
    const user = open(way === 'totp' ? '/second-step' : '/second-step/backup-code');
    const label = way === 'totp' ? m.code_label() : m.backup_code_label();
    const field = await screen.findByLabelText<HTMLInputElement>(label);
    await user.type(field, way === 'totp' ? '123456' : '123456{Enter}');
    const title = m.clock_behind_title({ span: '4 minutes' });
    await screen.findByText(title);
    await user.keyboard('{Enter}');
    await user.click(await button(m.continue()));
    expect(document.activeElement).toBe(field);
    expect(screen.getByText(title)).toBeTruthy();
    expect(screen.getByText(m.tries_left({ count: 3 }))).toBeTruthy();
    expect(sent(`POST /sign-in/${way}`)).toHaveLength(1);
  });

  it.each([
    ['ABCDE-FGHJK-MNPQ', 14],
    ['ABCDE-FGHJK-MNPQ!', 14],
    ['A', 1],
  ])('says what a backup code looks like where %s was taken for one', async (typed, count) => {
    reply('GET /sign-in', ok(secondStep()));
    const user = open('/second-step');
    await user.type(await screen.findByLabelText(m.code_label()), typed);
    await user.keyboard('{Enter}');
    await screen.findByText(m.malformed_backup_title());
    expect(screen.getByText(m.malformed_backup_count({ count }))).toBeTruthy();
    expect(screen.queryAllByText(m.malformed_backup_strange({ strange: '!' }))).toHaveLength(
      typed.endsWith('!') ? 1 : 0,
    );
    expect(screen.queryByText(m.malformed_app_title())).toBeNull();
    expect(sent('POST /sign-in/totp')).toHaveLength(0);
  });

  it.each([
    [{ attempts_left: 4 }, () => m.tries_left({ count: 4 }), false],
    [{ attempts_left: 4, break_next: true }, () => m.tries_left_break({ count: 4 }), false],
    [{ attempts_left: 0 }, () => m.tries_none(), true],
    [{ attempts_left: 0, break_next: true }, () => m.tries_none_break(), false],
  ])('says what is behind the tries: %j', async (left, words, again) => {
    reply('GET /sign-in', ok(secondStep()));
    reply('POST /sign-in/totp', refuseCode({ reason: 'wrong_code', setup_label: 'M: a@b', ...left }));
    const user = open('/second-step');
    await user.type(await screen.findByLabelText(m.code_label()), '123456');
    await screen.findByText(words());
    expect(screen.queryAllByRole('button', { name: m.start_again() })).toHaveLength(again ? 1 : 0);
    expect((await button(m.continue())).hasAttribute('disabled')).toBe(again);
  });

  it.each(['/second-step', '/second-step/backup-code'])('asks for no code where codes are locked: %s', async (path) => {
    reply('GET /sign-in', ok({ ...secondStep(), codes_locked: true, recovery: 'asked' }));
    const user = open(path);
    await heading(m.locked_title());
    await waitFor(() => expect(document.activeElement?.textContent).toBe(m.locked_title()));
    expect(screen.queryByRole('textbox')).toBeNull();
    expect(screen.queryByRole('link', { name: m.use_backup_code() })).toBeNull();
    expect(screen.queryByRole('link', { name: m.use_app_code() })).toBeNull();
    await screen.findByText(m.locked_ask());
    expect(screen.getByRole('link', { name: m.contact_support() }).getAttribute('href')).toBe('/help/contact');
    expect(screen.queryAllByText(m.recovery_under_way())).toHaveLength(path === '/second-step' ? 1 : 0);
    await button(m.start_again());
    await user.click(screen.getByRole('link', { name: m.cannot_get_in() }));
    await screen.findByText(m.locked_ways_body());
    expect(screen.queryByText(m.way_backup_title())).toBeNull();
    await button(m.locked_lost_too());
  });

  it('knows of the lock in the other ways too, when a code was refused for it', async () => {
    reply('GET /sign-in', ok(secondStep()));
    reply('POST /sign-in/totp', refuseCode({ reason: 'too_many_attempts', locked: true }));
    const user = open('/second-step');
    await user.type(await screen.findByLabelText(m.code_label()), '123456');
    await heading(m.locked_title());
    await waitFor(() => expect(document.activeElement?.textContent).toBe(m.locked_title()));
    expect(screen.queryByLabelText(m.code_label())).toBeNull();
    await user.click(screen.getByRole('link', { name: m.cannot_get_in() }));
    await screen.findByText(m.locked_ways_body());
  });

  it.each(['app', 'backup'])('takes the full-width digits of Asian keyboards (%s)', async (kind) => {
    reply('GET /sign-in', ok(secondStep()));
    reply('POST /sign-in/totp', ok({ state: 'signed_in', method: 'totp' }));
    reply('POST /sign-in/backup-code', ok({ state: 'signed_in', method: 'totp' }));
    const app = kind === 'app';
    const user = open(app ? '/second-step' : '/second-step/backup-code');
    const field = await screen.findByLabelText(app ? m.code_label() : m.backup_code_label());
    reply('GET /session', ok(sessionOf()));
    await user.click(field);
    await user.paste('１２３４５６');
    if (!app) await user.keyboard('{Enter}');
    const call = app ? 'POST /sign-in/totp' : 'POST /sign-in/backup-code';
    await waitFor(() => expect(sent(call)[0]?.body.code).toBe('123456'));
  });

  it('starts again when it took too long', async () => {
    reply('GET /sign-in', refuseCode({ reason: 'sign_in_expired' }));
    reply('GET /session', refuse(401, 'not_signed_in'));
    const user = open('/second-step', { note: { back: '/parameters/users' } });
    await heading(m.sign_in_expired_title());
    await user.click(await button(m.start_again()));
    await heading(m.sign_in_title());
    expect(place.note.back).toBe('/parameters/users');
  });

  it('names the ways back in that work at once', async () => {
    reply('GET /sign-in', ok(secondStep()));
    open('/second-step/cannot-get-in');
    for (const way of [m.way_backup_title, m.way_app_title, m.way_browser_title]) {
      await heading(way());
    }
    await button(m.recovery_none_works());
  });
});
