import { describe, expect, it } from 'vitest';
import type { Diagnosis, Reason } from '../../api/problem';
import { m } from '../../paraglide/messages';
import { type Kind, shapeOf } from './attempt.svelte';
import { backupFile, type Explanation, explain, quarterHours, type Where } from './explain';

type Row = [
  name: string,
  diagnosis: Diagnosis,
  typed: Kind,
  where: Where,
  says: (told: Explanation, text: string) => void,
];

const app = 'app_code';
const backup = 'backup_code';
const day = '2026-03-12T09:00:00Z';

/** Every row of guidance.md under "Codes of an authenticator app" and "Backup codes". */
const rows: Row[] = [
  ['a wrong code names the entry', { reason: 'wrong_code', setup_label: 'M: a@b' }, app, 'sign-in', says(/M: a@b/)],
  [
    'a wrong code of a new entry',
    { reason: 'wrong_code', setup_label: 'M: a@b' },
    app,
    'enrolment',
    says(/just added/),
  ],
  [
    'a code used here is no alarm',
    { reason: 'already_used', used_here: true, next_code_in_seconds: 9 },
    app,
    'sign-in',
    (told) => {
      expect(told).toMatchObject({ tone: 'info', waits: 'next_code' });
      expect(told.notMe).toBeUndefined();
    },
  ],
  [
    'a code used elsewhere is one',
    { reason: 'already_used', used_here: false, used_at: day, used_browser: 'Firefox on Linux' },
    app,
    'sign-in',
    (told, text) => {
      expect(told).toMatchObject({ tone: 'bad', notMe: true, waits: 'next_code' });
      expect(text).toContain('Firefox on Linux');
    },
  ],
  [
    'an older code waits',
    { reason: 'older_than_last', next_code_in_seconds: 9 },
    app,
    'proof',
    (told) => expect(told).toMatchObject({ tone: 'info', waits: 'next_code' }),
  ],
  [
    'a clock behind',
    { reason: 'clock_behind', offset_seconds: -240 },
    app,
    'sign-in',
    (told, text) => {
      expect(told.automaticTime).toBe(true);
      expect(text).toMatch(/about 4 minutes behind/);
    },
  ],
  ['a clock ahead', { reason: 'clock_ahead', offset_seconds: 90 }, app, 'enrolment', says(/about 2 minutes ahead/)],
  [
    'an hour off',
    { reason: 'clock_ahead', offset_seconds: 3_590 },
    app,
    'sign-in',
    says(/is 1 hour ahead.*time zone/s),
  ],
  [
    'five and a half hours off',
    { reason: 'clock_behind', offset_seconds: -19_800 },
    app,
    'sign-in',
    says(/5 hours and 30 minutes behind/),
  ],
  [
    "the server's own clock",
    { reason: 'clock_behind', offset_seconds: -240, server_clock_suspect: true },
    app,
    'sign-in',
    (told, text) => {
      expect(told.automaticTime).toBeUndefined();
      expect(text).toMatch(/Our clock/);
    },
  ],
  [
    'an earlier setup',
    { reason: 'previous_setup', replaced_at: day, old_label: 'Old', setup_label: 'New' },
    app,
    'sign-in',
    says(/12 March 2026.*Delete.*Old.*New/s),
  ],
  [
    'an app that was removed',
    { reason: 'previous_setup', setup_state: 'removed', replaced_at: day, old_label: 'Old', setup_label: 'New' },
    app,
    'sign-in',
    says(/app that was removed.*removed on 12 March 2026.*Delete.*Old.*New/s),
  ],
  [
    'a setup that was given up',
    { reason: 'previous_setup', setup_state: 'abandoned', replaced_at: day, old_label: 'Old', setup_label: 'New' },
    app,
    'sign-in',
    says(/earlier setup.*never finished.*12 March 2026.*Old.*New/s),
  ],
  [
    'one that was turned off',
    { reason: 'previous_setup', setup_state: 'disabled', replaced_at: day, setup_label: 'New' },
    app,
    'sign-in',
    says(/earlier setup.*12 March 2026.*turned off.*New/s),
  ],
  [
    'the other entry',
    { reason: 'previous_setup', setup_state: 'in_use', old_label: 'Old', setup_label: 'New' },
    app,
    'enrolment',
    says(/Old.*New/s),
  ],
  [
    'an unfinished setup',
    { reason: 'setup_not_finished', setup_label: 'New' },
    app,
    'sign-in',
    (told, text) => {
      expect(text).toContain('New');
      expect(told.next).toContainEqual({
        do: 'finish',
        href: '/parameters/users/me/security/enable/scan',
        label: m.finish_after_sign_in(),
      });
    },
  ],
  [
    'an unsaved backup code',
    { reason: 'setup_not_finished' },
    backup,
    'sign-in',
    (told) =>
      expect(told.next).toContainEqual({
        do: 'finish',
        href: '/parameters/users/me/security/backup-codes',
        label: m.new_codes_after_sign_in(),
      }),
  ],
  [
    'an unsaved backup code, where nothing else can be gone to',
    { reason: 'setup_not_finished' },
    backup,
    'proof',
    (told) => expect(told.next).toEqual([]),
  ],
  ['no app code', { reason: 'malformed', expected: 'app_code' }, app, 'sign-in', says(/6 digits/)],
  ['no backup code', { reason: 'malformed', expected: 'backup_code' }, backup, 'sign-in', says(/15 letters/)],
  [
    'no code of a new app',
    { reason: 'malformed', expected: 'app_code' },
    app,
    'enrolment',
    (_, text) => expect(text).not.toMatch(/backup/i),
  ],
  [
    'an enrolment that is over',
    { reason: 'enrolment_expired' },
    app,
    'enrolment',
    (told) => expect(told.next).toEqual([{ do: 'restart', label: m.start_again() }]),
  ],
  [
    'too many tries',
    { reason: 'too_many_attempts', retry_after_seconds: 60 },
    app,
    'sign-in',
    (told, text) => {
      expect(told.waits).toBe('retry');
      expect(text).toMatch(/account is safe/);
    },
  ],
  [
    'codes locked',
    { reason: 'too_many_attempts', locked: true },
    app,
    'sign-in',
    (told, text) => {
      expect(told.waits).toBeUndefined();
      expect(text).toMatch(/administrator/);
      // Not to "I can't get in", whose ways take no code either.
      expect(told.next.map((way) => way.do === 'go' && way.href)).toEqual(['/help/contact', '/sign-in']);
    },
  ],
  [
    'one of two apps',
    { reason: 'wrong_code', setup_label: 'M: a@b', other_labels: ['M: a@b (2)'], attempts_left: 3 },
    app,
    'sign-in',
    says(/M: a@b or M: a@b \(2\)/),
  ],
  [
    'the last try asks for no further code',
    { reason: 'wrong_code', setup_label: 'M: a@b', attempts_left: 0 },
    app,
    'sign-in',
    (_, text) => {
      expect(text).toMatch(/M: a@b/);
      expect(text).not.toMatch(/shows now/);
    },
  ],
  [
    'the code of another entry while enrolling, which may be about to end',
    { reason: 'previous_setup', old_label: 'M: old', setup_label: 'M: new' },
    app,
    'enrolment',
    (_, text) => {
      expect(text).toMatch(/M: old.*M: new/s);
      expect(text).not.toMatch(/stays/);
    },
  ],
  [
    'a sign-in that took too long',
    { reason: 'sign_in_expired' },
    app,
    'sign-in',
    (told) => expect(told.next).toEqual([{ do: 'go', href: '/sign-in', label: m.start_again() }]),
  ],
  [
    'a used backup code',
    { reason: 'backup_code_used', used_at: day, used_browser: 'Safari on iPhone', next_number: 8 },
    backup,
    'sign-in',
    (told, text) => {
      expect(told.notMe).toBe(true);
      expect(text).toMatch(/12 March 2026.*Safari on iPhone.*number 8/s);
    },
  ],
  [
    'a code of an older set',
    { reason: 'backup_code_replaced', replaced_at: day },
    backup,
    'sign-in',
    says(/12 March 2026.*MailMachine-backup-codes-2026-03-12\.txt/s),
  ],
  ['no backup code of theirs', { reason: 'wrong_code' }, backup, 'sign-in', says(/numbers and letters, 10 of them/)],
  ['none left', { reason: 'no_backup_codes_left' }, backup, 'sign-in', (told) => expect(told.next).toHaveLength(2)],
];

function says(words: RegExp): Row[4] {
  return (_, text) => expect(text).toMatch(words);
}

describe('why a code was refused', () => {
  it.each(rows)('%s', (_, diagnosis, typed, where, check) => {
    const told = explain(diagnosis, typed, where);
    check(told, [told.title, ...told.body].join('\n'));
  });

  it('has words of its own for every reason', () => {
    const covered = new Set(rows.map(([, diagnosis]) => diagnosis.reason));
    const all: Record<Reason, true> = {
      wrong_code: true,
      already_used: true,
      older_than_last: true,
      clock_behind: true,
      clock_ahead: true,
      previous_setup: true,
      setup_not_finished: true,
      malformed: true,
      enrolment_expired: true,
      too_many_attempts: true,
      sign_in_expired: true,
      backup_code_used: true,
      backup_code_replaced: true,
      no_backup_codes_left: true,
    };
    expect([...covered].sort()).toEqual(Object.keys(all).sort());
  });

  it('is red only when something is at stake', () => {
    const red = rows.filter(([, diagnosis, typed, where]) => explain(diagnosis, typed, where).tone === 'bad');
    expect(red.map(([name]) => name)).toEqual(['a code used elsewhere is one']);
  });
});

describe('the shape of what is typed', () => {
  it.each([
    ['123456', app],
    ['123 456', app],
    ['12345', undefined],
    ['1234567', undefined],
    ['F8QY4-0YGEC-YYS9E', backup],
    ['f8qy4 0ygec yys9e', backup],
    ['F8QY4–0YGEC–YYS9E', backup],
    ['F8QY4-0YGEC-YYS9', undefined],
  ])('%s', (code, shape) => expect(shapeOf(code)).toBe(shape));
});

it.each([
  [900, 900],
  [855, 900],
  [-945, 900],
  [946, undefined],
  [600, undefined],
  [40, undefined],
  [-50_400, 50_400],
])('an offset of %d s is %d s of whole quarter-hours', (offset, whole) => expect(quarterHours(offset)).toBe(whole));

it('names the file after the brand and the day', () => {
  expect(backupFile('2026-03-12T09:00:00Z')).toBe('MailMachine-backup-codes-2026-03-12.txt');
});
