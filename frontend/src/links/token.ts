/** By page, as long as this one lives: the token of one opens no other. */
export const kept: Record<string, string> = {};

/** And over a reload, in this tab only, until the page is left. */
const place = (page: string) => `secondstep-link ${page}`;

/**
 * Takes the one-time token out of the fragment, and the fragment out of the address and the history, so that it
 * stays in no place where the next one at this computer could find it.
 */
export function takeToken(): string | undefined {
  const page = location.pathname;
  const found = new URLSearchParams(location.hash.slice(1)).get('token');
  if (found) {
    kept[page] = found;
    history.replaceState(history.state, '', page + location.search);
    store((storage) => storage.setItem(place(page), found));
  } else {
    kept[page] ??= store((storage) => storage.getItem(place(page))) ?? '';
  }
  return kept[page] || undefined;
}

/** The page was left: a reload is what the browser was to remember it for. */
export function leaveToken(page: string) {
  store((storage) => storage.removeItem(place(page)));
}

/** The browser may keep nothing for this site; then a link lasts as long as the page. */
function store<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(sessionStorage);
  } catch {
    return undefined;
  }
}
