import { screen, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, open } from '../../testing/open';
import { ada, bo, openMfa, protectedMfa, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const path = '/parameters/tickets';
const on = { state: 'on', requirement: 'allowed', deadline: null };
const signedIn = { session: sessionOf(ada, { mfa: on }) };
const at = '2026-03-10T09:00:00Z';

function row(id: string, more: object = {}) {
  return {
    id,
    reference: '7KQ2M-XW4TD',
    kind: 'help',
    state: 'open',
    subject: 'It <b>will</b> not open',
    name: 'Grace',
    email: 'grace@example.test',
    user_id: '',
    address_proved: true,
    created_at: at,
    updated_at: at,
    ...more,
  };
}
const page = (tickets: object[], next_cursor: string | null = null) =>
  ok({ tickets, next_cursor, open: tickets.length });

function view(
  more: object = {},
  messages: object[] = [{ by: 'person', name: '', at, lines: ['Hello,', '', '<i>it</i>'] }],
) {
  return { ...row('01T'), browser: 'Safari on iPhone', address: '192.0.2.7', told_by: 'mail', messages, ...more };
}
const answered = (more: object = {}) =>
  view({ state: 'waiting', ...more }, [
    { by: 'person', name: '', at, lines: ['Hello'] },
    { by: 'support', name: 'Ada Admin', at, lines: ['Press harder.', '', 'Please.'] },
  ]);
const answer = () => screen.findByRole('textbox', { name: m.ticket_reply() });

describe('the tickets', () => {
  it('show what waits for the support, and say what nobody has proved', async () => {
    reply(
      'GET /tickets',
      page([
        row('01ONE'),
        row('01TWO', { address_proved: false, subject: 'Anybody' }),
        row('01THREE', {
          kind: 'recovery',
          subject: '',
          user_id: '01BO',
          recovery: { state: 'proved', decidable_at: '2026-03-12T09:00:00Z' },
        }),
      ]),
    );
    open(path, signedIn);
    const first = await screen.findByRole('row', { name: /will/ });
    expect(within(first).getByRole('link').getAttribute('href')).toBe('/parameters/tickets/01ONE');
    expect(within(first).getByRole('link').textContent).toBe('It <b>will</b> not open');
    expect(first.textContent).not.toContain(m.tickets_unproved());
    expect(screen.getByRole('row', { name: /Anybody/ }).textContent).toContain(m.tickets_unproved());
    const recovery = screen.getByRole('row', { name: new RegExp(m.tickets_recovery_subject()) });
    expect(within(recovery).getByRole('link').getAttribute('href')).toBe('/parameters/tickets/01THREE/recovery');
    expect(recovery.textContent).toContain(m.recovery_pill_decide());
    expect(sent('GET /tickets')[0]?.search.get('state')).toBe('open');
    expect(screen.getByText(m.tickets_count({ count: 3, shown: '3' }))).toBeTruthy();
  });

  it('are filtered, searched and paged by the address', async () => {
    reply('GET /tickets', page([row('01ONE')], '1-01ONE'));
    const user = open(`${path}?kind=help`, signedIn);
    await screen.findByRole('row', { name: /will/ });
    await user.selectOptions(screen.getByRole('combobox', { name: m.tickets_state() }), 'all');
    await expect.poll(() => place.search).toBe('?state=all&kind=help');
    await user.type(screen.getByRole('searchbox'), 'Grace');
    await expect.poll(() => sent('GET /tickets').at(-1)?.search.get('query')).toBe('Grace');
    expect(sent('GET /tickets').at(-1)?.search.get('state')).toBe(null);
    await user.click(screen.getByRole('button', { name: m.users_next() }));
    await expect.poll(() => sent('GET /tickets').at(-1)?.search.get('cursor')).toBe('1-01ONE');
    await user.click(await button(m.users_previous()));
    await expect.poll(() => place.search).toBe('?query=Grace&state=all&kind=help');
  });

  it('say so when nobody waits, and when nothing is like that', async () => {
    reply('GET /tickets', page([]));
    const user = open(path, signedIn);
    await screen.findByText(m.tickets_empty_title());
    await user.click(screen.getByRole('button', { name: m.tickets_all() }));
    await screen.findByText(m.tickets_none_title());
    expect(place.search).toBe('?state=all');
  });

  it('try again when they could not be read', async () => {
    reply('GET /tickets', refuse(500, 'internal_fault'), page([row('01ONE')]));
    const user = open(path, signedIn);
    await user.click(await button(m.try_again()));
    await screen.findByRole('row', { name: /will/ });
  });

  it('are of administrators alone', async () => {
    reply('GET /users/me/security', ok({ user: bo, mfa: openMfa(), enrolment: null }));
    reply('GET /users/me/security/events', ok({ events: [], next_cursor: null }));
    open('/', { session: sessionOf(bo) });
    await screen.findByRole('heading', { level: 1 });
    expect(screen.queryByRole('link', { name: m.tickets_title() })).toBeNull();
    expect(sent('GET /tickets')).toEqual([]);
  });
});

describe('Home', () => {
  it.each([
    [1, '1'],
    [1000, m.tickets_or_more({ count: '1,000' })],
  ])('says how many wait: %i', async (count, shown) => {
    reply('GET /users/me/security', ok({ user: ada, mfa: protectedMfa(), enrolment: null }));
    reply('GET /users/me/security/events', ok({ events: [], next_cursor: null }));
    reply('GET /tickets', ok({ tickets: [], next_cursor: null, open: count }));
    open('/', signedIn);
    await screen.findByText(m.home_tickets_title({ count, shown }));
    expect(screen.getByRole('link', { name: m.home_tickets_open() }).getAttribute('href')).toBe(path);
    expect(screen.queryByText(m.home_calm())).toBeNull();
  });
});

describe('a ticket', () => {
  it('shows what was written as it was written, and sends an answer', async () => {
    reply('GET /tickets/01T', ok(view()));
    reply('POST /tickets/01T/reply', ok({ mailed: true, ticket: answered() }));
    const user = open(`${path}/01T`, signedIn);
    const text = await answer();
    expect(screen.getByText(/<i>it<\/i>/).textContent).toBe('Hello,\n\n<i>it</i>');
    expect(screen.getByText(m.ticket_stranger_title())).toBeTruthy();
    expect(screen.queryByRole('link', { name: m.ticket_person() })).toBeNull();
    expect(text.getAttribute('aria-describedby')).toBe('reply-hint');
    expect(document.getElementById('reply-hint')?.textContent).toContain(m.ticket_told_by_mail());
    await user.type(text, 'Press harder.{Enter}{Enter}Please.');
    await user.click(await button(m.ticket_send()));
    await screen.findByText(m.ticket_replied_mailed());
    expect(sent('POST /tickets/01T/reply')[0]?.body).toEqual({ lines: ['Press harder.', '', 'Please.'] });
    await expect.poll(() => document.activeElement?.textContent).toContain('Press harder.');
    expect((text as HTMLTextAreaElement).value).toBe('');
    expect(screen.getByText(m.tickets_waiting())).toBeTruthy();
  });

  it('keeps what was typed when it is refused', async () => {
    reply('GET /tickets/01T', ok(view({ address_proved: false, told_by: 'key' })));
    reply(
      'POST /tickets/01T/reply',
      refuse(422, 'invalid_input', { fields: [{ name: 'text', code: 'too_long' }] }),
      refuse(409, 'ticket_solved'),
      'unreachable',
    );
    const user = open(`${path}/01T`, signedIn);
    const text = (await answer()) as HTMLTextAreaElement;
    expect(screen.getByText(m.ticket_unproved_title())).toBeTruthy();
    await user.type(text, 'Kept');
    for (const words of [m.field_too_long(), m.error_ticket_solved(), m.error_unreachable()]) {
      await user.click(await button(m.ticket_send()));
      await screen.findByText(words);
      expect(text.value).toBe('Kept');
    }
    await user.click(await button(m.ticket_send()));
    await screen.findByText(m.error_unreachable());
  });

  it('ties what is wrong to the field', async () => {
    reply('GET /tickets/01T', ok(view()));
    reply('POST /tickets/01T/reply', refuse(422, 'invalid_input', { fields: [{ name: 'text', code: 'required' }] }));
    const user = open(`${path}/01T`, signedIn);
    const text = await answer();
    await user.click(await button(m.ticket_send()));
    await screen.findByText(m.field_required());
    expect(text.getAttribute('aria-describedby')).toBe('reply-error reply-hint');
    expect(text.getAttribute('aria-invalid')).toBe('true');
    await expect.poll(() => document.activeElement).toBe(text);
  });

  it('is solved and opened again', async () => {
    reply('GET /tickets/01T', ok(view({ user_id: '01BO', told_by: 'signed_in' })));
    reply('POST /tickets/01T/solve', ok({ mailed: false, ticket: answered({ state: 'solved' }) }));
    reply('POST /tickets/01T/reopen', ok({ mailed: false, ticket: answered({ state: 'open' }) }));
    const user = open(`${path}/01T`, signedIn);
    await answer();
    expect(screen.getByRole('link', { name: m.ticket_person() }).getAttribute('href')).toContain(
      '/users/01BO/security',
    );
    await user.click(await button(m.ticket_solve()));
    await screen.findByText(m.ticket_solved());
    await expect.poll(() => document.activeElement?.tagName).toBe('H1');
    expect(screen.queryByRole('textbox')).toBeNull();
    await user.click(await button(m.ticket_reopen()));
    await screen.findByText(m.ticket_reopened());
    await answer();
  });

  it('that asks to get back in leads to its decision, and is answered like any', async () => {
    const more = { kind: 'recovery', subject: '', user_id: '01BO', told_by: 'nothing' };
    reply('GET /tickets/01T', ok(view(more, [])));
    open(`${path}/01T`, signedIn);
    await screen.findByRole('heading', { level: 1, name: m.tickets_recovery_subject() });
    expect(screen.getByRole('link', { name: m.ticket_recovery_open() }).getAttribute('href')).toBe(
      `${path}/01T/recovery`,
    );
    expect(screen.queryByRole('button', { name: m.ticket_solve() })).toBeNull();
    expect(screen.getByText(m.ticket_nothing())).toBeTruthy();
    await answer();
    expect(screen.getByText(m.ticket_told_by_nothing())).toBeTruthy();
  });

  it('is answered by administrators with 2-step verification of their own', async () => {
    reply('GET /tickets/01T', ok(view()));
    open(`${path}/01T`, { session: sessionOf() });
    await screen.findByText(m.error_own_mfa_first());
    expect(screen.queryByRole('textbox')).toBeNull();
  });

  it('says so when there is none', async () => {
    reply('GET /tickets/01T', refuse(404, 'no_ticket'));
    open(`${path}/01T`, signedIn);
    await screen.findByText(m.error_no_ticket());
  });
});
