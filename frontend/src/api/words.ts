import * as format from '../format';
import { m } from '../paraglide/messages';
import type { Problem, ProblemField } from './problem';

type Words = { title: () => string; next: () => string };

/** A sentence for what happened and one for what to do, for every code of the server and the browser's own two. */
export const problemWords: Record<string, Words> = {
  account_disabled: { title: m.error_account_disabled, next: m.error_account_disabled_next },
  app_code_required: { title: m.error_app_code_required, next: m.error_app_code_required_next },
  bad_credentials: { title: m.error_bad_credentials, next: m.error_bad_credentials_next },
  body_too_large: { title: m.error_body_too_large, next: m.error_body_too_large_next },
  busy: { title: m.error_busy, next: m.error_busy_next },
  code_refused: { title: m.error_code_refused, next: m.error_code_refused_next },
  code_required: { title: m.error_code_required, next: m.error_code_required_next },
  cross_site: { title: m.error_cross_site, next: m.error_cross_site_next },
  enrolment_required: { title: m.error_enrolment_required, next: m.error_enrolment_required_next },
  fresh_proof_required: { title: m.error_fresh_proof_required, next: m.error_fresh_proof_required_next },
  internal_fault: { title: m.error_internal_fault, next: m.error_internal_fault_next },
  invalid_input: { title: m.error_invalid_input, next: m.error_invalid_input_next },
  json_only: { title: m.error_json_only, next: m.error_json_only_next },
  malformed_body: { title: m.error_malformed_body, next: m.error_malformed_body_next },
  method_not_allowed: { title: m.error_method_not_allowed, next: m.error_method_not_allowed_next },
  mfa_not_allowed: { title: m.error_mfa_not_allowed, next: m.error_mfa_not_allowed_next },
  mfa_required: { title: m.error_mfa_required, next: m.error_mfa_required_next },
  no_enrolment: { title: m.error_no_enrolment, next: m.error_no_enrolment_next },
  not_found: { title: m.error_not_found, next: m.error_not_found_next },
  not_permitted: { title: m.error_not_permitted, next: m.error_not_permitted_next },
  not_signed_in: { title: m.error_not_signed_in, next: m.error_not_signed_in_next },
  offline: { title: m.error_offline, next: m.error_offline_next },
  session_ended: { title: m.error_session_ended, next: m.error_session_ended_next },
  setup_link_expired: { title: m.error_setup_link_expired, next: m.error_setup_link_expired_next },
  too_many_apps: { title: m.error_too_many_apps, next: m.error_too_many_apps_next },
  too_many_attempts: { title: m.error_too_many_attempts, next: m.error_too_many_attempts_next },
  too_many_passwords: { title: m.error_too_many_passwords, next: m.error_too_many_passwords_next },
  unknown_field: { title: m.error_unknown_field, next: m.error_unknown_field_next },
  unreachable: { title: m.error_unreachable, next: m.error_unreachable_next },
  wrong_password: { title: m.error_wrong_password, next: m.error_wrong_password_next },
};

/** The words of a problem; of a code that this page does not know yet, those of a fault. */
export function wordsOf(problem: Problem): { title: string; next: string } {
  const words = problemWords[problem.code] ?? problemWords.internal_fault;
  return { title: words?.title() ?? '', next: words?.next() ?? '' };
}

/** What a field lacks, by the server's code; `params` fill the sentence. */
export const fieldWords: Record<string, (params: Record<string, unknown>) => string> = {
  required: () => m.field_required(),
  email_invalid: () => m.field_email_invalid(),
  too_long: () => m.field_too_long(),
  password_too_short: (params) => m.field_password_too_short({ min: format.number(Number(params.min ?? 12)) }),
  password_too_long: (params) => m.field_password_too_long({ max: format.number(Number(params.max ?? 128)) }),
  password_too_common: () => m.field_password_too_common(),
  password_contains_context: () => m.field_password_contains_context(),
};

/** The error of one field of a refused form, or nothing. */
export function fieldError(fields: ProblemField[], name: string): string | undefined {
  const field = fields.find((candidate) => candidate.name === name);
  if (field === undefined) return undefined;
  return (fieldWords[field.code] ?? (() => m.field_invalid()))(field.params ?? {});
}
