import type { LogEntry, SecurityEvent } from '../../api/shapes';
import { type Sentence, tell, whence } from '../history/sentence';

/** An event as the person it is about would be told it. */
function own(entry: LogEntry): SecurityEvent {
  return { ...entry, actor: entry.by, here: false, new_browser: entry.data?.new_browser === true };
}

/** An event told to an administrator: in the sentences that people read about themselves, which say no "you". */
export function record(entry: LogEntry): Sentence {
  const told = tell(own(entry));
  return { ...told, more: told.more ? [told.more] : [] };
}

/** From where, as far as it is known. */
export const from = (entry: LogEntry): string[] => whence(own(entry));

/** The kinds to choose from, each by the sentence of one that was done. */
export function choices(kinds: string[]): [kind: string, name: string][] {
  const blank = { result: 'ok', by: 'self', method: '', reason: '', data: {} } as unknown as LogEntry;
  const named = kinds.map((kind): [string, string] => [kind, record({ ...blank, kind }).title]);
  return named.sort(([, a], [, b]) => a.localeCompare(b));
}
