import * as format from '../format';
import { m } from '../paraglide/messages';
import { fieldWords, problemWords, type Words } from './words';

const problems: Record<string, Words> = {
  administrator_never_off: { title: m.error_administrator_never_off, next: m.error_administrator_never_off_next },
  bad_cursor: { title: m.error_bad_cursor, next: m.error_bad_cursor_next },
  changed_meanwhile: { title: m.error_changed_meanwhile, next: m.error_changed_meanwhile_next },
  email_taken: { title: m.error_email_taken, next: m.error_email_taken_next },
  audit_log_altered: { title: m.error_audit_log_altered, next: m.error_audit_log_altered_next },
  codes_replaced: { title: m.error_codes_replaced, next: m.error_codes_replaced_next },
  enrolment_not_confirmed: { title: m.error_enrolment_not_confirmed, next: m.error_enrolment_not_confirmed_next },
  mfa_off: { title: m.error_mfa_off, next: m.error_mfa_off_next },
  last_app: { title: m.error_last_app, next: m.error_last_app_next },
  no_event: { title: m.error_no_event, next: m.error_no_event_next },
  no_session: { title: m.error_no_session, next: m.error_no_session_next },
  no_factor: { title: m.error_no_factor, next: m.error_no_factor_next },
  no_pending_codes: { title: m.error_no_pending_codes, next: m.error_no_pending_codes_next },
  no_user: { title: m.error_no_user, next: m.error_no_user_next },
  own_mfa_first: { title: m.error_own_mfa_first, next: m.error_own_mfa_first_next },
  own_requirement: { title: m.error_own_requirement, next: m.error_own_requirement_next },
  app_code_required: { title: m.error_app_code_required, next: m.error_app_code_required_next },
  code_refused: { title: m.error_code_refused, next: m.error_code_refused_next },
  code_required: { title: m.error_code_required, next: m.error_code_required_next },
  enrolment_required: { title: m.error_enrolment_required, next: m.error_enrolment_required_next },
  fresh_proof_required: { title: m.error_fresh_proof_required, next: m.error_fresh_proof_required_next },
  mfa_not_allowed: { title: m.error_mfa_not_allowed, next: m.error_mfa_not_allowed_next },
  mfa_required: { title: m.error_mfa_required, next: m.error_mfa_required_next },
  no_enrolment: { title: m.error_no_enrolment, next: m.error_no_enrolment_next },
  not_permitted: { title: m.error_not_permitted, next: m.error_not_permitted_next },
  session_ended: { title: m.error_session_ended, next: m.error_session_ended_next },
  setup_link_expired: { title: m.error_setup_link_expired, next: m.error_setup_link_expired_next },
  challenge_expired: { title: m.error_challenge_expired, next: m.error_challenge_expired_next },
  no_security_key: { title: m.error_no_security_key, next: m.error_no_security_key_next },
  security_key_refused: { title: m.error_security_key_refused, next: m.error_security_key_refused_next },
  security_key_taken: { title: m.error_security_key_taken, next: m.error_security_key_taken_next },
  security_key_unverified: { title: m.error_security_key_unverified, next: m.error_security_key_unverified_next },
  security_keys_off: { title: m.error_security_keys_off, next: m.error_security_keys_off_next },
  too_many_challenges: { title: m.error_too_many_challenges, next: m.error_too_many_challenges_next },
  too_many_security_keys: { title: m.error_too_many_security_keys, next: m.error_too_many_security_keys_next },
  too_many_apps: { title: m.error_too_many_apps, next: m.error_too_many_apps_next },
  too_many_attempts: { title: m.error_too_many_attempts, next: m.error_too_many_attempts_next },
  too_many_changes: {
    title: m.error_too_many_changes,
    next: ({ retryAfterSeconds }) => m.error_too_many_changes_next({ time: format.span(retryAfterSeconds ?? 3_600) }),
  },
  wrong_password: { title: m.error_wrong_password, next: m.error_wrong_password_next },
  not_found: { title: m.error_not_found, next: m.error_not_found_next },
  not_signed_in: { title: m.error_not_signed_in, next: m.error_not_signed_in_next },
};

const fields: typeof fieldWords = {
  too_short: () => m.field_too_short(),
  too_long: () => m.field_too_long(),
  password_too_short: (params) => m.field_password_too_short({ min: format.number(Number(params.min ?? 12)) }),
  password_too_long: (params) => m.field_password_too_long({ max: format.number(Number(params.max ?? 128)) }),
  password_too_common: () => m.field_password_too_common(),
  password_unchanged: () => m.field_password_unchanged(),
  password_contains_context: () => m.field_password_contains_context(),
};

Object.assign(problemWords, problems);
Object.assign(fieldWords, fields);
