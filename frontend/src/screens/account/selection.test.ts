import { screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { connection } from '../../api/connection.svelte';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, open } from '../../testing/open';
import { ada, bo, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const on = { mfa: { state: 'on', requirement: 'allowed', deadline: null } };
const signedIn = { session: sessionOf(ada, on) };
const call = 'POST /users/requirement';
const counted = (count: number) => ({ count, shown: String(count) });

const mfa = {
  state: 'off',
  requirement: 'allowed',
  deadline: null,
  since: null,
  overdue: false,
  locked: false,
  backup_codes_remaining: 0,
};
const row = (user: typeof ada) => ({ ...user, last_sign_in_at: null, disabled: false, invited: false, mfa });
const list = (total: number) => ok({ users: [row(ada), row(bo)], next_cursor: total > 2 ? 'next' : null, total });

function outlook(more: object = {}) {
  return {
    people: 2,
    changed: 1,
    unchanged: 0,
    left_out: [{ reason: 'own_requirement', count: 1 }],
    mailed: 1,
    mail: true,
    subject: '',
    text: '',
    ...more,
  };
}

describe('a requirement for a selection', () => {
  it('is asked of those who are chosen, after a look at who changes', async () => {
    reply('GET /users', list(2));
    reply(`${call}/look`, ok(outlook()));
    reply(call, ok({ id: '01RUN' }));
    reply('GET /roll-outs/01RUN', refuse(404, 'no_roll_out'));
    const user = open('/parameters/users', signedIn);
    await user.click(
      await screen.findByRole('checkbox', { name: m.select_one({ name: 'Bo Lindqvist', email: bo.email }) }),
    );
    screen.getByText(m.select_count(counted(1)));
    await user.click(await button(m.select_page()));
    screen.getByText(m.select_count(counted(2)));
    expect(screen.queryByRole('button', { name: m.select_match() })).toBeNull();

    await user.click(await button(m.select_requirement()));
    await user.click(screen.getByRole('radio', { name: new RegExp(m.requirement_off()) }));
    await user.click(await button(m.look_go()));
    await screen.findByText(m.field_required());
    expect(sent(`${call}/look`)).toHaveLength(0);
    await user.type(screen.getByLabelText(m.requirement_reason()), 'No phones.');
    await user.click(await button(m.look_go()));
    await screen.findByText(m.look_changed(counted(1)));
    expect(within(screen.getByRole('dialog')).getByText(m.run_requirement_off())).toBeTruthy();
    screen.getByText(m.left_own_requirement());
    screen.getByText(m.look_mailed(counted(1)));
    await user.click(await button(m.look_confirm(counted(1))));
    await waitFor(() => expect(place.path).toBe('/parameters/protection/roll-outs/01RUN'));
    expect(sent(call)[0]?.body).toEqual({ ids: ['01ADA', '01BO'], requirement: 'off', reason: 'No phones.', seen: 2 });
  });

  it('is asked of all who match, and of no more than were seen', async () => {
    reply('GET /users', list(900));
    reply(
      `${call}/look`,
      ok(outlook({ people: 900, changed: 900, left_out: [] })),
      ok(outlook({ people: 901, changed: 0, unchanged: 901, mail: false })),
    );
    reply(call, refuse(409, 'selection_changed'));
    const user = open('/parameters/users?protection=off', signedIn);
    await user.click(await screen.findByRole('checkbox', { name: m.select_page() }));
    await user.click(await button(m.select_match()));
    screen.getByText(m.select_everybody());
    await user.click(await button(m.select_requirement()));
    await user.click(screen.getByRole('checkbox', { name: m.requirement_at_once() }));
    await user.click(await button(m.look_go()));
    await user.click(await button(m.look_confirm(counted(900))));
    await screen.findByText(m.error_selection_changed());
    expect(sent(call)[0]?.body).toEqual({ filter: { protection: 'off' }, requirement: 'required', seen: 900 });
    await screen.findByText(m.look_no_mail());
    screen.getByText(m.look_nothing());
    expect(screen.queryByRole('button', { name: m.look_confirm(counted(0)) })).toBeNull();
    await user.click(await button(m.look_back()));
    await button(m.look_go());
    await user.click(await button(m.cancel()));
    await user.click(await button(m.select_clear()));
    expect(screen.queryByText(m.select_everybody())).toBeNull();
  });

  it('is told by a place that is always there, and keeps the focus where presses vanish', async () => {
    reply('GET /users', list(900));
    const user = open('/parameters/users', signedIn);
    const one = await screen.findByRole('checkbox', {
      name: m.select_one({ name: 'Ada Admin', email: ada.email }),
    });
    const said = screen.getAllByRole('status').find((place) => place.classList.contains('strong'));
    expect(said?.textContent?.trim()).toBe('');
    await user.click(one);
    expect(said?.textContent?.trim()).toBe(m.select_count(counted(1)));
    for (const [press, words] of [
      [m.select_page(), m.select_count(counted(2))],
      [m.select_match(), m.select_everybody()],
    ] as const) {
      await user.click(await button(press));
      expect(said?.textContent?.trim()).toBe(words);
      await waitFor(() => expect(document.activeElement).toBe(said));
    }
    await user.click(await button(m.select_clear()));
    await waitFor(() => expect(document.activeElement).toBe(one));
    expect(said?.textContent?.trim()).toBe('');
  });

  it('shows in the form what the second look refuses, and Back leads into the form', async () => {
    reply('GET /users', list(2));
    const fields = [{ name: 'deadline', code: 'invalid' }];
    reply(`${call}/look`, ok(outlook()), refuse(422, 'invalid_input', { fields }), ok(outlook()));
    reply(call, refuse(409, 'selection_changed'));
    const user = open('/parameters/users', signedIn);
    await user.click(await screen.findByRole('checkbox', { name: m.select_page() }));
    await user.click(await button(m.select_requirement()));
    await user.click(await button(m.look_go()));
    await user.click(await button(m.look_confirm(counted(1))));
    await screen.findByText(m.field_invalid());
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(m.requirement_deadline())));
    expect(screen.queryByText(m.look_changed(counted(1)))).toBeNull();
    await user.click(await button(m.look_go()));
    await user.click(await button(m.look_back()));
    const required = screen.getByRole('radio', { name: new RegExp(m.requirement_required()) });
    await waitFor(() => expect(document.activeElement).toBe(required));
  });

  it('holds nobody who was ticked while the next list was read', async () => {
    const third = { id: '01CY', name: 'Cy Third', email: 'cy@example.test', role: 'member' };
    reply('GET /users', list(900), 'unreachable', ok({ users: [row(third)], next_cursor: null, total: 900 }));
    const user = open('/parameters/users', signedIn);
    await screen.findByRole('checkbox', { name: m.select_page() });
    await user.selectOptions(screen.getByLabelText(m.users_filter_role()), 'member');
    await waitFor(() => expect(sent('GET /users')).toHaveLength(2));
    await user.click(screen.getByRole('checkbox', { name: m.select_page() }));
    await user.click(await button(m.select_match()));
    screen.getByText(m.select_everybody());
    connection.tryNow();
    const next = await screen.findByRole('checkbox', { name: m.select_one({ name: third.name, email: third.email }) });
    expect((next as HTMLInputElement).checked).toBe(false);
    expect(screen.queryByText(m.select_everybody())).toBeNull();
    expect(screen.queryByRole('button', { name: m.select_clear() })).toBeNull();
    await user.click(next);
    screen.getByText(m.select_count(counted(1)));
  });

  it('is over when the list shows something else, and not for who is not protected', async () => {
    reply('GET /users', list(2));
    const user = open('/parameters/users', { session: sessionOf(ada) });
    await user.click(await screen.findByRole('checkbox', { name: m.select_page() }));
    screen.getByText(m.error_own_mfa_first());
    expect((await button(m.select_requirement())).hasAttribute('disabled')).toBe(true);
    await user.selectOptions(screen.getByLabelText(m.users_filter_role()), 'member');
    await waitFor(() => expect(screen.queryByText(m.select_count(counted(2)))).toBeNull());
  });

  it('is nothing that a member sees', async () => {
    reply('GET /users/me', ok({ user: bo, mfa: { ...mfa, backup_codes: { remaining: 0 } } }));
    open('/parameters/users', { session: sessionOf(bo) });
    await screen.findByRole('link', { name: bo.name });
    expect(screen.queryByRole('checkbox')).toBeNull();
  });
});
