import type { Diagnosis } from '../../api/problem';
import { browserName } from '../../browser';
import { compact } from '../../code';
import * as format from '../../format';
import { brand } from '../../installation';
import { m } from '../../paraglide/messages';
import type { IconName } from '../../parts/Icon.svelte';
import { paths } from '../../paths';
import type { Kind } from './attempt.svelte';

/** Where a code is asked for, by which the ways on differ; `app-proof` takes the app's alone. */
export type Where = 'sign-in' | 'enrolment' | 'proof' | 'app-proof';

/** A way on. `go` leads to an address; the others are done by the screen that asked. */
export type Next =
  | { do: 'go'; href: string; label: string }
  | { do: 'restart'; label: string }
  | { do: 'finish'; href: string; label: string };

export type Explanation = {
  /** Amber when the person can mend it, red only when something is at stake. */
  tone: 'info' | 'warn' | 'bad';
  icon: IconName;
  title: string;
  body: string[];
  /** Counts down to the code that will do. */
  waits?: 'next_code' | 'retry';
  /** Offers the steps for automatic time. */
  automaticTime?: boolean;
  /** Offers what to do if it was somebody else. */
  notMe?: boolean;
  next: Next[];
};

const quarter = 900;
/** So far from a whole quarter of an hour counts as on it: a code is good for 30 s, and the search has ±1 step. */
const slack = 45;

/** Is the clock off by whole quarter-hours, that is by its time zone or hour, and by how many seconds then? */
export function quarterHours(offset: number): number | undefined {
  const nearest = Math.round(Math.abs(offset) / quarter) * quarter;
  return nearest >= quarter && Math.abs(Math.abs(offset) - nearest) <= slack ? nearest : undefined;
}

/** The name of the file of a set of backup codes, by the day it was made. */
export function backupFile(day: string | Date): string {
  const name = m.file_name({ brand: brand(), date: format.isoDay(day) });
  return `${name.replace(/[^\p{L}\p{M}\p{N}]+/gu, '-')}.txt`;
}

/** What became of the setup that a code is of. */
const earlier: Record<string, [title: () => string, when: (data: { date: string }) => string]> = {
  removed: [m.previous_removed_title, m.previous_removed_when],
  abandoned: [m.previous_setup_title, m.previous_abandoned_when],
  disabled: [m.previous_setup_title, m.previous_disabled_when],
};

/** The words for a refused code: what happened, why, what to do. `text` is what stood in the field. */
export function explain(diagnosis: Diagnosis, typed: Kind, where: Where, text = ''): Explanation {
  const d = diagnosis;
  const backup = link(where, paths.backupStep, m.use_backup_code());
  const app = link(where, paths.secondStep, m.use_app_code());
  const stuck = link(where, paths.cannotGetIn, m.cannot_get_in());
  const finish = (href: string, label: string): Next | undefined =>
    where === 'sign-in' ? { do: 'finish', href, label } : undefined;
  const restart: Next =
    where === 'sign-in'
      ? { do: 'go', href: paths.signIn, label: m.start_again() }
      : { do: 'restart', label: m.start_again() };
  const label = d.setup_label ?? m.this_account();

  switch (d.reason) {
    case 'wrong_code':
      if (typed === 'backup_code') {
        return warn('notice', m.wrong_backup_title(), [m.wrong_backup_body()]);
      }
      return where === 'enrolment'
        ? warn('notice', m.wrong_new_title(), [m.wrong_new_body({ label })])
        : warn('notice', m.wrong_code_title(), [wrongEntry(d, label)]);

    case 'already_used':
      if (d.used_here !== false) {
        return { ...info('clock', m.already_used_title(), [m.already_used_body()]), waits: 'next_code' };
      }
      return {
        tone: 'bad',
        icon: 'warning',
        title: m.already_used_elsewhere_title(),
        body: [usedWhere(d), m.already_used_elsewhere_body()].filter((text) => text !== ''),
        waits: 'next_code',
        notMe: true,
        next: [],
      };

    case 'older_than_last':
      return { ...info('clock', m.older_title(), [m.older_body()]), waits: 'next_code' };

    case 'clock_behind':
    case 'clock_ahead':
      return clock(d, backup);

    case 'previous_setup': {
      const old = d.old_label;
      if (d.replaced_at === undefined) {
        const body = old ? m.other_entry_body({ old, label }) : m.other_entry_unnamed({ label });
        return warn('phone', m.other_entry_title(), [body]);
      }
      const date = format.date(d.replaced_at);
      const what = old ? m.previous_setup_entries({ old, label }) : m.previous_setup_entry({ label });
      const [title, when] = earlier[d.setup_state ?? ''] ?? [m.previous_setup_title, m.previous_setup_when];
      return warn('phone', title(), [when({ date }), what]);
    }

    case 'setup_not_finished':
      return d.setup_label
        ? warn(
            'notice',
            m.not_finished_title(),
            [m.not_finished_body({ label })],
            finish(paths.enable('me', 'scan'), m.finish_after_sign_in()),
          )
        : warn(
            'notice',
            m.codes_not_saved_title(),
            [m.codes_not_saved_body()],
            // Codes are shown once, so there is nothing to finish: a new set is made.
            finish(paths.newCodes('me'), m.new_codes_after_sign_in()),
          );

    case 'malformed':
      return d.expected === 'backup_code'
        ? warn('notice', m.malformed_backup_title(), [...countOf(text), m.malformed_backup_body()])
        : warn('notice', m.malformed_app_title(), [
            where === 'enrolment' || where === 'app-proof' ? m.malformed_new_body() : m.malformed_app_body(),
          ]);

    case 'enrolment_expired':
      return warn(
        'clock',
        m.enrolment_expired_title(),
        [m.enrolment_expired_body(), m.enrolment_expired_entry()],
        restart,
      );

    case 'sign_in_expired':
      return info('clock', m.sign_in_expired_title(), [m.sign_in_expired_body()], restart);

    case 'too_many_attempts':
      if (d.kept_for_sign_in) return info('clock', m.tests_kept_title(), [m.tests_kept_body()]);
      if (d.locked) {
        // No other way takes a code either, so "I can't get in" would lead round in a circle.
        const ask: Next = { do: 'go', href: paths.contact, label: m.contact_support() };
        return warn('warning', m.locked_title(), [m.locked_body()], ask, where === 'sign-in' ? restart : undefined);
      }
      if (d.start_again) return warn('clock', m.too_many_title(), [m.too_many_here_body()], restart);
      return { ...warn('clock', m.too_many_title(), [m.too_many_body()], stuck), waits: 'retry' };

    case 'backup_code_used': {
      const title = d.used_at ? m.backup_used_title({ date: format.moment(d.used_at) }) : m.backup_used_untimed();
      const rest = d.next_number ? m.backup_used_next({ number: format.number(d.next_number) }) : m.backup_used_none();
      const browser = d.used_browser ? m.backup_used_browser({ browser: browserName(d.used_browser) }) : '';
      const body = [browser, rest].filter((text) => text !== '');
      return { ...warn('list', title, body), notMe: true };
    }

    case 'backup_code_replaced': {
      const body = d.replaced_at
        ? m.backup_replaced_body({ date: format.date(d.replaced_at), file: backupFile(d.replaced_at) })
        : m.backup_replaced_undated();
      return warn('list', m.backup_replaced_title(), [body]);
    }

    case 'no_backup_codes_left':
      return warn('list', m.no_codes_left_title(), [m.no_codes_left_body()], app, stuck);

    default:
      return warn('notice', m.error_code_refused(), [m.error_code_refused_next()], backup);
  }
}

function clock(d: Diagnosis, backup: Next | undefined): Explanation {
  if (d.server_clock_suspect) {
    return info('clock', m.server_clock_title(), [m.server_clock_body()], backup);
  }
  const offset = d.offset_seconds ?? 0;
  const behind = d.reason === 'clock_behind';
  const whole = quarterHours(offset);
  const span = format.span(whole ?? offset);
  const title = whole
    ? behind
      ? m.clock_behind_exactly({ span })
      : m.clock_ahead_exactly({ span })
    : behind
      ? m.clock_behind_title({ span })
      : m.clock_ahead_title({ span });
  const body = whole ? m.clock_zone_body() : behind ? m.clock_behind_body({ span }) : m.clock_ahead_body({ span });
  return { ...warn('clock', title, [body]), automaticTime: true };
}

/** Which entry to look for; where this was the last try, no code is to be typed now. */
function wrongEntry(d: Diagnosis, label: string): string {
  if (d.attempts_left === 0) return m.wrong_code_last({ label: either([label, ...(d.other_labels ?? [])]) });
  if (!d.other_labels?.length) return m.wrong_code_body({ label });
  return m.wrong_code_several({ labels: either([label, ...d.other_labels]) });
}

const either = (labels: string[]) => format.list(labels, 'disjunction');

/** How many letters and numbers there are in what was to be a backup code, and what is neither. */
function countOf(text: string): string[] {
  const bare = compact(text);
  if (bare === '') return [];
  const strange = [...new Set(bare.replace(/[0-9a-z]/gi, ''))].join(' ');
  const count = bare.replace(/[^0-9a-z]/gi, '').length;
  return [m.malformed_backup_count({ count }), ...(strange ? [m.malformed_backup_strange({ strange })] : [])];
}

function usedWhere(d: Diagnosis): string {
  if (!d.used_at) return '';
  const when = format.moment(d.used_at);
  return d.used_browser ? m.used_at_in({ when, browser: browserName(d.used_browser) }) : m.used_at({ when });
}

/**
 * The second step has addresses for its other ways; elsewhere one is in the middle of something else. They stand
 * under the field anyway, so a refusal repeats one only where it is the one thing that helps.
 */
function link(where: Where, href: string, label: string): Next | undefined {
  return where === 'sign-in' ? { do: 'go', href, label } : undefined;
}

function warn(icon: IconName, title: string, body: string[], ...next: (Next | undefined)[]): Explanation {
  return { tone: 'warn', icon, title, body, next: next.filter((way) => way !== undefined) };
}

function info(icon: IconName, title: string, body: string[], ...next: (Next | undefined)[]): Explanation {
  return { ...warn(icon, title, body, ...next), tone: 'info' };
}
