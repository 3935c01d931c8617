import type { Component } from 'svelte';
import { m } from './paraglide/messages';
import { paths } from './paths';
import SignIn from './screens/signin/SignIn.svelte';

/** A screen takes the parameters of its address, or nothing. */
export type Screen = Component<{ params: Record<string, string> }>;
type Loaded = { default: Screen | Component<Record<string, never>> };

export type Route = {
  /** Segments that start with a colon are parameters; with a question mark, which is part of its name, the last may be missing. */
  path: string;
  /** `out` needs nobody signed in; `bare` is signed in, but without the rail; `in` has it. */
  frame: 'out' | 'bare' | 'in';
  /** One screen over several addresses: it is not made anew when only these parameters change. */
  keeps?: string[];
  title: () => string;
  /** The article of the help, or the paragraph of one, that fits. */
  help: string;
  load: () => Promise<Loaded>;
};

/**
 * Every address there is. Each screen is a file of its own that is fetched when it is first shown; only the
 * sign-in comes with the page, so that a signed-out visitor makes no more requests than must be.
 */
export const routes: Route[] = [
  {
    path: paths.setup,
    help: 'install#first',
    frame: 'out',
    title: m.setup_title,
    load: () => import('./screens/setup/Setup.svelte'),
  },
  {
    path: paths.welcome,
    help: 'set-up',
    frame: 'bare',
    title: m.welcome_title,
    load: () => import('./screens/setup/Welcome.svelte'),
  },
  {
    path: paths.join,
    help: 'sign-in',
    frame: 'out',
    title: m.join_title,
    load: () => import('./screens/join/Join.svelte'),
  },
  {
    path: paths.email,
    help: 'sign-in#email',
    frame: 'out',
    title: m.email_confirm_page,
    load: () => import('./screens/email/ConfirmEmail.svelte'),
  },
  {
    path: paths.stop,
    help: 'not-me',
    frame: 'out',
    title: m.stop_page,
    load: () => import('./screens/email/Stop.svelte'),
  },
  {
    path: paths.signIn,
    help: 'sign-in',
    frame: 'out',
    title: m.sign_in_title,
    load: async () => ({ default: SignIn }),
  },
  {
    path: paths.forgotten,
    help: 'sign-in#password',
    frame: 'out',
    title: m.forgotten_title,
    load: () => import('./screens/forgotten/Forgotten.svelte'),
  },
  {
    path: paths.newPassword,
    help: 'sign-in#password',
    frame: 'out',
    title: m.new_password_title,
    load: () => import('./screens/forgotten/NewPassword.svelte'),
  },
  {
    path: paths.secondStep,
    help: 'sign-in#second-step',
    frame: 'out',
    title: m.second_step_title,
    load: () => import('./screens/signin/SecondStep.svelte'),
  },
  {
    path: paths.backupStep,
    help: 'backup-codes#use',
    frame: 'out',
    title: m.backup_step_title,
    load: () => import('./screens/signin/BackupCodeStep.svelte'),
  },
  {
    path: paths.cannotGetIn,
    help: 'sign-in#cannot-get-in',
    frame: 'out',
    title: m.cannot_get_in_title,
    load: () => import('./screens/signin/CannotGetIn.svelte'),
  },
  {
    path: paths.recovery,
    help: 'lost-phone-and-codes',
    frame: 'out',
    title: m.cannot_get_in_title,
    load: () => import('./screens/recovery/Mailed.svelte'),
  },
  {
    path: paths.enrol,
    help: 'lost-phone-and-codes#link',
    frame: 'out',
    title: m.enrol_title,
    load: () => import('./screens/signin/Enrol.svelte'),
  },
  {
    path: paths.linkStep,
    help: 'lost-phone-and-codes#link',
    frame: 'out',
    title: m.link_step_title,
    load: () => import('./screens/signin/LinkStep.svelte'),
  },
  {
    path: paths.afterBackupCode,
    help: 'lost-phone#backup-code',
    frame: 'bare',
    title: m.after_backup_title,
    load: () => import('./screens/signin/AfterBackupCode.svelte'),
  },
  {
    path: paths.reminder,
    help: 'sign-in#reminder',
    frame: 'bare',
    title: m.reminder_page_title,
    load: () => import('./screens/signin/Reminder.svelte'),
  },
  {
    path: '/fix/:way?',
    help: 'sign-in',
    frame: 'out',
    title: m.help_title, // until the path says its own
    load: () => import('./screens/fix/Fix.svelte'),
  },
  {
    path: paths.home,
    help: 'what-it-is',
    frame: 'in',
    title: m.home_title,
    load: () => import('./screens/home/Home.svelte'),
  },
  {
    path: paths.users,
    help: 'people',
    frame: 'in',
    title: m.users_title,
    load: () => import('./screens/account/Users.svelte'),
  },
  {
    path: paths.protection,
    help: 'roll-out#follow',
    frame: 'in',
    title: m.protection_title,
    load: () => import('./screens/protection/Protection.svelte'),
  },
  {
    path: paths.rollOut,
    help: 'roll-out',
    frame: 'in',
    title: m.roll_out_title,
    load: () => import('./screens/rollout/RollOut.svelte'),
  },
  {
    path: paths.run(':id'),
    help: 'roll-out#follow',
    frame: 'in',
    title: m.roll_outs_title,
    load: () => import('./screens/rollout/Run.svelte'),
  },
  {
    path: paths.tickets,
    help: 'help-someone#tickets',
    frame: 'in',
    title: m.tickets_title,
    load: () => import('./screens/tickets/Tickets.svelte'),
  },
  {
    path: paths.ticket(':id'),
    help: 'help-someone#tickets',
    frame: 'in',
    title: m.tickets_title,
    load: () => import('./screens/tickets/Ticket.svelte'),
  },
  {
    path: paths.settings,
    help: 'mail',
    frame: 'in',
    title: m.settings_title,
    load: () => import('./screens/settings/Settings.svelte'),
  },
  {
    path: paths.helpVotes,
    help: 'roll-out#after',
    frame: 'in',
    title: m.help_votes_title,
    load: () => import('./screens/help/HelpVotes.svelte'),
  },
  {
    path: paths.importUsers,
    help: 'people#import',
    frame: 'in',
    title: m.import_title,
    load: () => import('./screens/import/Import.svelte'),
  },
  {
    path: paths.person(':id'),
    help: 'set-up#begin',
    frame: 'in',
    title: m.security_title,
    load: () => import('./screens/factor/Security.svelte'),
  },
  {
    path: paths.security(':id'),
    help: 'set-up#begin',
    frame: 'in',
    title: m.security_title,
    load: () => import('./screens/factor/Security.svelte'),
  },
  {
    path: paths.password(':id'),
    help: 'not-me#password',
    frame: 'in',
    title: m.password_title,
    load: () => import('./screens/password/ChangePassword.svelte'),
  },
  {
    path: paths.lostPhone(':id'),
    help: 'lost-phone#backup-code',
    frame: 'in',
    title: m.security_lost_title,
    load: () => import('./screens/factor/LostPhone.svelte'),
  },
  {
    path: paths.recoveryTicket(':id'),
    help: 'help-someone#request',
    frame: 'in',
    title: m.recovery_page_title,
    load: () => import('./screens/recovery/Decide.svelte'),
  },
  {
    path: paths.audit,
    help: 'audit',
    frame: 'in',
    title: m.audit_title,
    load: () => import('./screens/audit/AuditLog.svelte'),
  },
  {
    path: paths.notMe(':id'),
    help: 'not-me',
    frame: 'in',
    title: m.alarm_page_title,
    load: () => import('./screens/history/NotMe.svelte'),
  },
  {
    path: paths.newCodes(':id'),
    help: 'backup-codes#renew',
    frame: 'in',
    title: m.new_codes_title,
    load: () => import('./screens/factor/NewBackupCodes.svelte'),
  },
  {
    path: paths.enable(':id', ':step'),
    help: 'set-up#app',
    frame: 'in',
    keeps: ['step'],
    title: m.wizard_title,
    load: () => import('./screens/factor/Wizard.svelte'),
  },
];

export type Match = { route: Route; params: Record<string, string>; key: string };

/** What an address leads to that there is no route for. */
const nowhere: Route = {
  path: '',
  help: 'sign-in',
  frame: 'out',
  title: m.not_found_title,
  load: () => import('./frames/NotFound.svelte'),
};

/** The route of a path. A trailing slash is forgiven. */
export function match(path: string): Match {
  const parts = split(path);
  for (const route of routes) {
    const pattern = split(route.path);
    if (pattern.length !== parts.length && !(route.path.endsWith('?') && pattern.length === parts.length + 1)) continue;
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
  return { route: nowhere, params: {}, key: '' };
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
