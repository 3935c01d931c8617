import { screen, waitFor, within } from '@testing-library/svelte';
import type { UserEvent } from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, closing, heading, open } from '../../testing/open';
import { ada, bo, protectedMfa, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const path = '/parameters/users/import';
const call = 'POST /users/import';
const on = { mfa: { state: 'on', requirement: 'allowed', deadline: null } };
const signedIn = { session: sessionOf(ada, on) };
const counted = (count: number) => ({ count, shown: String(count) });

type Sent = { people: { line: number; name: string; email: string }[]; confirm: boolean };

/** The server: whose name is Bad can't be imported. */
function answers(body: Record<string, unknown>) {
  const { people, confirm } = body as Sent;
  const lines = people.map(({ line, name }) =>
    name === 'Bad'
      ? { line, state: 'bad', fields: [{ name: 'email', code: 'email_taken' }], invitation_link: null }
      : {
          line,
          state: confirm ? 'invited' : 'ok',
          fields: [],
          invitation_link: confirm ? `https://id.example.test/join#token=${line}` : null,
        },
  );
  return ok({ lines, by_mail: false, expires_at: confirm ? '2026-11-28T12:00:00Z' : null });
}

/** A server that mails the invitations, but not to a mailbox that is full. */
function mails(body: Record<string, unknown>) {
  const { people, confirm } = body as Sent;
  const lines = people.map(({ line, name }) => {
    const full = confirm && name === 'Flooded';
    const fields = full ? [{ name: 'email', code: 'mailbox_full' }] : [];
    return { line, state: full ? 'bad' : confirm ? 'invited' : 'ok', fields, invitation_link: null };
  });
  return ok({ lines, by_mail: true, expires_at: confirm ? '2026-11-28T12:00:00Z' : null });
}

const everything = (people: number) =>
  `name,email\n${Array.from({ length: people }, (_, n) => `Person ${n},p${n}@example.test\n`).join('')}`;
const file = (text: string) => new File([text], 'staff.csv', { type: 'text/csv' });

async function choose(user: UserEvent, text: string) {
  await user.upload(await screen.findByLabelText(new RegExp(m.import_choose())), file(text));
}

let saved: { name: string; text: string }[] = [];
beforeEach(() => {
  saved = [];
  let blob = new Blob();
  vi.spyOn(URL, 'createObjectURL').mockImplementation((made) => {
    blob = made as Blob;
    return 'blob:file';
  });
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    const one = { name: this.download, text: '' };
    saved.push(one);
    void blob.text().then((text) => {
      one.text = text;
    });
  });
});
afterEach(() => vi.restoreAllMocks());

describe('import', () => {
  it('is for administrators, and for those who are protected themselves', async () => {
    open(path, { session: sessionOf(bo) });
    expect((await screen.findByRole('alert')).textContent).toContain(m.error_not_permitted());
    expect(screen.queryByLabelText(new RegExp(m.import_choose()))).toBeNull();
  });

  it('leads an administrator without 2-step verification to it', async () => {
    open(path, { session: sessionOf(ada) });
    await screen.findByText(m.import_own_first());
    expect(screen.getByRole('link', { name: m.enable() }).getAttribute('href')).toBe(
      '/parameters/users/me/security/enable/app',
    );
  });

  it('gives a file to begin with', async () => {
    const user = open(path, signedIn);
    await user.click(await button(m.import_template()));
    await waitFor(() => expect(saved[0]?.text).toContain('"name","email","role","requirement","deadline","reason"'));
    expect(saved[0]?.name).toMatch(/^MailMachine-people-\d{4}-\d\d-\d\d\.csv$/);
  });

  it('says why a file can not be read, and takes another', async () => {
    reply(call, answers);
    const user = open(path, signedIn);
    await choose(user, 'Bo,bo@example.test\n');
    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toContain(m.import_file_unread({ file: 'staff.csv' }));
    expect(alert.textContent).toContain(m.import_file_columns());
    expect(sent(call)).toHaveLength(0);
    await choose(user, everything(1));
    await heading(m.import_checked_title());
  });

  it('lists every bad line by number and reason, and invites nobody before the press', async () => {
    reply(call, answers);
    const user = open(path, signedIn);
    await choose(
      user,
      'name,email,role,team\nBo,bo@example.test,administrator,A\nBad,bad@example.test,,\nX,bo@example.test,,\nBo,"open,,\n',
    );
    await heading(m.import_checked_title());
    screen.getByText(m.import_can(counted(1)));
    screen.getByText(m.import_cannot(counted(3)));
    screen.getByText(m.import_administrators(counted(1)));
    screen.getByText(m.import_unused({ columns: 'team' }));
    const rows = within(screen.getByRole('table', { name: m.import_bad_title() })).getAllByRole('row');
    expect(rows.slice(1).map((row) => row.textContent?.replace(/\s+/g, ' '))).toEqual([
      expect.stringMatching(/3.*Bad.*bad@example.test.*Somebody has this/),
      expect.stringMatching(/4.*X.*A line before has/),
      expect.stringMatching(/5.*Bo.*quotation mark/),
    ]);
    expect(sent(call).map(({ body }) => body.confirm)).toEqual([false]);
    await user.click(await button(m.import_bad_download()));
    await waitFor(() =>
      expect(saved[0]?.text).toContain('"3","Somebody has this e-mail address already.","Bad","bad@example.test"'),
    );

    await user.click(await button(m.import_go(counted(1))));
    await heading(m.import_done_title());
    expect(sent(call).at(-1)?.body).toMatchObject({ confirm: true, people: [{ line: 2, name: 'Bo' }] });
    screen.getByText(m.import_invited(counted(1)));
    screen.getByText(/Whoever has a link sets that person's password/);
    await user.click(await button(m.import_links_download()));
    await waitFor(() =>
      expect(saved[1]?.text).toBe(
        '\ufeff"name","email","invitation_link"\r\n"Bo","bo@example.test","https://id.example.test/join#token=2"\r\n',
      ),
    );
    screen.getByText(m.import_links_saved());
  });

  it('sends the invitations where there is a mail server, and hands over no link', async () => {
    reply(call, mails);
    const user = open(path, signedIn);
    await choose(user, everything(3));
    await screen.findByText(m.import_confirm_mail());
    await user.click(await button(m.import_go(counted(3))));
    await heading(m.import_done_title());
    screen.getByText(m.import_invited(counted(3)));
    screen.getByText(m.import_mailed({ ...counted(3), day: '28 November 2026' }));
    expect(screen.queryByRole('button', { name: m.import_links_download() })).toBeNull();
    expect(closing()).toBe(false);
  });

  it('leaves out whose mailbox is full, and shows nobody their link', async () => {
    reply(call, mails);
    const user = open(path, signedIn);
    await choose(user, 'name,email\nBo,bo@example.test\nFlooded,flooded@example.test\n');
    await user.click(await button(m.import_go(counted(2))));
    await heading(m.import_done_title());
    screen.getByText(m.import_mailed({ ...counted(1), day: '28 November 2026' }));
    within(screen.getByRole('table', { name: m.import_late_title() })).getByText(m.import_email_full());
    expect(screen.queryByRole('button', { name: m.import_links_download() })).toBeNull();
  });

  it('says when nobody is left to import', async () => {
    reply(call, answers);
    const user = open(path, signedIn);
    await choose(user, 'name,email\nBad,bad@example.test\n');
    await screen.findByText(m.import_nobody_note());
    expect(screen.queryByRole('button', { name: /^Import \d/ })).toBeNull();
    await user.click(await button(m.import_other_file()));
    await heading(m.import_title());
  });

  it('says what kept the check from ending', async () => {
    reply(call, refuse(500, 'internal_fault'));
    const user = open(path, signedIn);
    await choose(user, everything(1));
    expect((await screen.findByRole('alert')).textContent).toContain(m.error_internal_fault());
    await screen.findByLabelText(new RegExp(m.import_choose()));
  });

  it('asks for fresh proof, and stands where it was without', async () => {
    reply(call, refuse(403, 'fresh_proof_required'));
    const user = open(path, signedIn);
    await choose(user, everything(1));
    const dialog = await screen.findByRole('dialog', { name: m.proof_title() });
    await heading(m.import_checking_title());
    screen.getByRole('progressbar', { name: m.import_checking_file({ file: 'staff.csv' }) });
    await user.click(within(dialog).getByRole('button', { name: m.cancel() }));
    await heading(m.import_title());
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('shows how far it is, stops, and goes on with the rest', async () => {
    let release = () => {};
    reply(call, answers);
    const user = open(path, signedIn);
    await choose(user, everything(120));
    await user.click(await button(m.import_go(counted(120))));
    await heading(m.import_done_title());
    expect(sent(call).filter(({ body }) => body.confirm)).toHaveLength(3);

    // Held at the network's edge, in the second call.
    await user.click(await button(m.import_links_download()));
    await user.click(await button(m.import_other_file()));
    const real = globalThis.fetch;
    let confirmed = 0;
    vi.stubGlobal('fetch', async (request: Request) => {
      const { confirm } = (await request.clone().json()) as Sent;
      if (confirm && ++confirmed === 2) await new Promise<void>((resolve) => (release = resolve));
      return real(request);
    });
    await choose(user, everything(120));
    await user.click(await button(m.import_go(counted(120))));
    await screen.findByText(m.import_of({ done: '50', total: '120' }));
    expect(screen.getByRole('progressbar').getAttribute('value')).toBe('50');
    await user.click(await button(m.import_stop()));
    await button(m.import_stopping());
    release();
    await heading(m.import_paused_title());
    screen.getByText(m.import_of({ done: '100', total: '120' }));
    await button(m.import_links_download());
    await user.click(await button(m.import_go_on()));
    await heading(m.import_done_title());
    screen.getByText(m.import_invited(counted(120)));
  });

  it('can be ended half-way, and says how many are not in', async () => {
    let calls = 0;
    reply(call, (body) => (body.confirm && ++calls === 2 ? refuse(500, 'internal_fault') : answers(body)));
    const user = open(path, signedIn);
    await choose(user, everything(60));
    await user.click(await button(m.import_go(counted(60))));
    await heading(m.import_paused_title());
    expect(screen.getByRole('alert').textContent).toContain(m.error_internal_fault());
    await user.click(await button(m.import_end()));
    await heading(m.import_done_title());
    screen.getByText(m.import_invited(counted(50)));
    screen.getByText(m.import_rest(counted(10)));
  });

  it('says of whom the answer was lost that they are in', async () => {
    reply(call, answers);
    const user = open(path, signedIn);
    await choose(user, everything(2));
    const taken = { state: 'bad', fields: [{ name: 'email', code: 'email_taken' }], invitation_link: null };
    reply(
      call,
      'unreachable',
      ok({
        lines: [
          { line: 2, ...taken },
          { line: 3, ...taken },
        ],
        expires_at: '2026-11-28T12:00:00Z',
      }),
    );
    await user.click(await button(m.import_go(counted(2))));
    await heading(m.import_paused_title());
    await user.click(await button(m.import_go_on()));
    await screen.findByRole('table', { name: m.import_late_title() });
    expect(screen.getAllByText(m.import_email_unanswered())).toHaveLength(2);
  });

  it('asks before links that were not downloaded are left', async () => {
    reply(call, answers);
    reply('GET /users', ok({ users: [], next_cursor: null, total: 0 }));
    const user = open(path, signedIn);
    await choose(user, everything(1));
    await user.click(await button(m.import_go(counted(1))));
    vi.mocked(HTMLAnchorElement.prototype.click).mockRestore();
    await user.click(await screen.findByRole('link', { name: m.import_to_users() }));
    let dialog = await screen.findByRole('dialog', { name: m.import_leave_links_title() });
    expect(place.path).toBe(path);
    await user.click(within(dialog).getByRole('button', { name: m.leave_stay() }));
    await heading(m.import_done_title());
    await user.click(await screen.findByRole('link', { name: m.import_to_users() }));
    dialog = await screen.findByRole('dialog', { name: m.import_leave_links_title() });
    await user.click(within(dialog).getByRole('button', { name: m.leave_go() }));
    await heading(m.users_title());
    expect(place.path).toBe('/parameters/users');
    expect(closing()).toBe(false);
  });
});

describe('export', () => {
  const row = (user: typeof ada, more: object = {}) => ({
    ...user,
    last_sign_in_at: null,
    disabled: false,
    invited: false,
    mfa: { state: 'off', requirement: 'allowed', deadline: null, since: null, backup_codes_remaining: 0 },
    ...more,
  });

  it('makes a file of what the list shows, all pages, with no formula in it', async () => {
    reply('GET /users', ok({ users: [row(ada)], next_cursor: null, total: 2 }));
    const user = open('/parameters/users?role=member', signedIn);
    await screen.findByRole('link', { name: 'Ada Admin' });
    reply(
      'GET /users',
      ok({ users: [row(ada, { mfa: { ...protectedMfa(), backup_codes_remaining: 7 } })], next_cursor: 'C2', total: 2 }),
      ok({ users: [row({ ...bo, name: '=cmd()' }, { invited: true })], next_cursor: null, total: 2 }),
    );
    await user.click(await button(m.export_users()));
    await screen.findByText(m.export_done(counted(2)));
    expect(
      sent('GET /users')
        .slice(-2)
        .map(({ search }) => [search.get('role'), search.get('cursor')]),
    ).toEqual([
      ['member', null],
      ['member', 'C2'],
    ]);
    await waitFor(() => expect(saved[0]?.text).not.toBe(''));
    expect(saved[0]?.text.split('\r\n')).toEqual([
      '\ufeff"name","email","role","requirement","deadline","2-step verification","backup codes left","account","last sign-in"',
      '"Ada Admin","ada@example.test","administrator","allowed","","on","7","active",""',
      `"'=cmd()","bo@example.test","member","allowed","","off","","invited",""`,
      '',
    ]);
  });

  it('says when it can not go on', async () => {
    reply('GET /users', ok({ users: [row(ada)], next_cursor: null, total: 1 }));
    const user = open('/parameters/users', signedIn);
    await screen.findByRole('link', { name: 'Ada Admin' });
    reply('GET /users', refuse(500, 'internal_fault'));
    await user.click(await button(m.export_users()));
    expect((await screen.findByRole('alert')).textContent).toContain(m.error_internal_fault());
    expect(saved).toEqual([]);
  });
});
