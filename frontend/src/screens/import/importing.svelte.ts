import { api, type Outcome, read, sendPolitely } from '../../api/client';
import { type Problem, passing } from '../../api/problem';
import type { ImportedLine } from '../../api/shapes';
import { m } from '../../paraglide/messages';
import { declined, proof } from '../factor/proof.svelte';
import { type Bad, calls, type FileProblem, type Row, readFile } from './file';

export type Invited = { row: Row; link: string };
/** `paused`: stopped by the person, or by what `problem` says; it can go on. */
type Stage = 'choose' | 'checking' | 'checked' | 'importing' | 'paused' | 'done';

/** One file on its way: chosen, looked at, confirmed, imported. */
export class Importing {
  stage = $state<Stage>('choose');
  fileName = $state('');
  fileProblem = $state<FileProblem | undefined>();
  problem = $state.raw<Problem | undefined>();
  unused = $state.raw<string[]>([]);
  good = $state.raw<Row[]>([]);
  bad = $state.raw<Bad[]>([]);
  /** Lines that turned out bad while they were imported: somebody else was quicker. */
  late = $state.raw<Bad[]>([]);
  /** With links to hand over. */
  invited = $state.raw<Invited[]>([]);
  /** How many have their link by mail. */
  mailed = $state(0);
  /** Invitations are mailed here. */
  byMail = $state(false);
  expiresAt = $state('');
  done = $state(0);
  total = $state(0);
  stopping = $state(false);
  #gone = new AbortController();
  /** The next call was sent before, and nobody knows whether it was done. */
  #unanswered = false;

  /** Would something be lost by leaving? */
  get underWay(): boolean {
    return this.stage === 'checking' || this.stage === 'importing' || this.stage === 'paused';
  }

  /** The screen is left. */
  leave() {
    this.#gone.abort();
    this.stopping = true;
  }

  /** Looks at every line of a file. Nobody is made. */
  async check(file: File) {
    Object.assign(this, {
      problem: undefined,
      fileProblem: undefined,
      late: [],
      invited: [],
      mailed: 0,
      good: [],
      bad: [],
    });
    this.fileName = file.name;
    this.stopping = false;
    const content = await readFile(file);
    if (typeof content === 'string') {
      this.fileProblem = content;
      return;
    }
    this.unused = content.unused;
    this.done = 0;
    this.total = content.rows.length;
    this.stage = 'checking';
    const good: Row[] = [];
    const bad = [...content.bad];
    const seen = new Set<string>();
    for (const some of calls(content.rows)) {
      const outcome = await this.#look(some);
      if (this.#gone.signal.aborted) return;
      if (this.stopping || !outcome.ok) {
        this.problem = outcome.ok || declined(outcome) ? undefined : outcome.problem;
        this.stage = 'choose';
        return;
      }
      this.byMail = outcome.value.by_mail;
      for (const [row, line] of pairs(some, outcome.value.lines)) {
        const key = row.email.normalize('NFKC').toLowerCase();
        if (line.state === 'bad') bad.push({ row, faults: line.fields });
        else if (seen.has(key)) bad.push({ row, faults: [{ name: 'email', code: 'twice_in_file' }] });
        else good.push(row);
        seen.add(key);
      }
      this.done += some.length;
    }
    this.good = good;
    this.bad = bad.sort((a, b) => a.row.line - b.row.line);
    this.stage = 'checked';
  }

  #look(people: Row[]) {
    const { signal } = this.#gone;
    const call = () => api.POST('/api/v1/users/import', { body: { people, confirm: false }, signal });
    return proof.having(m.import_act(), () => read(call, signal));
  }

  /** Invites the people of the good lines, or goes on with it. */
  async run() {
    this.problem = undefined;
    this.stopping = false;
    this.total = this.good.length;
    this.done = this.mailed + this.invited.length + this.late.length;
    this.stage = 'importing';
    for (const people of calls(this.good.slice(this.done))) {
      const outcome = await proof.having(m.import_act(), () =>
        sendPolitely(
          () => api.POST('/api/v1/users/import', { body: { people, confirm: true } }),
          () => {},
        ),
      );
      if (!outcome.ok) {
        this.#unanswered = passing(outcome.problem) && outcome.problem.code !== 'busy';
        if (!declined(outcome)) this.problem = outcome.problem;
        // Who gave no proof before anybody was invited is where they were.
        this.stage = declined(outcome) && this.done === 0 ? 'checked' : 'paused';
        return;
      }
      this.#take(people, outcome);
      if (this.stopping && this.done < this.total) {
        this.stage = 'paused';
        return;
      }
    }
    this.stage = 'done';
  }

  #take(people: Row[], outcome: Outcome<{ lines: ImportedLine[]; expires_at: string | null }> & { ok: true }) {
    const invited: Invited[] = [];
    const late: Bad[] = [];
    for (const [row, line] of pairs(people, outcome.value.lines)) {
      if (line.state === 'invited' && line.invitation_link === null) this.mailed++;
      else if (line.invitation_link !== null) invited.push({ row, link: line.invitation_link });
      else if (this.#unanswered && line.fields.some((fault) => fault.code === 'email_taken')) {
        late.push({ row, faults: [{ name: 'email', code: 'unanswered' }] });
      } else late.push({ row, faults: line.fields });
    }
    this.#unanswered = false;
    this.invited = [...this.invited, ...invited];
    this.late = [...this.late, ...late];
    this.expiresAt = this.expiresAt || (outcome.value.expires_at ?? '');
    this.done += people.length;
  }

  stop() {
    this.stopping = true;
  }

  /** Ends an import that is paused with what is imported by now. */
  end() {
    this.problem = undefined;
    this.stage = 'done';
  }

  again() {
    Object.assign(this, {
      stage: 'choose',
      invited: [],
      mailed: 0,
      late: [],
      good: [],
      bad: [],
      problem: undefined,
      expiresAt: '',
    });
  }
}

/** Each line that was sent with what was answered about it. */
function pairs(rows: Row[], lines: ImportedLine[]): [Row, ImportedLine][] {
  return rows.flatMap((row, index) => {
    const line = lines[index];
    return line === undefined ? [] : [[row, line] as [Row, ImportedLine]];
  });
}
