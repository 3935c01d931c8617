import { cleanup, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import { session } from '../../api/session.svelte';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, closing, heading, open } from '../../testing/open';
import { ada, enrolment, label, later, openMfa, protectedMfa, sessionOf, tenCodes } from '../../testing/people';
import { ok, refuse, refuseCode, reply, sent } from '../../testing/server';

const base = '/parameters/users/me/security/enable';
const api = '/users/me/security/enrolments';

/** The person's page and the enrolment that is open, if one is. */
function stands(mfa: unknown, current?: ReturnType<typeof enrolment>) {
  reply('GET /users/me/security', ok({ user: ada, mfa, enrolment: current ?? null }));
  if (current?.here) reply(`GET ${api}/current`, ok(current));
  reply('GET /time', ok({ now: new Date().toISOString() }));
}

const signedIn = { session: sessionOf() };

describe('turning it on', () => {
  it('from getting an app to the last screen', async () => {
    stands(openMfa());
    reply(`POST ${api}`, { status: 201, body: enrolment() });
    reply(`POST ${api}/01ENROL/confirm`, ok({ state: 'confirmed', backup_codes: tenCodes }));
    reply(`POST ${api}/01ENROL/activate`, ok({ state: 'on', next_code_in_seconds: 12 }));
    const user = open(`${base}/app`, signedIn);

    await heading(m.app_heading());
    await user.type(screen.getByLabelText(m.device_name()), 'iPhone');
    await user.click(await button(m.have_app()));

    await heading(m.scan_heading());
    expect(place.path).toBe(`${base}/scan`);
    expect(sent(`POST ${api}`)[0]?.body).toEqual({ name: 'iPhone' });
    expect(screen.getByRole('img', { name: m.qr_label({ label }) })).toBeTruthy();
    await user.click(await button(m.cannot_scan()));
    expect(screen.getByText('JBSW Y3DP EHPK 3PXP')).toBeTruthy();
    await user.click(await button(m.scanned()));

    const field = await screen.findByLabelText(m.code_label());
    await waitFor(() => expect(document.activeElement).toBe(field));
    expect(screen.queryByText(m.code_signs_out())).toBeNull();
    await user.click(field);
    await user.paste('123 456');

    await heading(m.save_heading());
    expect(place.path).toBe(`${base}/save`);
    const list = screen.getByRole('list', { name: m.codes_list() });
    expect(
      within(list)
        .getAllByRole('listitem')
        .map((item) => item.textContent),
    ).toEqual(tenCodes.map((code, i) => `${i + 1}${code}`));
    const saved = await button(m.have_saved());
    expect((saved as HTMLButtonElement).disabled).toBe(true);
    await user.click(screen.getByLabelText(m.wrote_them_down()));
    expect((saved as HTMLButtonElement).disabled).toBe(false);
    await user.click(saved);

    await heading(m.done_heading());
    screen.getByText(m.done_body());
    expect(place.path).toBe(`${base}/done`);
    expect(screen.getByText(m.done_wait({ time: '12 seconds' }))).toBeTruthy();
  });

  it('asks for a fresh proof, then goes on by itself', async () => {
    stands(openMfa());
    reply(`POST ${api}`, refuse(403, 'fresh_proof_required'), { status: 201, body: enrolment() });
    reply('POST /session/proof', refuse(422, 'wrong_password'), ok({ fresh_until: later(600), method: 'password' }));
    const user = open(`${base}/app`, signedIn);
    await user.click(await button(m.have_app()));
    await heading(m.proof_title());
    const password = screen.getByLabelText(m.password());
    await waitFor(() => expect(document.activeElement).toBe(password));
    await user.type(password, 'not this one{Enter}');
    await screen.findByText(m.error_wrong_password());
    await user.clear(password);
    await user.type(password, 'violet tractor humming{Enter}');
    await heading(m.scan_heading());
    expect(screen.queryByText(m.proof_title())).toBeNull();
  });

  it('asks for the code too where 2-step verification is on', async () => {
    stands(protectedMfa());
    reply(`POST ${api}`, refuse(403, 'fresh_proof_required'));
    reply('POST /session/proof', refuseCode({ reason: 'already_used', used_here: true, next_code_in_seconds: 9 }));
    const mfa = { state: 'on', requirement: 'allowed', deadline: null };
    const user = open(`${base}/app?replaces=01APP`, { session: sessionOf(ada, { mfa }) });
    await heading(m.wizard_title_replace());
    expect(document.title).toContain(m.wizard_title_replace());
    await user.click(await button(m.have_app()));
    await user.type(await screen.findByLabelText(m.password()), 'violet tractor humming');
    await user.type(screen.getByLabelText(m.code_label()), '123456');
    await user.click(await button(m.continue()));
    await screen.findByText(m.already_used_title());
    await user.click(await button(m.continue()));
    expect(screen.getByText(m.already_used_title())).toBeTruthy();
    expect(document.activeElement).toBe(screen.getByLabelText(m.code_label()));
    await user.click(await button(m.cancel()));
    expect(screen.queryByText(m.proof_title())).toBeNull();
    await button(m.have_app());
  });

  it.each([
    ['mfa_not_allowed', m.error_mfa_not_allowed],
    ['too_many_apps', m.error_too_many_apps],
  ])('says %s', async (code, words) => {
    stands(openMfa());
    reply(`POST ${api}`, refuse(409, code));
    const user = open(`${base}/app`, signedIn);
    await user.click(await button(m.have_app()));
    await screen.findByText(words());
  });
});

it('says why there is nothing else when it is overdue', async () => {
  stands(openMfa());
  const mfa = { state: 'off', requirement: 'required', deadline: '2026-03-12T09:00:00Z' };
  open('/', { session: sessionOf(ada, { confined_to: 'enrolment', mfa }) });
  await screen.findByText(m.wizard_confined_since({ date: '12 March 2026' }));
  cleanup();
  open('/', { session: sessionOf(ada, { confined_to: 'enrolment', mfa: { ...mfa, deadline: null } }) });
  await screen.findByText(m.wizard_confined());
});

it.each([`${base}/app?replaces=00OLD`, `${base}/scan?replaces=00OLD`, `${base}/scan`])(
  'begins nothing further when another tab has finished it (%s)',
  async (path) => {
    stands(protectedMfa());
    const user = open(path, signedIn);
    await screen.findByText(m.wizard_over());
    expect(screen.queryByText(m.have_app())).toBeNull();
    await user.click(screen.getByRole('link', { name: m.done_security() }));
    await screen.findByText(m.security_on_since({ date: '12 March 2026' }));
  },
);

describe('reloading', () => {
  it('stays at the step of an open enrolment', async () => {
    stands(openMfa({ state: 'enrolling' }), enrolment());
    open(`${base}/code`, signedIn);
    await heading(m.code_heading());
    expect(place.path).toBe(`${base}/code`);
  });

  it('leads back to the first step where nothing is open', async () => {
    stands(openMfa());
    open(`${base}/save`, signedIn);
    await heading(m.app_heading());
    await waitFor(() => expect(place.path).toBe(`${base}/app`));
  });

  it('makes a fresh set of codes at the last step, and says so', async () => {
    const confirmed = enrolment({ state: 'confirmed', secret: undefined, otpauth_uri: undefined });
    stands(openMfa({ state: 'enrolling' }), confirmed);
    reply(`POST ${api}/01ENROL/backup-codes`, ok({ backup_codes: tenCodes }));
    open(`${base}/app`, signedIn);
    await screen.findByText(m.save_fresh_title());
    screen.getByText(m.save_fresh_body());
    screen.getByText(m.not_on_yet());
    expect(place.path).toBe(`${base}/save`);
    expect(sent(`POST ${api}/01ENROL/backup-codes`)).toHaveLength(1);
  });

  it('takes a confirmed one of another session up again with a code', async () => {
    stands(openMfa({ state: 'enrolling' }), enrolment({ state: 'confirmed', here: false }));
    reply(`POST ${api}/01ENROL/confirm`, ok({ state: 'confirmed', backup_codes: tenCodes }));
    const user = open(`${base}/scan`, signedIn);
    await screen.findByText(/You set this app up before/);
    await user.type(screen.getByLabelText(m.code_label()), '123456');
    await heading(m.save_heading());
  });
});

describe('what goes wrong', () => {
  it('diagnoses a refused code under its field', async () => {
    stands(openMfa({ state: 'enrolling' }), enrolment());
    reply(`POST ${api}/01ENROL/confirm`, refuseCode({ reason: 'wrong_code', setup_label: label, attempts_left: 9 }));
    const user = open(`${base}/code`, signedIn);
    await user.type(await screen.findByLabelText(m.code_label()), '123456');
    await screen.findByText(m.wrong_new_title());
    await user.keyboard('{Enter}');
    await user.click(await button(m.confirm()));
    expect(screen.getByText(m.wrong_new_title())).toBeTruthy();
    expect(document.activeElement).toBe(screen.getByLabelText(m.code_label()));
    expect(sent(`POST ${api}/01ENROL/confirm`)).toHaveLength(1);
  });

  it.each(['1234567', 'F8QY4-0YGEC-YYS9E'])('takes %s for no code: a backup code does not do here', async (typed) => {
    stands(openMfa({ state: 'enrolling' }), enrolment());
    const user = open(`${base}/code`, signedIn);
    await user.click(await screen.findByLabelText(m.code_label()));
    await user.paste(typed);
    await screen.findByText(m.malformed_app_title());
    expect(screen.getByLabelText(m.code_label())).toBeTruthy();
    await user.click(await button(m.confirm()));
    await screen.findByText(m.malformed_new_body());
    expect(document.body.textContent).not.toMatch(/backup code/i);
    expect(sent(`POST ${api}/01ENROL/confirm`)).toHaveLength(0);
  });

  it('starts again with one press when the enrolment is over', async () => {
    stands(openMfa({ state: 'enrolling' }), enrolment());
    reply(`POST ${api}/01ENROL/confirm`, refuseCode({ reason: 'enrolment_expired' }));
    reply(`POST ${api}`, { status: 201, body: enrolment({ id: '02ENROL' }) });
    const user = open(`${base}/code`, signedIn);
    await user.type(await screen.findByLabelText(m.code_label()), '123456');
    await screen.findByText(m.enrolment_expired_title());
    await waitFor(() => expect(place.path).toBe(`${base}/app`));
    await user.click(await button(m.start_again()));
    await heading(m.scan_heading());
  });

  it('starts again as often as one likes in the place of the same app, whatever the address says', async () => {
    stands(protectedMfa(), enrolment({ replaces: '01APP' }));
    for (const id of ['01ENROL', '02ENROL']) {
      reply(`POST ${api}/${id}/confirm`, refuseCode({ reason: 'enrolment_expired' }));
    }
    reply(`POST ${api}`, { status: 201, body: enrolment({ id: '02ENROL', replaces: '01APP' }) });
    const user = open(`${base}/code`, signedIn);
    for (const times of [1, 2]) {
      await user.type(await screen.findByLabelText(m.code_label()), '123456');
      await screen.findByText(m.enrolment_expired_title());
      await waitFor(() => expect(place.path).toBe(`${base}/app`));
      await user.click(await button(m.start_again()));
      await heading(m.scan_heading());
      expect(sent(`POST ${api}`)).toHaveLength(times);
      expect(sent(`POST ${api}`).at(-1)?.body).toMatchObject({ replaces: '01APP' });
      await user.click(await button(m.scanned()));
    }
  });

  it('says so when it ran out while one looked on', async () => {
    stands(openMfa({ state: 'enrolling' }), enrolment({ expires_at: later(-1) }));
    open(`${base}/scan`, signedIn);
    await screen.findByText(m.enrolment_expired_title());
  });

  it('keeps the codes in view when the server does not answer', async () => {
    stands(openMfa({ state: 'enrolling' }), enrolment({ state: 'confirmed' }));
    reply(`POST ${api}/01ENROL/backup-codes`, ok({ backup_codes: tenCodes }));
    reply(`POST ${api}/01ENROL/activate`, 'unreachable', ok({ state: 'on', next_code_in_seconds: 5 }));
    const user = open(`${base}/save`, signedIn);
    await user.click(await screen.findByLabelText(m.wrote_them_down()));
    await user.click(await button(m.have_saved()));
    await screen.findByText(m.error_unreachable());
    expect(screen.getByText('CODE3-AAAAA-BBBBB')).toBeTruthy();
    await user.click(await button(m.have_saved()));
    await heading(m.done_heading());
  });
});

it('keeps the old codes in mind where a reload makes fresh ones while replacing', async () => {
  stands(protectedMfa(), enrolment({ state: 'confirmed', replaces: '01APP' }));
  reply(`POST ${api}/01ENROL/backup-codes`, ok({ backup_codes: tenCodes }));
  open(`${base}/save?replaces=01APP`, signedIn);
  await screen.findByText(m.save_fresh_replacing());
  screen.getByText(m.not_replaced_yet());
  expect(screen.queryByText(m.save_fresh_body())).toBeNull();
});

it('speaks of no old codes where none are left', async () => {
  stands(protectedMfa(0), enrolment({ state: 'confirmed', replaces: '01APP' }));
  reply(`POST ${api}/01ENROL/backup-codes`, ok({ backup_codes: tenCodes }));
  open(`${base}/save?replaces=01APP`, signedIn);
  await screen.findByText(m.not_good_yet_body());
  expect(screen.queryByText(m.not_replaced_yet())).toBeNull();
});

it('asks before the codes are left unsaved, and lets go once they are saved', async () => {
  stands(openMfa({ state: 'enrolling' }), enrolment({ state: 'confirmed' }));
  reply(`POST ${api}/01ENROL/backup-codes`, ok({ backup_codes: tenCodes }));
  reply(`POST ${api}/01ENROL/activate`, ok({ state: 'on', next_code_in_seconds: 5 }));
  const user = open(`${base}/save`, signedIn);
  await heading(m.save_heading());
  const crumbs = within(screen.getByRole('navigation', { name: m.crumbs_label() }));
  await user.click(crumbs.getByRole('link', { name: m.nav_users() }));
  const dialog = await screen.findByRole('dialog', { name: m.leave_codes_title() });
  within(dialog).getByText(m.leave_codes_off());
  await user.click(within(dialog).getByRole('button', { name: m.leave_stay() }));
  await user.click(screen.getByLabelText(m.wrote_them_down()));
  await user.click(await button(m.have_saved()));
  await heading(m.done_heading());
  expect(closing()).toBe(false);
});

describe('codes that are not saved', () => {
  const asked = () => screen.queryByRole('dialog', { name: m.leave_codes_title() });
  const atCodes = async (session: unknown) => {
    stands(openMfa({ state: 'enrolling' }), enrolment({ state: 'confirmed' }));
    reply(`POST ${api}/01ENROL/backup-codes`, ok({ backup_codes: tenCodes }));
    const user = open(`${base}/save`, { session });
    await heading(m.save_heading());
    return user;
  };

  it('stay at every step of the wizard, so that a way back to one asks nothing', async () => {
    await atCodes(signedIn.session);
    history.pushState({}, '', `${base}/scan`);
    window.dispatchEvent(new PopStateEvent('popstate'));
    await waitFor(() => expect(place.path).toBe(`${base}/save`));
    expect(asked()).toBeNull();
    await heading(m.save_heading());
    expect(sent(`POST ${api}/01ENROL/backup-codes`)).toHaveLength(1);
    expect(closing()).toBe(true);
  });

  it('are asked about by a way back out of it, and really left', async () => {
    const user = await atCodes(signedIn.session);
    const out = '/parameters/users';
    history.pushState({}, '', out);
    window.dispatchEvent(new PopStateEvent('popstate'));
    const dialog = await screen.findByRole('dialog', { name: m.leave_codes_title() });
    expect(location.pathname).toBe(`${base}/save`);
    reply('GET /users', ok({ users: [], next_cursor: null, total: 0 }));
    await user.click(within(dialog).getByRole('button', { name: m.leave_go() }));
    await heading(m.users_title());
    expect(place.path).toBe(out);
    expect(closing()).toBe(false);
  });

  it('stay with whoever may see nothing but the wizard, wherever a link leads', async () => {
    await atCodes(sessionOf(ada, { confined_to: 'enrolment' }));
    place.go('/');
    await waitFor(() => expect(place.path).toBe(`${base}/save`));
    expect(asked()).toBeNull();
    await heading(m.save_heading());
  });

  it('are asked about before signing out, which ends nothing until then', async () => {
    const user = await atCodes(signedIn.session);
    reply('DELETE /session', 'unreachable', ok());
    const out = async () => {
      await user.click(await screen.findByRole('button', { name: new RegExp(ada.name) }));
      await user.click(await button(m.sign_out()));
      return await screen.findByRole('dialog', { name: m.leave_codes_title() });
    };
    await user.click(within(await out()).getByRole('button', { name: m.leave_stay() }));
    expect(sent('DELETE /session')).toHaveLength(0);
    await heading(m.save_heading());
    await user.click(within(await out()).getByRole('button', { name: m.leave_go() }));
    await screen.findByText(m.sign_out_failed());
    expect(closing()).toBe(true);
  });

  it('keep nobody whose session has ended', async () => {
    await atCodes(signedIn.session);
    session.ended();
    await screen.findByText(m.session_ended_title());
    expect(asked()).toBeNull();
    expect(closing()).toBe(false);
  });
});

it('has nothing to start again where the codes were replaced elsewhere and the app is in use', async () => {
  stands(protectedMfa(), enrolment({ state: 'confirmed', replaces: '01APP' }));
  reply(`POST ${api}/01ENROL/backup-codes`, ok({ backup_codes: tenCodes }));
  reply(`POST ${api}/01ENROL/activate`, refuseCode({ reason: 'enrolment_expired' }));
  const user = open(`${base}/save?replaces=01APP`, signedIn);
  await user.click(await screen.findByLabelText(m.wrote_them_down()));
  await user.click(await button(m.have_saved()));
  await screen.findByText(m.wizard_over());
  expect(screen.queryByText(m.start_again())).toBeNull();
});

it('speaks of a lost phone where it is lost, over all steps and a reload', async () => {
  stands(protectedMfa());
  reply(`POST ${api}`, { status: 201, body: enrolment({ replaces: '01APP', lost: true }) });
  reply(`POST ${api}/01ENROL/confirm`, ok({ state: 'active', backup_codes: [] }));
  const user = open(`${base}/app?replaces=01APP&lost=yes`, signedIn);
  await heading(m.security_lost_title());
  await screen.findByText(m.replace_lost());
  expect(screen.queryByText(m.replace_body())).toBeNull();
  await user.click(await button(m.have_app()));
  await user.click(await button(m.scanned()));
  expect(sent(`POST ${api}`)[0]?.body).toMatchObject({ replaces: '01APP', lost: true });
  expect(place.search).toBe('?replaces=01APP&lost=yes');
  await user.type(await screen.findByLabelText(m.code_label()), '123456');
  await heading(m.done_heading_app());
  screen.getByText(m.done_lost());
  expect(screen.queryByText(m.done_old_entry())).toBeNull();
});

it.each([{ here: true }, { here: false }])('speaks of a lost phone where one comes back to it: %o', async (where) => {
  stands(protectedMfa(), enrolment({ ...where, replaces: '01APP', lost: true }));
  open(`${base}/scan?replaces=01APP`, signedIn);
  await heading(m.security_lost_title());
});

it('says at once that there are as many apps as there can be', async () => {
  const mfa = protectedMfa();
  const apps = ['1', '2', '3', '4', '5'].map((id) => ({ ...mfa.factors[0], id }));
  stands({ ...mfa, factors: apps });
  open(`${base}/app`, signedIn);
  await screen.findByText(m.error_too_many_apps());
  expect(screen.queryByText(m.have_app())).toBeNull();
  cleanup();
  open(`${base}/app?replaces=5&lost=yes`, signedIn); // one of them can be put in the place of another
  await button(m.have_app());
});

describe('another setup is under way', () => {
  it.each([
    [
      'of another app',
      { replaces: '02APP', lost: true },
      '?replaces=01APP',
      m.wizard_title_replace,
      { replaces: '01APP', lost: false },
    ],
    ['to add one', {}, '?replaces=01APP&lost=yes', m.security_lost_title, { replaces: '01APP', lost: true }],
    ['to replace one', { replaces: '01APP', lost: true }, '', m.wizard_title_add, {}],
  ])('%s: it is not taken for this one', async (_, begun, query, title, body) => {
    stands(protectedMfa(), enrolment({ ...begun, name: 'iPhone' }));
    reply(`POST ${api}`, { status: 201, body: enrolment({ ...body, id: '02ENROL' }) });
    const user = open(`${base}/app${query}`, signedIn);
    await heading(title());
    await screen.findByText(m.resume_another());
    await user.type(screen.getByLabelText(m.device_name()), 'iPhone');
    await user.click(await button(m.have_app()));
    await heading(m.scan_heading());
    expect(sent(`POST ${api}`).map((one) => one.body)).toEqual([{ name: 'iPhone', ...body }]);
  });

  it('of the same app: it goes on', async () => {
    stands(protectedMfa(), enrolment({ replaces: '01APP', name: 'iPhone' }));
    const user = open(`${base}/app?replaces=01APP&lost=yes`, signedIn);
    await user.click(await button(m.have_app()));
    await heading(m.scan_heading());
    expect(screen.queryByText(m.resume_another())).toBeNull();
    expect(sent(`POST ${api}`)).toEqual([]);
  });

  it('and a later step is asked for: it goes on with that, and the way back keeps to it', async () => {
    stands(protectedMfa(), enrolment({ replaces: '02APP', lost: true, name: 'iPhone' }));
    const user = open(`${base}/scan`, signedIn);
    await heading(m.scan_heading());
    await user.click(await button(m.back()));
    await heading(m.app_heading());
    expect(place.path + place.search).toBe(`${base}/app?replaces=02APP&lost=yes`);
    await user.click(await button(m.have_app()));
    await heading(m.scan_heading());
    expect(sent(`POST ${api}`)).toEqual([]);
  });

  it('and its codes are not saved: that comes first', async () => {
    stands(protectedMfa(), enrolment({ state: 'confirmed', replaces: '02APP' }));
    reply(`POST ${api}/01ENROL/backup-codes`, ok({ backup_codes: tenCodes }));
    open(`${base}/app?replaces=01APP&lost=yes`, signedIn);
    await heading(m.save_heading());
    expect(place.path + place.search).toBe(`${base}/save?replaces=02APP`);
  });
});

/** What the steps over the screen are called. */
const stepNames = () => screen.getByRole('list', { name: m.wizard_steps() }).textContent;

it('replacing with codes at hand ends at once', async () => {
  stands(protectedMfa(), enrolment({ replaces: '01APP' }));
  reply(`POST ${api}/01ENROL/confirm`, ok({ state: 'active', backup_codes: [] }));
  const user = open(`${base}/code?replaces=01APP`, signedIn);
  const code = await screen.findByLabelText(m.code_label());
  expect(stepNames()).not.toContain(m.step_save());
  screen.getByText(m.code_signs_out());
  await user.type(code, '123456');
  await heading(m.done_heading_app());
  expect(document.title).toContain(m.wizard_title_replace()); // at another address
  screen.getByText(m.done_body_app());
  expect(screen.getByText(m.done_old_entry())).toBeTruthy();
  expect(stepNames()).not.toContain(m.step_save());
});

it('a new app leads back to securing the account that it was a part of', async () => {
  stands(protectedMfa(), enrolment({ replaces: '01APP' }));
  const alarm = { at: later(-60), left: ['apps', 'codes'] };
  const page = { user: ada, mfa: protectedMfa(), enrolment: enrolment({ replaces: '01APP' }), alarm };
  reply('GET /users/me/security', ok(page));
  reply(`POST ${api}/01ENROL/confirm`, ok({ state: 'active', backup_codes: [] }));
  const user = open(`${base}/code?replaces=01APP`, signedIn);
  await user.type(await screen.findByLabelText(m.code_label()), '123456');
  await heading(m.done_heading_app());
  const way = screen.getByRole('link', { name: m.alarm_go_on() });
  expect(way.getAttribute('href')).toBe('/parameters/users/me/security/not-me?go-on=done');
  expect(screen.queryByText(m.done_home())).toBeNull();
});

it('promises no codes where another app comes beside those that there are', async () => {
  stands(protectedMfa(), enrolment());
  reply(`POST ${api}/01ENROL/confirm`, ok({ state: 'active', backup_codes: [] }));
  const user = open(`${base}/code`, signedIn);
  await heading(m.wizard_title_add());
  expect(stepNames()).not.toContain(m.step_save());
  await user.type(await screen.findByLabelText(m.code_label()), '123456');
  await heading(m.done_heading_app());
  expect(stepNames()).not.toContain(m.step_save());
});

it.each([
  ['a backup code was the last proof', protectedMfa(), 'backup_code'],
  ['no codes are in force', { ...protectedMfa(), backup_codes: { total: 0, remaining: 0, created_at: null } }, 'totp'],
])('announces codes to save where %s', async (_, mfa, fresh_with) => {
  stands(mfa);
  open(`${base}/app?replaces=01APP`, { session: sessionOf(ada, { fresh_with }) });
  await heading(m.app_heading());
  expect(stepNames()).toContain(m.step_save());
});

it('replacing without codes at hand ends with new ones, and its steps say so to the end', async () => {
  stands(protectedMfa(), enrolment({ replaces: '01APP' }));
  reply(`POST ${api}/01ENROL/confirm`, ok({ state: 'confirmed', backup_codes: tenCodes, set: '01SET' }));
  reply(`POST ${api}/01ENROL/activate`, ok({ state: 'active' }));
  const user = open(`${base}/code?replaces=01APP`, signedIn);
  await user.type(await screen.findByLabelText(m.code_label()), '123456');
  await heading(m.save_heading());
  expect(stepNames()).toContain(m.step_save());
  await user.click(screen.getByLabelText(m.wrote_them_down()));
  await user.click(await button(m.have_saved()));
  await heading(m.done_heading_app());
  expect(stepNames()).toContain(m.step_save());
});

it('saves a file that names brand, account and day, and numbers the codes as on the screen', async () => {
  stands(openMfa({ state: 'enrolling' }), enrolment({ state: 'confirmed' }));
  reply(`POST ${api}/01ENROL/backup-codes`, ok({ backup_codes: tenCodes }));
  let text = '';
  let name = '';
  vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    void (blob as Blob).text().then((content) => {
      text = content;
    });
    return 'blob:codes';
  });
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    name = this.download;
  });
  const user = open(`${base}/save`, signedIn);
  expect(screen.queryByText(/downloads/)).toBeNull();
  await user.click(await button(m.download()));
  await waitFor(() => expect(text).toContain('10. CODE9-AAAAA-BBBBB'));
  screen.getByText(m.file_saved({ file: name }));
  expect(text).not.toMatch(/this file/);
  expect(name).toMatch(/^MailMachine-backup-codes-\d{4}-\d\d-\d\d\.txt$/);
  expect(text).toContain('ada@example.test');
  expect(((await button(m.have_saved())) as HTMLButtonElement).disabled).toBe(false);
});
