/** What of the tickets is shown: it lives in the address bar, so that a reload and a link show the same. */
export type View = { query: string; state: string; kind: string; cursor: string };

const states = ['open', 'waiting', 'solved', 'all'];
const kinds = ['help', 'recovery'];

/** What waits for the support, unless another choice is made. */
export const first: View = { query: '', state: 'open', kind: '', cursor: '' };

export function readView(search: string): View {
  const params = new URLSearchParams(search);
  const text = (name: string) => (params.get(name) ?? '').trim();
  return {
    query: text('query'),
    state: states.includes(text('state')) ? text('state') : first.state,
    kind: kinds.includes(text('kind')) ? text('kind') : '',
    cursor: text('cursor'),
  };
}

/** The query string of a view, without what is as at first. */
export function writeView(view: View): string {
  const changed = Object.entries(view).filter(([name, value]) => value !== first[name as keyof View]);
  const text = new URLSearchParams(changed).toString();
  return text === '' ? '' : `?${text}`;
}

/** What the server is asked for. */
export function query({ state, ...rest }: View): Record<string, string> {
  const asked = { ...rest, state: state === 'all' ? '' : state };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ''));
}
