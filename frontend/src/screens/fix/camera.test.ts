import { afterEach, describe, expect, it, vi } from 'vitest';
import { openCamera, troubleOf } from './camera';
import { device } from './device';

const failing = (name: string, message = '') => new DOMException(message, name);
const permission = (state: string | undefined) =>
  vi.stubGlobal('navigator', {
    ...navigator,
    permissions: { query: state ? async () => ({ state }) : async () => Promise.reject(new TypeError()) },
  });

describe('why there is no camera', () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([
    ['NotAllowedError', 'Permission denied', 'denied', 'blocked'],
    ['NotAllowedError', 'Permission denied', 'prompt', 'dismissed'],
    ['NotAllowedError', 'Permission dismissed', 'prompt', 'dismissed'],
    ['NotAllowedError', 'The request is not allowed by the user agent or the platform', 'granted', 'system'],
    ['NotAllowedError', 'Permission denied by system', 'denied', 'system'],
    ['NotAllowedError', '', undefined, 'blocked'],
    ['SecurityError', '', 'denied', 'blocked'],
    ['NotFoundError', 'Requested device not found', 'prompt', 'none'],
    ['OverconstrainedError', '', 'granted', 'none'],
    ['NotReadableError', 'Could not start video source', 'granted', 'busy'],
    ['AbortError', 'Starting videoinput failed', 'granted', 'busy'],
    ['TypeError', '', 'granted', 'unsupported'],
    ['NotSupportedError', 'Not supported', 'granted', 'unsupported'],
    ['StrangeError', '', 'granted', 'odd'],
  ])('%s (%s) where the permission is %s: %s', async (name, message, state, trouble) => {
    permission(state);
    expect(await troubleOf(failing(name, message))).toBe(trouble);
  });

  it('is told before it is asked for, where it can be', async () => {
    vi.stubGlobal('isSecureContext', false);
    expect(await openCamera()).toEqual({ trouble: 'insecure' });
    vi.stubGlobal('isSecureContext', true);
    vi.stubGlobal('navigator', { ...navigator, mediaDevices: undefined });
    expect(await openCamera()).toEqual({ trouble: 'unsupported' });
    const getUserMedia = vi.fn(async (_: MediaStreamConstraints) => 'a stream' as unknown as MediaStream);
    vi.stubGlobal('navigator', { ...navigator, mediaDevices: { getUserMedia } });
    Object.defineProperty(document, 'featurePolicy', { configurable: true, value: { allowsFeature: () => false } });
    expect(await openCamera()).toEqual({ trouble: 'elsewhere' });
    Reflect.deleteProperty(document, 'featurePolicy');
    expect(await openCamera()).toEqual({ stream: 'a stream' });
    await openCamera('the other');
    expect(getUserMedia.mock.calls.map(([asked]) => asked)).toMatchObject([
      { audio: false, video: { facingMode: 'environment' } },
      { audio: false, video: { deviceId: { exact: 'the other' } } },
    ]);
  });
});

describe('the device', () => {
  it.each([
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X)', 5, 'iphone'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.4 Safari/605.1.15', 5, 'iphone'], // an iPad
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.4 Safari/605.1.15', 0, 'mac'],
    ['Mozilla/5.0 (Linux; Android 15; Pixel 9)', 5, 'android'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64)', 10, 'windows'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0)', 0, undefined],
  ])('%s', (agent, touch, what) => expect(device(agent, touch)).toBe(what));
});
