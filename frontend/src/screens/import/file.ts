import Papa from 'papaparse';

/** A line of a file of people, as it stands there. */
export type Row = {
  line: number;
  name: string;
  email: string;
  role: string;
  requirement: string;
  deadline: string;
  reason: string;
};
export type Fault = { name: string; code: string; params?: Record<string, unknown> };
/** A line that can't be imported, and why. */
export type Bad = { row: Row; faults: Fault[] };
export type FileContent = { rows: Row[]; bad: Bad[]; unused: string[] };
/** Why no line of a file could be read. */
export type FileProblem = 'too_large' | 'not_utf8' | 'empty' | 'columns' | 'column_twice';

const columns = ['name', 'email', 'role', 'requirement', 'deadline', 'reason'] as const;
type Column = (typeof columns)[number];

/** Some 200,000 people. */
const mostBytes = 32 * 2 ** 20;

/** Reads a file of people by the rules of the command line: server/people/file.go. */
export async function readFile(file: Blob): Promise<FileContent | FileProblem> {
  if (file.size > mostBytes) return 'too_large';
  try {
    return readText(new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer()));
  } catch {
    return 'not_utf8';
  }
}

export function readText(content: string): FileContent | FileProblem {
  const text = content.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  if (text.trim() === '') return 'empty';
  const { data, errors } = Papa.parse<string[]>(text, { delimiter: comma(text), newline: '\n' });
  const broken = new Set(errors.filter((error) => error.type === 'Quotes').map((error) => error.row));
  const at = data.findIndex((cells) => !blank(cells));
  const header = data[at] ?? [];
  const place = new Map<Column, number>();
  const unused: string[] = [];
  for (const [index, title] of header.entries()) {
    const column = columnOf(title);
    if (column === undefined) unused.push(title.trim());
    else if (place.has(column)) return 'column_twice';
    else place.set(column, index);
  }
  if (!place.has('name') || !place.has('email')) return 'columns';

  const rows: Row[] = [];
  const bad: Bad[] = [];
  let line = 1;
  for (const [index, cells] of data.entries()) {
    const cell = (column: Column) => (cells[place.get(column) ?? -1] ?? '').trim();
    const row: Row = {
      line,
      name: cell('name'),
      email: cell('email'),
      role: cell('role'),
      requirement: cell('requirement'),
      deadline: cell('deadline'),
      reason: cell('reason'),
    };
    // A cell in quotes may go over lines.
    line += 1 + cells.reduce((breaks, text) => breaks + text.split('\n').length - 1, 0);
    if (index <= at || blank(cells)) continue;
    const faults = broken.has(index)
      ? [{ name: 'line', code: 'quotes' }]
      : cells.length > header.length
        ? [{ name: 'line', code: 'too_many_columns' }]
        : unsendable(row);
    if (faults.length > 0) bad.push({ row, faults });
    else rows.push(row);
  }
  return { rows, bad, unused: unused.filter((title) => title !== '') };
}

const blank = (cells: string[]) => cells.every((cell) => cell.trim() === '');

function columnOf(title: string): Column | undefined {
  const key = title.trim().toLowerCase();
  return columns.find((column) => column === (key === 'e-mail' ? 'email' : key));
}

/** What keeps the cells of a line apart: that of these which the first line has most of. */
function comma(text: string): string {
  const first = text.slice(0, text.search(/\n|$/));
  const count = (mark: string) => first.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f]/;

/** What the server would not even read, and with it the other lines of the same call. */
function unsendable(row: Row): Fault[] {
  const faults: Fault[] = [];
  if (control.test(row.name)) faults.push({ name: 'name', code: 'illegible' });
  else if ([...row.name].length > 100) faults.push({ name: 'name', code: 'too_long', params: { max: 100 } });
  if (control.test(row.email) || row.email.length > 254) faults.push({ name: 'email', code: 'email_invalid' });
  for (const column of ['role', 'requirement', 'deadline'] as const) {
    if (control.test(row[column]) || row[column].length > 100) faults.push({ name: column, code: 'invalid' });
  }
  if (control.test(row.reason)) faults.push({ name: 'reason', code: 'illegible' });
  else if ([...row.reason].length > 300) faults.push({ name: 'reason', code: 'too_long', params: { max: 300 } });
  return faults;
}

/** Parts lines into calls: as many as the server takes at once, in bytes too. */
export function* calls(rows: Row[]): Generator<Row[]> {
  const most = { rows: 50, bytes: 14_000 };
  let some: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = new TextEncoder().encode(JSON.stringify(row)).length + 1;
    if (some.length === most.rows || bytes + size > most.bytes) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push(row);
    bytes += size;
  }
  if (some.length > 0) yield some;
}
