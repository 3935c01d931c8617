import { screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { SecurityEvent, SecurityView } from '../../api/shapes';
import { m } from '../../paraglide/messages';
import { button, open, pressOn } from '../../testing/open';
import { ada, bo, enrolment, event, later, openMfa, protectedMfa, recovery, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';
import { doubtful, doubtInWords, tasks } from './tasks';

function view(user: object, mfa: object, current: object | null = null, waiting: object | null = null): SecurityView {
  return { user, mfa, enrolment: current, codes_waiting: waiting } as SecurityView;
}

describe('what there is to do', () => {
  it.each([
    ['nothing', view(bo, protectedMfa()), []],
    ['nothing, where it is not allowed', view(bo, openMfa({ requirement: 'off' })), []],
    ['nothing, where it is kept and not asked for', view(bo, { ...protectedMfa(2), requirement: 'off' }), []],
    ['turn it on', view(bo, openMfa()), [m.home_off_title()]],
    ['go on', view(bo, openMfa({ state: 'enrolling' }), enrolment()), [m.security_pending()]],
    ['new codes', view(bo, protectedMfa(3)), [m.home_few_codes_title()]],
    [
      'by a day',
      view(bo, openMfa({ requirement: 'required', deadline: '2030-12-05T12:00:00Z' })),
      [m.home_required_by({ date: '5 December 2030' })],
    ],
    ['now', view(bo, openMfa({ requirement: 'required', deadline: later(-60) })), [m.home_required_now()]],
  ])('%s', (_, seen, titles) => {
    expect(tasks(seen).map((task) => task.title)).toEqual(titles);
  });

  it('is to finish what “This wasn’t me” began, with its new codes said once', () => {
    const left = (...left: string[]) =>
      ({ ...view(bo, protectedMfa(2)), alarm: { at: later(-60), left } }) as SecurityView;
    const [first, ...others] = tasks(left('apps', 'codes'));
    expect(first).toMatchObject({ urgent: true, title: m.home_alarm_title() });
    expect(first?.href).toBe('/parameters/users/me/security/not-me?go-on=');
    expect(first?.body).toContain(`${m.alarm_left_apps()} and ${m.alarm_left_codes()}`);
    expect(others).toEqual([]);
    // Those of before may be known, so they are not to be kept.
    const waits = { ...left('codes'), codes_waiting: { made_at: later(-600) } } as SecurityView;
    expect(tasks(waits)[1]).toMatchObject({ title: m.security_codes_waiting(), leave: undefined });
    expect(tasks(left('password')).map((task) => task.title)).toEqual([m.home_alarm_title(), m.home_few_codes_title()]);
  });

  const confirmed = enrolment({ state: 'confirmed' });
  const waiting = { made_at: later(-600) };
  const codes = { title: m.security_codes_waiting(), leave: { label: m.keep_old_codes() } };
  const path = '/parameters/users/me/security';
  it.each([
    [
      'an app that is being added changes nothing yet',
      view(bo, protectedMfa(), enrolment()),
      { title: m.security_adding(), body: m.security_adding_body(), href: `${path}/enable/scan` },
    ],
    [
      'nor does one that is to replace another',
      view(bo, protectedMfa(), enrolment({ replaces: '01APP' })),
      { title: m.security_replacing(), body: m.security_replacing_body(), href: `${path}/enable/scan?replaces=01APP` },
    ],
    [
      'whose phone may be lost',
      view(bo, protectedMfa(), enrolment({ replaces: '01APP', lost: true })),
      { title: m.security_replacing_lost(), body: m.security_replacing_lost_body() },
    ],
    [
      'in another browser it starts again',
      view(bo, protectedMfa(), enrolment({ here: false })),
      { title: m.security_adding(), body: m.security_elsewhere_unchanged() },
    ],
    [
      'a new app is in use, and its codes wait',
      view(bo, protectedMfa(), confirmed),
      { ...codes, body: m.security_codes_waiting_body() },
    ],
    [
      'without an old code there is none to keep',
      view(bo, protectedMfa(0), confirmed),
      { title: m.security_codes_waiting(), body: m.security_codes_waiting_none(), leave: undefined },
    ],
    [
      'before it is on, the codes are what is missing',
      view(bo, openMfa({ state: 'enrolling' }), confirmed),
      { title: m.security_confirmed(), body: m.security_confirmed_body() },
    ],
    [
      'codes made on their own wait, and few old ones are not told beside them',
      view(bo, protectedMfa(2), null, waiting),
      { title: m.security_codes_waiting(), href: `${path}/backup-codes`, leave: { label: m.keep_old_codes() } },
    ],
  ])('%s', (_, seen, task) => {
    expect(tasks(seen)).toEqual([expect.objectContaining(task)]);
  });

  it('urges administrators', () => {
    expect(tasks(view(ada, openMfa()))[0]).toMatchObject({ urgent: true, body: m.home_off_administrator() });
    expect(tasks(view(bo, openMfa()))[0]?.urgent).toBe(false);
  });
});

describe('a sign-in that may not have been theirs', () => {
  const events = (...some: Record<string, unknown>[]) => some.map((more) => event(more)) as unknown as SecurityEvent[];
  const strange = { id: '01NEW', new_browser: true };
  it.each([
    ['is asked about', events(strange), [], '01NEW'],
    ['is not asked about twice', events(strange), ['01NEW'], undefined],
    [
      'is not asked about where another browser has answered',
      events({ kind: 'sign_in.known', data: { event: '01NEW' } }, strange),
      [],
      undefined,
    ],
    [
      'is asked about where another one was answered',
      events({ kind: 'sign_in.known', data: { event: '00OLD' } }, strange),
      [],
      '01NEW',
    ],
    ['is of another session', events({ ...strange, here: true }), [], undefined],
    ['is of the past week', events({ ...strange, at: later(-8 * 86_400) }), [], undefined],
    ['is done with by an alarm', events({ kind: 'alarm.raised' }, strange), [], undefined],
    ['is new after an alarm', events(strange, { kind: 'alarm.raised' }), [], '01NEW'],
    ['is not one that was refused', events({ ...strange, kind: 'sign_in.password', result: 'refused' }), [], undefined],
  ])('%s', (_, seen, known, id) => expect(doubtful(seen, known)?.id).toBe(id));
});

describe('how that sign-in was done', () => {
  it.each([
    ['password', m.home_doubt_password],
    ['totp', m.home_doubt_app],
    ['backup_code', m.home_doubt_code],
    ['webauthn', m.home_doubt_key],
    ['enrolment_link', m.home_doubt_link],
    ['something_new', m.home_doubt_other],
  ])('%s', (method, how) => {
    const said = doubtInWords(event({ method, address: '' }) as unknown as SecurityEvent);
    expect(said).toContain(`${how()} `);
    expect(said).not.toContain('address');
  });
});

describe('home', () => {
  it('warns administrators of what would go wrong, with what to do next', async () => {
    reply('GET /users/me/security', ok({ user: ada, mfa: protectedMfa(), enrolment: null }));
    const warnings = [
      { kind: 'key_not_kept', count: 1 },
      { kind: 'unprotected_administrators', count: 2 },
    ];
    reply('GET /protection/warnings', ok({ warnings }));
    open('/', { session: sessionOf() });
    await screen.findByText(m.warning_key());
    expect(screen.queryByText(m.home_calm())).toBeNull();
    const way = screen.getByRole('link', {
      name: pressOn(m.warning_unprotected_act(), m.warning_unprotected({ count: 2, shown: '2' })),
    });
    expect(way.getAttribute('href')).toBe('/parameters/users?protection=off&role=administrator');
  });

  it('does not ask for warnings where they are not the person’s to see to', async () => {
    reply('GET /users/me/security', ok({ user: bo, mfa: protectedMfa(), enrolment: null }));
    open('/', { session: sessionOf(bo) });
    await screen.findByText(m.home_calm());
    expect(sent('GET /protection/warnings')).toEqual([]);
  });

  it('asks about a browser not seen before, and is calm once that is answered', async () => {
    reply('GET /users/me/security', ok({ user: ada, mfa: protectedMfa(), enrolment: null }));
    const events = [event({ id: '01STRANGE', new_browser: true })];
    reply('GET /users/me/security/events', ok({ events, next_cursor: null }));
    const user = open('/', { session: sessionOf() });
    await screen.findByText(m.home_doubt_title());
    expect(
      screen.getByText(/a code from an authenticator app .*, in Firefox on Windows, from the address \u2068192/),
    ).toBeTruthy();
    const not = screen.getByRole('link', { name: m.not_me_press() });
    expect(not.getAttribute('href')).toBe('/parameters/users/me/security/not-me?event=01STRANGE');
    reply('POST /users/me/security/events/01STRANGE/known', ok({ everywhere: true }));
    await user.click(await button(m.home_doubt_me()));
    await screen.findByText(m.home_calm());
    expect(sent('POST /users/me/security/events/01STRANGE/known')).toHaveLength(1);
  });

  it('is one calm line when there is nothing to do', async () => {
    reply('GET /users/me/security', ok({ user: ada, mfa: protectedMfa(), enrolment: null }));
    open('/', { session: sessionOf() });
    await screen.findByText(m.home_calm());
  });

  it('is not calm while somebody asks for a way back into the account', async () => {
    reply('GET /users/me/security', ok({ user: ada, mfa: protectedMfa(), enrolment: null }));
    reply(
      'GET /users/me/security/recovery',
      ok({ recovery: recovery({ browser: 'Firefox on Linux', address: '192.0.2.7' }) }),
    );
    open('/', { session: sessionOf(ada, { recovery: 'asked' }) });
    await screen.findByText(m.recovery_banner_title());
    await waitFor(() => expect(screen.queryByText(m.loading())).toBeNull());
    expect(screen.queryByText(m.home_calm())).toBeNull();
  });

  it.each([
    ['a setup', enrolment(), null, m.give_up_setup(), 'DELETE /users/me/security/enrolments/01ENROL'],
    ['new codes', null, { made_at: later(-60) }, m.keep_old_codes(), 'DELETE /users/me/security/backup-codes/waiting'],
  ])('leaves %s with one press', async (_, current, waiting, label, call) => {
    const mine = { user: ada, mfa: protectedMfa() };
    reply('GET /users/me/security', ok({ ...mine, enrolment: current, codes_waiting: waiting }));
    reply(call, refuse(500, 'internal_fault'), ok());
    const user = open('/', { session: sessionOf() });
    await user.click(await button(label));
    await screen.findByText(m.error_internal_fault());
    reply('GET /users/me/security', ok({ ...mine, enrolment: null, codes_waiting: null }));
    await user.click(await button(label));
    await screen.findByText(m.home_calm());
    expect(sent(call)).toHaveLength(2);
    expect(screen.queryByText(m.error_internal_fault())).toBeNull();
  });

  it('says when it cannot be read', async () => {
    reply('GET /users/me/security', refuse(500, 'internal_fault'), ok({ user: ada, mfa: openMfa(), enrolment: null }));
    const user = open('/', { session: sessionOf() });
    await user.click(await button(m.try_again()));
    await screen.findByText(m.home_off_title());
  });
});
