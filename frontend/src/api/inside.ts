import * as format from '../format';
import { m } from '../paraglide/messages';
import { fieldWords, problemWords, type Words } from './words';

const problems: Record<string, Words> = {
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
  too_many_apps: { title: m.error_too_many_apps, next: m.error_too_many_apps_next },
  too_many_attempts: { title: m.error_too_many_attempts, next: m.error_too_many_attempts_next },
  wrong_password: { title: m.error_wrong_password, next: m.error_wrong_password_next },
  not_found: { title: m.error_not_found, next: m.error_not_found_next },
  not_signed_in: { title: m.error_not_signed_in, next: m.error_not_signed_in_next },
};

const fields: typeof fieldWords = {
  too_long: () => m.field_too_long(),
  password_too_short: (params) => m.field_password_too_short({ min: format.number(Number(params.min ?? 12)) }),
  password_too_long: (params) => m.field_password_too_long({ max: format.number(Number(params.max ?? 128)) }),
  password_too_common: () => m.field_password_too_common(),
  password_contains_context: () => m.field_password_contains_context(),
};

Object.assign(problemWords, problems);
Object.assign(fieldWords, fields);
