import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import App from '../App.svelte';
import { connection } from '../api/connection.svelte';
import { session } from '../api/session.svelte';
import { sessionIs } from '../installation';
import { kept } from '../links/token';
import { type Note, place } from '../navigation.svelte';
import { proof } from '../screens/factor/proof.svelte';
import { pending } from '../screens/signin/pending.svelte';
import { ok, reply } from './server';

/** What index.html brings along and the server fills in. */
function metas(values: Record<string, string>) {
  document.head.innerHTML = '';
  for (const [name, content] of Object.entries(values)) {
    const meta = document.createElement('meta');
    meta.name = `secondstep-${name}`;
    meta.content = content;
    document.head.append(meta);
  }
}

type Options = { note?: Note; session?: unknown; setupNeeded?: boolean; mails?: boolean; hash?: string };

/** Opens the page at an address, as a reload would: nothing is remembered but what the address and its entry hold. */
export function open(path: string, options: Options = {}) {
  const [needed, mails] = [String(options.setupNeeded ?? false), String(options.mails ?? true)];
  metas({ brand: 'MailMachine', version: 'test', mails, 'setup-needed': needed, session: '' });
  sessionIs(options.session === undefined ? 'none' : 'live');
  if (options.session !== undefined) reply('GET /session', ok(options.session));
  session.current = undefined;
  pending.current = undefined;
  proof.asked = undefined;
  for (const page of Object.keys(kept)) delete kept[page];
  connection.tryNow();
  connection.outdated = false;
  place.hold = undefined;
  place.go(path, { replace: true, note: options.note });
  if (options.hash) history.replaceState(options.note ?? {}, '', path + options.hash);
  render(App);
  return userEvent.setup({ delay: null });
}

/** Would the browser ask before it closes the page? */
export const closing = () => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }));

export const heading = (name: string | RegExp) => screen.findByRole('heading', { name });
export const button = (name: string | RegExp) => screen.findByRole('button', { name });

/** The name of a press that says for the eye what it does, and for the ear to which of several. */
export const pressOn = (act: string, which: string) =>
  new RegExp(`^${act} ?: ${which.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);
