import type { Component } from 'svelte';
import { m } from './paraglide/messages';
import SignIn from './screens/signin/SignIn.svelte';

type Screen = { default: Component<{ params: Record<string, string> }> };

export type Route = {
  /** Segments that start with a colon are parameters. */
  path: string;
  /** `out` needs nobody signed in; `bare` is signed in, but without the rail; `in` has it. */
  frame: 'out' | 'bare' | 'in';
  /** One screen over several addresses: it is not made anew when only these parameters change. */
  keeps?: string[];
  title: () => string;
  load: () => Promise<Screen>;
};

/**
 * Every address there is. Each screen is a file of its own that is fetched when it is first shown; only the
 * sign-in comes with the page, so that a signed-out visitor makes no more requests than must be.
 */
export const routes: Route[] = [
  { path: '/sign-in', frame: 'out', title: m.sign_in_title, load: async () => ({ default: SignIn }) },
  {
    path: '/second-step',
    frame: 'out',
    title: m.second_step_title,
    load: () => import('./screens/signin/SecondStep.svelte'),
  },
  {
    path: '/second-step/backup-code',
    frame: 'out',
    title: m.backup_step_title,
    load: () => import('./screens/signin/BackupCodeStep.svelte'),
  },
  {
    path: '/second-step/cannot-get-in',
    frame: 'out',
    title: m.cannot_get_in_title,
    load: () => import('./screens/signin/CannotGetIn.svelte'),
  },
  {
    path: '/signed-in/backup-code',
    frame: 'bare',
    title: m.after_backup_title,
    load: () => import('./screens/signin/AfterBackupCode.svelte'),
  },
];

export type Match = { route: Route; params: Record<string, string>; key: string };

/** The route of a path, or nothing. A trailing slash is forgiven. */
export function match(path: string): Match | undefined {
  const parts = split(path);
  for (const route of routes) {
    const pattern = split(route.path);
    if (pattern.length !== parts.length) continue;
    const params: Record<string, string> = {};
    const fits = pattern.every((piece, i) => {
      const part = parts[i] ?? '';
      if (!piece.startsWith(':')) return piece === part;
      params[piece.slice(1)] = part;
      return true;
    });
    if (!fits) continue;
    const kept = Object.entries(params).filter(([name]) => !route.keeps?.includes(name));
    return { route, params, key: `${route.path} ${kept.map(([, value]) => value).join(' ')}` };
  }
  return undefined;
}

function split(path: string): string[] {
  return path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
}
