import { cleanup, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import type { LogEntry } from '../../api/shapes';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, open, pressOn } from '../../testing/open';
import { ada, bo, later, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';
import { kinds } from '../history/sentence';
import { choices, record } from './record';
import { nothing, query, readView, writeView } from './view';

const signedIn = { session: sessionOf() };
const path = '/parameters/audit';

function entry(more: object = {}) {
  return {
    id: '01EVENT',
    at: later(-7_200),
    schema: 1,
    kind: 'sign_in.completed',
    result: 'ok',
    by: 'self',
    actor_id: bo.id,
    actor_name: bo.name,
    subject_id: bo.id,
    subject_name: bo.name,
    session_id: '01SESSION',
    method: 'totp',
    reason: '',
    address: '192.0.2.7',
    browser: 'Firefox on Windows',
    request_id: '01REQUEST',
    data: null,
    ...more,
  } as unknown as LogEntry;
}

const page = (events: unknown[], next: string | null = null) => ok({ events, next_cursor: next });
const items = () => screen.findAllByRole('listitem').then((all) => all.filter((one) => one.matches('.item')));
const rows = async () =>
  (
    await waitFor(async () => {
      const found = await items();
      expect(found).not.toHaveLength(0);
      return found;
    })
  ).map((row) => row.textContent);

describe('the audit log', () => {
  it('tells what happened to whom and by whom, and all that is stored at a press', async () => {
    reply(
      'GET /audit',
      page([
        entry({
          id: '01A',
          kind: 'requirement.set',
          by: 'other',
          actor_id: ada.id,
          actor_name: ada.name,
          data: { to: 'required' },
        }),
        entry({
          id: '01B',
          kind: 'sign_in.second_step',
          result: 'refused',
          reason: 'wrong_code',
          by: 'nobody',
          actor_id: '',
          actor_name: null,
        }),
        entry({
          id: '01C',
          kind: 'password.set',
          by: 'console',
          actor_id: '',
          actor_name: null,
          browser: 'console',
          subject_id: '01GONE',
          subject_name: null,
        }),
        entry({
          id: '01D',
          kind: 'key.rotated',
          by: 'console',
          actor_id: '',
          subject_id: '',
          subject_name: null,
          browser: 'console',
        }),
      ]),
    );
    const user = open(path, signedIn);
    const [required, refused, set, rotated] = await rows();
    for (const text of [m.event_required(), bo.name, m.audit_by({ name: ada.name })]) expect(required).toContain(text);
    for (const text of [m.event_refused_second_step(), bo.name, m.event_why_wrong_code()])
      expect(refused).toContain(text);
    for (const text of [m.audit_gone({ id: '01GONE' }), m.event_by_console()]) expect(set).toContain(text);
    expect(rotated).toContain(m.event_key_rotated());
    const first = within((await items())[0] as HTMLElement);
    expect(first.queryByText('01REQUEST')).toBeTruthy();
    const press = first.getByRole('button', { name: pressOn(m.audit_details(), m.event_required()) });
    expect(press.getAttribute('aria-expanded')).toBe('false');
    await user.click(press);
    expect(press.getAttribute('aria-expanded')).toBe('true');
    expect(first.getByText('{"to":"required"}')).toBeTruthy();
  });

  it('narrows by what is chosen, and keeps it in the address', async () => {
    reply('GET /audit', page([entry()], '01NEXT'));
    const user = open(`${path}?cursor=01OLD`, signedIn);
    await user.selectOptions(await screen.findByLabelText(m.audit_kind()), 'password.changed');
    await waitFor(() => expect(place.search).toBe('?kind=password.changed'));
    await user.selectOptions(screen.getByLabelText(m.audit_result()), 'refused');
    await user.type(screen.getByLabelText(m.audit_address()), '192.0.2.7{Enter}');
    await waitFor(() => expect(place.search).toBe('?kind=password.changed&result=refused&address=192.0.2.7'));
    await waitFor(() => expect(sent('GET /audit').at(-1)?.search.get('address')).toBe('192.0.2.7'));
    expect(sent('GET /audit').at(-1)?.search.get('cursor')).toBeNull();
  });

  it('offers people as one types, and narrows to the one that is chosen', async () => {
    reply('GET /audit', page([entry()]));
    reply('GET /users', ok({ users: [bo], next_cursor: null, total: 1 }));
    const user = open(path, signedIn);
    const field = await screen.findByLabelText(m.audit_person());
    await user.type(field, 'bo');
    await waitFor(() => expect(sent('GET /users').at(-1)?.search.get('query')).toBe('bo'));
    await user.type(field, '{Enter}');
    await waitFor(() => expect(sent('GET /audit').at(-1)?.search.get('person')).toBe(bo.email));
    await user.clear(field);
    await waitFor(() => expect(place.search).toBe(''));
  });

  it('says so when a name is not one person, and leaves the list as it is', async () => {
    reply('GET /audit', page([entry()]));
    const two = ['carla@example.test', 'carl@example.test'].map((email) => ({
      ...bo,
      id: email,
      name: 'Carla',
      email,
    }));
    reply(
      'GET /users',
      ok({ users: two, next_cursor: null, total: 2 }),
      ok({ users: [bo], next_cursor: null, total: 1 }),
    );
    const user = open(path, signedIn);
    const field = await screen.findByLabelText(m.audit_person());
    expect(field.getAttribute('placeholder')).toBe(m.audit_person_takes());
    await user.type(field, 'Carla{Enter}');
    await screen.findByText(m.audit_person_unchosen({ typed: 'Carla' }));
    expect(place.search).toBe('');
    expect(sent('GET /audit').every((one) => one.search.get('person') === null)).toBe(true);
    await user.clear(field);
    expect(screen.queryByText(m.audit_person_unchosen({ typed: 'Carla' }))).toBeNull();
    // Enter at once, before anybody was offered.
    await user.type(field, 'Bo L{Enter}');
    await waitFor(() => expect(place.search).toBe(`?person=${encodeURIComponent(bo.email)}`));
  });

  it('narrows to a person by their name in an event, and says who it is', async () => {
    reply('GET /audit', page([entry()]));
    reply(`GET /users/${bo.id}`, ok({ user: bo, mfa: {} }));
    const user = open(path, signedIn);
    await user.click(await screen.findByRole('link', { name: bo.name }));
    await waitFor(() => expect(sent('GET /audit').at(-1)?.search.get('person')).toBe(bo.id));
    await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>(m.audit_person()).value).toBe(bo.email));
  });

  it('pages forth and back', async () => {
    reply('GET /audit', page([entry()], '01NEXT'));
    const user = open(`${path}?result=ok`, signedIn);
    await user.click(await button(m.users_next()));
    await waitFor(() => expect(sent('GET /audit').at(-1)?.search.get('cursor')).toBe('01NEXT'));
    expect(place.search).toBe('?result=ok&cursor=01NEXT');
    await user.click(await button(m.users_previous()));
    await waitFor(() => expect(place.search).toBe('?result=ok'));
    cleanup();
    const again = open(`${path}?cursor=01NEXT`, signedIn);
    await again.click(await button(m.users_first()));
    await waitFor(() => expect(place.search).toBe(''));
  });

  it('says when nothing fits, when nothing is there and when it cannot be read', async () => {
    reply('GET /audit', page([]));
    const user = open(`${path}?result=fault&from=2026-03-12`, signedIn);
    await screen.findByText(m.audit_none_title());
    await user.click(await button(m.audit_clear()));
    await screen.findByText(m.audit_empty_title());
    expect(place.search).toBe('');
    cleanup();
    reply('GET /audit', refuse(500, 'internal_fault'), page([entry()]));
    const again = open(path, signedIn);
    await again.click(await button(m.try_again()));
    expect(await rows()).toHaveLength(1);
  });

  it('saves a checkpoint as a file, and says when there is none to be had', async () => {
    let written = '';
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
    vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
      void (blob as Blob).text().then((content) => {
        written = content;
      });
      return 'blob:checkpoint';
    });
    reply('GET /audit', page([entry()]));
    reply(
      'GET /audit/checkpoint',
      ok({ events: 3, root: 'r', checkpoint: 'signed' }),
      refuse(409, 'audit_log_altered'),
    );
    const user = open(path, signedIn);
    await user.click(await button(m.audit_checkpoint()));
    await screen.findByText(m.audit_checkpoint_saved({ count: 3, shown: '3' }));
    await waitFor(() => expect(written).toBe('signed'));
    await user.click(await button(m.audit_checkpoint()));
    await screen.findByText(m.error_audit_log_altered());
    expect(screen.queryByText(m.audit_checkpoint_saved({ count: 3, shown: '3' }))).toBeNull();
  });

  it('exports what is shown as a file, as far as the whole of it came', async () => {
    const written: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
    vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
      void (blob as Blob).text().then((content) => written.push(content));
      return 'blob:export';
    });
    const lines = (text: string, total: number, type = 'application/x-ndjson') =>
      ok(text, { 'Content-Type': type, 'Secondstep-Events': String(total) });
    reply('GET /audit', page([entry()], '01NEXT'));
    reply(
      'GET /audit/export',
      lines('"id"\n"01A"\n"01B"\n', 2, 'text/csv'),
      lines('{}\n', 1),
      lines('{}\n', 2),
      lines('{}\n{}\n', 2),
    );
    const user = open(`${path}?result=refused&from=2026-03-12&cursor=01OLD`, signedIn);
    await user.click(await button(m.export_users()));
    await screen.findByText(m.audit_export_done({ count: 2, shown: '2' }));
    const asked = sent('GET /audit/export')[0]?.search;
    expect(Object.fromEntries(asked ?? [])).toEqual({
      result: 'refused',
      from: new Date(2026, 2, 12).toISOString(),
      format: 'csv',
    });
    await user.click(await button(m.audit_export_lines()));
    await screen.findByText(m.audit_export_done({ count: 1, shown: '1' }));
    await waitFor(() => expect(written).toEqual(['\ufeff"id"\n"01A"\n"01B"\n', '{}\n']));
    // Cut off on its way: no file, and the same again at a press.
    await user.click(await button(m.audit_export_lines()));
    await screen.findByText(m.error_unreachable());
    expect(written).toHaveLength(2);
    await user.click(await button(m.try_again()));
    await screen.findByText(m.audit_export_done({ count: 2, shown: '2' }));
  });

  it('can be stopped while it is exported, and asks for fresh proof first', async () => {
    reply('GET /audit', page([entry()]));
    reply('GET /audit/export', refuse(403, 'fresh_proof_required'));
    const user = open(path, signedIn);
    await user.click(await button(m.export_users()));
    await screen.findByRole('dialog');
    await user.click(await button(m.cancel()));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(screen.queryByRole('alert')).toBeNull();
    await button(m.export_users());
  });

  it('is in the rail of administrators only', async () => {
    reply('GET /audit', page([]));
    open(path, signedIn);
    expect(await screen.findAllByRole('link', { name: m.audit_title() })).toHaveLength(2);
    cleanup();
    reply('GET /audit', refuse(403, 'not_permitted'));
    open(path, { session: sessionOf(bo) });
    await screen.findByText(m.error_not_permitted());
    expect(screen.queryByRole('link', { name: m.audit_title() })).toBeNull();
  });
});

describe('an event told to an administrator', () => {
  it.each(kinds)('says no "you": %s', (kind) => {
    for (const result of ['ok', 'refused', 'fault'] as const) {
      for (const to of ['required', 'allowed', 'off', '']) {
        const { title, more } = record(entry({ kind, result, data: { to } }));
        expect([title, ...more].join(' ')).not.toMatch(/\byour?\b/i);
      }
    }
  });

  it('is chosen by a name that no other kind has', () => {
    const names = choices(kinds).map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain(m.event_signed_in());
    // A choice has no values: none is told as if it had.
    expect(names.filter((name) => /\b\d+(?!-step)\b|\bfrom +to\b|“”/.test(name))).toEqual([]);
  });
});

describe('the view', () => {
  it('is read from the address, but for what there is not', () => {
    expect(readView('?person=01BO&kind=a.b&result=maybe&from=2026-13-99x&to=2026-03-12')).toEqual({
      ...nothing,
      person: '01BO',
      kind: 'a.b',
      to: '2026-03-12',
    });
    expect(writeView({ ...nothing, person: 'a@b', cursor: 'x' })).toBe('?person=a%40b&cursor=x');
  });

  it('asks for whole days of the reader', () => {
    const asked = query({ ...nothing, from: '2026-03-12', to: '2026-03-12', kind: 'a.b' });
    expect(asked).toEqual({
      kind: 'a.b',
      from: new Date(2026, 2, 12).toISOString(),
      to: new Date(2026, 2, 13).toISOString(),
    });
  });
});
