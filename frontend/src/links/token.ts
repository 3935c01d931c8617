/** By page, until it is left: the token of one opens no other. */
export const kept: Record<string, string> = {};

/**
 * Takes the one-time token out of the fragment, and the fragment out of the address and the history, so that it
 * stays in no place where the next one at this computer could find it.
 */
export function takeToken(): string | undefined {
  const found = new URLSearchParams(location.hash.slice(1)).get('token');
  if (found) {
    kept[location.pathname] = found;
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  return kept[location.pathname];
}
