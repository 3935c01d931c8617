import { m } from '../../paraglide/messages';

/** Below so many backup codes a person is asked to make new ones. */
const enough = 4;

export const isFew = (remaining: number) => remaining < enough;

export function codesLeft(count: number): string {
  return count === 0 ? m.codes_left_none() : m.codes_left({ count });
}
