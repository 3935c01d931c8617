import * as format from '../../format';
import { m } from '../../paraglide/messages';
import type { Fault, FileProblem } from './file';

const words: Record<string, (params: Record<string, unknown>) => string> = {
  'name required': () => m.import_name_required(),
  'name too_long': (params) => m.import_name_too_long({ max: format.number(Number(params.max ?? 100)) }),
  'name illegible': () => m.import_name_illegible(),
  'name web_address': () => m.import_name_web_address(),
  'email email_invalid': () => m.import_email_invalid(),
  'email email_taken': () => m.import_email_taken(),
  'email mailbox_full': () => m.import_email_full(),
  'email twice_in_file': () => m.import_email_twice(),
  'email unanswered': () => m.import_email_unanswered(),
  'role invalid': () => m.import_role_invalid(),
  'requirement invalid': () => m.import_requirement_invalid(),
  'requirement administrator_never_off': () => m.import_requirement_never_off(),
  'deadline invalid': () => m.import_deadline_invalid(),
  'deadline without_required': () => m.import_deadline_alone(),
  'reason required': () => m.import_reason_required(),
  'reason too_long': (params) => m.import_reason_too_long({ max: format.number(Number(params.max ?? 300)) }),
  'reason illegible': () => m.import_reason_illegible(),
  'line too_many_columns': () => m.import_line_columns(),
  'line quotes': () => m.import_line_quotes(),
};

/** Why a line can't be imported. */
export function faultWords(fault: Fault): string {
  return (words[`${fault.name} ${fault.code}`] ?? (() => m.field_invalid()))(fault.params ?? {});
}

/** Why a file can't be read, and what to do. */
export const fileWords: Record<FileProblem, () => string> = {
  too_large: m.import_file_too_large,
  not_utf8: m.import_file_not_utf8,
  empty: m.import_file_empty,
  columns: m.import_file_columns,
  column_twice: m.import_file_column_twice,
};
