import type { SecurityEvent } from '../../api/shapes';
import { browserName } from '../../browser';
import * as format from '../../format';
import { m } from '../../paraglide/messages';
import type { IconName } from '../../parts/Icon.svelte';

/** One event in plain words: what happened, and what there is to know about it. */
export type Sentence = { icon: IconName; tone: 'plain' | 'good' | 'warn'; title: string; more: string[] };

/** How the person's apps and security keys are called now, by their ids: an event names none, as nothing typed is on record. */
export type Names = Record<string, string>;

type Tell = (event: SecurityEvent, names: Names) => Omit<Sentence, 'more'> & { more?: string };

const plain =
  (icon: IconName, title: () => string): Tell =>
  () => ({ icon, tone: 'plain', title: title() });
const good =
  (icon: IconName, title: () => string): Tell =>
  () => ({ icon, tone: 'good', title: title() });

/** Said without a "you": whether it was the person is what they are about to judge, and administrators read them too. */
const done: Record<string, Tell> = {
  'key.rotated': plain('key', m.event_key_rotated),
  'key.retired': plain('key', m.event_key_retired),
  'setup.completed': plain('person', m.event_setup),
  'user.created': plain('person', m.event_created),
  'user.invited': plain('person', m.event_invited),
  'user.joined': plain('person', m.event_joined),
  'user.disabled': () => ({ icon: 'person', tone: 'warn', title: m.event_user_disabled() }),
  'user.enabled': plain('person', m.event_user_enabled),
  'user.removed': () => ({ icon: 'person', tone: 'warn', title: m.event_user_removed() }),
  'role.changed': (event) => ({
    icon: 'people',
    tone: 'plain',
    title: event.data?.to === 'administrator' ? m.event_made_administrator() : m.event_made_member(),
  }),
  'invitation.renewed': plain('person', m.event_invitation_renewed),
  'invitation.withdrawn': plain('person', m.event_invitation_withdrawn),
  'password.set': plain('key', m.event_password_set),
  'password.changed': (event) => ({
    icon: 'key',
    tone: event.method === 'password_link' ? 'plain' : 'good',
    title: event.method === 'password_link' ? m.event_password_chosen() : m.event_password_changed(),
  }),
  'password_link.sent': () => ({
    icon: 'key',
    tone: 'plain',
    title: m.event_password_link(),
    more: m.event_password_link_more(),
  }),
  'name.changed': plain('edit', m.event_name_changed),
  'email.asked': plain('mail', m.event_email_asked),
  'email.withdrawn': plain('mail', m.event_email_withdrawn),
  'email.changed': () => ({ icon: 'mail', tone: 'warn', title: m.event_email_changed() }),
  'email.stopped': (event) => ({
    icon: 'warning',
    tone: 'warn',
    title: m.event_email_stopped(),
    more: event.data?.restored === false ? m.event_email_not_restored() : m.event_email_restored(),
  }),
  'mfa.reset_stopped': () => ({
    icon: 'warning',
    tone: 'warn',
    title: m.event_reset_stopped(),
    more: m.event_reset_stopped_more(),
  }),
  'recovery.asked': () => ({
    icon: 'warning',
    tone: 'warn',
    title: m.event_recovery_asked(),
    more: m.event_recovery_asked_more(),
  }),
  'recovery.proved': (event) => ({
    icon: 'mail',
    tone: 'plain',
    title: m.event_recovery_proved(),
    more: event.method === 'session' ? m.event_recovery_proved_session() : m.event_recovery_proved_email(),
  }),
  'recovery.approval_given': (event) => ({
    icon: 'person',
    tone: 'plain',
    title: m.event_recovery_approval(),
    more: m.event_recovery_approval_more({
      checked: Array.isArray(event.data?.checked) ? event.data.checked.join(' ') : '',
      why: String(event.data?.why ?? ''),
    }),
  }),
  'recovery.approved': (event) => ({
    icon: 'key',
    tone: 'warn',
    title: m.event_recovery_approved(),
    more: event.data?.mailed === true ? m.event_recovery_approved_mailed() : m.event_recovery_approved_shown(),
  }),
  'recovery.link_renewed': () => ({
    icon: 'key',
    tone: 'warn',
    title: m.event_recovery_renewed(),
    more: m.event_recovery_renewed_more(),
  }),
  'recovery.refused': (event) => ({
    icon: 'person',
    tone: 'plain',
    title: m.event_recovery_refused(),
    more: typeof event.data?.why === 'string' ? m.event_requirement_why({ why: event.data.why }) : undefined,
  }),
  'recovery.stopped': () => ({
    icon: 'warning',
    tone: 'warn',
    title: m.event_recovery_stopped(),
    more: m.event_recovery_stopped_more(),
  }),
  'recovery.cancelled': (event) => ({
    icon: 'out',
    tone: 'plain',
    title: m.event_recovery_cancelled(),
    more: (cancelled[String(event.reason)] ?? m.event_recovery_cancelled_other)(),
  }),
  'recovery.expired': plain('clock', m.event_recovery_expired),
  'recovery.completed': () => ({
    icon: 'shield',
    tone: 'good',
    title: m.event_recovery_completed(),
    more: m.event_recovery_completed_more(),
  }),
  'alarm.raised': () => ({ icon: 'shield', tone: 'warn', title: m.event_alarm(), more: m.event_alarm_more() }),
  'alarm.settled': (event) => ({
    icon: 'shield',
    tone: 'plain',
    title: event.data?.done === 'apps' ? m.event_alarm_apps() : m.event_alarm_settled(),
  }),
  'sign_in.password': plain('key', m.event_password_right),
  'sign_in.second_step': plain('phone', m.event_second_step),
  'sign_in.code_tested': plain('phone', m.event_code_tested),
  'session.code_tested': plain('phone', m.event_own_code_tested),
  'sign_in.completed': (event) => ({
    icon: 'person',
    tone: event.new_browser && !event.here ? 'warn' : 'plain',
    title: signedIn(event.method),
    more: event.new_browser ? m.event_new_browser() : undefined,
  }),
  'sign_in.known': plain('person', m.event_known),
  'sign_in.enrolment_link': plain('key', m.event_link_given),
  'sign_in.abandoned': plain('out', m.event_abandoned),
  'session.ended': ended,
  'proof.given': plain('key', m.event_proof),
  'enrolment.started': plain('phone', m.event_enrolment_started),
  'enrolment.confirmed': plain('phone', m.event_enrolment_confirmed),
  'enrolment.given_up': plain('phone', m.event_enrolment_given_up),
  'enrolment.activated': good('shield', m.event_enrolment_activated),
  'app.added': (event, names) => ({
    icon: 'phone',
    tone: 'good',
    title: m.event_app_added(),
    more: called(event, names),
  }),
  'app.replaced': (event, names) => ({
    icon: 'phone',
    tone: 'good',
    title: m.event_app_replaced(),
    more: [m.event_app_replaced_more(), called(event, names)].filter(Boolean).join(' '),
  }),
  'factor.added': good('key', m.event_factor_added),
  'factor.suspect': () => ({
    icon: 'warning',
    tone: 'warn',
    title: m.event_factor_suspect(),
    more: m.event_factor_suspect_more(),
  }),
  'factor.renamed': (event, names) => ({
    icon: 'edit',
    tone: 'plain',
    title: event.method === 'webauthn' ? m.event_key_renamed() : m.event_factor_renamed(),
    more: called(event, names),
  }),
  'factor.removed': (event) => ({
    icon: 'phone',
    tone: 'warn',
    title: event.method === 'totp' ? m.event_app_removed() : m.event_factor_removed(),
  }),
  'backup_codes.made': plain('list', m.event_codes_made),
  'backup_codes.activated': good('list', m.event_codes_activated),
  'backup_codes.given_up': plain('list', m.event_codes_given_up),
  'backup_codes.voided': () => ({
    icon: 'warning',
    tone: 'warn',
    title: m.event_codes_voided(),
    more: m.event_codes_voided_more(),
  }),
  'ticket.opened': plain('mail', m.event_ticket_opened),
  'ticket.answered': plain('mail', m.event_ticket_answered),
  'ticket.solved': plain('mail', m.event_ticket_solved),
  'ticket.reopened': plain('mail', m.event_ticket_reopened),
  'mail.given_up': () => ({
    icon: 'warning',
    tone: 'warn',
    title: m.event_mail_given_up(),
    more: m.event_mail_given_up_more(),
  }),
  'audit.exported': plain('download', m.event_log_exported),
  'mail.tested': plain('notice', m.event_mail_tested),
  'brand.changed': (event) => ({
    icon: 'edit',
    tone: 'plain',
    title: m.event_brand_changed({ from: String(event.data?.from ?? ''), to: String(event.data?.to ?? '') }),
  }),
  'accent.changed': (event) => ({
    icon: 'edit',
    tone: 'plain',
    title: m.event_accent_changed({ from: colour(event.data?.from), to: colour(event.data?.to) }),
  }),
  'new_people.changed': ({ data }) => ({
    icon: 'shield',
    tone: 'plain',
    title: m.event_new_people_changed({
      from: newPeople(data?.from, data?.from_days),
      to: newPeople(data?.to, data?.to_days),
    }),
  }),
  'recovery_checklist.changed': plain('list', m.event_checklist_changed),
  'key.kept_elsewhere': good('key', m.event_key_kept),
  'installation.restored': plain('clock', m.event_restored),
  'mfa.disabled': () => ({ icon: 'shield', tone: 'warn', title: m.event_disabled() }),
  'mfa.reset': (event) => ({
    icon: 'shield',
    tone: 'warn',
    title: m.event_reset(),
    more: reset(event.data?.why, m.event_reset_more()),
  }),
  'enrolment_link.renewed': (event) => ({
    icon: 'key',
    tone: 'warn',
    title: m.event_link_renewed(),
    more: reset(event.data?.why, m.event_link_renewed_more()),
  }),
  'codes.unlocked': plain('key', m.event_unlocked),
  'roll_out.started': (event) => ({
    icon: 'people',
    tone: 'plain',
    title: (event.data?.to === 'required' ? m.event_roll_out_required : m.event_roll_out_started)(people(event)),
    more: typeof event.data?.why === 'string' ? m.event_requirement_why({ why: event.data.why }) : undefined,
  }),
  'roll_out.ended': (event) => ({
    icon: 'people',
    tone: 'plain',
    title: (event.data?.how === 'stopped' ? m.event_roll_out_stopped : m.event_roll_out_done)(people(event)),
  }),
  'reminder.sent': plain('clock', m.event_reminder),
  'requirement.set': (event) => ({
    icon: 'shield',
    tone: 'plain',
    title: requirement(event.data?.to),
    more: typeof event.data?.why === 'string' ? m.event_requirement_why({ why: event.data.why }) : undefined,
  }),
};

/** What was tried and refused. */
const refused: Record<string, () => string> = {
  'sign_in.password': m.event_refused_sign_in,
  'sign_in.second_step': m.event_refused_second_step,
  'sign_in.code_tested': m.event_refused_test,
  'session.code_tested': m.event_refused_test,
  'sign_in.enrolment_link': m.event_refused_link,
  'proof.given': m.event_refused_proof,
  'enrolment.confirmed': m.event_refused_confirm,
  'password.changed': m.event_refused_password,
  'mfa.disabled': m.event_refused_disable,
  'backup_codes.made': m.event_refused_codes,
  'recovery.proved': m.event_refused_recovery,
};

/** Why a request to get back in was cancelled, where there is something to say of it. */
const cancelled: Record<string, () => string> = {
  second_step: m.event_recovery_cancelled_step,
  withdrawn: m.event_recovery_cancelled_withdrawn,
};

const reasons: Record<string, () => string> = {
  bad_credentials: m.event_why_password,
  wrong_password: m.event_why_password,
  account_disabled: m.event_why_disabled,
  enrolment_link_expired: m.event_why_link,
  wrong_code: m.event_why_wrong_code,
  already_used: m.event_why_already_used,
  older_than_last: m.event_why_older,
  clock_behind: m.event_why_behind,
  clock_ahead: m.event_why_ahead,
  previous_setup: m.event_why_previous,
  setup_not_finished: m.event_why_unfinished,
  malformed: m.event_why_malformed,
  enrolment_expired: m.event_why_expired,
  sign_in_expired: m.event_why_sign_in_expired,
  too_many_attempts: m.event_why_too_many,
  backup_code_used: m.event_why_code_used,
  backup_code_replaced: m.event_why_code_replaced,
  no_backup_codes_left: m.event_why_none_left,
};

/** Of which setup the code was, where that says more than that it was an earlier one. */
const setups: Record<string, () => string> = {
  in_use: m.event_why_other_app,
  removed: m.event_why_removed,
};

const endings: Record<string, (sessions: { count: number }) => string> = {
  mfa_turned_on: m.event_ended_turned_on,
  mfa_turned_off: m.event_ended_turned_off,
  app_changed: m.event_ended_app,
  backup_codes_changed: m.event_ended_codes,
  factor_added: m.event_ended_added,
  factor_removed: m.event_ended_removed,
  password_set: m.event_ended_password_set,
  password_changed: m.event_ended_password,
  email_changed: m.event_ended_email,
  stopped: m.event_ended_stopped,
  requirement_changed: m.event_ended_requirement,
  role_changed: m.event_ended_role,
  account_disabled: m.event_ended_disabled,
  user_removed: m.event_ended_removed_user,
  ended_by_person: m.event_ended_by_person,
  not_me: m.event_ended_not_me,
  reset: m.event_ended_reset,
  recovered: m.event_ended_recovered,
  recovery_ended: m.event_ended_recovery,
  ended_by_administrator: m.event_ended_by_administrator,
};

/** The kinds that there are words for. */
export const kinds = Object.keys(done);

/** And the reasons why sessions ended. */
export const whyEnded = Object.keys(endings);

/** An event in words. One of a kind that this page does not know yet gets a general sentence that is true of it. */
export function sentence(event: SecurityEvent, names: Names = {}): Sentence {
  const told = tell(event, names);
  const who = { other: m.event_by_administrator(), console: m.event_by_console(), self: '', nobody: '' }[event.actor];
  return { ...told, more: [told.more, who].filter((text): text is string => Boolean(text)) };
}

/** The same without who did it. */
export function tell(event: SecurityEvent, names: Names = {}): ReturnType<Tell> {
  if (event.result === 'fault') return { icon: 'warning', tone: 'plain', title: m.event_fault() };
  if (event.result === 'refused') {
    const title = (refused[event.kind] ?? m.event_refused_other)();
    return {
      icon: 'warning',
      tone: 'warn',
      title,
      more: (setups[String(event.data?.setup_state)] ?? reasons[event.reason])?.(),
    };
  }
  return done[event.kind]?.(event, names) ?? { icon: 'notice', tone: 'plain', title: m.event_other() };
}

/** The name of an app that is still there. */
function called(event: SecurityEvent, names: Names): string | undefined {
  const name = names[String(event.data?.factor)];
  return name ? m.event_app_called({ name }) : undefined;
}

function signedIn(method: string): string {
  const titles: Record<string, () => string> = {
    password: m.event_signed_in_password,
    totp: m.event_signed_in_app,
    backup_code: m.event_signed_in_code,
    webauthn: m.event_signed_in_key,
    enrolment_link: m.event_signed_in_link,
  };
  return (titles[method] ?? m.event_signed_in)();
}

function ended(event: SecurityEvent): ReturnType<Tell> {
  if (event.reason === 'signed_out') return { icon: 'out', tone: 'plain', title: m.event_signed_out() };
  const count = Number(event.data?.sessions ?? 1);
  return {
    icon: 'out',
    tone: 'plain',
    title: m.event_ended({ count, shown: format.number(count) }),
    more: endings[event.reason]?.({ count }),
  };
}

const colour = (hex: unknown) => (typeof hex === 'string' && hex !== '' ? hex : m.event_accent_own());

/** What is asked of new people, in a few words. */
function newPeople(requirement: unknown, days: unknown): string {
  if (requirement === 'off') return m.event_new_people_off();
  if (requirement === 'allowed') return m.event_new_people_allowed();
  const count = Number(days ?? 0);
  return count === 0
    ? m.event_new_people_required()
    : m.event_new_people_required_days({ count, shown: format.number(count) });
}

/** What a reset means, and why it was done, where an administrator did it. */
function reset(why: unknown, means: string): string {
  return typeof why === 'string' ? `${means} ${m.event_reset_why({ why })}` : means;
}

/** How many people something was asked of. */
function people(event: SecurityEvent) {
  const count = Number(event.data?.people ?? 0);
  return { count, shown: format.number(count) };
}

function requirement(to: unknown): string {
  if (to === 'required') return m.event_required();
  if (to === 'off') return m.event_forbidden();
  return to === 'allowed' ? m.event_allowed() : m.event_requirement();
}

/** From where, as far as it is known: browser, address. */
export function whence(event: SecurityEvent): string[] {
  return event.actor === 'console' ? [] : [browserName(event.browser), event.address].filter((text) => text !== '');
}
