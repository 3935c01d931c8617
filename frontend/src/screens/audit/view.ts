/** What of the audit log is shown: it lives in the address bar, so that a reload and a link show the same. */
export type View = {
  /** An e-mail address, or an id. */
  person: string;
  kind: string;
  result: string;
  address: string;
  /** Days, as 2026-03-12, of the reader's own calendar; the last one is meant with its evening. */
  from: string;
  to: string;
  cursor: string;
};

const results = ['ok', 'refused', 'fault'];

export const nothing: View = { person: '', kind: '', result: '', address: '', from: '', to: '', cursor: '' };

export function readView(search: string): View {
  const params = new URLSearchParams(search);
  const text = (name: string) => (params.get(name) ?? '').trim();
  const day = (name: string) => (start(text(name)) === undefined ? '' : text(name));
  return {
    person: text('person'),
    kind: text('kind'),
    result: results.includes(text('result')) ? text('result') : '',
    address: text('address'),
    from: day('from'),
    to: day('to'),
    cursor: text('cursor'),
  };
}

/** The query string of a view, without what is not set. */
export function writeView(view: View): string {
  const text = new URLSearchParams(Object.entries(view).filter(([, value]) => value !== '')).toString();
  return text === '' ? '' : `?${text}`;
}

/** What the server is asked for. */
export function query({ from, to, ...rest }: View): Record<string, string> {
  const asked = { ...rest, from: start(from)?.toISOString() ?? '', to: start(to, 1)?.toISOString() ?? '' };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ''));
}

/** The first moment of a day, or of one after it. */
function start(day: string, later = 0): Date | undefined {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (year === undefined) return undefined;
  const moment = new Date(Number(year), Number(month) - 1, Number(date) + later);
  return Number.isNaN(moment.getTime()) || Number(year) < 1970 ? undefined : moment;
}
