import type { SecurityView } from '../../api/shapes';
import * as format from '../../format';
import { m } from '../../paraglide/messages';
import type { IconName } from '../../parts/Icon.svelte';
import { paths } from '../../paths';

/** What was begun and not finished, with the way on and the way out; Home and My security say the same of it. */
export type Unfinished = {
  icon: IconName;
  title: string;
  body: string;
  act: string;
  href: string;
  /** Throws it away. `enrolment` is the one to give up; without it, it is codes that wait. */
  leave?: { label: string; enrolment?: string };
};

/** Follows from the state alone: what is in force already is never said to wait, and the other way round. */
export function unfinished(id: string, view: SecurityView): Unfinished[] {
  return [ofEnrolment(id, view), ofCodes(id, view)].filter((one) => one !== undefined);
}

function ofEnrolment(id: string, view: SecurityView): Unfinished | undefined {
  const { mfa, enrolment } = view;
  if (!enrolment) return undefined;
  const on = mfa.state === 'on';
  const begun = {
    icon: 'clock',
    act: m.go_on(),
    // It goes on where it was: past the app that one has by then.
    href: paths.enable(id, 'scan', enrolment.replaces),
    leave: { label: m.give_up_setup(), enrolment: enrolment.id },
  } as const;
  if (enrolment.state === 'confirmed') {
    const waits = { ...begun, act: m.finish_setup() };
    if (!on) return { ...waits, title: m.security_confirmed(), body: m.security_confirmed_body() };
    const title = m.security_codes_waiting();
    const body = mfa.backup_codes.remaining > 0 ? m.security_codes_waiting_body() : m.security_codes_waiting_none();
    return { ...waits, leave: keepOld(view), title, body };
  }
  if (!on) {
    const body = enrolment.here
      ? m.security_pending_body({ time: format.time(enrolment.expires_at) })
      : m.security_elsewhere();
    return { ...begun, title: m.security_pending(), body };
  }
  const [title, body] = !enrolment.replaces
    ? [m.security_adding(), m.security_adding_body()]
    : enrolment.lost
      ? [m.security_replacing_lost(), m.security_replacing_lost_body()]
      : [m.security_replacing(), m.security_replacing_body()];
  return { ...begun, title, body: enrolment.here ? body : m.security_elsewhere_unchanged() };
}

/** Not where none of them works, and not where somebody else may know them. An app in use stays, whatever becomes of codes. */
function keepOld({ mfa, alarm }: SecurityView): Unfinished['leave'] {
  if (mfa.backup_codes.remaining === 0 || alarm?.left.includes('codes')) return undefined;
  return { label: m.keep_old_codes() };
}

/** Codes are shown once: what was not saved then is made anew, or left. */
function ofCodes(id: string, view: SecurityView): Unfinished | undefined {
  const { mfa, codes_waiting } = view;
  if (!codes_waiting || mfa.requirement === 'off') return undefined;
  const when = format.moment(codes_waiting.made_at);
  const left = mfa.backup_codes.remaining > 0;
  return {
    icon: 'list',
    title: m.security_codes_waiting(),
    body: left ? m.security_codes_unsaved_body({ when }) : m.security_codes_unsaved_none({ when }),
    act: m.new_codes_make(),
    href: paths.newCodes(id),
    leave: keepOld(view),
  };
}
