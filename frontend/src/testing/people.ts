import type { Factor } from '../api/shapes';

/** Bodies of answers as the server gives them, for people in the states that screens differ by. */
export const later = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();

export const ada = { id: '01ADA', name: 'Ada Admin', email: 'ada@example.test', role: 'administrator' };
export const bo = { id: '01BO', name: 'Bo Lindqvist', email: 'bo@example.test', role: 'member' };

export const label = 'MailMachine: ada@example.test';

export function protectedMfa(remaining = 7) {
  return {
    state: 'on',
    requirement: 'allowed',
    deadline: null,
    since: '2026-03-12T09:00:00Z',
    factors: [
      {
        id: '01APP',
        kind: 'totp',
        name: 'iPhone',
        label,
        added_at: '2026-03-12T09:00:00Z',
        last_used_at: later(0), // today, whenever that is
      },
    ],
    backup_codes: { total: 10, remaining, created_at: '2026-03-12T09:00:00Z' },
  };
}

/** Something more to prove with, which came an hour ago and was not used yet. */
export function factor(id: string, name: string, more: Partial<Factor> = {}): Factor {
  return { id, name, kind: 'totp', label: 'MailMachine: two', added_at: later(-60), last_used_at: null, ...more };
}

export function openMfa(more: Record<string, unknown> = {}) {
  return {
    state: 'off',
    requirement: 'allowed',
    deadline: null,
    since: null,
    factors: [],
    backup_codes: { total: 0, remaining: 0, created_at: null },
    ...more,
  };
}

export function sessionOf(user = ada, more: Record<string, unknown> = {}) {
  return {
    id: '01SESSION',
    user,
    signed_in_with: ['password'],
    fresh_until: null,
    fresh_with: '',
    confined_to: null,
    expires_at: later(3_600),
    mfa: { state: 'off', requirement: 'allowed', deadline: null },
    ...more,
  };
}

export function enrolment(more: Record<string, unknown> = {}) {
  return {
    id: '01ENROL',
    state: 'pending',
    name: 'iPhone',
    label,
    account: 'ada@example.test',
    issuer: 'MailMachine',
    otpauth_uri: 'otpauth://totp/MailMachine:ada%40example.test?secret=JBSWY3DPEHPK3PXP&issuer=MailMachine',
    secret: 'JBSWY3DPEHPK3PXP',
    algorithm: 'SHA1',
    digits: 6,
    period: 30,
    expires_at: later(600),
    here: true,
    replaces: null,
    lost: false,
    ...more,
  };
}

export const secondStep = () => ({
  state: 'second_step',
  methods: ['totp', 'backup_code'],
  expires_at: later(300),
  labels: [label],
});

export const tenCodes = Array.from({ length: 10 }, (_, i) => `CODE${i}-AAAAA-BBBBB`);

/** One event of somebody's account. */
export function event(more: Record<string, unknown> = {}) {
  return {
    id: '01EVENT',
    at: later(-7_200),
    kind: 'sign_in.completed',
    result: 'ok',
    method: 'totp',
    reason: '',
    actor: 'self',
    browser: 'Firefox on Windows',
    address: '192.0.2.7',
    here: false,
    new_browser: false,
    data: null,
    ...more,
  };
}

/** One place where somebody is signed in. */
export function openSession(more: Record<string, unknown> = {}) {
  return {
    id: '01OTHER',
    current: false,
    browser: 'Safari on iPhone',
    address: '192.0.2.17',
    created_at: later(-90_000),
    last_seen_at: later(-7_200),
    signed_in_with: ['password', 'totp'],
    ...more,
  };
}

/** A request to be let back in, as its person sees it. */
export function recovery(more: Record<string, unknown> = {}) {
  return {
    id: '01TICKET',
    reference: '7KQ2M-XW4TD',
    state: 'asked',
    asked_at: later(-600),
    expires_at: later(86_000),
    here: true,
    proof_by_mail: true,
    approvals_needed: 1,
    approvals: 0,
    ...more,
  };
}

/** And as an administrator does. */
export function recoveryTicket(more: Record<string, unknown> = {}) {
  return {
    state: 'proved',
    reference: '7KQ2M-XW4TD',
    asked_at: later(-90_000),
    proved_at: later(-88_000),
    decidable_at: later(-1_600),
    expires_at: later(1_000_000),
    proved_by: 'email',
    person: bo,
    request: { browser: 'Firefox on Windows', address: '192.0.2.7', message: 'My phone fell into the lake.' },
    known: {
      account_since: '2024-03-12T09:00:00Z',
      mfa_since: '2025-03-12T09:00:00Z',
      last_second_step_at: later(-180_000),
      browser_seen: true,
      network_seen: false,
      sign_ins_90_days: 41,
    },
    earlier: [],
    warnings: [],
    approvals: [],
    refused: null,
    approvals_needed: 1,
    eligible: 2,
    checklist: null,
    decidable: true,
    ...more,
  };
}
