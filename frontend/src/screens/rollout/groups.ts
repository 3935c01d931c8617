/** Of whom something is asked. */
export type Group = 'everybody' | 'members' | 'administrators' | 'some';
export type Filter = { query?: string; protection?: Protection; role?: Role };
type Protection = 'on' | 'off' | 'enrolling' | 'required_not_yet' | 'overdue' | 'due' | 'few_codes' | 'invited';
type Role = 'member' | 'administrator';

/** The filter of the user list that each of them is. */
export const groups: Record<Group, (some: { query: string; protection: string; role: string }) => Filter> = {
  everybody: () => ({}),
  members: () => ({ role: 'member' }),
  administrators: () => ({ role: 'administrator' }),
  some: ({ query, protection, role }) => ({
    ...(query.trim() === '' ? {} : { query: query.trim() }),
    ...(protection === '' ? {} : { protection: protection as Protection }),
    ...(role === '' ? {} : { role: role as Role }),
  }),
};
