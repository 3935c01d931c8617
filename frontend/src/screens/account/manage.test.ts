import { cleanup, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, heading, open } from '../../testing/open';
import { ada, bo, later, openMfa, protectedMfa, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';
import { dayError, endOf } from './choice';

const call = '/users/01BO';
const path = '/parameters/users/01BO';
const signedIn = { session: sessionOf(ada, { mfa: { state: 'on', requirement: 'allowed', deadline: null } }) };

function shows(more: object = {}, mfa: object = openMfa(), user: object = bo) {
  const state = { user, disabled: false, invited: null, mfa, enrolment: null, reset: null, codes_blocked: null };
  reply(`GET ${call}/security`, ok({ ...state, ...more }));
  reply(`GET ${call}/sessions`, ok({ sessions: [] }));
  reply(`GET ${call}/security/events`, ok({ events: [], next_cursor: null }));
}

describe("somebody's account, for an administrator", () => {
  it('shows name, role, requirement and state, and no such thing on one’s own page', async () => {
    shows({}, openMfa({ requirement: 'required', deadline: '2030-12-05T12:00:00Z' }));
    open(path, signedIn);
    await heading(m.their_account_title());
    expect(screen.getByText(m.role_is_member())).toBeTruthy();
    expect(screen.getByText(m.requirement_is_required_by({ date: '5 December 2030' }))).toBeTruthy();
    expect(screen.getByText(m.account_open_body())).toBeTruthy();
    cleanup();
    reply('GET /users/me/security', ok({ user: ada, mfa: protectedMfa(), enrolment: null }));
    open('/parameters/users/me/security', signedIn);
    await heading(m.account_title());
    expect(screen.queryByRole('heading', { name: m.their_account_title() })).toBeNull();
  });

  it('gives another name, after a fresh proof', async () => {
    shows();
    reply(`PATCH ${call}`, refuse(403, 'fresh_proof_required'), ok());
    reply('POST /session/proof', ok({ fresh_until: later(600), method: 'totp' }));
    const user = open(path, signedIn);
    await user.click(await button(m.their_name_title()));
    const name = await screen.findByLabelText(m.name());
    expect((name as HTMLInputElement).value).toBe('Bo Lindqvist');
    await user.clear(name);
    await user.type(name, 'Bo Lind{Enter}');
    await user.type(await screen.findByLabelText(m.password()), 'violet tractor humming');
    await user.type(screen.getByLabelText(m.code_label()), '123456{Enter}');
    await screen.findByText(m.told_user_renamed());
    expect(sent(`PATCH ${call}`).at(-1)?.body).toEqual({ name: 'Bo Lind' });
  });

  it('says first that one needs 2-step verification oneself', async () => {
    shows();
    open(path, { session: sessionOf() });
    await screen.findByText(m.error_own_mfa_first());
    const on = screen.getByRole('link', { name: m.turn_on() });
    expect(on.getAttribute('href')).toBe('/parameters/users/me/security/enable/app');
  });

  it('says what another role means before it is given', async () => {
    shows({}, openMfa({ requirement: 'off' }));
    reply(`PATCH ${call}`, ok());
    const user = open(path, signedIn);
    await user.click(await button(m.make_administrator()));
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByText(m.make_administrator_body())).toBeTruthy();
    expect(dialog.getByText(m.make_administrator_off())).toBeTruthy();
    expect(document.activeElement?.textContent?.trim()).toBe(m.cancel());
    await user.click(dialog.getByRole('button', { name: m.make_administrator() }));
    await screen.findByText(m.told_role_changed());
    expect(sent(`PATCH ${call}`).at(-1)?.body).toEqual({ role: 'administrator' });
  });

  it('disables, and says why that was refused', async () => {
    shows();
    reply(`PATCH ${call}`, refuse(403, 'own_mfa_first'), ok());
    const user = open(path, signedIn);
    await user.click(await button(m.disable_account()));
    await heading(m.disable_account_title({ name: bo.name }));
    expect(screen.getByText(m.disable_account_keeps())).toBeTruthy();
    await user.click(await button(m.disable_account_confirm()));
    await screen.findByText(m.error_own_mfa_first());
    shows({ disabled: true });
    await user.click(await button(m.disable_account_confirm()));
    await screen.findByText(m.told_user_disabled());
    expect(sent(`PATCH ${call}`).at(-1)?.body).toEqual({ disabled: true });
    await screen.findByText(m.account_closed_body());
    shows();
    await user.click(await button(m.enable_account()));
    await screen.findByText(m.told_user_enabled());
    expect(sent(`PATCH ${call}`).at(-1)?.body).toEqual({ disabled: false });
  });

  it('removes only after the address was typed', async () => {
    shows();
    reply(`DELETE ${call}`, ok());
    reply('GET /users', ok({ users: [], next_cursor: null, total: 0 }));
    const user = open(path, signedIn);
    await user.click(await button(m.remove_account_open()));
    await heading(m.remove_account_title({ name: bo.name }));
    await user.click(await button(m.remove_account_confirm()));
    await screen.findByText(m.remove_account_differs());
    expect(sent(`DELETE ${call}`)).toHaveLength(0);
    await user.type(screen.getByLabelText(m.remove_account_type({ email: bo.email })), ' BO@example.test{Enter}');
    await screen.findByText(m.told_user_removed());
    expect(place.path).toBe('/parameters/users');
    expect(sent(`DELETE ${call}`)).toHaveLength(1);
  });

  it('an invitation gets a new link, shown once, or is withdrawn', async () => {
    shows({ invited: { expires_at: null } });
    const link = 'https://id.example.test/join#token=TOKEN';
    reply(`POST ${call}/invitation`, ok({ user: bo, invitation_link: link, expires_at: later(259_200) }));
    const user = open(path, signedIn);
    await screen.findByText(new RegExp(m.invitation_over()));
    expect(screen.queryByText(m.disable_account())).toBeNull();
    expect(screen.queryByText(m.security_off())).toBeNull();
    await user.click(await button(m.invitation_renew()));
    expect(((await screen.findByLabelText(m.invited_link())) as HTMLInputElement).value).toBe(link);
    await user.click(await button(m.done()));
    await waitFor(() => expect(screen.queryByLabelText(m.invited_link())).toBeNull());
    reply(`DELETE ${call}/invitation`, refuse(409, 'already_joined'), ok());
    reply('GET /users', ok({ users: [], next_cursor: null, total: 0 }));
    await user.click(await button(m.invitation_withdraw()));
    await user.click(await button(m.withdraw_confirm()));
    await screen.findByText(m.error_already_joined());
    await user.click(await button(m.withdraw_confirm()));
    await screen.findByText(m.told_invitation_withdrawn());
  });
});

describe('the requirement', () => {
  it('is required by the end of a day, and says what the person will see', async () => {
    shows();
    reply(`PUT ${call}/security/requirement`, ok());
    const user = open(path, signedIn);
    await user.click(await button(m.requirement_change()));
    expect(document.activeElement).toBe(await screen.findByLabelText(new RegExp(`^${m.requirement_allowed()}`)));
    expect(screen.getByText(m.requirement_sees_allowed())).toBeTruthy();
    await user.click(screen.getByLabelText(new RegExp(`^${m.requirement_required()}`)));
    const day = screen.getByLabelText(m.requirement_deadline());
    await user.clear(day);
    await user.click(await button(m.requirement_save()));
    await screen.findByText(m.field_required());
    await user.type(day, '2040-12-05');
    await screen.findByText(new RegExp(m.home_required_by({ date: '5 December 2040' })));
    await user.click(await button(m.requirement_save()));
    await screen.findByText(m.told_requirement_set());
    expect(sent(`PUT ${call}/security/requirement`).at(-1)?.body).toEqual({
      requirement: 'required',
      deadline: endOf('2040-12-05'),
    });
  });

  it('is required at once', async () => {
    shows();
    reply(`PUT ${call}/security/requirement`, ok());
    const user = open(path, signedIn);
    await user.click(await button(m.requirement_change()));
    await user.click(await screen.findByLabelText(new RegExp(`^${m.requirement_required()}`)));
    await user.click(screen.getByLabelText(m.requirement_at_once()));
    expect(screen.queryByLabelText(m.requirement_deadline())).toBeNull();
    await user.click(await button(m.requirement_save()));
    await screen.findByText(m.told_requirement_set());
    expect(sent(`PUT ${call}/security/requirement`).at(-1)?.body).toEqual({ requirement: 'required' });
  });

  it('is off with a reason alone', async () => {
    shows({}, { ...protectedMfa(), requirement: 'required' });
    reply(`PUT ${call}/security/requirement`, ok());
    const user = open(path, signedIn);
    await user.click(await button(m.requirement_change()));
    await user.click(await screen.findByLabelText(new RegExp(`^${m.requirement_off()}`)));
    expect(screen.getByText(m.security_kept())).toBeTruthy();
    await user.click(await button(m.requirement_save()));
    await screen.findByText(m.field_required());
    await user.type(screen.getByLabelText(m.requirement_reason()), 'Shares a phone.');
    await user.click(await button(m.requirement_save()));
    await screen.findByText(m.told_requirement_set());
    expect(sent(`PUT ${call}/security/requirement`).at(-1)?.body).toEqual({
      requirement: 'off',
      reason: 'Shares a phone.',
    });
  });

  it('is never off for an administrator', async () => {
    shows({}, protectedMfa(), { ...bo, role: 'administrator' });
    const user = open(path, signedIn);
    await user.click(await button(m.requirement_change()));
    const off = await screen.findByLabelText(new RegExp(`^${m.requirement_off()}`));
    expect((off as HTMLInputElement).disabled).toBe(true);
    expect(screen.getByText(m.requirement_off_never())).toBeTruthy();
  });

  it('has a day that is not past', () => {
    const now = new Date('2026-11-25T12:00:00Z');
    const on = (day: string, atOnce = false) => dayError({ requirement: 'required', day, atOnce }, now);
    expect(on('2026-11-24')).toBe(m.requirement_deadline_past());
    expect(on('2026-11-25')).toBeUndefined();
    expect(on('')).toBe(m.field_required());
    expect(on('', true)).toBeUndefined();
    expect(dayError({ requirement: 'allowed', day: '', atOnce: false }, now)).toBeUndefined();
  });
});
