import type { LogEntry, SecurityEvent } from '../../api/shapes';
import { m } from '../../paraglide/messages';
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

/** The kinds whose sentences tell values that a choice has none of. */
const names: Record<string, () => string> = {
  'role.changed': m.kind_role_changed,
  'session.ended': m.kind_session_ended,
  'brand.changed': m.kind_brand_changed,
  'accent.changed': m.kind_accent_changed,
  'new_people.changed': m.kind_new_people_changed,
  'roll_out.started': m.kind_roll_out_started,
  'roll_out.ended': m.kind_roll_out_ended,
};

/** The kinds to choose from, each by its name, or by the sentence of one that was done. */
export function choices(kinds: string[]): [kind: string, name: string][] {
  const blank = { result: 'ok', by: 'self', method: '', reason: '', data: {} } as unknown as LogEntry;
  const named = kinds.map((kind): [string, string] => [
    kind,
    (names[kind] ?? (() => record({ ...blank, kind }).title))(),
  ]);
  return named.sort(([, a], [, b]) => a.localeCompare(b));
}
