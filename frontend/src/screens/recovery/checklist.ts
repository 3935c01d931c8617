import { m } from '../../paraglide/messages';

/** How an administrator makes sure who asks, until the installation has lines of its own. */
export const usualChecklist = () => [
  m.recovery_check_call(),
  m.recovery_check_met(),
  m.recovery_check_vouched(),
  m.recovery_check_document(),
  m.recovery_check_story(),
];
