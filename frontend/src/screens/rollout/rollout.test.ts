import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, heading, open, pressOn } from '../../testing/open';
import { ada, bo, openMfa, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';
import { paragraphs } from './words';

const on = { mfa: { state: 'on', requirement: 'allowed', deadline: null } };
const signedIn = { session: sessionOf(ada, on) };
const path = '/parameters/protection/roll-out';
const call = 'POST /users/requirement';
const counted = (count: number) => ({ count, shown: String(count) });
afterEach(() => vi.restoreAllMocks());

function outlook(more: object = {}) {
  return {
    people: 12,
    changed: 10,
    unchanged: 1,
    left_out: [{ reason: 'off', count: 1 }],
    mailed: 9,
    mail: true,
    subject: 'Turn on 2-step verification',
    text: 'Hello Ada,\n\n> <b>Room</b> 12\n',
    ...more,
  };
}

function run(more: object = {}) {
  return {
    id: '01RUN',
    kind: 'roll_out',
    state: 'running',
    stopped_for: '',
    started_by: 'Ada Admin',
    started_at: '2026-03-12T09:00:00Z',
    ended_at: null,
    chosen: false,
    query: '',
    protection: '',
    role: '',
    requirement: 'required',
    deadline: '2026-03-26T22:59:59Z',
    reason: '',
    message: ['<b>Room</b> 12', 'Ask Ada.'],
    total: 12,
    done: 5,
    changed: 4,
    unchanged: 1,
    left_out: [],
    mailed: 4,
    asked: 5,
    protected: 2,
    history: [{ date: '2026-03-12', protected: 2 }],
    ...more,
  };
}

describe('turn it on for everybody', () => {
  it('shows who it comes to and the mail as it reads, and begins at the press', async () => {
    reply(`${call}/look`, ok(outlook()));
    reply(call, ok({ id: '01RUN' }));
    reply('GET /roll-outs/01RUN', ok(run({ state: 'done' })));
    const user = open(path, signedIn);
    await user.click(await screen.findByRole('radio', { name: m.roll_out_members() }));
    await user.type(screen.getByLabelText(m.roll_out_message()), '<b>Room</b> 12\n\nAsk Ada.');
    await user.click(await button(m.roll_out_look()));
    await heading(m.roll_out_look_title());
    screen.getByText(m.look_changed(counted(10)));
    screen.getByText(m.left_off(counted(1)));
    screen.getByText(m.look_mailed(counted(9)));
    // What is written stays text.
    expect(screen.getByText(/> <b>Room<\/b> 12/)).toBeTruthy();
    expect(sent(call)).toHaveLength(0);
    await user.click(await button(m.roll_out_confirm(counted(10))));
    await waitFor(() => expect(place.path).toBe('/parameters/protection/roll-outs/01RUN'));
    expect(sent(call)[0]?.body).toMatchObject({
      filter: { role: 'member' },
      requirement: 'required',
      roll_out: { message: ['<b>Room</b> 12', 'Ask Ada.'] },
      seen: 12,
    });
  });

  it('takes a filter of the list, and says what is wrong where it is', async () => {
    reply(
      `${call}/look`,
      refuse(422, 'invalid_input', { fields: [{ name: 'message', code: 'illegible' }] }),
      refuse(422, 'invalid_input', { fields: [{ name: 'deadline', code: 'invalid' }] }),
      ok(outlook({ changed: 0, mail: false, text: '' })),
    );
    const user = open(path, { ...signedIn, mails: false });
    await screen.findByText(m.roll_out_no_mail());
    screen.getByText(m.roll_out_lead_no_mail());
    expect(screen.queryByText(m.roll_out_lead())).toBeNull();
    await user.click(await screen.findByRole('radio', { name: m.roll_out_some() }));
    await user.type(screen.getByLabelText(m.users_search()), ' sales ');
    await user.selectOptions(screen.getByLabelText(m.users_filter_protection()), 'off');
    await user.selectOptions(screen.getByLabelText(m.users_filter_role()), 'administrator');
    await user.click(await button(m.roll_out_look()));
    await screen.findByText(m.field_text_illegible());
    await user.type(screen.getByLabelText(m.roll_out_message()), 'x');
    await user.click(await button(m.roll_out_look()));
    await screen.findByText(m.field_invalid());
    await user.click(await button(m.roll_out_look()));
    await screen.findByText(m.look_nothing());
    screen.getByText(m.look_no_mail());
    expect(screen.queryByText(m.roll_out_mail_title())).toBeNull();
    expect(sent(`${call}/look`).at(-1)?.body.filter).toEqual({
      query: 'sales',
      protection: 'off',
      role: 'administrator',
    });
    await user.click(await button(m.look_back()));
    // What was typed is still there.
    expect((screen.getByLabelText(m.roll_out_message()) as HTMLTextAreaElement).value).toBe('x');
  });

  it('takes no longer message than fits, and looks again when more match', async () => {
    reply(`${call}/look`, ok(outlook()));
    reply(call, refuse(409, 'selection_changed'));
    const user = open(path, signedIn);
    const words = (await screen.findByLabelText(m.roll_out_message())) as HTMLTextAreaElement;
    await user.click(words);
    await user.paste('x'.repeat(1_001));
    screen.getByText(m.roll_out_message_long({ most: '1,000' }));
    await user.click(await button(m.roll_out_look()));
    expect(sent(`${call}/look`)).toHaveLength(0);
    await user.type(words, '{Backspace}');
    await user.click(await button(m.roll_out_look()));
    await user.click(await button(m.roll_out_confirm(counted(10))));
    await screen.findByText(m.error_selection_changed());
    await waitFor(() => expect(sent(`${call}/look`)).toHaveLength(2));
  });

  it('is for administrators, and for those who are protected themselves', async () => {
    open(path, { session: sessionOf(bo) });
    expect((await screen.findByRole('alert')).textContent).toContain(m.error_not_permitted());
  });

  it('leads an administrator without 2-step verification to it', async () => {
    open(path, { session: sessionOf(ada) });
    await screen.findByText(m.error_own_mfa_first());
    expect(screen.queryByRole('button', { name: m.roll_out_look() })).toBeNull();
  });
});

it('parts what was typed into paragraphs', () => {
  expect(paragraphs(' a\tb \r\n\n\u0007c\n')).toEqual(['a b', 'c']);
});

describe('watching it', () => {
  const watch = '/parameters/protection/roll-outs/01RUN';

  it('says how far it is until it is done, and how many are protected', async () => {
    reply(
      'GET /roll-outs/01RUN',
      ok(run()),
      ok(run({ state: 'done', done: 12, changed: 11, asked: 12, protected: 3 })),
    );
    open(watch, signedIn);
    await screen.findByText(m.run_of({ done: '5', total: '12' }));
    screen.getByText(m.run_note());
    screen.getByText('<b>Room</b> 12');
    await heading(m.run_outcome());
    screen.getByText(m.run_changed(counted(11)));
    screen.getByText('25%');
    screen.getByText(m.run_watch_of({ ...counted(12), protected: '3' }));
  });

  it.each([
    [403, 'not_permitted', m.error_not_permitted],
    [500, 'internal_fault', m.error_internal_fault],
  ])('says that it can no longer be read, and does not ask again by itself: %i', async (status, code, words) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
    reply('GET /roll-outs/01RUN', ok(run()), refuse(status, code), ok(run({ state: 'done', done: 12 })));
    const user = open(watch, signedIn);
    await screen.findByText(m.run_of({ done: '5', total: '12' }));
    await vi.advanceTimersByTimeAsync(2_000);
    await screen.findByText(words());
    // What was read last is still there.
    screen.getByText(m.run_of({ done: '5', total: '12' }));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent('GET /roll-outs/01RUN')).toHaveLength(2);
    const again = screen.queryByRole('button', { name: m.try_again() });
    expect(again === null).toBe(status === 403);
    if (again === null) return;
    await user.click(again);
    await heading(m.run_outcome());
    expect(screen.queryByText(words())).toBeNull();
  });

  it('is read once at a time, also after it was stopped', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
    reply('GET /roll-outs/01RUN', ok(run()));
    // The press falls into a read.
    reply('POST /roll-outs/01RUN/stop', () => {
      vi.advanceTimersByTime(1_500);
      return ok();
    });
    const user = open(watch, signedIn);
    await user.click(await button(m.run_stop()));
    await user.click(await button(m.run_stop_confirm()));
    await waitFor(() => expect(screen.queryByText(m.run_stop_body())).toBeNull());
    const before = sent('GET /roll-outs/01RUN').length;
    await vi.advanceTimersByTimeAsync(3_100);
    expect(sent('GET /roll-outs/01RUN').length - before).toBe(2);
  });

  it('says that nobody was told where no mail leaves', async () => {
    reply('GET /roll-outs/01RUN', ok(run({ state: 'done', mailed: 0 })));
    open(watch, { ...signedIn, mails: false });
    await screen.findByText(m.look_no_mail());
    await heading(m.run_message_unsaid());
    expect(screen.queryByText(m.run_mailed(counted(0)))).toBeNull();
  });

  it.each([
    [4, false, true],
    [0, true, false],
  ])('tells of the mails that went, and not of what holds today: %i, %s', async (mailed, mails, told) => {
    reply('GET /roll-outs/01RUN', ok(run({ state: 'done', mailed })));
    open(watch, { ...signedIn, mails });
    await heading(told ? m.run_message() : m.run_message_unsaid());
    expect(screen.queryByText(m.run_mailed(counted(mailed))) !== null).toBe(told);
    expect(screen.queryByText(m.look_no_mail())).toBeNull();
  });

  it('is stopped after a question, and says so', async () => {
    reply('GET /roll-outs/01RUN', ok(run()));
    reply('POST /roll-outs/01RUN/stop', ok());
    const user = open(watch, signedIn);
    await user.click(await button(m.run_stop()));
    screen.getByText(m.run_stop_body());
    reply('GET /roll-outs/01RUN', ok(run({ state: 'stopped', stopped_for: 'administrator' })));
    await user.click(await button(m.run_stop_confirm()));
    await screen.findByText(m.run_stopped_administrator());
    expect(sent('POST /roll-outs/01RUN/stop')).toHaveLength(1);
  });

  it('says what the proof is asked for', async () => {
    reply('GET /roll-outs/01RUN', ok(run()));
    reply('POST /roll-outs/01RUN/stop', refuse(403, 'app_code_required'));
    const user = open(watch, signedIn);
    await user.click(await button(m.run_stop()));
    await user.click(await button(m.run_stop_confirm()));
    await screen.findByText(m.proof_body_app({ act: m.act_stop_run() }));
  });

  it.each([
    ['not_permitted', m.run_stopped_not_permitted],
    ['restored', m.run_stopped_restored],
  ])('says why it stopped: %s', async (why, words) => {
    const more = {
      kind: 'requirement',
      requirement: 'off',
      reason: 'No phones.',
      message: [],
      chosen: true,
      started_by: '',
    };
    reply('GET /roll-outs/01RUN', ok(run({ ...more, state: 'stopped', stopped_for: why })));
    open(watch, signedIn);
    await screen.findByText(words());
    await heading(m.run_requirement_off());
    screen.getByText(m.event_requirement_why({ why: 'No phones.' }));
    expect(screen.queryByText(m.run_message())).toBeNull();
  });

  it('says of reminders how many were sent, and who got none', async () => {
    const left = [
      { reason: 'invited', count: 1 },
      { reason: 'reminded', count: 2 },
    ];
    reply(
      'GET /roll-outs/01RUN',
      ok(run({ kind: 'reminder', state: 'done', changed: 7, left_out: left, message: [] })),
    );
    open(watch, signedIn);
    await screen.findByText(m.remind_sent(counted(7)));
    screen.getByText(m.left_invited(counted(1)));
    screen.getByText(m.left_reminded(counted(2)));
  });

  it('says when there is none', async () => {
    reply('GET /roll-outs/01RUN', refuse(404, 'no_roll_out'));
    open(watch, signedIn);
    await screen.findByText(m.error_no_roll_out());
  });
});

describe('on Protection', () => {
  const figures = {
    people: 20,
    protected: 7,
    locked: 0,
    asking: 0,
    overdue: 2,
    due_soon: 1,
    administrators: 2,
    unprotected_administrators: [],
    history: [{ date: '2026-03-12', protected: 7 }],
  };

  it('lists what was asked of many, and reminds with one press', async () => {
    reply('GET /protection', ok(figures));
    reply('GET /roll-outs', ok({ roll_outs: [run(), run({ id: '01OLD', kind: 'reminder', state: 'done' })] }));
    reply('POST /protection/reminders', ok({ id: '01NEW' }));
    reply('GET /roll-outs/01NEW', ok(run({ kind: 'reminder', state: 'done' })));
    const user = open('/parameters/protection', signedIn);
    const way = await screen.findByRole('link', { name: pressOn(m.roll_out_begin(), m.roll_out_open()) });
    expect(way.getAttribute('href')).toBe(path);
    await screen.findByText(m.run_running());
    await user.click(await button(m.remind_go()));
    await waitFor(() => expect(place.path).toBe('/parameters/protection/roll-outs/01NEW'));
  });

  it('gives the list instead where no mail leaves', async () => {
    let name = '';
    const made = vi.spyOn(URL, 'createObjectURL').mockReturnValue('blob:file');
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
      name = this.download;
    });
    reply('GET /protection', ok(figures));
    const late = { ...bo, last_sign_in_at: null, disabled: false, invited: false, mfa: openMfa({ overdue: true }) };
    reply('GET /users', ok({ users: [late], next_cursor: null, total: 1 }));
    const user = open('/parameters/protection', { ...signedIn, mails: false });
    await screen.findByText(m.remind_no_mail());
    await user.click(await button(m.remind_download()));
    await waitFor(() => expect(name).toMatch(/^MailMachine-to-remind-\d{4}-\d\d-\d\d\.csv$/));
    const file = made.mock.lastCall?.[0] as Blob;
    const [head, ...people] = (await file.text()).trim().split('\r\n');
    expect(head).toContain('"name","email"');
    expect(people).toEqual([expect.stringContaining(`"${bo.name}","${bo.email}"`)]);
    expect(sent('GET /users')[0]?.search.get('protection')).toBe('due');
  });

  it('reminds nobody where nobody is due', async () => {
    reply('GET /protection', ok({ ...figures, overdue: 0, due_soon: 0 }));
    open('/parameters/protection', signedIn);
    await screen.findByText(m.protection_calm());
    expect(screen.queryByText(m.remind_title())).toBeNull();
  });
});

describe('one person', () => {
  const theirs = '/parameters/users/01BO/security';
  const security = (more: object) => ({
    user: bo,
    mfa: openMfa({ requirement: 'required', deadline: '2026-03-26T22:59:59Z', ...more }),
    enrolment: null,
    reset: null,
    codes_blocked: null,
  });

  it('is reminded on their page, once in a while', async () => {
    const view = security({});
    reply('GET /users/01BO/security', ok(view));
    reply('GET /users/01BO', ok({ ...view, disabled: false, invited: null }));
    reply('POST /users/01BO/security/reminder', refuse(429, 'reminded_lately', { retry_after_seconds: 7_200 }), ok());
    const user = open(theirs, signedIn);
    await user.click(await button(m.remind_go()));
    await screen.findByText(m.error_reminded_lately());
    await user.click(await button(m.remind_go()));
    await screen.findByText(m.told_reminded());
  });

  it('is reminded otherwise where no mail leaves, which is said before anything is asked', async () => {
    const view = security({});
    reply('GET /users/01BO/security', ok(view));
    reply('GET /users/01BO', ok({ ...view, disabled: false, invited: null }));
    open(theirs, { ...signedIn, mails: false });
    await screen.findByText(m.remind_one_no_mail());
    expect(screen.queryByRole('button', { name: m.remind_go() })).toBeNull();
  });
});
