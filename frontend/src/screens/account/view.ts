/** What of the list is shown: it lives in the address bar, so that a reload and a link show the same. */
export type View = { query: string; protection: string; role: string; sort: string; cursor: string };

const choices = {
  protection: [
    'on',
    'off',
    'enrolling',
    'required_not_yet',
    'overdue',
    'due',
    'few_codes',
    'locked',
    'disabled',
    'invited',
  ],
  role: ['administrator', 'member'],
  sort: ['name', 'email'],
};

function chosen(value: string | null, allowed: string[]): string {
  return value !== null && allowed.includes(value) ? value : '';
}

export function readView(search: string): View {
  const params = new URLSearchParams(search);
  return {
    query: params.get('query') ?? '',
    protection: chosen(params.get('protection'), choices.protection),
    role: chosen(params.get('role'), choices.role),
    sort: chosen(params.get('sort'), choices.sort),
    cursor: params.get('cursor') ?? '',
  };
}

/** The query string of a view, without what is not set. */
export function writeView(view: View): string {
  const params = new URLSearchParams(Object.entries(view).filter(([, value]) => value !== ''));
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
