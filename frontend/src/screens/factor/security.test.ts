import { cleanup, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import * as format from '../../format';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, closing, heading, open, pressOn } from '../../testing/open';
import {
  ada,
  bo,
  enrolment,
  factor,
  label,
  later,
  openMfa,
  protectedMfa,
  sessionOf,
  tenCodes,
} from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const path = '/parameters/users/me/security';
const signedIn = { session: sessionOf() };

const tooLong = { fields: [{ name: 'name', code: 'too_long', params: { max: 60 } }] };

function mine(mfa: unknown, current: unknown = null, user: unknown = ada) {
  reply('GET /users/me/security', ok({ user, mfa, enrolment: current }));
}

describe('my security', () => {
  it('shows what is on, since when, and each way with its dates', async () => {
    mine(protectedMfa());
    open(path, signedIn);
    await screen.findByText(m.security_on_since({ date: '12 March 2026' }));
    expect(screen.getByRole('heading', { level: 1 }).textContent).toBe(m.my_security());
    // What is found has plain spaces only.
    expect(screen.getByText(m.factor_named({ name: 'iPhone' }).replace('\u00a0', ' '))).toBeTruthy();
    expect(screen.getByText(/last used today/)).toBeTruthy();
    expect(screen.getByText(/7 of 10 left/)).toBeTruthy();
    const replace = screen.getByRole('link', { name: pressOn(m.replace(), 'iPhone') });
    expect(replace.getAttribute('href')).toBe(`${path}/enable/app?replaces=01APP`);
  });

  it('urges an administrator who is not protected', async () => {
    mine(openMfa());
    open(path, signedIn);
    await screen.findByText(m.security_off_administrator());
    expect(screen.getByRole('link', { name: m.enable() }).getAttribute('href')).toBe(`${path}/enable/app`);
  });

  it('offers to finish a setup, and to give it up', async () => {
    mine(openMfa({ state: 'enrolling' }), enrolment({ state: 'confirmed' }));
    reply('DELETE /users/me/security/enrolments/01ENROL', ok());
    const user = open(path, signedIn);
    await screen.findByText(m.security_confirmed());
    expect(screen.getByRole('link', { name: m.finish_setup() })).toBeTruthy();
    mine(openMfa());
    await user.click(await button(m.give_up_setup()));
    await screen.findByText(m.security_off());
  });

  it('says that new codes wait while the old ones work, beside the state that is in force', async () => {
    const waiting = { made_at: later(-60) };
    reply(
      'GET /users/me/security',
      ok({ user: ada, mfa: protectedMfa(), enrolment: null, codes_waiting: waiting }),
      ok({ user: ada, mfa: protectedMfa(), enrolment: null, codes_waiting: null }),
    );
    reply('DELETE /users/me/security/backup-codes/waiting', refuse(409, 'no_pending_codes'));
    const user = open(path, signedIn);
    await screen.findByText(m.security_codes_waiting());
    await screen.findByText(m.security_on_since({ date: '12 March 2026' }));
    expect(screen.getByRole('link', { name: m.new_codes_make() }).getAttribute('href')).toBe(`${path}/backup-codes`);
    // Left in another tab meanwhile: what is gone is gone.
    await user.click(await button(m.keep_old_codes()));
    await waitFor(() => expect(screen.queryByText(m.security_codes_waiting())).toBeNull());
  });

  it('says that five apps is the most, in the place of adding one', async () => {
    const mfa = protectedMfa();
    const several = (count: number) => Array.from({ length: count }, (_, i) => ({ ...mfa.factors[0], id: `0${i}APP` }));
    mine({ ...mfa, factors: several(5) });
    open(path, signedIn);
    await screen.findByText(m.apps_most({ count: '5' }));
    expect(screen.queryByText(m.add_app())).toBeNull();
    cleanup();
    mine({ ...mfa, factors: several(4) });
    open(path, signedIn);
    await screen.findByText(m.add_app());
    expect(screen.queryByText(m.apps_most({ count: '5' }))).toBeNull();
  });

  it('says that it is not available, or required by a day', async () => {
    mine(openMfa({ requirement: 'off' }), null, bo);
    open(path, { session: sessionOf(bo) });
    await screen.findByText(m.security_not_allowed());
    expect(screen.queryByText(m.enable())).toBeNull();
    cleanup();
    mine(openMfa({ requirement: 'required', deadline: '2030-12-05T12:00:00Z' }), null, bo);
    open(path, { session: sessionOf(bo) });
    await screen.findByText(m.security_required_by({ date: '5 December 2030' }));
  });

  it('says that no code is asked for, where it was switched off and the app is kept', async () => {
    mine({ ...protectedMfa(), requirement: 'off' }, null, bo);
    open(path, { session: sessionOf(bo) });
    await screen.findByText(m.security_kept());
    expect(screen.getByText(m.security_not_allowed())).toBeTruthy();
    expect(screen.queryByText(m.security_on_body())).toBeNull();
    expect(screen.queryByText(m.disable_ellipsis())).toBeNull();
    expect(screen.queryByRole('link', { name: m.add_app() })).toBeNull();
  });

  it('says since when it is required, when that day is past', async () => {
    reply(
      'GET /users/01BO/security',
      ok({ user: bo, mfa: openMfa({ requirement: 'required', deadline: '2026-03-12T09:00:00Z' }) }),
    );
    open('/parameters/users/01BO/security', signedIn);
    await screen.findByText(m.security_required_since({ date: '12 March 2026' }));
  });

  it('offers no switch where it is required', async () => {
    mine({ ...protectedMfa(), requirement: 'required' });
    open(path, signedIn);
    await screen.findByText(m.turn_off_required());
    expect(screen.queryByText(m.disable_ellipsis())).toBeNull();
  });

  it('says what is lost before it is disabled, the safe choice first', async () => {
    mine(protectedMfa());
    reply('POST /users/me/security/disable', refuse(422, 'wrong_password'), ok({ state: 'off' }));
    const user = open(path, signedIn);
    await user.click(await button(m.disable_ellipsis()));
    await heading(m.disable_title());
    expect(screen.getByText(m.disable_loses_codes({ count: 7 }))).toBeTruthy();
    expect(screen.getByText(m.disable_administrator_body())).toBeTruthy();
    expect(document.activeElement?.textContent?.trim()).toBe(m.keep_it_on());
    await user.type(screen.getByLabelText(m.password()), 'not this one');
    await user.click(await button(m.disable_confirm()));
    await screen.findByText(m.error_wrong_password());
    mine(openMfa());
    await user.click(await button(m.disable_confirm()));
    await screen.findByText(m.told_protection_off());
    expect(screen.queryByText(m.disable_title())).toBeNull();
  });

  it("wants the app's code where a backup code opened the session", async () => {
    mine(protectedMfa());
    reply('POST /users/me/security/disable', refuse(403, 'app_code_required'));
    const user = open(path, signedIn);
    await user.click(await button(m.disable_ellipsis()));
    await user.type(await screen.findByLabelText(m.password()), 'violet tractor humming{Enter}');
    await screen.findByText(m.error_app_code_required());
    screen.getByText(m.proof_body_app({ act: m.act_disable() }));
    // One that is given all the same is not sent: it would be spent, and refused.
    await user.type(screen.getByLabelText(m.code_label()), 'K3JQ7-M2XWA-9HTBC{Enter}');
    await screen.findByText(m.malformed_new_body());
    expect(sent('POST /session/proof')).toEqual([]);
  });

  it("asks for the app's code alone where a backup code would be spent for nothing", async () => {
    mine(protectedMfa());
    reply('PATCH /users/me/security/factors/01APP', refuse(403, 'fresh_proof_required', { app_only: true }));
    const user = open(path, signedIn);
    await user.click(await button(pressOn(m.rename(), 'iPhone')));
    await user.type(await screen.findByLabelText(m.device_name()), '{Enter}');
    await user.type(await screen.findByLabelText(m.password()), 'violet tractor humming');
    await user.type(screen.getByLabelText(m.code_label()), 'K3JQ7-M2XWA-9HTBC{Enter}');
    await screen.findByText(m.malformed_new_body());
    expect(screen.queryByText(m.error_app_code_required())).toBeNull(); // nobody has given one
    expect(sent('POST /session/proof')).toEqual([]);
  });

  it('renames an app, asking for a fresh proof where it is needed', async () => {
    mine(protectedMfa());
    const call = 'PATCH /users/me/security/factors/01APP';
    reply(call, refuse(403, 'fresh_proof_required'), refuse(422, 'invalid_input', tooLong), ok());
    reply('POST /session/proof', ok({ fresh_until: later(600), method: 'totp' }));
    const on = { state: 'off', requirement: 'allowed', deadline: null };
    const user = open(path, { session: sessionOf(ada, { mfa: on }) });
    await user.click(await button(pressOn(m.rename(), 'iPhone')));
    const name = await screen.findByLabelText(m.device_name());
    expect(document.activeElement).toBe(name);
    expect(screen.getByText(m.rename_body({ label }))).toBeTruthy();
    await user.clear(name);
    await user.type(name, ' Work phone {Enter}');
    await user.type(await screen.findByLabelText(m.password()), 'violet tractor humming{Enter}');
    await screen.findByText(m.field_too_long());
    await user.click(await button(m.save()));
    await screen.findByText(m.told_app_renamed());
    expect(sent(call).at(-1)?.body).toEqual({ name: 'Work phone' });
  });

  it('says when renaming works again after too many new names', async () => {
    mine(protectedMfa());
    reply('PATCH /users/me/security/factors/01APP', refuse(429, 'too_many_changes', { retry_after_seconds: 2_520 }));
    const user = open(path, { session: sessionOf() });
    await user.click(await button(pressOn(m.rename(), 'iPhone')));
    await user.type(await screen.findByLabelText(m.device_name()), ' of work{Enter}');
    await screen.findByText(m.error_too_many_changes());
    expect(screen.getByText(m.error_too_many_changes_next({ time: '42 minutes' }))).toBeTruthy();
  });

  it('removes one of several apps, naming it and what is lost', async () => {
    const mfa = protectedMfa();
    mine({ ...mfa, factors: [...mfa.factors, factor('02APP', '')] });
    const call = 'DELETE /users/me/security/factors/02APP';
    reply(call, refuse(409, 'last_app'), ok());
    const user = open(path, signedIn);
    await user.click(await button(pressOn(m.remove(), 'MailMachine: two')));
    await heading(m.remove_title({ name: 'MailMachine: two' }));
    expect(screen.getByText(m.remove_left({ count: 1 }))).toBeTruthy();
    expect(document.activeElement?.textContent?.trim()).toBe(m.cancel());
    await user.click(await button(m.remove_confirm()));
    await screen.findByText(m.error_last_app());
    mine(mfa);
    await user.click(await button(m.remove_confirm()));
    await screen.findByText(m.told_app_removed());
    await waitFor(() => expect(screen.queryByText('MailMachine: two')).toBeNull());
    expect(screen.queryByText(m.remove())).toBeNull();
  });

  it('changes the name, and says what is wrong with it under the field', async () => {
    mine(openMfa());
    reply('PATCH /users/me', refuse(422, 'invalid_input', tooLong), ok(ada));
    const user = open(path, signedIn);
    await user.click(await button(m.name_title()));
    const name = await screen.findByLabelText(m.name());
    await user.clear(name);
    await user.click(await button(m.save()));
    await screen.findByText(m.field_required());
    await user.type(name, ' ');
    expect(screen.queryByText(m.field_required())).toBeNull();
    await user.click(await button(m.save()));
    await screen.findByText(m.field_required()); // once more
    await user.clear(name);
    await user.type(name, 'Ada L.');
    await user.click(await button(m.save()));
    await screen.findByText(m.field_too_long());
    await user.click(await button(m.save()));
    await screen.findByText(m.told_name_changed());
    expect(sent('PATCH /users/me').at(-1)?.body).toEqual({ name: 'Ada L.' });
  });

  it('says when it cannot be read, and tries again', async () => {
    reply('GET /users/me/security', refuse(500, 'internal_fault'), ok({ user: ada, mfa: openMfa(), enrolment: null }));
    const user = open(path, signedIn);
    await screen.findByText(m.error_internal_fault());
    expect(screen.getByText(m.request_number({ id: '01TEST' }))).toBeTruthy();
    await user.click(await button(m.try_again()));
    await screen.findByText(m.security_off());
  });
});

it("shows somebody else's protection without a switch", async () => {
  reply('GET /users/01BO/security', ok({ user: bo, disabled: true, mfa: protectedMfa(2) }));
  open('/parameters/users/01BO/security', signedIn);
  await heading('Bo Lindqvist');
  expect(screen.getByText(m.security_closed_body())).toBeTruthy();
  expect(screen.getByText(m.user_disabled())).toBeTruthy();
  for (const act of [m.replace(), m.new_codes(), m.disable_ellipsis(), m.add_app()]) {
    expect(screen.queryByText(act)).toBeNull();
  }
});

describe('a lost phone', () => {
  it('leads straight into replacing the one app', async () => {
    mine(protectedMfa());
    open(`${path}/lost-phone`, signedIn);
    await screen.findByText(m.replace_lost());
    await heading(m.security_lost_title());
    expect(place.path + place.search).toBe(`${path}/enable/app?replaces=01APP&lost=yes`);
  });

  it('asks which one it was, and has nothing to ask where there is none', async () => {
    const mfa = protectedMfa();
    mine({ ...mfa, factors: [...mfa.factors, factor('02APP', 'Tablet')] });
    open(`${path}/lost-phone`, signedIn);
    const link = await screen.findByRole('link', { name: pressOn(m.lost_this_one(), 'Tablet') });
    expect(link.getAttribute('href')).toBe(`${path}/enable/app?replaces=02APP&lost=yes`);
    cleanup();
    mine(openMfa());
    open(`${path}/lost-phone`, signedIn);
    await screen.findByText(m.security_off());
  });

  it('says when it cannot be read', async () => {
    reply('GET /users/me/security', refuse(500, 'internal_fault'));
    open(`${path}/lost-phone`, signedIn);
    await screen.findByText(m.error_internal_fault());
  });
});

describe('new backup codes', () => {
  it('asks for the password, and counts only when they are saved', async () => {
    reply('POST /users/me/security/backup-codes', ok({ backup_codes: tenCodes }));
    reply('POST /users/me/security/backup-codes/activate', ok({ state: 'on' }));
    mine(protectedMfa(10));
    const user = open(`${path}/backup-codes`, signedIn);
    const password = await screen.findByLabelText(m.password());
    await waitFor(() => expect(document.activeElement).toBe(password));
    await user.type(password, 'violet tractor humming{Enter}');
    await heading(m.save_heading());
    expect(screen.getByText(m.not_replaced_yet_body())).toBeTruthy();
    expect(sent('POST /users/me/security/backup-codes/activate')).toHaveLength(0);
    await user.click(screen.getByLabelText(m.wrote_them_down()));
    await user.click(await button(m.have_saved()));
    await screen.findByText(m.told_codes_saved());
    expect(place.path).toBe(path);
  });

  const call = 'POST /users/me/security/backup-codes';
  const on = { mfa: { state: 'on', requirement: 'allowed', deadline: null } };

  it('asks for the code alone where proof is too old: the password was typed', async () => {
    mine(protectedMfa(10));
    reply(call, refuse(403, 'fresh_proof_required'), ok({ backup_codes: tenCodes }));
    reply('POST /session/proof', refuse(422, 'wrong_password'), ok({ fresh_until: later(600), method: 'totp' }));
    const user = open(`${path}/backup-codes`, { session: sessionOf(ada, on) });
    await user.type(await screen.findByLabelText(m.password()), 'violet tractor hummin{Enter}');
    await heading(m.proof_title());
    expect(screen.getAllByLabelText(m.password())).toHaveLength(1);
    const code = screen.getByLabelText(m.code_label());
    expect(document.activeElement).toBe(code);
    await user.type(code, '123456{Enter}');
    // It was wrong: now it is asked for, and what is typed here is what goes with the act.
    await waitFor(() => expect(screen.getAllByLabelText(m.password())).toHaveLength(2));
    await user.type(screen.getAllByLabelText(m.password()).at(-1) as HTMLElement, 'g{Enter}');
    await heading(m.save_heading());
    expect(sent('POST /session/proof')[1]?.body).toMatchObject({ password: 'violet tractor humming', code: '123456' });
    expect(sent(call).at(-1)?.body).toEqual({ password: 'violet tractor humming' });
  });

  it('says what waits already, and that it cannot be shown again', async () => {
    const made_at = later(-600);
    reply(
      'GET /users/me/security',
      ok({ user: ada, mfa: protectedMfa(), enrolment: null, codes_waiting: { made_at } }),
    );
    open(`${path}/backup-codes`, signedIn);
    await screen.findByText(m.security_codes_waiting());
    screen.getByText(m.new_codes_again({ when: format.moment(made_at) }));
    screen.getByText(m.new_codes_lead());
    cleanup();
    mine(protectedMfa(0));
    open(`${path}/backup-codes`, signedIn);
    await screen.findByText(m.new_codes_lead_none());
  });

  it('asks before unsaved codes are left, by a link, by a way back and by the browser', async () => {
    mine(protectedMfa(10));
    reply(call, ok({ backup_codes: tenCodes }));
    reply(`${call}/activate`, ok({ state: 'on' }));
    const user = open(`${path}/backup-codes`, signedIn);
    await user.type(await screen.findByLabelText(m.password()), 'violet tractor humming');
    expect(closing()).toBe(false);
    await user.keyboard('{Enter}');
    await heading(m.save_heading());
    expect(closing()).toBe(true);
    const crumbs = within(screen.getByRole('navigation', { name: m.crumbs_label() }));
    await user.click(crumbs.getByRole('link', { name: ada.name }));
    let dialog = await screen.findByRole('dialog', { name: m.leave_codes_title() });
    expect(dialog.textContent).toContain(m.leave_codes_old());
    expect(document.activeElement?.textContent?.trim()).toBe(m.leave_stay());
    await user.click(within(dialog).getByRole('button', { name: m.leave_stay() }));
    expect(place.path).toBe(`${path}/backup-codes`);
    await user.click(crumbs.getByRole('link', { name: ada.name }));
    dialog = await screen.findByRole('dialog', { name: m.leave_codes_title() });
    await user.click(within(dialog).getByRole('button', { name: m.leave_go() }));
    await waitFor(() => expect(place.path).toBe(path));
    await waitFor(() => expect(closing()).toBe(false));
    expect(closing()).toBe(false);
  });
});
