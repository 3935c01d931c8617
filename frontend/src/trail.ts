import { session } from './api/session.svelte';
import { m } from './paraglide/messages';
import { paths } from './paths';

/** The way to a page under one's own Security, for the crumbs. */
export const underSecurity = (id: string, page: string) => [
  { name: m.nav_parameters() },
  { name: m.nav_users(), href: paths.users },
  { name: session.current?.user.name ?? '', href: paths.security(id) },
  { name: page },
];
