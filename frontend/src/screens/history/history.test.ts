import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { SecurityEvent } from '../../api/shapes';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, closing, heading, open, pressOn } from '../../testing/open';
import { ada, event, factor, later, openMfa, protectedMfa, sessionOf, tenCodes } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';
import { doubtable } from './doubt';
import { sentence, whence, whyEnded } from './sentence';

const path = '/parameters/users/me/security';
const on = { state: 'on', requirement: 'allowed', deadline: null };
const signedIn = { session: sessionOf(ada, { mfa: on }) };
const told = (more: Record<string, unknown>) => sentence(event(more) as unknown as SecurityEvent);

/** The Security page, where so much is left to do after an alarm. */
const security = (left: string[], mfa = protectedMfa()) =>
  ok({ user: ada, mfa, enrolment: null, alarm: left.length > 0 ? { at: later(-60), left } : null });

function happened(...events: unknown[]) {
  reply('GET /users/me/security', security([]));
  reply('GET /users/me/security/events', ok({ events, next_cursor: null }));
}

describe('an event in words', () => {
  const server = join(fileURLToPath(import.meta.url), '../../../../../server');
  const kinds = [...readFileSync(join(server, 'audit/audit.go'), 'utf8').matchAll(/= "([a-z_]+\.[a-z_]+)"/g)];
  // Those of the keys are about nobody.
  const toPeople = kinds.map((found) => found[1] ?? '').filter((kind) => !kind.startsWith('key.'));
  it.each(toPeople)('%s has a sentence of its own', (kind) => {
    expect(told({ kind }).title).not.toBe(m.event_other());
  });

  const reasons = readFileSync(join(server, 'factor/diagnosis/diagnosis.go'), 'utf8').matchAll(
    /Reason\s+= "([a-z_]+)"/g,
  );
  it.each([...reasons].map((found) => found[1]))('a refusal says why: %s', (reason) => {
    const { title, more } = told({ kind: 'sign_in.second_step', result: 'refused', reason });
    expect(title).toBe(m.event_refused_second_step());
    expect(more).toHaveLength(1);
  });

  it.each([
    ['in_use', m.event_why_other_app],
    ['removed', m.event_why_removed],
    ['replaced', m.event_why_previous],
    [undefined, m.event_why_previous], // of before that was on record
  ])('a code of another setup says which: %s', (state, words) => {
    const data = state && { setup_state: state };
    const { more } = told({ kind: 'enrolment.confirmed', result: 'refused', reason: 'previous_setup', data });
    expect(more).toEqual([words()]);
  });

  it.each(whyEnded)('sessions that ended say why: %s', (reason) => {
    const { title, more } = told({ kind: 'session.ended', reason, data: { sessions: 3 } });
    expect(title).toBe(m.event_ended({ count: 3, shown: '3' }));
    expect(more).toHaveLength(1);
  });

  it.each([
    [1, 'One session was ended', 'It was signed out from the list of open sessions.'],
    [2, '2 sessions were ended', 'They were signed out from the list of open sessions.'],
  ])('of %i that somebody ended the number is right', (sessions, title, why) => {
    expect(told({ kind: 'session.ended', reason: 'ended_by_person', data: { sessions } })).toMatchObject({
      title,
      more: [why],
    });
  });

  it.each([
    [{ method: 'password' }, m.event_signed_in_password],
    [{ method: 'backup_code' }, m.event_signed_in_code],
    [{ method: 'enrolment_link' }, m.event_signed_in_link],
    [{ method: 'webauthn' }, m.event_signed_in_key],
    [{ method: 'something_new' }, m.event_signed_in],
    [{ kind: 'sign_in.enrolment_link', result: 'refused', reason: 'enrolment_link_expired' }, m.event_refused_link],
    [{ kind: 'session.ended', reason: 'signed_out' }, m.event_signed_out],
    [{ kind: 'requirement.set', actor: 'other', data: { to: 'required' } }, m.event_required],
    [{ kind: 'requirement.set', actor: 'other', data: { to: 'off' } }, m.event_forbidden],
    [{ kind: 'requirement.set', actor: 'other', data: { to: 'allowed' } }, m.event_allowed],
    [{ kind: 'something.new' }, m.event_other],
    [{ kind: 'something.new', result: 'refused', reason: 'new_reason' }, m.event_refused_other],
    [{ kind: 'password.changed', result: 'refused', reason: 'bad_credentials' }, m.event_refused_password],
    [{ kind: 'password.changed', result: 'fault' }, m.event_fault],
  ])('%j', (more, words) => expect(told(more).title).toBe(words()));

  it.each([
    ['app.added', []],
    ['app.replaced', [m.event_app_replaced_more()]],
    ['factor.renamed', []],
  ])('%s says how the app is called, as long as it is there', (kind, more) => {
    const one = event({ kind, method: 'totp', data: { factor: '01APP' } }) as unknown as SecurityEvent;
    expect(sentence(one, { '01APP': 'Pixel' }).more.join(' ')).toBe(
      [...more, m.event_app_called({ name: 'Pixel' })].join(' '),
    );
    expect(sentence(one, { '01OTHER': 'iPhone' }).more).toEqual(more);
  });

  it('says why an administrator reset somebody', () => {
    const { more } = told({ kind: 'mfa.reset', actor: 'other', data: { why: 'Lost the phone' } });
    expect(more.join(' ')).toContain(m.event_reset_why({ why: 'Lost the phone' }));
    expect(told({ kind: 'mfa.reset', actor: 'console' }).more[0]).toBe(m.event_reset_more());
  });

  it.each([
    ['user.invited', {}, m.event_invited],
    ['invitation.renewed', {}, m.event_invitation_renewed],
    ['invitation.withdrawn', {}, m.event_invitation_withdrawn],
    ['user.joined', {}, m.event_joined],
    ['user.disabled', {}, m.event_user_disabled],
    ['user.enabled', {}, m.event_user_enabled],
    ['user.removed', {}, m.event_user_removed],
    ['role.changed', { to: 'administrator' }, m.event_made_administrator],
    ['role.changed', { to: 'member' }, m.event_made_member],
  ] as const)('what an administrator did with the account: %s %j', (kind, data, words) => {
    expect(told({ kind, data, actor: 'other' })).toMatchObject({ title: words(), more: [m.event_by_administrator()] });
  });

  it('gives the reason why 2-step verification was made unavailable', () => {
    const { more } = told({ kind: 'requirement.set', data: { to: 'off', why: 'Shares a phone.' } });
    expect(more).toContain(m.event_requirement_why({ why: 'Shares a phone.' }));
  });

  it('names nobody by a machine name, and says who did it', () => {
    expect(told({ kind: 'requirement.set', actor: 'other' }).more).toEqual([m.event_by_administrator()]);
    expect(told({ kind: 'password.set', actor: 'console' }).more).toEqual([m.event_by_console()]);
    expect(whence(event({ actor: 'console', browser: 'console', address: '' }) as unknown as SecurityEvent)).toEqual(
      [],
    );
  });
});

describe('“This wasn’t me” is an answer', () => {
  it.each([
    ['to a sign-in elsewhere', {}, true],
    ['not to the one of this session', { here: true }, false],
    ['to what this session did, whose cookie somebody may have', { kind: 'app.added', here: true }, true],
    ['to a refused code', { kind: 'sign_in.second_step', result: 'refused', actor: 'nobody' }, true],
    ['not to what failed', { kind: 'password.changed', result: 'fault' }, false],
    ['not to its own press', { kind: 'alarm.raised', here: true }, false],
    ['nor to what was left of it', { kind: 'alarm.settled', here: true }, false],
    ['to a press elsewhere, which put the person out', { kind: 'alarm.raised' }, true],
    ['to sessions that somebody ended', { kind: 'session.ended', reason: 'ended_by_person' }, true],
    ['not to what it ended', { kind: 'session.ended', reason: 'not_me' }, false],
    ['not to what a change ended that is told itself', { kind: 'session.ended', reason: 'app_changed' }, false],
    ['not to what an administrator did', { kind: 'mfa.reset', actor: 'other' }, false],
    ['not to what the support answered', { kind: 'ticket.answered', actor: 'other' }, false],
    ['not to what the console did', { kind: 'password.set', actor: 'console' }, false],
    ['not to what came by itself', { kind: 'recovery.expired', actor: 'nobody' }, false],
  ])('%s', (_, more, answer) => expect(doubtable(event(more) as unknown as SecurityEvent)).toBe(answer));
});

describe('what happened lately', () => {
  it('is a list, the newest first, that goes on by pages', async () => {
    happened();
    reply(
      'GET /users/me/security/events',
      ok({ events: [event({ here: true })], next_cursor: '01EVENT' }),
      refuse(500, 'internal_fault'),
      ok({ events: [event({ id: '00OLD', kind: 'name.changed' })], next_cursor: null }),
    );
    const user = open(path, signedIn);
    await screen.findByText(m.event_signed_in_app());
    expect(screen.getByText(m.event_here())).toBeTruthy();
    await user.click(await button(m.events_more()));
    await screen.findByText(m.error_internal_fault());
    await user.click(await button(m.try_again()));
    const older = (await screen.findByText(m.event_name_changed())).closest('li');
    await waitFor(() => expect(document.activeElement).toBe(older));
    expect(sent('GET /users/me/security/events').at(-1)?.search.get('cursor')).toBe('01EVENT');
    expect(screen.queryByText(m.events_more())).toBeNull();
  });

  it('offers “This wasn’t me” only where it is an answer', async () => {
    happened(event({ id: '01B', kind: 'alarm.raised', here: true }), event({ id: '01A' }));
    open(path, signedIn);
    await screen.findByText(m.event_alarm());
    expect(screen.getAllByRole('button', { name: new RegExp(`^${m.not_me_press()}`) })).toHaveLength(1);
  });

  it('names an app that is still there', async () => {
    happened(event({ kind: 'app.added', data: { factor: '01APP' } }));
    open(path, signedIn);
    await screen.findByText(m.event_app_called({ name: 'iPhone' }));
  });

  it('says when there is nothing, and when it cannot be read', async () => {
    happened();
    reply('GET /users/me/security/events', refuse(500, 'internal_fault'), ok({ events: [], next_cursor: null }));
    const user = open(path, signedIn);
    await user.click(await button(m.try_again()));
    await screen.findByText(m.events_none());
  });
});

/** The dialog that asks for a fresh proof. */
const question = () => screen.getByText(m.proof_title()).closest('dialog') as HTMLElement;

describe('this was not me', () => {
  const call = 'POST /users/me/security/not-me';

  it('says what will happen, then leads through password, apps and codes', async () => {
    happened(event());
    reply(
      'GET /users/me/security',
      security([]),
      security(['apps', 'codes']),
      security(['apps', 'codes']),
      security(['codes']),
      security(['codes']),
      security([]),
    );
    reply('PATCH /users/me/security/not-me', refuse(500, 'internal_fault'), ok());
    reply(call, refuse(404, 'no_event'), ok({ sessions_ended: 2 }));
    reply('POST /users/me/security/password', ok({ state: 'changed', sessions_ended: 0 }));
    reply('POST /users/me/security/backup-codes', ok({ backup_codes: tenCodes, backup_code_set: '01SET' }));
    reply('POST /users/me/security/backup-codes/activate', ok({ state: 'on' }));
    const user = open(path, signedIn);
    const item = (await screen.findByText(m.event_signed_in_app())).closest('li') as HTMLElement;
    await user.click(within(item).getByRole('button', { name: new RegExp(`^${m.not_me_press()}`) }));
    await heading(m.alarm_title());
    expect(screen.getByText(m.alarm_apps())).toBeTruthy();
    expect(screen.getByText(m.alarm_codes())).toBeTruthy();
    expect(document.activeElement?.textContent?.trim()).toBe(m.cancel());
    await user.click(await button(m.alarm_go()));
    await screen.findByText(m.error_no_event());
    await user.click(await button(m.alarm_go()));

    await heading(m.alarm_password_heading());
    expect(sent(call)[0]?.body).toEqual({ event: '01EVENT' });
    expect(screen.getByText(m.alarm_ended({ count: 2 }))).toBeTruthy();
    await user.type(screen.getByLabelText(m.password_present()), 'violet tractor humming');
    await user.type(screen.getByLabelText(m.password_new()), 'seven quiet walnut lamps{Enter}');

    await heading(m.alarm_app_heading());
    await screen.findByText(m.factor_named({ name: 'iPhone' }).replace('\u00a0', ' '));
    expect(screen.getByText(m.told_password_changed())).toBeTruthy();
    await user.click(await button(m.alarm_app_mine()));
    await screen.findByText(m.error_internal_fault());
    await user.click(await button(m.alarm_app_mine()));

    // The password that was just chosen is not asked for again.
    await screen.findByText(m.new_codes_lead());
    expect(screen.queryByText(m.told_password_changed())).toBeNull();
    expect(screen.queryByLabelText(m.password())).toBeNull();
    await user.click(await button(m.new_codes_make()));
    await user.click(await screen.findByLabelText(m.wrote_them_down()));
    expect(sent('POST /users/me/security/backup-codes')[0]?.body).toEqual({ password: 'seven quiet walnut lamps' });
    await user.click(await button(m.have_saved()));
    await heading(m.alarm_done_heading());
    expect(sent('PATCH /users/me/security/not-me').at(-1)?.body).toEqual({ done: 'apps' });
    expect(screen.getByText(m.alarm_done_body())).toBeTruthy();
    expect(screen.getByText(m.alarm_done_mail({ email: ada.email }))).toBeTruthy();
    expect(place.path).toBe(`${path}/not-me`);
  });

  it('asks for a fresh proof where it was pressed often, and no for an answer changes nothing', async () => {
    happened(event());
    reply(call, refuse(403, 'fresh_proof_required'), refuse(403, 'fresh_proof_required'), ok({ sessions_ended: 1 }));
    reply('POST /session/proof', ok({ fresh_until: later(600), method: 'totp' }));
    const user = open(path, signedIn);
    await user.click(await button(new RegExp(`^${m.not_me_press()}`)));
    await user.click(await button(m.alarm_go()));
    await heading(m.proof_title());
    expect(screen.getByText(new RegExp(m.act_alarm()))).toBeTruthy();
    await user.click(within(question()).getByRole('button', { name: m.cancel() }));
    await waitFor(() => expect(screen.queryByText(m.proof_title())).toBeNull());
    expect(screen.queryByText(m.error_fresh_proof_required())).toBeNull();
    await user.click(await button(m.alarm_go()));
    await heading(m.proof_title());
    await user.type(screen.getByLabelText(m.password()), 'violet tractor humming');
    await user.type(screen.getByLabelText(m.code_label()), '123456');
    await user.click(within(question()).getByRole('button', { name: m.continue() }));
    await heading(m.alarm_password_heading());
    expect(sent(call)).toHaveLength(3);
  });

  const twoApps = () => {
    const mfa = protectedMfa();
    const others = [factor('01STRANGE', 'Pixel'), factor('01KEY', 'Blue key', { kind: 'webauthn', label: '' })];
    return { ...mfa, factors: [...mfa.factors, ...others] } as ReturnType<typeof protectedMfa>;
  };
  const atApps = { ...signedIn, note: { alarm: { step: 'apps' as const } } };

  it('takes away an app and a key of somebody else’s, each named, and stays with what is left', async () => {
    const both = twoApps();
    const one = { ...both, factors: [both.factors[0], both.factors[2]] } as typeof both;
    reply('GET /users/me/security', security(['apps'], both), security(['apps'], one), security(['apps']));
    reply('DELETE /users/me/security/factors/01STRANGE', refuse(403, 'app_code_required'), ok());
    reply('DELETE /users/me/security/factors/01KEY', ok());
    reply('POST /session/proof', ok({ fresh_until: later(600), method: 'totp' }));
    const user = open(`${path}/not-me`, atApps);
    await heading(m.alarm_apps_heading());
    expect(screen.getAllByText(new RegExp(m.factor_never_used()))).toHaveLength(2);
    expect(screen.queryByText(m.told_password_changed())).toBeNull();
    expect(await button(m.alarm_apps_mine())).toBeTruthy();
    await user.click(await button(pressOn(m.remove(), m.factor_named({ name: 'Pixel' }))));
    await heading(m.remove_title({ name: 'Pixel' }));
    await user.click(await button(m.remove_confirm()));
    await heading(m.proof_title());
    await user.type(screen.getByLabelText(m.password()), 'violet tractor humming');
    await user.type(screen.getByLabelText(m.code_label()), '123456');
    await user.click(within(question()).getByRole('button', { name: m.continue() }));
    await screen.findByText(m.told_app_removed());
    expect(place.note.alarm).toEqual({ step: 'apps' });
    await waitFor(() => expect(document.activeElement?.textContent).toBe(m.alarm_apps_heading()));
    // Of apps one is left, which is replaced.
    const replace = screen.getByRole('link', {
      name: pressOn(m.alarm_app_replace(), m.factor_named({ name: 'iPhone' })),
    });
    expect(replace.getAttribute('href')).toBe(`${path}/enable/app?replaces=01APP`);

    await user.click(await button(pressOn(m.remove(), m.factor_key_named({ name: 'Blue key' }))));
    await screen.findByText(m.remove_key_proves());
    await user.click(await button(m.remove_key_confirm()));
    await screen.findByText(m.told_key_removed());
    await heading(m.alarm_app_heading());
    expect(
      screen.getByRole('link', { name: pressOn(m.alarm_app_no(), m.factor_named({ name: 'iPhone' })) }),
    ).toBeTruthy();
    expect(screen.queryByRole('button', { name: new RegExp(`^${m.remove()}`) })).toBeNull();
  });

  it('says when the apps cannot be read', async () => {
    reply('GET /users/me/security', refuse(500, 'internal_fault'), security(['apps']));
    const user = open(`${path}/not-me`, atApps);
    await user.click(await button(m.try_again()));
    await heading(m.alarm_app_heading());
  });

  it('goes on in another browser with what is left, and says nothing of sessions then', async () => {
    reply('GET /users/me/security', refuse(500, 'internal_fault'), security(['password', 'codes']));
    const user = open(`${path}/not-me?go-on=`, signedIn);
    await user.click(await button(m.try_again()));
    await heading(m.alarm_password_heading());
    expect(screen.queryByText(m.alarm_ended_title())).toBeNull();
    expect(place.note.alarm).toEqual({ step: 'password' });
  });

  const at = (step: 'password' | 'apps' | 'codes', mfa: object = on) => ({
    session: sessionOf(ada, { mfa }),
    note: { alarm: { step } },
  });

  it('shows codes beside nothing that loses them, and speaks of no old ones where none are left', async () => {
    happened(event());
    reply('GET /users/me/security', security(['codes'], protectedMfa(0)));
    reply('POST /users/me/security/backup-codes', ok({ backup_codes: tenCodes, backup_code_set: '01SET' }));
    const user = open(`${path}/not-me`, at('codes'));
    await screen.findByText(m.new_codes_lead_none());
    expect(await button(m.alarm_not_needed())).toBeTruthy();
    await user.type(screen.getByLabelText(m.password()), 'violet tractor humming{Enter}');
    await screen.findByText(m.not_good_yet());
    expect(screen.queryByText(m.alarm_not_needed())).toBeNull();
    expect(closing()).toBe(true);
    place.go(path);
    const dialog = await screen.findByRole('dialog', { name: m.leave_codes_title() });
    within(dialog).getByText(m.leave_codes_none());
    expect(place.path).toBe(`${path}/not-me`);
    await user.click(within(dialog).getByRole('button', { name: m.leave_go() }));
    await waitFor(() => expect(place.path).toBe(path));
  });

  it('has no apps to look at where 2-step verification went off meanwhile', async () => {
    reply('GET /users/me/security', security([], openMfa() as never));
    open(`${path}/not-me`, at('apps', openMfa()));
    await heading(m.alarm_enable_heading());
    expect(screen.queryByText(m.alarm_done_heading())).toBeNull();
    expect(place.note.alarm).toEqual({ step: 'codes' });
  });

  it('takes up the step of 2-step verification that was turned off elsewhere', async () => {
    reply('GET /users/me/security', security(['apps']), security([], openMfa() as never));
    reply('PATCH /users/me/security/not-me', ok());
    const user = open(`${path}/not-me`, at('apps'));
    await heading(m.alarm_app_heading());
    reply('GET /session', ok(sessionOf()));
    await user.click(await button(m.alarm_app_mine()));
    await heading(m.alarm_enable_heading());
  });

  const changesPassword = async (session: ReturnType<typeof at>) => {
    reply('POST /users/me/security/password', ok({ state: 'changed', sessions_ended: 0 }));
    const user = open(`${path}/not-me`, session);
    await heading(m.alarm_password_heading());
    return async () => {
      await user.type(screen.getByLabelText(m.password_present()), 'violet tractor humming');
      await user.type(screen.getByLabelText(m.password_new()), 'seven quiet walnut lamps{Enter}');
      return user;
    };
  };

  it('claims nothing of apps and codes that were said elsewhere not to be needed', async () => {
    reply('GET /users/me/security', security([]));
    await (await changesPassword(at('password')))();
    await heading(m.alarm_done_heading());
    screen.getByText(m.alarm_done_rest());
    expect(screen.queryByText(m.alarm_done_body())).toBeNull();
  });

  it('says that the password is changed whatever comes next, and leaves behind what went wrong before', async () => {
    reply('GET /users/me/security', security(['codes']));
    reply('PATCH /users/me/security/not-me', refuse(500, 'internal_fault'));
    const change = await changesPassword(at('password'));
    screen.getByText(m.alarm_not_needed()).click();
    await screen.findByText(m.error_internal_fault());
    await change();
    await screen.findByText(m.new_codes_lead());
    screen.getByText(m.told_password_changed());
    expect(screen.queryByText(m.error_internal_fault())).toBeNull();
  });

  it.each([
    ['allowed', true],
    ['off', false],
  ])('announces 2-step verification only where it may be turned on: %s', async (requirement, said) => {
    open(`${path}/not-me`, { session: sessionOf(ada, { mfa: { ...openMfa(), requirement } }) });
    await screen.findByText(m.alarm_password());
    expect(screen.queryAllByText(m.alarm_enable())).toHaveLength(said ? 1 : 0);
    expect(screen.queryAllByText(new RegExp(m.alarm_step_enable()))).toHaveLength(said ? 2 : 0);
  });

  it('promises no way to turn on what is on and was switched off since', async () => {
    open(`${path}/not-me`, { session: sessionOf(ada, { mfa: { ...on, requirement: 'off' } }) });
    await screen.findByText(m.alarm_password());
    expect(screen.queryByText(m.alarm_enable())).toBeNull();
    expect(screen.queryByText(m.alarm_codes())).toBeNull();
  });

  it('says of an address that no mail proves whom to ask', async () => {
    open(`${path}/not-me`, { ...signedIn, mails: false, note: { alarm: { step: 'done' } } });
    await screen.findByText(m.alarm_done_address({ email: ada.email }));
  });

  it('is done where another tab has done the rest, and was not to be gone on with', async () => {
    reply('GET /users/me/security', security([]));
    open(`${path}/not-me?go-on=done`, signedIn);
    await heading(m.alarm_done_heading());
  });

  it('leads to Security where nothing is left to go on with', async () => {
    happened(event());
    open(`${path}/not-me?go-on=`, signedIn);
    await screen.findByText(m.event_signed_in_app());
    expect(place.path).toBe(path);
  });

  it('is over where the person says that it is not needed', async () => {
    happened(event());
    reply('PATCH /users/me/security/not-me', refuse(500, 'internal_fault'), ok());
    const user = open(`${path}/not-me`, { ...signedIn, note: { alarm: { ended: 1, step: 'codes' } } });
    await user.click(await button(m.alarm_not_needed()));
    await screen.findByText(m.error_internal_fault());
    await user.click(await button(m.alarm_not_needed()));
    await screen.findByText(m.told_alarm_settled());
    expect(sent('PATCH /users/me/security/not-me').at(-1)?.body).toEqual({ done: 'all' });
    expect(place.path).toBe(path);
  });

  it('is on Security until it is done', async () => {
    happened(event());
    reply('GET /users/me/security', security(['apps', 'codes']));
    open(path, signedIn);
    await screen.findByText(m.home_alarm_title());
    expect(screen.getByText(/a look at your apps and new backup codes/)).toBeTruthy();
    expect(screen.getByRole('link', { name: m.go_on() }).getAttribute('href')).toBe(`${path}/not-me?go-on=`);
  });

  it('goes on after a reload; without 2-step verification it offers that', async () => {
    happened();
    const session = sessionOf();
    const user = open(`${path}/not-me`, { session, note: { alarm: { ended: 0, step: 'codes' } } });
    await heading(m.alarm_enable_heading());
    const link = screen.getByRole('link', { name: m.turn_on() });
    expect(link.getAttribute('href')).toBe(`${path}/enable/app`);
    expect(screen.queryByText(m.alarm_not_needed())).toBeNull();
    await user.click(await button(m.later()));
    await heading(m.alarm_done_heading());
    expect(screen.getByText(m.alarm_done_password())).toBeTruthy();
  });

  it('does not offer what is not allowed', async () => {
    const session = sessionOf(ada, { mfa: { ...openMfa(), requirement: 'off' } });
    open(`${path}/not-me`, { session, note: { alarm: { ended: 0, step: 'codes' } } });
    await screen.findByText(m.security_not_allowed_body());
    expect(screen.queryByText(m.turn_on())).toBeNull();
  });

  it('begins on its own page where a link led to it', async () => {
    reply(call, 'unreachable', ok({ sessions_ended: 0 }));
    const user = open(`${path}/not-me?event=01NEW`, signedIn);
    await screen.findByText(m.alarm_sessions());
    await user.click(await button(m.alarm_go()));
    await screen.findByText(m.error_unreachable());
    await user.click(await button(m.alarm_go()));
    await screen.findByText(m.alarm_ended_none());
    expect(sent(call)[0]?.body).toEqual({ event: '01NEW' });
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(m.password_present())));
  });
});
