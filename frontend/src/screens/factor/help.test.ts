import { screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import { m } from '../../paraglide/messages';
import { button, heading, open } from '../../testing/open';
import { ada, bo, event, later, openMfa, openSession, protectedMfa, sessionOf } from '../../testing/people';
import { ok, refuse, refuseCode, reply, sent } from '../../testing/server';

const path = '/parameters/users/01BO/security';
const on = { state: 'on', requirement: 'allowed', deadline: null };
const signedIn = { session: sessionOf(ada, { mfa: on }) };
const reset = 'POST /users/01BO/security/reset';
const link = 'https://id.example.test/enrol#token=abc';

function theirs(mfa: unknown, more: Record<string, unknown> = {}) {
  reply('GET /users/01BO/security', ok({ user: bo, mfa, enrolment: null, reset: null, codes_blocked: null, ...more }));
}

async function fill(user: ReturnType<typeof open>, reason = 'Lost the phone, seen in person', press = m.reset()) {
  const dialog = within(screen.getByRole('dialog'));
  await user.type(dialog.getByLabelText(m.reset_reason()), reason);
  await user.type(dialog.getByLabelText(m.reset_password()), 'violet tractor humming');
  await user.type(dialog.getByLabelText(m.code_label()), '123456');
  await user.click(dialog.getByRole('button', { name: press }));
  return dialog;
}

describe('what is offered to help somebody', () => {
  it.each([
    ['protected', protectedMfa(), {}, m.help_reset_body, m.reset_ellipsis],
    ['without protection', openMfa(), {}, m.help_reset_nothing, undefined],
    ['not asked for a code', { ...protectedMfa(), requirement: 'off' }, {}, m.help_reset_off, undefined],
    [
      'an administrator',
      protectedMfa(),
      { user: { ...bo, role: 'administrator' } },
      () => m.help_reset_administrator({ email: bo.email }),
      undefined,
    ],
    [
      'reset, the link gone',
      openMfa(),
      { reset: { at: later(-60), link_until: null } },
      m.help_reset_link_gone,
      m.reset_again_ellipsis,
    ],
  ])('%s', async (_, mfa, more, words, press) => {
    theirs(mfa, more);
    open(path, signedIn);
    await screen.findByText(words());
    const presses = [m.reset_ellipsis(), m.reset_again_ellipsis()].filter((name) =>
      screen.queryByRole('button', { name }),
    );
    expect(presses).toEqual(press ? [press()] : []);
    expect(screen.queryByRole('button', { name: m.unlock() })).toBeNull();
  });

  it('says that a reset waits for its link, and that the password opens nothing', async () => {
    theirs(openMfa(), { reset: { at: later(-60), link_until: later(200_000) } });
    open(path, signedIn);
    await screen.findByText(m.security_reset());
    expect(screen.getByText(/have not used the link yet/)).toBeTruthy();
    expect(screen.queryByText(m.security_off_body_other())).toBeNull();
  });

  it.each([
    ['locked', { codes_blocked: { locked: true, until: null } }, m.security_locked],
    ['disabled', { disabled: true }, m.security_closed],
  ])('is no calm green where they cannot sign in: %s', async (_, more, title) => {
    theirs(protectedMfa(), more);
    open(path, signedIn);
    await screen.findByText(title());
    expect(screen.queryByText(m.security_on_body_other())).toBeNull();
  });

  it('comes after the own protection', async () => {
    theirs(protectedMfa(), { codes_blocked: { locked: true, until: null } });
    open(path, { session: sessionOf(ada) });
    await screen.findByText(m.help_own_first());
    expect(screen.queryByRole('button', { name: m.reset_ellipsis() })).toBeNull();
    expect(screen.queryByRole('button', { name: m.unlock() })).toBeNull();
  });

  it('is not there on the own page', async () => {
    reply(
      'GET /users/me/security',
      ok({ user: ada, mfa: protectedMfa(), enrolment: null, reset: null, codes_blocked: null }),
    );
    open('/parameters/users/me/security', signedIn);
    await screen.findByText(m.security_on_body());
    expect(screen.queryByRole('heading', { name: m.help_title() })).toBeNull();
  });
});

describe('a reset', () => {
  it('says what it does, asks why, and shows the link this once', async () => {
    theirs(protectedMfa());
    reply(reset, ok({ enrolment_link: link, expires_at: later(259_200) }));
    const user = open(path, signedIn);
    const copied = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
    await user.click(await button(m.reset_ellipsis()));
    await heading(m.reset_title({ name: bo.name }));
    expect(screen.getByText(m.reset_does_codes())).toBeTruthy();
    expect(screen.getByText(m.reset_sure_body())).toBeTruthy();
    theirs(openMfa(), { reset: { at: later(0), link_until: later(259_200) } });
    await fill(user);
    await heading(m.reset_done_title({ name: bo.name }));
    await screen.findByText(m.security_reset()); // behind it, and the dialog stays what it was
    expect(screen.getByRole('heading', { name: m.reset_done_title({ name: bo.name }) })).toBeTruthy();
    expect(sent(reset)[0]?.body).toMatchObject({
      password: 'violet tractor humming',
      code: '123456',
      reason: 'Lost the phone, seen in person',
    });
    const shown = screen.getByText(link);
    await waitFor(() => expect(document.activeElement?.contains(shown)).toBe(true));
    await user.click(await button(m.reset_copy()));
    expect(copied).toHaveBeenCalledWith(link);
    expect(screen.getByText(m.reset_once())).toBeTruthy();
    await user.click(await button(m.reset_close()));
    await screen.findByText(m.security_reset());
    expect(screen.queryByText(link)).toBeNull();
  });

  it('once more makes a new link, and says that the one of before ends', async () => {
    theirs(openMfa(), { reset: { at: later(-60), link_until: later(200_000) } });
    reply(reset, ok({ enrolment_link: link, expires_at: later(259_200) }));
    const user = open(path, signedIn);
    await user.click(await button(m.reset_again_ellipsis()));
    await heading(m.reset_again_title({ name: bo.name }));
    expect(screen.getByText(m.reset_again_does_link())).toBeTruthy();
    await fill(user, undefined, m.reset_again());
    await heading(m.reset_again_done_title({ name: bo.name }));
    expect(screen.getByText(link)).toBeTruthy();
  });

  it('is refused beside the field that it is about', async () => {
    theirs(protectedMfa());
    const illegible = { fields: [{ name: 'reason', code: 'too_long', params: { max: 300 } }] };
    reply(
      reset,
      refuse(422, 'wrong_password'),
      refuse(422, 'invalid_input', illegible),
      refuseCode({ reason: 'wrong_code' }),
    );
    const user = open(path, signedIn);
    await user.click(await button(m.reset_ellipsis()));
    const submit = async () => user.click(await button(m.reset()));
    await submit();
    await screen.findByText(m.reset_reason_missing());
    expect(sent(reset)).toHaveLength(0);
    await fill(user);
    await screen.findByText(m.error_wrong_password());
    await submit();
    await screen.findByText(m.field_too_long());
    await submit();
    await waitFor(() => expect(document.querySelector('[data-reason="wrong_code"]')).toBeTruthy());
    expect(screen.queryByText(link)).toBeNull();
  });

  it('takes no backup code', async () => {
    theirs(protectedMfa());
    const user = open(path, signedIn);
    await user.click(await button(m.reset_ellipsis()));
    const dialog = within(screen.getByRole('dialog'));
    await user.type(dialog.getByLabelText(m.reset_reason()), 'Lost the phone');
    await user.type(dialog.getByLabelText(m.reset_password()), 'violet tractor humming');
    await user.type(dialog.getByLabelText(m.code_label()), '12345');
    await user.click(dialog.getByRole('button', { name: m.reset() }));
    await waitFor(() => expect(document.querySelector('[data-reason="malformed"]')).toBeTruthy());
    expect(sent(reset)).toHaveLength(0);
  });
});

describe('codes of somebody', () => {
  const unlock = 'POST /users/01BO/security/unlock';

  it('are unlocked, with fresh proof where it is needed', async () => {
    theirs(protectedMfa(), { codes_blocked: { locked: true, until: null } });
    reply(unlock, refuse(403, 'fresh_proof_required'), ok());
    reply('POST /session/proof', ok({ fresh_until: later(600), method: 'totp' }));
    const user = open(path, signedIn);
    await screen.findByText(m.help_locked());
    await user.click(await button(m.unlock()));
    await screen.findByText(m.proof_body({ act: m.act_unlock() }));
    await user.type(screen.getByLabelText(m.password()), 'violet tractor humming');
    await user.type(screen.getByLabelText(m.code_label()), '123456');
    theirs(protectedMfa());
    await user.click(await button(m.continue()));
    await screen.findByText(m.help_unlocked());
    await waitFor(() => expect(screen.queryByText(m.help_locked())).toBeNull());
    expect(sent(unlock)).toHaveLength(2);
  });

  it('are delayed until a time, and no longer', async () => {
    theirs(protectedMfa(), { codes_blocked: { locked: false, until: later(600) } });
    open(path, signedIn);
    await screen.findByText(/Their codes are delayed until/);
    expect(screen.getByRole('button', { name: m.unlock() })).toBeTruthy();
  });

  it('that somebody else has unlocked are good news', async () => {
    theirs(protectedMfa(), { codes_blocked: { locked: true, until: null } });
    reply(unlock, refuse(409, 'not_locked'));
    const user = open(path, signedIn);
    await user.click(await button(m.unlock()));
    await screen.findByText(m.help_unlocked());
  });
});

describe('where somebody is signed in, and what happened', () => {
  it('is shown to an administrator, who ends one or all', async () => {
    theirs(protectedMfa());
    reply('GET /users/01BO/sessions', ok({ sessions: [openSession(), openSession({ id: '01THIRD' })] }));
    reply('GET /users/01BO/security/events', ok({ events: [event()], next_cursor: null }));
    reply('DELETE /users/01BO/sessions/01OTHER', ok());
    reply('DELETE /users/01BO/sessions', ok({ ended: 2 }));
    const user = open(path, signedIn);
    await heading(m.sessions_theirs_title());
    const [first] = await screen.findAllByRole('button', { name: new RegExp(`^${m.sign_out()} ?:`) });
    await user.click(first as HTMLElement);
    await screen.findByText(m.sessions_theirs_ended({ count: 1 }));
    await user.click(await button(m.sessions_theirs_end_all()));
    await heading(m.sessions_theirs_end_title());
    const dialog = within(screen.getByRole('dialog'));
    reply('GET /users/01BO/sessions', ok({ sessions: [] }));
    await user.click(dialog.getByRole('button', { name: m.sessions_theirs_end_all() }));
    await screen.findByText(m.sessions_theirs_ended({ count: 2 }));
    await screen.findByText(m.sessions_theirs_none());
    expect(screen.getByText(m.event_signed_in_app())).toBeTruthy();
    expect(screen.queryByRole('button', { name: new RegExp(m.not_me_press()) })).toBeNull();
    const all = screen.getByRole('link', { name: m.events_in_log() });
    expect(all.getAttribute('href')).toBe('/parameters/audit?person=01BO');
  });
});
