import type { SecurityEvent, SecurityView } from '../../api/shapes';
import * as format from '../../format';
import { m } from '../../paraglide/messages';
import { paths } from '../../paths';
import { codesLeft, isFew } from '../factor/remaining';
import { type Unfinished, unfinished } from '../factor/unfinished';

export type Task = Unfinished & { urgent: boolean };

const week = 7 * 86_400_000;

/** The last sign-in with a browser never seen before, in the past week, unless the person has answered for it. */
export function doubtful(events: SecurityEvent[], known: string[], now = new Date()): SecurityEvent | undefined {
  // Whatever came before an alarm has been dealt with; the newest event is the first.
  const alarm = events.findIndex((event) => event.kind === 'alarm.raised');
  return (alarm < 0 ? events : events.slice(0, alarm)).find(
    (event) =>
      event.kind === 'sign_in.completed' &&
      event.new_browser &&
      !event.here &&
      !known.includes(event.id) &&
      now.getTime() - Date.parse(event.at) < week,
  );
}

/** What this person should do about their own protection, the most pressing first. */
export function tasks(view: SecurityView, now = new Date()): Task[] {
  const { user, mfa } = view;
  const begun = unfinished('me', view).map((one) => ({ ...one, urgent: true }));
  if (begun.length > 0) {
    // New codes that wait are what there is to say of few.
    const waits = view.codes_waiting || view.enrolment?.state === 'confirmed';
    return [...begun, ...(mfa.state === 'on' && !waits ? few(mfa.backup_codes.remaining) : [])];
  }
  if (mfa.requirement === 'off') return [];
  if (mfa.state === 'on') return few(mfa.backup_codes.remaining);
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
      act: m.enable(),
      href: paths.enable('me'),
    },
  ];
}

function few(remaining: number): Task[] {
  if (!isFew(remaining)) return [];
  return [
    {
      urgent: remaining === 0,
      icon: 'list',
      title: m.home_few_codes_title(),
      body: m.home_few_codes_body({ codes: codesLeft(remaining) }),
      act: m.home_new_codes(),
      href: paths.newCodes('me'),
    },
  ];
}
