import * as format from '../../format';
import { m } from '../../paraglide/messages';

/** What can be asked of a person. */
export type Requirement = 'off' | 'allowed' | 'required';

/** What is chosen in a form: the day as the date field has it. */
export type Choice = { requirement: Requirement; day: string; atOnce: boolean };

/** Two weeks is what is suggested. */
export const suggestedDay = (now = new Date()) => dayIn(14, now);

/** The day that is so many days away. */
export function dayIn(days: number, now = new Date()): string {
  return format.isoDay(new Date(now.getTime() + days * 86_400_000));
}

/** The end of a day in the reader's own time, as the server takes it. */
export function endOf(day: string): string {
  return new Date(`${day}T23:59:59`).toISOString();
}

/** What is wrong with the day, if anything. */
export function dayError({ requirement, day, atOnce }: Choice, now = new Date()): string | undefined {
  if (requirement !== 'required' || atOnce) return undefined;
  if (day === '') return m.field_required();
  return day < format.isoDay(now) ? m.requirement_deadline_past() : undefined;
}

/** The members of a request. */
export function asked({ requirement, day, atOnce }: Choice): { requirement: Requirement; deadline?: string } {
  return requirement === 'required' && !atOnce ? { requirement, deadline: endOf(day) } : { requirement };
}
