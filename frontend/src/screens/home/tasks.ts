import type { SecurityEvent, SecurityView } from '../../api/shapes';
import { browserName } from '../../browser';
import * as format from '../../format';
import { m } from '../../paraglide/messages';
import { paths } from '../../paths';
import { codesLeft, isFew } from '../factor/remaining';
import { type Unfinished, unfinished } from '../factor/unfinished';
import { leftInWords } from '../history/alarm';

export type Task = Unfinished & { urgent: boolean };

const week = 7 * 86_400_000;

/** The last sign-in with a browser never seen before, in the past week, unless the person has answered for it. */
export function doubtful(events: SecurityEvent[], known: string[], now = new Date()): SecurityEvent | undefined {
  // Whatever came before an alarm has been dealt with; the newest event is the first.
  const alarm = events.findIndex((event) => event.kind === 'alarm.raised');
  // Answered in a browser that was known before: that holds in all of them.
  const answered = events.filter((event) => event.kind === 'sign_in.known').map((event) => event.data?.event);
  return (alarm < 0 ? events : events.slice(0, alarm)).find(
    (event) =>
      event.kind === 'sign_in.completed' &&
      event.new_browser &&
      !event.here &&
      !known.includes(event.id) &&
      !answered.includes(event.id) &&
      now.getTime() - Date.parse(event.at) < week,
  );
}

/** How it was done, when, and from where, for the person to judge. */
export function doubtInWords({ method, browser, address, at }: SecurityEvent): string {
  const ways: Record<string, () => string> = {
    password: m.home_doubt_password,
    totp: m.home_doubt_app,
    backup_code: m.home_doubt_code,
    webauthn: m.home_doubt_key,
    enrolment_link: m.home_doubt_link,
  };
  const told = {
    how: (ways[method] ?? m.home_doubt_other)(),
    when: format.moment(at),
    browser: browserName(browser),
  };
  // An address reads from left to right, whatever stands around it.
  return address === ''
    ? m.home_doubt_body(told)
    : m.home_doubt_body_at({ ...told, address: `\u2068${address}\u2069` });
}

/** What this person should do about their own protection, the most pressing first. */
export function tasks(view: SecurityView, now = new Date()): Task[] {
  const { alarm } = view;
  if (!alarm) return lasting(view, now);
  const title = m.home_alarm_title();
  const href = paths.secure('me');
  const task: Task = { urgent: true, icon: 'shield', title, body: leftInWords(alarm), act: m.go_on(), href };
  return [task, ...lasting(view, now)];
}

function lasting(view: SecurityView, now: Date): Task[] {
  const { user, mfa, alarm } = view;
  // Of securing the account they are a part already.
  const codes = alarm?.left.includes('codes') ? [] : few(mfa.backup_codes.remaining);
  const begun = unfinished('me', view).map((one) => ({ ...one, urgent: true }));
  if (begun.length > 0) {
    // New codes that wait are what there is to say of few.
    const waits = view.codes_waiting || view.enrolment?.state === 'confirmed';
    return [...begun, ...(mfa.state === 'on' && !waits ? codes : [])];
  }
  if (mfa.requirement === 'off') return [];
  if (mfa.state === 'on') return codes;
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
