import type { ListedUser } from '../../api/shapes';
import * as format from '../../format';
import { m } from '../../paraglide/messages';
import { isFew } from '../factor/remaining';

export type Glance = { tone: 'plain' | 'good' | 'warn' | 'bad'; text: string };

/** A person's protection in a pill: never by colour alone. */
export function glance(mfa: ListedUser['mfa'], now = new Date()): Glance {
  if (mfa.locked) return { tone: 'bad', text: m.protection_locked() };
  if (mfa.requirement === 'off') return { tone: 'plain', text: m.protection_not_allowed() };
  if (mfa.state === 'on') {
    const left = mfa.backup_codes_remaining;
    if (left === 0) return { tone: 'warn', text: m.protection_none_left() };
    return isFew(left)
      ? { tone: 'warn', text: m.protection_few({ count: left }) }
      : { tone: 'good', text: m.protection_on() };
  }
  if (mfa.requirement === 'required') {
    if (!mfa.deadline) return { tone: 'warn', text: m.protection_required_now() };
    return new Date(mfa.deadline) <= now
      ? { tone: 'bad', text: m.protection_overdue({ days: format.daysSince(mfa.deadline, now) }) }
      : { tone: 'warn', text: m.protection_required({ date: format.shortDate(mfa.deadline, now) }) };
  }
  if (mfa.state === 'enrolling') return { tone: 'warn', text: m.protection_enrolling() };
  return { tone: 'plain', text: m.protection_off() };
}
