import type { Problem } from '../../api/problem';
import { m } from '../../paraglide/messages';

/** The person's own password, asked for once more before something that matters. */
export class OwnPassword {
  value = $state('');
  error = $state<string | undefined>();

  /** Nothing was typed; the field says so. */
  isMissing(): boolean {
    this.error = this.value === '' ? m.field_required() : undefined;
    return this.error !== undefined;
  }

  /** It was the password that was refused; the field says so. */
  wasWrong(problem: Problem | undefined): boolean {
    if (problem?.code !== 'wrong_password') return false;
    this.error = m.error_wrong_password();
    return true;
  }
}
