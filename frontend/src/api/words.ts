import { m } from '../paraglide/messages';
import type { Problem, ProblemField } from './problem';

export type Words = { title: () => string; next: (problem: Problem) => string };

/**
 * A sentence for what happened and one for what to do, for every code that can meet a visitor who is not signed in.
 * Importing `inside.ts` adds those of the other screens: the sign-in need not carry them.
 */
export const problemWords: Record<string, Words> = {
  account_disabled: { title: m.error_account_disabled, next: m.error_account_disabled_next },
  bad_credentials: { title: m.error_bad_credentials, next: m.error_bad_credentials_next },
  body_too_large: { title: m.error_body_too_large, next: m.error_body_too_large_next },
  busy: { title: m.error_busy, next: m.error_busy_next },
  cross_site: { title: m.error_cross_site, next: m.error_cross_site_next },
  enrolment_link_expired: { title: m.error_enrolment_link_expired, next: m.error_enrolment_link_expired_next },
  enrolment_link_required: { title: m.error_enrolment_link_required, next: m.error_enrolment_link_required_next },
  headers_too_large: { title: m.error_headers_too_large, next: m.error_headers_too_large_next },
  malformed_request: { title: m.error_malformed_request, next: m.error_malformed_request_next },
  not_ready: { title: m.error_not_ready, next: m.error_not_ready_next },
  request_timeout: { title: m.error_request_timeout, next: m.error_request_timeout_next },
  internal_fault: { title: m.error_internal_fault, next: m.error_internal_fault_next },
  invalid_input: { title: m.error_invalid_input, next: m.error_invalid_input_next },
  json_only: { title: m.error_json_only, next: m.error_json_only_next },
  malformed_body: { title: m.error_malformed_body, next: m.error_malformed_body_next },
  method_not_allowed: { title: m.error_method_not_allowed, next: m.error_method_not_allowed_next },
  offline: { title: m.error_offline, next: m.error_offline_next },
  too_many_passwords: { title: m.error_too_many_passwords, next: m.error_too_many_passwords_next },
  unknown_field: { title: m.error_unknown_field, next: m.error_unknown_field_next },
  unreachable: { title: m.error_unreachable, next: m.error_unreachable_next },
};

/** The words of a problem; of a code that this page does not know yet, those of a fault. */
export function wordsOf(problem: Problem): { title: string; next: string } {
  const words = problemWords[problem.code] ?? problemWords.internal_fault;
  return { title: words?.title() ?? '', next: words?.next(problem) ?? '' };
}

/** What a field lacks, by the server's code; `params` fill the sentence. */
export const fieldWords: Record<string, (params: Record<string, unknown>) => string> = {
  required: () => m.field_required(),
  illegible: () => m.field_illegible(),
  email_invalid: () => m.field_email_invalid(),
};

/** The error of one field of a refused form, or nothing. */
export function fieldError(fields: ProblemField[], name: string): string | undefined {
  const field = fields.find((candidate) => candidate.name === name);
  if (field === undefined) return undefined;
  return (fieldWords[field.code] ?? (() => m.field_invalid()))(field.params ?? {});
}
