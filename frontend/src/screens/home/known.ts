const key = 'secondstep-known-sign-ins';
/** So many answers are kept: what is older than a week is not asked about any more. */
const most = 20;
let kept: string[] | undefined;

/** The sign-ins that the person said were theirs, in this browser: the server takes the word of an older one alone. */
export function knownSignIns(): string[] {
  if (kept !== undefined) return kept;
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    kept = Array.isArray(stored) ? stored.filter((id): id is string => typeof id === 'string') : [];
  } catch {
    // Storage may be forbidden or spoilt; then an answer lasts as long as the page.
    kept = [];
  }
  return kept;
}

/** "That was me". */
export function knowSignIn(id: string): string[] {
  kept = [id, ...knownSignIns()].slice(0, most);
  try {
    localStorage.setItem(key, JSON.stringify(kept));
  } catch {
    // As above.
  }
  return kept;
}
