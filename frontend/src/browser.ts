import { m } from './paraglide/messages';

/**
 * What the server calls a browser ("Firefox on Linux", "curl", "Unknown browser") in the words of the page: the names
 * are names everywhere, what joins them isn't.
 */
export function browserName(label: string): string {
  const [name = '', system] = label.split(' on ');
  const browser = name === 'Unknown browser' ? m.browser_unknown() : name;
  return system === undefined ? browser : m.browser_on({ browser, system });
}
