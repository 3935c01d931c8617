import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Caller } from './caller';
import { Person } from './person';
import { binary } from './secondstep';

const run = promisify(execFile);

/** `secondstep demo` on a free port, in a folder of its own: people in every state, with weeks behind them. */
export class Demo {
  readonly folder = mkdtempSync(join(tmpdir(), 'secondstep-pictures-'));
  url = '';
  /** A backup code of each person that the instructions give one for, by first name. */
  readonly printed = new Map<string, string>();
  #password = '';
  #process: ChildProcess | undefined;
  #signedIn = new Map<string, Promise<Caller>>();
  #enrolled = new Map<string, Promise<Person>>();

  get #data() {
    return join(this.folder, 'data');
  }

  /** Reads the instructions to their end, as whoever tries the demo does. */
  async start(): Promise<void> {
    const args = ['demo', '--listen', '127.0.0.1:0', '--data', this.#data];
    // A demo that somebody runs beside this one stays the one that `demo code` finds.
    const env = { ...process.env, XDG_CACHE_HOME: this.folder };
    const started = spawn(binary, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    this.#process = started;
    const ended = once(started, 'exit').then(() => {
      throw new Error('the demo ended at its start');
    });
    await Promise.race([ended, this.#read(started.stdout as NodeJS.ReadableStream)]);
    ended.catch(() => undefined);
  }

  async #read(printed: NodeJS.ReadableStream): Promise<void> {
    for await (const line of createInterface({ input: printed })) {
      const [, url, password] = line.match(/Sign in at (\S+) with the password (\S+)/) ?? [];
      this.url ||= url ?? '';
      this.#password ||= password ?? '';
      const [, first, code] = line.match(/^ {2}(\w+)@\S+ .* ([0-9A-Z]{5}(?:-[0-9A-Z]{5}){2})$/) ?? [];
      if (first && code) this.printed.set(first, code);
      if (line.includes('Ctrl-C')) break;
    }
    printed.resume();
  }

  async remove(): Promise<void> {
    if (this.#process && this.#process.exitCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** As `Secondstep.sql`: how time passes. */
  sql(statement: string): string {
    const file = join(this.#data, 'secondstep.db');
    return execFileSync('sqlite3', ['-cmd', '.timeout 5000', file, statement], { encoding: 'utf8' }).trim();
  }

  /** Somebody of the demo, by the first name. */
  person(first: string): Person {
    const email = `${first}@example.org`;
    const [name = '', role] = this.sql(`SELECT name, role FROM users WHERE email = '${email}'`).split('|');
    return new Person(this, name, email, this.#password, role === 'administrator' ? role : 'member');
  }

  /** What the person's phone shows now. */
  async code(first: string): Promise<string> {
    const { stdout } = await run(binary, ['demo', 'code', `${first}@example.org`, '--data', this.#data]);
    return stdout.slice(0, 6);
  }

  /** Signed in, in another browser; the same session for whoever asks again. */
  signedIn(first: string): Promise<Caller> {
    return kept(this.#signedIn, first, async () => {
      const caller = new Caller(this.url);
      const body = { email: `${first}@example.org`, password: this.#password };
      const { state } = await caller.done<{ state: string }>('POST', '/api/v1/sign-in', body);
      if (state === 'second_step') {
        await caller.done('POST', '/api/v1/sign-in/totp', { code: await this.code(first) });
      }
      return caller;
    });
  }

  /** Somebody who was without and has turned 2-step verification on, with the phone and the codes at hand. */
  enrolled(first: string): Promise<Person> {
    return kept(this.#enrolled, first, async () => {
      const person = this.person(first);
      await person.enrol({ name: 'Phone' });
      return person;
    });
  }
}

function kept<T>(all: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = all.get(key) ?? make();
  all.set(key, found);
  return found;
}
