/**
 * How it stands between this page and the server: what the banner above every screen shows.
 * Reads that could not get through wait here and go out together, by themselves or by "Try now".
 */
type Trouble = 'none' | 'offline' | 'unreachable' | 'busy';

const firstPause = 1_000;
const longestPause = 15_000;

class Connection {
  trouble = $state<Trouble>('none');
  /** When the next try goes out, in milliseconds since 1970 by the browser's clock. */
  nextTry = $state(0);
  /** The server now runs another version than the one that made this page. */
  outdated = $state(false);

  #pause = firstPause;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting: (() => void)[] = [];

  constructor() {
    window.addEventListener('online', () => this.tryNow());
    window.addEventListener('offline', () => {
      this.trouble = 'offline';
    });
  }

  reached(version: string | null) {
    this.trouble = 'none';
    this.#pause = firstPause;
    const mine = document.querySelector<HTMLMetaElement>('meta[name=secondstep-version]')?.content ?? '';
    if (mine !== '' && version !== null && version !== mine) this.outdated = true;
  }

  /** Resolves when it is time to try again. `atLeast` is what the server asked for, in seconds. */
  wait(trouble: Trouble, atLeast = 0): Promise<void> {
    this.trouble = trouble;
    if (this.#timer === undefined) {
      // A little randomness, so that a restarted server is not met by everybody at once.
      const pause = Math.max(this.#pause, atLeast * 1_000) * (1 + Math.random() * 0.2);
      this.#pause = Math.min(this.#pause * 2, longestPause);
      this.nextTry = Date.now() + pause;
      this.#timer = setTimeout(() => this.tryNow(), pause);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  tryNow() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0) this.trouble = 'none';
    for (const go of waiting) go();
  }
}

export const connection = new Connection();
