import { api, type Outcome, read } from '../../api/client';
import { unreached } from '../../api/problem';
import { m } from '../../paraglide/messages';
import { proof } from '../factor/proof.svelte';
import { query, type View } from './view';

export type Form = 'csv' | 'jsonl';

const lineBreak = 10;

/** A spreadsheet reads a file that begins so as UTF-8. */
const mark = '\ufeff';

/**
 * Takes the events of a view as a file, as the server writes it. `told` hears how many events are here, of how many.
 * Undefined when it was ended; a file of which the end is missing is none.
 */
export async function take(
  view: View,
  format: Form,
  told: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<Outcome<Blob> | undefined> {
  let total = 0;
  const asked = { ...query({ ...view, cursor: '' }), format };
  const outcome = await proof.having(m.audit_export_act(), () =>
    read(async () => {
      const answer = await api.GET('/api/v1/audit/export', { params: { query: asked }, parseAs: 'stream', signal });
      total = Number(answer.response.headers.get('Secondstep-Events'));
      return answer;
    }, signal),
  );
  if (signal.aborted) return undefined;
  if (!outcome.ok) return outcome;
  const file: BlobPart[] = format === 'csv' ? [mark] : [];
  let lines = format === 'csv' ? -1 : 0; // the names of the columns are no event
  try {
    const reader = outcome.value?.getReader();
    for (let piece = await reader?.read(); piece?.value; piece = await reader?.read()) {
      file.push(piece.value);
      for (let at = piece.value.indexOf(lineBreak); at >= 0; at = piece.value.indexOf(lineBreak, at + 1)) lines++;
      told(Math.max(0, lines), Math.max(total, lines));
    }
  } catch {
    return signal.aborted ? undefined : { ok: false, problem: unreached() };
  }
  if (lines < total) return { ok: false, problem: unreached() };
  told(lines, lines);
  return { ok: true, value: new Blob(file, { type: format === 'csv' ? 'text/csv' : 'application/x-ndjson' }) };
}
