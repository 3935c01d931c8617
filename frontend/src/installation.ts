/** What the server writes into the metas of index.html before it sends the page. */
function meta(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name=secondstep-${name}]`)?.content ?? '';
}

/** The name that people see; Vite's own server fills no metas, hence the product's default. */
export const brand = () => meta('brand') || 'MailMachine';

/** Mail leaves this installation; where that is not known, asking for one says so. */
export const mailSent = () => meta('mails') !== 'false';
/** The name was changed from this page. */
export function nameIs(name: string) {
  document.querySelector('meta[name=secondstep-brand]')?.setAttribute('content', name);
}

/** Nobody has set this installation up yet. */
export const setupNeeded = () => meta('setup-needed') === 'true';

/**
 * What the page was asked for with: no session, a live one, or one that is over. It spares a signed-out visitor a
 * request that can only be refused. Vite's own server does not know; then it is asked for.
 */
export const sentSession = () => meta('session') || 'live';

/** Somebody signed in or out on this page: what the meta says no longer holds. */
export function sessionIs(state: 'none' | 'live') {
  document.querySelector('meta[name=secondstep-session]')?.setAttribute('content', state);
}

/** The setup was done from this page: what the meta says no longer holds. */
export function setupDone() {
  document.querySelector('meta[name=secondstep-setup-needed]')?.setAttribute('content', 'false');
}
