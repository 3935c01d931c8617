import type { components } from './generated/schema';

/** Why a code was refused. Which members are there depends on the reason; times are RFC 3339, lengths seconds. */
export type Diagnosis = components['schemas']['CodeDiagnosis'];
export type Reason = Diagnosis['reason'];
export type ProblemField = components['schemas']['FieldIssue'];

/** RFC 9457 with the members of this product, and the two codes that only a browser can give: see `unreached`. */
export type Problem = {
  status: number;
  code: string;
  fields: ProblemField[];
  requestId?: string;
  retryAfterSeconds?: number;
  diagnosis?: Diagnosis;
  /** Of `fresh_proof_required`: a backup code would be spent for nothing. */
  appOnly?: boolean;
};

/** No answer came: `offline` when the browser knows that it has no network, else `unreachable`. Status 0. */
export function unreached(): Problem {
  return { status: 0, code: navigator.onLine === false ? 'offline' : 'unreachable', fields: [] };
}

/** Reads a problem out of an answer. A proxy's own page (502, 504 …) has no code: that is a server out of reach. */
export function problemOf(response: Response, body: unknown): Problem {
  const members = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  if (typeof members.code !== 'string') {
    const away = response.status === 502 || response.status === 503 || response.status === 504;
    return { status: response.status, code: away ? 'unreachable' : 'internal_fault', fields: [] };
  }
  const header = Number(response.headers.get('Retry-After'));
  const said = members.retry_after_seconds;
  return {
    status: response.status,
    code: members.code,
    fields: Array.isArray(members.fields) ? (members.fields as ProblemField[]) : [],
    requestId: typeof members.request_id === 'string' ? members.request_id : undefined,
    retryAfterSeconds: typeof said === 'number' ? said : header > 0 ? header : undefined,
    diagnosis: members.diagnosis as Diagnosis | undefined,
    appOnly: members.app_only === true || undefined,
  };
}

/** May the same request be sent again without harm to anybody and with a chance to succeed? */
export function passing(problem: Problem): boolean {
  return problem.code === 'offline' || problem.code === 'unreachable' || problem.code === 'busy';
}
