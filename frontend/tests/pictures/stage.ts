import type { Browser, BrowserContextOptions, Page } from '@playwright/test';
import { expect } from '@playwright/test';
import type { Demo } from '../kit/demo';
import { carryOver } from '../kit/person';
import type { Secondstep } from '../kit/secondstep';
import { say } from '../kit/words';

/** One screen in one state: how it is called, what it shows, and the way to it from the scene before. */
export type Scene = {
  name: string;
  shows: string;
  go: (stage: Stage) => Promise<unknown>;
  /** The picture has the whole page, however long. */
  whole?: true;
};

/** Scenes that follow upon each other in one browser. */
export type Walk = Scene[];

export type Chapter = { title: string; walks: Walk[] };

/** What a scene finds: a browser, the demo, and a server that nobody has set up. */
export class Stage {
  constructor(
    public page: Page,
    readonly browser: Browser,
    readonly demo: Demo,
    /** Started when it is first asked for. */
    readonly empty: () => Promise<Secondstep>,
    readonly options: BrowserContextOptions,
  ) {}

  /** This browser is signed in as somebody of the demo. */
  async as(first: string): Promise<void> {
    await carryOver(await this.demo.signedIn(first), this.page.context());
  }

  /** Opens an address and waits until what it reads is there. */
  async open(path: string): Promise<void> {
    await this.page.goto(path);
    await expect(this.page.getByText(say('loading'))).toHaveCount(0);
  }

  /** Signed in, and at an address. */
  async at(first: string, path: string): Promise<void> {
    await this.as(first);
    await this.open(path);
  }

  /** Goes on in another browser, of another kind. */
  async change(options: BrowserContextOptions): Promise<void> {
    const context = await this.browser.newContext({ ...this.options, ...options });
    this.page = await context.newPage();
  }

  button(name: string) {
    return this.page.getByRole('button', { name, exact: true });
  }

  link(name: string) {
    return this.page.getByRole('link', { name, exact: true });
  }
}

export const security = '/parameters/users/me/security';
export const wizard = `${security}/enable`;
