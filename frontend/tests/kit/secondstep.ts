import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from '@playwright/test';

const run = promisify(execFile);

/** The program under test: what `make build` made, or another one that the environment names. */
export const binary = process.env.SECONDSTEP_BINARY ?? join(import.meta.dirname, '../../../bin/secondstep');

/** The same with a front end that speaks the pseudo-locales too: what `make pseudo` made. */
export const pseudoBinary =
  process.env.SECONDSTEP_PSEUDO_BINARY ?? join(import.meta.dirname, '../../../.cache/pseudo/secondstep');

/**
 * Of the costs of a password that a server accepts, all as hard to guess by, the one that takes a processor half as long
 * as the usual one, which has more memory for it. The usual one is in the Go tests that start the program.
 */
const environment = { ...process.env, SECONDSTEP_PASSWORD_MEMORY: '7MiB', SECONDSTEP_PASSWORD_TIME: '5' };

export type Options = {
  /** Flags beside the folder and the address. */
  flags?: string[];
  /** Another program than the one under test. */
  program?: string;
  /** The folder of another instance, to share its key ring. */
  folder?: string;
};

/** One real server on a free port of 127.0.0.1, in an empty folder of its own. */
export class Secondstep {
  readonly folder: string;
  /** Where browsers reach it. */
  url = '';
  #listen = '127.0.0.1:0';
  #flags: string[];
  #program: string;
  #own: boolean;
  #process: ChildProcess | undefined;

  constructor({ flags = [], folder, program = binary }: Options = {}) {
    this.#program = program;
    this.folder = folder ?? mkdtempSync(join(tmpdir(), 'secondstep-browser-'));
    this.#own = folder === undefined;
    this.#flags = flags;
  }

  get #log() {
    return join(this.folder, `serve-${process.pid}-${this.#name}.log`);
  }
  readonly #name = Math.random().toString(36).slice(2);

  /** Starts it; again on the port that it had before. Answers when it answers. */
  async start(): Promise<void> {
    const log = openSync(this.#log, 'w');
    // A machine that compiles beside the tests may take long over a hash; nobody is to be sent away for that.
    const patience = ['--hash-wait', '60s'];
    const args = ['serve', '--data', this.folder, '--listen', this.#listen, ...patience, ...this.#flags];
    const started = spawn(this.#program, args, { env: environment, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#process = started;
    const broken = once(started, 'error').then(([error]) => {
      throw error;
    });
    broken.catch(() => undefined);
    await Promise.race([broken, this.#ready(started)]);
  }

  async #ready(started: ChildProcess) {
    await expect(async () => {
      if (started.exitCode !== null) return;
      const serving = this.log().match(/"listen":"([^"]+)"/)?.[1];
      expect(serving, this.log()).toBeDefined();
      this.#listen = serving ?? '';
      const answer = await fetch(`http://${serving}/readyz`);
      expect(answer.status).toBe(200);
    }).toPass({ timeout: 20_000, intervals: [20, 30, 50, 100] });
    if (started.exitCode !== null) throw new Error(`the server ended at its start:\n${this.log()}`);
    this.url ||= `http://${this.#listen}`;
  }

  get address() {
    return this.#listen;
  }

  log(): string {
    return readFileSync(this.#log, 'utf8');
  }

  /** The link that makes the first administrator, as the console printed it. */
  get setupLink(): string {
    const link = this.log().match(/http\S+\/setup#token=\S+/)?.[0];
    if (link === undefined) throw new Error(`no setup link was printed:\n${this.log()}`);
    return link;
  }

  /** Stops it as an operator does, or with `SIGKILL` as a power cut does. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    if (this.#own) rmSync(this.folder, { recursive: true, force: true });
  }

  /** Adds a person from the console, as whoever installs it does. */
  async add(person: { name: string; email: string; password: string; role: string }): Promise<void> {
    const args = ['user', 'add', '--data', this.folder, '--email', person.email, '--name', person.name];
    const adding = run(this.#program, [...args, '--role', person.role], { env: environment });
    adding.child.stdin?.end(`${person.password}\n`);
    await adding;
  }

  /**
   * Changes rows in the database file while the server runs: how a test makes time pass. Answers what was selected, a
   * line a row, columns with a bar between.
   */
  sql(statement: string): string {
    const file = join(this.folder, 'secondstep.db');
    return execFileSync('sqlite3', ['-cmd', '.timeout 5000', file, statement], { encoding: 'utf8' }).trim();
  }
}
