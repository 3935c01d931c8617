import type { SecurityView } from '../../api/shapes';
import * as format from '../../format';
import { m } from '../../paraglide/messages';
import type { IconName } from '../../parts/Icon.svelte';

export type Task = { urgent: boolean; icon: IconName; title: string; body: string; act: string; href: string };

/** Below so many backup codes a person is asked to make new ones. */
export const fewCodes = 4;

const security = '/parameters/users/me/security';

export function codesLeft(count: number): string {
  return count === 0 ? m.codes_left_none() : m.codes_left({ count });
}

/** What this person should do about their own protection, the most pressing first. */
export function tasks({ user, mfa, enrolment }: SecurityView, now = new Date()): Task[] {
  const replacing = enrolment?.replaces ? `?replaces=${enrolment.replaces}` : '';
  if (enrolment) {
    return [
      {
        urgent: true,
        icon: 'clock',
        title: m.home_enrolling_title(),
        body: mfa.state === 'on' ? m.security_codes_waiting_body() : m.home_enrolling_body(),
        act: m.home_go_on(),
        href: `${security}/enable/app${replacing}`,
      },
      ...(mfa.state === 'on' ? few(mfa.backup_codes.remaining) : []),
    ];
  }
  if (mfa.state === 'on') return few(mfa.backup_codes.remaining);
  if (mfa.requirement === 'off') return [];
  const administrator = user.role === 'administrator';
  const required = mfa.requirement === 'required';
  const overdue = required && (!mfa.deadline || new Date(mfa.deadline) <= now);
  const title = overdue
    ? m.home_required_now()
    : required && mfa.deadline
      ? m.home_required_by({ date: format.date(mfa.deadline) })
      : m.home_off_title();
  const body = overdue
    ? m.home_required_now_body()
    : required
      ? m.home_required_body()
      : administrator
        ? m.home_off_administrator()
        : m.home_off_body();
  return [
    {
      urgent: required || administrator,
      icon: 'shield',
      title,
      body,
      act: m.home_turn_on(),
      href: `${security}/enable/app`,
    },
  ];
}

function few(remaining: number): Task[] {
  if (remaining >= fewCodes) return [];
  return [
    {
      urgent: remaining === 0,
      icon: 'list',
      title: m.home_few_codes_title(),
      body: m.home_few_codes_body({ codes: codesLeft(remaining) }),
      act: m.home_new_codes(),
      href: `${security}/backup-codes`,
    },
  ];
}
