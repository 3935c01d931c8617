import { inWizard, paths } from '../../paths';

/** Is this where something waits to be finished that came up while signing in: a setup, or codes to be made anew? */
export const finishes = (path: string | undefined) =>
  path !== undefined && (inWizard(path) || path === paths.newCodes('me'));
