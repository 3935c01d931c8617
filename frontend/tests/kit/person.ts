import type { BrowserContext } from '@playwright/test';
import { App } from './app';
import { Caller } from './caller';
import type { Secondstep } from './secondstep';

export type Enrolment = { id: string; secret: string; label: string; otpauth_uri: string };

/** Codes to be saved, and the name of their set. */
type CodeSet = { backup_codes: string[]; backup_code_set: string };

const security = '/api/v1/users/me/security';

/** Somebody of the account, with a phone and, once there are any, a list of backup codes. */
export class Person {
  /** The entry of the account in the phone. */
  app = new App('', '');
  /** The backup codes by their numbers: the first is `codes[1]`. */
  codes: string[] = [];

  constructor(
    readonly server: Pick<Secondstep, 'url' | 'sql'>,
    readonly name: string,
    readonly email: string,
    readonly password: string,
    readonly role: 'member' | 'administrator',
  ) {}

  get id(): string {
    return this.server.sql(`SELECT id FROM users WHERE email = '${this.email}'`);
  }

  /** Gives the password, in another browser. */
  async knock(): Promise<Caller> {
    const caller = new Caller(this.server.url);
    await caller.done('POST', '/api/v1/sign-in', { email: this.email, password: this.password });
    return caller;
  }

  /** Signs in with password and code, in another browser. */
  async signIn(code: string): Promise<Caller> {
    const caller = await this.knock();
    const field = code.length === 6 ? 'totp' : 'backup-code';
    await caller.done('POST', `/api/v1/sign-in/${field}`, { code });
    return caller;
  }

  /** Begins an enrolment by the API. */
  begin(caller: Caller, options: { name?: string; replaces?: string } = {}): Promise<Enrolment> {
    return caller.done<Enrolment>('POST', `${security}/enrolments`, options);
  }

  /** Turns 2-step verification on by the API, and takes the entry into the phone. It spends the code of step −1. */
  async enrol(options: { name?: string } = {}): Promise<Caller> {
    const caller = await this.knock();
    const begun = await this.begin(caller, options);
    this.app = new App(begun.secret, begun.label);
    const path = `${security}/enrolments/${begun.id}`;
    const code = await this.app.code(-1);
    const confirmed = await caller.done<CodeSet>('POST', `${path}/confirm`, { code });
    this.codes = ['', ...confirmed.backup_codes];
    await caller.done('POST', `${path}/activate`, { backup_code_set: confirmed.backup_code_set });
    return caller;
  }

  /** The app that was added first, by its id. */
  get firstApp(): string {
    return this.server.sql(`SELECT id FROM totp_apps WHERE user_id = '${this.id}' ORDER BY added_at, id LIMIT 1`);
  }

  /** Adds another app by the API, or one in another's place, in the session that has 2-step verification turned on. */
  async addApp(caller: Caller, name: string, replaces?: string): Promise<App> {
    const begun = await this.begin(caller, { name, replaces });
    const app = new App(begun.secret, begun.label);
    const path = `${security}/enrolments/${begun.id}`;
    const confirmed = await caller.done<CodeSet>('POST', `${path}/confirm`, { code: await app.code(-1) });
    if (confirmed.backup_code_set) {
      await caller.done('POST', `${path}/activate`, { backup_code_set: confirmed.backup_code_set });
    }
    return app;
  }

  /** A code of the app, for a session that a backup code has opened. */
  async prove(caller: Caller, code: string): Promise<void> {
    await caller.done('POST', '/api/v1/session/proof', { password: this.password, code });
  }

  /** Eleven minutes pass since the proof of all sessions. */
  proofsGetOld(): void {
    const old = Date.now() - 11 * 60_000;
    this.server.sql(`UPDATE sessions SET proof_at = ${old} WHERE user_id = '${this.id}'`);
  }

  /** Makes a new set of backup codes and saves it, by the API. */
  async newCodes(caller: Caller): Promise<void> {
    const made = await caller.done<CodeSet>('POST', `${security}/backup-codes`, { password: this.password });
    await caller.done('POST', `${security}/backup-codes/activate`, { backup_code_set: made.backup_code_set });
    this.codes = ['', ...made.backup_codes];
  }

  disable(caller: Caller): Promise<unknown> {
    return caller.done('POST', `${security}/disable`, { password: this.password });
  }
}

/** Hands the cookies of a call's browser to a real one: signed in without the screens that other tests are about. */
export async function carryOver(caller: Caller, context: BrowserContext): Promise<void> {
  await context.addCookies([...caller.cookies].map(([name, value]) => ({ name, value, url: caller.url })));
}
