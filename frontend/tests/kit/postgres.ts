import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const environment = 'SECONDSTEP_TEST_POSTGRES';
const repository = join(import.meta.dirname, '../../..');

/** A PostgreSQL server whose user may create databases: the run's own, or a throw-away one for as long as it is held. */
export class Postgres {
  #url = '';
  #holder: ChildProcess | undefined;

  async start(): Promise<void> {
    const given = process.env[environment];
    if (given) {
      this.#url = given;
      return;
    }
    // The Go tests' command keeps one for as long as the command under it runs: this one ends with its input.
    const script = `echo "$${environment}"; exec cat > /dev/null`;
    const command = ['run', './server/database/databasetest/withpostgres', 'sh', '-c', script];
    this.#holder = spawn('go', command, { cwd: repository, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#holder.stdout as NodeJS.ReadableStream });
    const [line] = await Promise.race([once(lines, 'line'), once(this.#holder, 'exit').then(() => [''])]);
    if (!String(line).startsWith('postgres')) throw new Error('no PostgreSQL could be started for this test');
    this.#url = String(line);
  }

  /** The URL of a fresh database. */
  database(): string {
    const name = `secondstep_browser_${Date.now().toString(36)}_${process.pid}`;
    execFileSync('psql', [this.#url, '--quiet', '--command', `CREATE DATABASE ${name}`]);
    const url = new URL(this.#url);
    url.pathname = `/${name}`;
    return url.href;
  }

  async stop(): Promise<void> {
    if (this.#holder === undefined) return;
    const ended = once(this.#holder, 'exit');
    this.#holder.stdin?.end();
    await ended;
  }
}
