/** The network's edge: what the server would answer, call by call, and what it was asked. */
type Answer = { status: number; body?: unknown; headers?: Record<string, string> };
type Reply = Answer | 'unreachable' | ((body: Record<string, unknown>) => Answer | 'unreachable');
export type Call = { call: string; search: URLSearchParams; body: Record<string, unknown> };

let replies = new Map<string, Reply[]>();
let asked: Call[] = [];

export function forget() {
  // What is asked for beside the thing that a test is about, wherever an administrator arrives.
  replies = new Map([
    ['GET /protection/warnings', [ok({ warnings: [] })]],
    ['GET /protection/refusals', [ok({ days: [], reasons: [] })]],
    ['GET /tickets', [ok({ tickets: [], next_cursor: null, open: 0 })]],
  ]);
  asked = [];
}

/** Sets the answer of one call, such as `GET /session`; several are given in turn, the last one again and again. */
export function reply(call: string, ...answers: Reply[]) {
  replies.set(call, answers);
}

export function ok(body?: unknown, headers?: Record<string, string>): Answer {
  return { status: body === undefined ? 204 : 200, body, headers };
}

/** A problem as the server words it. */
export function refuse(status: number, code: string, more: Record<string, unknown> = {}): Answer {
  return { status, body: { status, code, title: code, detail: code, request_id: '01TEST', ...more } };
}

export function refuseCode(diagnosis: Record<string, unknown>): Answer {
  const many = diagnosis.reason === 'too_many_attempts';
  return refuse(many ? 429 : 422, 'code_refused', { diagnosis });
}

/** What was sent to one call, in order. */
export function sent(call: string): Call[] {
  return asked.filter((one) => one.call === call);
}

export async function stubFetch(input: Request | string | URL): Promise<Response> {
  const request = input instanceof Request ? input : new Request(input);
  const url = new URL(request.url);
  const call = `${request.method} ${url.pathname.replace('/api/v1', '')}`;
  const text = await request.clone().text();
  const body = text === '' ? {} : JSON.parse(text);
  asked.push({ call, search: url.searchParams, body });
  const line = replies.get(call);
  const next = line === undefined ? undefined : line.length > 1 ? line.shift() : line[0];
  if (next === undefined) throw new Error(`no reply was set for ${call}`);
  const answer = typeof next === 'function' ? next(body) : next;
  if (answer === 'unreachable') throw new TypeError('Failed to fetch');
  const type = answer.status >= 400 ? 'application/problem+json' : 'application/json';
  // Of another type than JSON it is a text as it is.
  const said = answer.headers?.['Content-Type'] ? String(answer.body) : JSON.stringify(answer.body);
  return new Response(answer.status === 204 ? null : said, {
    status: answer.status,
    headers: { 'Content-Type': type, 'Secondstep-Version': 'test', ...answer.headers },
  });
}
