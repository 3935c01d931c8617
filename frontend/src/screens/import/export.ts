import { api, read } from '../../api/client';
import type { Problem } from '../../api/problem';
import type { ListedUser } from '../../api/shapes';
import type { View } from '../account/view';

/** Reads the people of a view, page by page; `told` hears how many there are so far. Undefined when it was ended. */
export async function everybody(
  view: View,
  told: (done: number) => void,
  signal: AbortSignal,
): Promise<{ people: ListedUser[] } | { problem: Problem } | undefined> {
  const set = Object.fromEntries(Object.entries({ ...view, cursor: '' }).filter(([, value]) => value !== ''));
  const people: ListedUser[] = [];
  let cursor: string | undefined;
  do {
    const query = { ...set, limit: 100, cursor };
    const outcome = await read(() => api.GET('/api/v1/users', { params: { query }, signal }), signal);
    if (signal.aborted) return undefined;
    if (!outcome.ok) return { problem: outcome.problem };
    people.push(...outcome.value.users);
    told(people.length);
    cursor = outcome.value.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return { people };
}

/** The cells of a person; the command line makes the same: server/cli/userexport.go. */
export function cells(user: ListedUser): string[] {
  const { mfa } = user;
  return [
    user.name,
    user.email,
    user.role,
    mfa.requirement,
    mfa.deadline ?? '',
    mfa.state,
    mfa.state === 'on' ? String(mfa.backup_codes_remaining) : '',
    user.disabled ? 'disabled' : user.invited ? 'invited' : 'active',
    user.last_sign_in_at ?? '',
  ];
}

export const columns = [
  'name',
  'email',
  'role',
  'requirement',
  'deadline',
  '2-step verification',
  'backup codes left',
  'account',
  'last sign-in',
];
