/** The kinds of device that have steps of their own. */
export type Device = 'iphone' | 'android' | 'windows' | 'mac';

/** What this page is read on, as far as the browser says. An iPad says that it is a Mac, but Macs have no touch. */
export function device(agent = navigator.userAgent, touch = navigator.maxTouchPoints): Device | undefined {
  if (/iPhone|iPod|iPad/.test(agent)) return 'iphone';
  if (/Android/.test(agent)) return 'android';
  if (/Windows/.test(agent)) return 'windows';
  if (/Macintosh|Mac OS X/.test(agent)) return touch > 1 ? 'iphone' : 'mac';
  return undefined;
}

/** Is it one that an authenticator app is usually on? */
export const isPhone = (one: Device | undefined) => one === 'iphone' || one === 'android';
