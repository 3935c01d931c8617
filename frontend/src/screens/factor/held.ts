import type { Factor } from '../../api/shapes';
import { m } from '../../paraglide/messages';

/** Is it an authenticator app? Else it is a security key. */
export const isApp = (factor: Factor): boolean => factor.kind === 'totp';

/** How many authenticator apps a person can have. */
export const mostApps = 5;

export const appsOf = (factors: Factor[] | null | undefined): Factor[] => (factors ?? []).filter(isApp);

/** What it is, and what its person calls it. */
export function titleOf(factor: Factor): string {
  const { name } = factor;
  if (isApp(factor)) return name ? m.factor_named({ name }) : m.factor_totp();
  return name ? m.factor_key_named({ name }) : m.factor_key();
}
