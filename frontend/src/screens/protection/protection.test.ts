import { screen, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { m } from '../../paraglide/messages';
import { button, heading, open, pressOn } from '../../testing/open';
import { bo, sessionOf } from '../../testing/people';
import { ok, refuse, reply } from '../../testing/server';

const path = '/parameters/protection';
const signedIn = { session: sessionOf() };

function figures(more: object = {}) {
  return {
    people: 1240,
    protected: 967,
    locked: 0,
    asking: 0,
    overdue: 0,
    due_soon: 0,
    administrators: 2,
    unprotected_administrators: [],
    history: Array.from({ length: 15 }, (_, n) => ({
      date: `2026-03-${String(n + 1).padStart(2, '0')}`,
      protected: 953 + n,
    })),
    ...more,
  };
}

function warned(...warnings: [string, number][]) {
  reply('GET /protection/warnings', ok({ warnings: warnings.map(([kind, count]) => ({ kind, count })) }));
}

describe('protection', () => {
  it('says how many are protected, and shows the way there as a table too', async () => {
    reply('GET /protection', ok(figures()));
    const user = open(path, signedIn);
    // 77.98 %: nothing is rounded up to what it is not.
    const share = await screen.findByText('77%');
    expect(share.parentElement?.textContent).toContain(
      m.protection_of({ count: 1240, protected: '967', people: '1,240' }),
    );
    await user.click(screen.getByText(m.protection_as_table()));
    const rows = within(screen.getByRole('table')).getAllByRole('row').slice(1);
    expect(rows.map((row) => row.lastElementChild?.textContent)).toEqual(['953', '960', '967']);
    expect(screen.getByText(m.protection_calm())).toBeTruthy();
  });

  it('draws a single day level, since nothing is known of the days before', async () => {
    reply(
      'GET /protection',
      ok(figures({ people: 20, protected: 5, history: [{ date: '2026-03-12', protected: 5 }] })),
    );
    open(path, signedIn);
    const table = await screen.findByText(m.protection_as_table());
    const figure = table.closest('figure');
    expect(figure?.querySelector('polyline')?.getAttribute('points')).toBe('0.0,120.0 600.0,120.0');
    // The ends of the scale: nobody, and everybody.
    expect([...(figure?.querySelectorAll('.scale span') ?? [])].map((end) => end.textContent)).toEqual(['20', '0']);
  });

  it('names whoever needs a hand, each with the way to them', async () => {
    reply(
      'GET /protection',
      ok(
        figures({
          locked: 1,
          asking: 2,
          overdue: 12,
          due_soon: 1,
          unprotected_administrators: [{ id: '01GRACE', name: 'Grace' }],
        }),
      ),
    );
    open(path, signedIn);
    await screen.findByText(m.protection_overdue_count({ count: 12, shown: '12' }));
    screen.getByText(m.protection_asking_count({ count: 2, shown: '2' }));
    screen.getByText(m.protection_locked_count({ count: 1, shown: '1' }));
    const ways = [
      [m.protection_asking_short(), '/parameters/tickets?kind=recovery'],
      [m.protection_locked_short(), '/parameters/users?protection=locked'],
      [m.protection_overdue_short(), '/parameters/users?protection=overdue'],
      ['Grace', '/parameters/users/01GRACE/security'],
      [m.protection_soon_short(), '/parameters/users?protection=required_not_yet'],
    ] as const;
    for (const [which, href] of ways) {
      const way = screen.getByRole('link', { name: pressOn(m.protection_show(), which) });
      expect(way.getAttribute('href')).toBe(href);
    }
    expect(screen.getByText(m.protection_soon_count({ count: 1, shown: '1' }))).toBeTruthy();
    expect(screen.queryByText(m.protection_calm())).toBeNull();
  });

  it('tells each warning with what to do next, on the very first day too', async () => {
    const history = [{ date: '2026-03-01', protected: 1 }];
    reply('GET /protection', ok(figures({ people: 1, protected: 1, administrators: 1, history })));
    warned(
      ['alarms_raised', 2],
      ['key_not_kept', 1],
      ['single_administrator', 1],
      ['mails_given_up', 3],
      ['no_mail_server', 1],
    );
    open(path, signedIn);
    await screen.findByText('100%');
    const ways = [
      [m.warning_alarms({ count: 2, shown: '2' }), m.warning_alarms_act(), '/parameters/audit?kind=alarm.raised'],
      [m.warning_key(), m.warning_key_act(), '/parameters/settings?section=key'],
      [m.warning_single(), m.warning_single_act(), '/parameters/users'],
      [m.warning_given_up({ count: 3, shown: '3' }), m.warning_given_up_act(), '/parameters/settings?section=mail'],
      [m.warning_no_mail(), m.warning_no_mail_act(), '/parameters/settings?section=mail'],
    ] as const;
    for (const [title, act, href] of ways) {
      const way = screen.getByRole('link', { name: pressOn(act, title) });
      expect(way.getAttribute('href')).toBe(href);
    }
    expect(screen.queryByText(m.protection_calm())).toBeNull();
  });

  it('says by how much a server’s clock looks wrong, of which machine, and how to set it', async () => {
    reply('GET /protection', ok(figures()));
    const clocks = [
      { offset_seconds: -42, count: 1, host: 'web-2' },
      { offset_seconds: 360, count: 2, host: 'web-1' },
      { offset_seconds: 95, count: 1 },
    ];
    reply('GET /protection/warnings', ok({ warnings: clocks.map((clock) => ({ kind: 'server_clock', ...clock })) }));
    open(path, signedIn);
    await screen.findByText('The server’s clock looks 42 seconds behind');
    const words = [
      ['The server’s clock looks 42 seconds behind', m.warning_clock_body_host({ host: 'web-2' })],
      [
        'The server’s clock looks 6 minutes ahead',
        m.warning_clock_body_several({ count: 2, shown: '2', host: 'web-1' }),
      ],
      ['The server’s clock looks 2 minutes ahead', m.warning_clock_body()],
    ] as const;
    for (const [title, body] of words) {
      expect(screen.getByText(title)).toBeTruthy();
      expect(screen.getByText(body)).toBeTruthy();
      const way = screen.getByRole('link', { name: pressOn(m.warning_clock_act(), title) });
      expect(way.getAttribute('href')).toBe('/help/clock#warning');
    }
  });

  it('leaves out what it has no words for, and administrators who are named anyway', async () => {
    const ann = [{ id: '01GRACE', name: 'Grace' }];
    reply('GET /protection', ok(figures({ unprotected_administrators: ann })));
    warned(['unprotected_administrators', 1], ['something_new', 1]);
    open(path, signedIn);
    await screen.findByText(m.protection_administrator({ name: 'Grace' }));
    expect(screen.queryByText(m.warning_unprotected({ count: 1, shown: '1' }))).toBeNull();
  });

  it('says where people get stuck: a picture and a table, all reasons or one', async () => {
    reply('GET /protection', ok(figures()));
    const dates = ['2026-03-10', '2026-03-11', '2026-03-12'];
    const reasons = [
      { reason: 'clock_behind', codes: 5, stops: 4, got_in: 3, days: [0, 1, 4] },
      { reason: 'something_new', codes: 2, stops: 1, got_in: 0, days: [2, 0, 0] },
    ];
    const days = [2, 1, 4].map((codes, n) => ({ date: dates[n], codes }));
    reply('GET /protection/refusals', ok({ counted_until: '2026-03-12T09:31:00Z', days, reasons }));
    const user = open(path, signedIn);
    const part = within(await screen.findByRole('region', { name: m.stuck_title() }));
    const rows = () => part.getAllByRole('row').map((row) => row.textContent ?? '');
    await part.findByText(m.stuck_behind(), { selector: 'span' });
    expect(rows().some((row) => row.includes(m.stuck_clock_next()) && row.includes('3 of 4'))).toBe(true);
    expect(rows().some((row) => row.includes(m.stuck_other()) && row.includes('0 of 1'))).toBe(true);
    // The picture's own table has every day.
    await user.click(part.getByText(m.protection_as_table()));
    const counts = () =>
      within(part.getByText(m.protection_day()).closest('table') as HTMLElement)
        .getAllByRole('row')
        .slice(1)
        .map((row) => row.lastElementChild?.textContent);
    expect(counts()).toEqual(['2', '1', '4']);
    await user.selectOptions(part.getByLabelText(m.stuck_reason()), m.stuck_behind());
    expect(counts()).toEqual(['0', '1', '4']);
    expect(part.getByRole('link', { name: m.stuck_help() }).getAttribute('href')).toBe('/help/help-someone#stuck');
  });

  it('says so where nobody was refused, and asks for that alone again when it fails', async () => {
    reply('GET /protection', ok(figures()));
    reply('GET /protection/refusals', refuse(500, 'internal'), ok({ days: [], reasons: [] }));
    const user = open(path, signedIn);
    await user.click(await button(m.try_again()));
    await screen.findByText(m.stuck_none());
  });

  it('can be asked for again when it fails', async () => {
    reply('GET /protection', refuse(500, 'internal'), ok(figures()));
    const user = open(path, signedIn);
    await user.click(await button(m.try_again()));
    await heading(/77%/);
  });

  it('is in the rail for administrators alone', async () => {
    reply('GET /protection', ok(figures()));
    open(path, signedIn);
    await screen.findByText('77%');
    expect(screen.getAllByRole('link', { name: m.nav_protection() }).length).toBeGreaterThan(0);
  });

  it('is not there for a member', async () => {
    reply('GET /protection', refuse(403, 'not_permitted'));
    reply('GET /protection/warnings', refuse(403, 'not_permitted'));
    open(path, { session: sessionOf(bo) });
    await screen.findByText(m.error_not_permitted());
    expect(screen.queryByRole('link', { name: m.nav_protection() })).toBeNull();
  });
});
