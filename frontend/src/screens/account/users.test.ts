import { cleanup, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, heading, open } from '../../testing/open';
import { ada, bo, later, protectedMfa, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';
import { dayIn } from './choice';
import { glance } from './protection';
import { readView, writeView } from './view';

/** What is asked of new people, as the settings say. */
const standard = (requirement = 'allowed', days = 0) =>
  reply('GET /settings', ok({ new_people: { requirement, days } }));

const signedIn = { session: sessionOf() };
const off = {
  state: 'off',
  requirement: 'allowed',
  deadline: null,
  since: null,
  overdue: false,
  locked: false,
  backup_codes_remaining: 0,
} as const;

function row(user: typeof ada, mfa: object = {}, more: object = {}) {
  return { ...user, last_sign_in_at: null, disabled: false, invited: false, mfa: { ...off, ...mfa }, ...more };
}

function page(users: unknown[], more: object = {}) {
  return ok({ users, next_cursor: null, total: users.length, ...more });
}

describe('users', () => {
  it('lists people with their protection, each a link', async () => {
    reply('GET /users', page([row(ada, { state: 'on', backup_codes_remaining: 7 }), row(bo)]));
    open('/parameters/users', signedIn);
    const link = await screen.findByRole('link', { name: 'Bo Lindqvist' });
    expect(link.getAttribute('href')).toBe('/parameters/users/01BO/security');
    expect(screen.getByText(m.users_count({ count: 2, shown: '2' }), { selector: 'span' })).toBeTruthy();
  });

  it('searches as one types, and keeps the view in the address', async () => {
    reply('GET /users', page([row(ada), row(bo)]));
    const user = open('/parameters/users?role=member', signedIn);
    await user.type(await screen.findByLabelText(m.users_search()), 'bo');
    await waitFor(() => expect(sent('GET /users').at(-1)?.search.get('query')).toBe('bo'));
    expect(sent('GET /users').at(-1)?.search.get('role')).toBe('member');
    expect(sent('GET /users').every((one) => one.search.get('query') !== 'b')).toBe(true);
    expect(place.search).toBe('?query=bo&role=member');
    await user.selectOptions(screen.getByLabelText(m.users_filter_protection()), 'off');
    await waitFor(() => expect(sent('GET /users').at(-1)?.search.get('protection')).toBe('off'));
  });

  it('tells who is invited, disabled, overdue or locked, and filters by it', async () => {
    const late = { requirement: 'required', deadline: '2026-01-01T00:00:00Z', overdue: true };
    const rows = [
      row({ ...bo, id: '1', name: 'Invited One' }, {}, { invited: true }),
      row({ ...bo, id: '2', name: 'Disabled One' }, late, { disabled: true }),
      row({ ...bo, id: '3', name: 'Late One' }, late),
      row({ ...bo, id: '4', name: 'Locked One' }, { state: 'on', locked: true }),
    ];
    reply('GET /users', page(rows));
    const user = open('/parameters/users', signedIn);
    const told = async (name: string) => (await screen.findByRole('link', { name })).closest('tr')?.textContent;
    expect(await told('Invited One')).toContain(m.user_invited());
    expect(await told('Disabled One')).toContain(m.user_disabled());
    expect(await told('Late One')).toMatch(/Overdue/);
    expect(await told('Locked One')).toContain(m.protection_locked());
    for (const state of ['required_not_yet', 'overdue', 'few_codes', 'locked', 'disabled', 'invited']) {
      await user.selectOptions(screen.getByLabelText(m.users_filter_protection()), state);
      await waitFor(() => expect(sent('GET /users').at(-1)?.search.get('protection')).toBe(state));
      expect(readView(place.search).protection).toBe(state);
    }
  });

  it('begins with what is asked of new people, and asks nothing else of an administrator', async () => {
    reply('GET /users', page([row(ada)]));
    standard('off');
    const on = { mfa: { state: 'on', requirement: 'allowed', deadline: null } };
    const user = open('/parameters/users', { session: sessionOf(ada, on) });
    await user.click(await button(m.invite()));
    const way = (name: string) => screen.findByLabelText<HTMLInputElement>(new RegExp(`^${name}`));
    expect((await way(m.requirement_off())).checked).toBe(true);
    // The installation's own is not asked for: its reason is on record.
    reply('POST /users', refuse(409, 'email_taken'));
    await user.type(screen.getByLabelText(m.name()), 'Bo');
    await user.type(screen.getByLabelText(m.email()), 'bo@example.test');
    await user.click(await button(m.invite_submit_mail()));
    await screen.findByText(m.error_email_taken());
    expect(sent('POST /users')[0]?.body).toEqual({ name: 'Bo', email: 'bo@example.test', role: 'member' });
    await user.selectOptions(within(screen.getByRole('dialog')).getByLabelText(m.role_title()), 'administrator');
    expect((await way(m.requirement_allowed())).checked).toBe(true);
    expect((await way(m.requirement_off())).disabled).toBe(true);
    await user.click(await button(m.cancel()));
    standard('required', 30);
    await user.click(await button(m.invite()));
    expect((await way(m.requirement_required())).checked).toBe(true);
    expect(screen.queryByLabelText(new RegExp(`^${m.requirement_off()}`))).toBeNull();
    const day = screen.getByLabelText<HTMLInputElement>(m.requirement_deadline()).value;
    expect(day).toBe(dayIn(30));
    await user.click(await button(m.cancel()));
    // While it is not known, nobody is held.
    reply('GET /settings', 'unreachable');
    await user.click(await button(m.invite()));
    await user.click(await button(m.cancel()));
    reply('GET /settings', refuse(500, 'internal_fault'));
    await user.click(await button(m.invite()));
    await screen.findByText(m.error_internal_fault());
    standard('required');
    await user.click(await button(m.try_again()));
    expect((await screen.findByLabelText<HTMLInputElement>(m.requirement_at_once())).checked).toBe(true);
  });

  it('invites somebody, and shows the link this once', async () => {
    reply('GET /users', page([row(ada)]));
    standard();
    const link = 'https://id.example.test/join#token=TOKEN';
    reply(
      'POST /users',
      refuse(409, 'email_taken'),
      ok({ user: bo, invitation_link: link, expires_at: later(259_200) }),
    );
    const on = { mfa: { state: 'on', requirement: 'allowed', deadline: null } };
    const user = open('/parameters/users', { session: sessionOf(ada, on) });
    await user.click(await button(m.invite()));
    await user.click(await button(m.invite_submit_mail()));
    expect(await screen.findAllByText(m.field_required())).toHaveLength(2);
    expect(document.activeElement).toBe(screen.getByLabelText(m.name()));
    await user.type(screen.getByLabelText(m.name()), 'Bo Lindqvist');
    await user.type(screen.getByLabelText(m.email()), 'bo@example.test{Enter}');
    await screen.findByText(m.error_email_taken());
    const dialog = within(screen.getByRole('dialog'));
    await user.selectOptions(dialog.getByLabelText(m.role_title()), 'administrator');
    await screen.findByText(m.invite_role_administrator());
    await user.click(screen.getByLabelText(new RegExp(`^${m.requirement_required()}`)));
    await user.click(await button(m.invite_submit_mail()));
    await heading(m.invited_title({ name: bo.name }));
    expect((screen.getByLabelText(m.invited_link()) as HTMLInputElement).value).toBe(link);
    const body = sent('POST /users').at(-1)?.body;
    expect(body).toMatchObject({ name: 'Bo Lindqvist', email: 'bo@example.test', role: 'administrator' });
    expect(body?.requirement).toBe('required');
    expect(Date.parse(String(body?.deadline))).toBeGreaterThan(Date.now() + 13 * 86_400_000);
    await user.click(await button(m.done()));
    await waitFor(() => expect(sent('GET /users')).toHaveLength(2));
    expect(screen.queryByText(link)).toBeNull();
  });

  it('shows no link where it was mailed', async () => {
    standard();
    reply('GET /users', page([row(ada)]));
    reply('POST /users', ok({ user: bo, invitation_link: null, expires_at: later(259_200) }));
    const on = { mfa: { state: 'on', requirement: 'allowed', deadline: null } };
    const user = open('/parameters/users', { session: sessionOf(ada, on) });
    await user.click(await button(m.invite()));
    await user.type(await screen.findByLabelText(m.name()), 'Bo Lindqvist');
    await user.type(screen.getByLabelText(m.email()), 'bo@example.test{Enter}');
    await heading(m.invited_title({ name: bo.name }));
    expect(screen.getByText(/is on its way to bo@example\.test/)).toBeTruthy();
    expect(screen.queryByRole('button', { name: m.copy_link() })).toBeNull();
  });

  it('invites nobody while one has no 2-step verification oneself', async () => {
    reply('GET /users', page([row(ada)]));
    const user = open('/parameters/users', signedIn);
    await user.click(await button(m.invite()));
    await screen.findByText(m.error_own_mfa_first());
    expect(screen.queryByLabelText(m.email())).toBeNull();
    await user.click(await button(m.close()));
    await waitFor(() => expect(screen.queryByText(m.error_own_mfa_first())).toBeNull());
  });

  it('pages forth and back', async () => {
    reply('GET /users', page([row(ada)], { next_cursor: 'CUR2', total: 60 }));
    const user = open('/parameters/users', signedIn);
    await screen.findByRole('link', { name: 'Ada Admin' });
    await user.click(await button(m.users_next()));
    await waitFor(() => expect(sent('GET /users').at(-1)?.search.get('cursor')).toBe('CUR2'));
    expect(place.search).toBe('?cursor=CUR2');
    await screen.findByText(m.users_range({ first: '26', last: '26', total: '60' }));
    await user.click(await button(m.users_previous()));
    await waitFor(() => expect(place.search).toBe(''));
  });

  it('says when nobody fits, and shows everybody again', async () => {
    reply('GET /users', page([]));
    const user = open('/parameters/users?query=zz', signedIn);
    await screen.findByText(m.users_none_title());
    screen.getByText(m.users_none_body());
    reply('GET /users', page([row(bo)]));
    await user.click(await button(m.users_clear()));
    await screen.findByRole('link', { name: 'Bo Lindqvist' });
    cleanup();
    reply('GET /users', page([]));
    open('/parameters/users?protection=locked', signedIn);
    await screen.findByText(m.users_none_filtered());
  });

  it('says when nobody is here, and when it cannot be read', async () => {
    reply('GET /users', page([]));
    open('/parameters/users', signedIn);
    await screen.findByText(m.users_empty_title());
    cleanup();
    reply('GET /users', refuse(500, 'internal_fault'), page([row(bo)]));
    const user = open('/parameters/users', signedIn);
    await user.click(await button(m.try_again()));
    await screen.findByRole('link', { name: 'Bo Lindqvist' });
  });

  it('shows a member themself only', async () => {
    reply('GET /users/me', ok({ user: bo, mfa: protectedMfa() }));
    open('/parameters/users', { session: sessionOf(bo) });
    await screen.findByRole('link', { name: 'Bo Lindqvist' });
    expect(screen.getByText(m.users_member_note())).toBeTruthy();
    expect(screen.queryByLabelText(m.users_search())).toBeNull();
    expect(sent('GET /users')).toHaveLength(0);
  });
});

describe('protection at a glance', () => {
  const now = new Date('2026-11-24T12:00:00Z');
  it.each([
    ['on', { state: 'on', backup_codes_remaining: 7 }, 'good', 'On'],
    ['few codes', { state: 'on', backup_codes_remaining: 1 }, 'warn', 'On · 1 code left'],
    ['no codes', { state: 'on', backup_codes_remaining: 0 }, 'warn', 'On · no codes left'],
    ['off', {}, 'plain', 'Off'],
    ['not allowed', { requirement: 'off' }, 'plain', 'Not allowed'],
    ['locked', { state: 'on', locked: true, backup_codes_remaining: 7 }, 'bad', 'Locked'],
    ['kept, and not asked for', { state: 'on', requirement: 'off' }, 'plain', 'Not allowed'],
    ['unfinished', { state: 'enrolling' }, 'warn', 'Not finished'],
    ['required', { requirement: 'required', deadline: '2026-12-05T12:00:00Z' }, 'warn', /^Required by .*5.*$/],
    ['overdue', { requirement: 'required', deadline: '2026-11-21T11:00:00Z' }, 'bad', 'Overdue for 3 days'],
  ] as const)('%s', (_, mfa, tone, text) => {
    const shown = glance({ ...off, ...mfa } as Parameters<typeof glance>[0], now);
    expect(shown.tone).toBe(tone);
    expect(shown.text).toMatch(text);
  });
});

it('reads no view out of the address but one that there is', () => {
  expect(readView('?role=king&sort=email&protection=on&query=a%20b')).toEqual({
    query: 'a b',
    protection: 'on',
    role: '',
    sort: 'email',
    cursor: '',
  });
  expect(writeView({ query: 'a b', protection: '', role: '', sort: '', cursor: '' })).toBe('?query=a+b');
});
