import { tick } from 'svelte';

/** What was just done, by name. */
export type Told =
  | 'signed_out'
  | 'app_code_used'
  | 'protection_off'
  | 'codes_saved'
  | 'name_changed'
  | 'password_changed'
  | 'app_renamed'
  | 'app_removed'
  | 'key_removed'
  | 'alarm_settled'
  | 'user_renamed'
  | 'role_changed'
  | 'user_disabled'
  | 'user_enabled'
  | 'user_removed'
  | 'invitation_withdrawn'
  | 'requirement_set'
  | 'email_withdrawn'
  | 'reminded'
  | 'joined';

/**
 * The address bar, as state. Links are ordinary `<a href>`; clicks on them are taken over here.
 * `note` travels in the history entry: it survives a reload, and nobody can put anything there by a link. What is told on
 * arrival is told once: it leaves the entry as soon as it is read.
 */
export type Note = {
  /** Where to go after signing in: a path of this site. */
  back?: string;
  /** The address that was typed at the sign-in. */
  email?: string;
  /** An enrolment link was brought along, and is of no use any more. */
  spentLink?: boolean;
  /** The session that was here is over. */
  ended?: boolean;
  /** The cursors of the pages before this one (lists). */
  trail?: string[];
  /** Something to be told on arrival, by name. */
  told?: Told;
  /** "This wasn't me" was pressed: so many sessions ended, where it was just now, what comes next, and was all of it done here? */
  alarm?: { ended?: number; step: 'password' | 'apps' | 'codes' | 'done'; whole?: boolean };
  /** A backup code was just spent: so many are left, and whether it was typed where an app code was asked for. */
  spent?: { remaining: number; unasked: boolean };
};

/** Answers whether the person is asked, and calls `go`, unheld, where they leave all the same. */
type Hold = (go: () => void, to: string) => boolean;

class Location {
  path = $state('');
  search = $state('');
  note = $state.raw<Note>({});
  /** Set while a screen would lose something (`AskBeforeLeaving`): whatever leaves it asks before. */
  hold: Hold | undefined;

  #take() {
    this.path = location.pathname;
    this.search = location.search;
    const note = (history.state as Note | null) ?? {};
    this.note = note;
    if (note.told) history.replaceState({ ...note, told: undefined }, '');
  }

  constructor() {
    this.#take();
    window.addEventListener('popstate', () => {
      const [to, note] = [location.pathname + location.search, (history.state as Note | null) ?? {}];
      if (this.hold?.(() => this.go(to, { note }), to)) history.pushState(this.note, '', this.path + this.search);
      else this.#take();
    });
    document.addEventListener('click', (event) => {
      if (event.defaultPrevented || event.button !== 0) return;
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      const link = (event.target as Element | null)?.closest?.('a[href]') as HTMLAnchorElement | null;
      if (link === null || link.target !== '' || link.hasAttribute('download')) return;
      // The help is pages of the server's own, and those of the troubleshooter have a policy of their own.
      if (/^\/(help|fix)(\/|$)/.test(link.pathname)) return;
      if (link.origin !== location.origin || (link.hash !== '' && link.pathname === location.pathname)) return;
      event.preventDefault();
      // A link within one errand takes the errand's note along: `data-keep`.
      const note = link.dataset.keep === undefined ? {} : this.note;
      this.go(link.pathname + link.search, { note });
    });
  }

  /** Goes to a path of this site. `replace` leaves no way back to where one was. */
  go(path: string, options: { replace?: boolean; note?: Note } = {}) {
    if (this.hold?.(() => this.go(path, options), path)) return;
    const note = options.note ?? {};
    if (options.replace || path === location.pathname + location.search) history.replaceState(note, '', path);
    else history.pushState(note, '', path);
    this.#take();
    void tick().then(() => window.scrollTo(0, 0));
  }

  /** Writes the view into the address without going anywhere: filters, sorting. */
  show(search: string, note: Note = {}) {
    history.replaceState(note, '', location.pathname + search);
    this.search = search;
    this.note = note;
  }
}

export const place = new Location();

/** A path of this site or nothing: never another origin, whatever the string pretends. */
export function localPath(path: string | undefined): string | undefined {
  if (path === undefined || !/^\/(?![/\\])/.test(path)) return undefined;
  try {
    const url = new URL(path, location.origin);
    return url.origin === location.origin ? url.pathname + url.search : undefined;
  } catch {
    return undefined;
  }
}
