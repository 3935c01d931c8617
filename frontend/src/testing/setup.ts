import { cleanup, configure } from '@testing-library/svelte';
import { afterEach, beforeEach, vi } from 'vitest';
import { forget, ok, reply, stubFetch } from './server';

configure({
  // The machine may be busy with other tests.
  asyncUtilTimeout: 45_000,
  // A failure says what was looked for; the whole page besides would bury it.
  getElementError: (message) => Object.assign(new Error(message ?? ''), { name: 'NotFound' }),
});

beforeEach(() => {
  forget();
  // Nothing elsewhere and nothing lately, unless a test says otherwise.
  for (const who of ['me', '01BO']) {
    reply(`GET /users/${who}/sessions`, ok({ sessions: [] }));
    reply(`GET /users/${who}/security/events`, ok({ events: [], next_cursor: null }));
  }
  // Nobody asks to be let back in.
  for (const who of ['me', '01BO']) reply(`GET /users/${who}/security/recovery`, ok({ recovery: null }));
  reply('GET /sign-in/recovery', ok({ recovery: null, askable: true, delay_seconds: 86_400 }));
  reply('GET /roll-outs', ok({ roll_outs: [] }));
  vi.stubGlobal('fetch', stubFetch);
  document.documentElement.lang = 'en';
  vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['en-GB', 'en']);
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
