import createClient from 'openapi-fetch';
import { serverSaid } from '../clock.svelte';
import { connection } from './connection.svelte';
import type { paths } from './generated/schema';
import { type Problem, passing, problemOf, unreached } from './problem';

/** The typed client. Screens wrap every call in `send` or `read`, which never throw. */
export const api = createClient<paths>({
  baseUrl: location.origin,
  // Looked up at each call, so that a test can put itself at the network's edge.
  fetch: (request) => globalThis.fetch(request),
});

export type Outcome<T> = { ok: true; value: T } | { ok: false; problem: Problem };

type Answer<T> = { data?: T; error?: unknown; response: Response };

type Listener = (problem: Problem) => void;
const listeners: Listener[] = [];

/** Told of every refusal, before the caller is: how the session learns that it has ended. */
export function onRefusal(listener: Listener) {
  listeners.push(listener);
}

async function once<T>(call: () => Promise<Answer<T>>): Promise<Outcome<T>> {
  let answer: Answer<T>;
  try {
    answer = await call();
  } catch {
    // Without a network, or cut off in mid-answer; an unreadable body counts as that too.
    return { ok: false, problem: unreached() };
  }
  const { response } = answer;
  serverSaid(response.headers.get('Date'));
  if (response.ok) {
    connection.reached(response.headers.get('Secondstep-Version'));
    return { ok: true, value: answer.data as T };
  }
  const problem = problemOf(response, answer.error);
  if (!passing(problem)) connection.reached(response.headers.get('Secondstep-Version'));
  for (const tell of listeners) tell(problem);
  return { ok: false, problem };
}

/** Sends a change, once. Whether an unanswered one was done is unknown, so the person decides about trying again. */
export async function send<T>(call: () => Promise<Answer<T>>): Promise<Outcome<T>> {
  return once(call);
}

/** Reads, and keeps trying while the server is away. Ends early only when the screen that asked is gone. */
export async function read<T>(call: () => Promise<Answer<T>>, signal?: AbortSignal): Promise<Outcome<T>> {
  for (;;) {
    const outcome = await once(call);
    if (outcome.ok || signal?.aborted || !passing(outcome.problem)) return outcome;
    const code = outcome.problem.code as 'offline' | 'unreachable' | 'busy';
    await connection.wait(code, outcome.problem.retryAfterSeconds);
    if (signal?.aborted) return outcome;
  }
}

/** Tries that a busy server (503) asks for, at most so many, before the person is troubled with it. */
const politeTries = 4;

/**
 * Sends a change that a busy server has turned away unseen again when the server asks for it.
 * `onWait` hears the seconds of each pause, and 0 when a try goes out.
 */
export async function sendPolitely<T>(
  call: () => Promise<Answer<T>>,
  onWait: (seconds: number) => void,
): Promise<Outcome<T>> {
  for (let tries = 1; ; tries++) {
    const outcome = await once(call);
    if (outcome.ok || outcome.problem.code !== 'busy' || tries === politeTries) return outcome;
    const seconds = Math.max(1, outcome.problem.retryAfterSeconds ?? tries);
    onWait(seconds);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    onWait(0);
  }
}
