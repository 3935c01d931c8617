import { cleanup, configure } from '@testing-library/svelte';
import { afterEach, beforeEach, vi } from 'vitest';
import { forget, stubFetch } from './server';

configure({
  // The machine may be busy with other tests.
  asyncUtilTimeout: 15_000,
  // A failure says what was looked for; the whole page besides would bury it.
  getElementError: (message) => Object.assign(new Error(message ?? ''), { name: 'NotFound' }),
});

beforeEach(() => {
  forget();
  vi.stubGlobal('fetch', stubFetch);
  document.documentElement.lang = 'en';
  vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['en-GB', 'en']);
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
