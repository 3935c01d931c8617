import { serverSaidExactly } from '../clock.svelte';
import { api, send } from './client';

/** Asks the server for its time, to the millisecond. Without an answer the Date of the others has to do. */
export async function askServerClock() {
  const sent = Date.now();
  const outcome = await send(() => api.GET('/api/v1/time'));
  if (outcome.ok) serverSaidExactly(Date.parse(outcome.value.now), (sent + Date.now()) / 2);
}
