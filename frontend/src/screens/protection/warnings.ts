import type { Warning } from '../../api/shapes';
import * as format from '../../format';
import { m } from '../../paraglide/messages';
import type { IconName } from '../../parts/Icon.svelte';
import { paths } from '../../paths';

/** What would go wrong some day, in words, with what to do next. */
export type Told = { icon: IconName; title: string; body: string; act: string; href: string };

const tell: Record<Warning['kind'], (warning: Warning) => Told> = {
  server_clock: ({ count, offset_seconds = 0, host }) => ({
    icon: 'clock',
    title: (offset_seconds < 0 ? m.warning_clock_behind : m.warning_clock_ahead)({
      time: format.span(Math.abs(offset_seconds)),
    }),
    body:
      count > 1
        ? m.warning_clock_body_several({ count, shown: format.number(count), host: host ?? '' })
        : host
          ? m.warning_clock_body_host({ host })
          : m.warning_clock_body(),
    act: m.warning_clock_act(),
    href: paths.help('clock#warning'),
  }),
  alarms_raised: ({ count }) => ({
    icon: 'notice',
    title: m.warning_alarms({ count, shown: format.number(count) }),
    body: m.warning_alarms_body(),
    act: m.warning_alarms_act(),
    href: `${paths.audit}?kind=alarm.raised`,
  }),
  key_not_kept: () => ({
    icon: 'key',
    title: m.warning_key(),
    body: m.warning_key_body(),
    act: m.warning_key_act(),
    href: `${paths.settings}?section=key`,
  }),
  single_administrator: () => ({
    icon: 'person',
    title: m.warning_single(),
    body: m.warning_single_body(),
    act: m.warning_single_act(),
    href: paths.users,
  }),
  unprotected_administrators: ({ count }) => ({
    icon: 'shield',
    title: m.warning_unprotected({ count, shown: format.number(count) }),
    body: m.warning_unprotected_body(),
    act: m.warning_unprotected_act(),
    href: `${paths.users}?protection=off&role=administrator`,
  }),
  mails_given_up: ({ count }) => ({
    icon: 'notice',
    title: m.warning_given_up({ count, shown: format.number(count) }),
    body: m.warning_given_up_body(),
    act: m.warning_given_up_act(),
    href: `${paths.settings}?section=mail`,
  }),
  no_mail_server: () => ({
    icon: 'notice',
    title: m.warning_no_mail(),
    body: m.warning_no_mail_body(),
    act: m.warning_no_mail_act(),
    href: `${paths.settings}?section=mail`,
  }),
};

/** One of a kind that this page does not know yet is left out. */
export function told(warnings: Warning[]): Told[] {
  return warnings.flatMap((warning) => tell[warning.kind]?.(warning) ?? []);
}
