import { api, send } from '../../api/client';

let offset: number | undefined;

/**
 * How far the server's clock is ahead of the browser's, in milliseconds: codes live by the server's. Asked once;
 * without an answer the browser's clock has to do.
 */
export async function serverOffset(): Promise<number> {
  if (offset !== undefined) return offset;
  const sent = Date.now();
  const outcome = await send(() => api.GET('/api/v1/time'));
  if (!outcome.ok) return 0;
  const received = Date.now();
  offset = Date.parse(outcome.value.now) - (sent + received) / 2;
  return offset;
}

/** Whole seconds that the code of now still lives, 1 to `period`. */
export function codeLife(serverNow: number, period: number): number {
  const length = period * 1_000;
  return Math.ceil((length - (serverNow % length)) / 1_000);
}
