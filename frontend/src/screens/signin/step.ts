import { api, send } from '../../api/client';
import { session } from '../../api/session.svelte';
import type { SecondStepAnswer } from '../../api/shapes';
import { place } from '../../navigation.svelte';
import { paths } from '../../paths';
import type { CodeAttempt, Kind } from '../factor/attempt.svelte';
import { pending } from './pending.svelte';

/** Sends the code of the second step and, when it was right, goes in. Either call takes either kind of code. */
export async function takeSecondStep(attempt: CodeAttempt, asked: Kind, back: string | undefined) {
  const path = asked === 'app_code' ? '/api/v1/sign-in/totp' : '/api/v1/sign-in/backup-code';
  const answer = await attempt.submit<SecondStepAnswer>((body) => send(() => api.POST(path, { body })));
  if (answer === undefined) {
    // The other ways take none either, and say so.
    if (pending.current && attempt.refused?.diagnosis.locked)
      pending.current = { ...pending.current, codes_locked: true };
    return;
  }

  pending.current = undefined;
  const used: Kind = answer.method === 'backup_code' ? 'backup_code' : 'app_code';
  const began = await session.load();
  if (!began.ok) {
    attempt.problem = began.problem;
    return;
  }
  if (used === 'backup_code') {
    const spent = { remaining: answer.backup_codes_remaining ?? 0, unasked: asked === 'app_code' };
    place.go(paths.afterBackupCode, { replace: true, note: { back, spent } });
    return;
  }
  session.enter(back, asked === 'backup_code' ? 'app_code_used' : undefined);
}
