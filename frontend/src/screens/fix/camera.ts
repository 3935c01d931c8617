/** What keeps a camera from being used; each has words and a next step of its own. */
export type Trouble =
  | 'insecure' // not https, where browsers give no camera to anybody
  | 'unsupported' // a browser, such as one inside another app, that gives none to pages
  | 'elsewhere' // this page was come to from another one, and keeps that one's policy
  | 'dismissed' // the question was closed
  | 'blocked' // the site is not allowed to
  | 'system' // the browser is not allowed to
  | 'none'
  | 'busy' // another program has it
  | 'ended' // unplugged, or taken away
  | 'odd';

export type Opened = { stream: MediaStream } | { trouble: Trouble };

type Policed = Document & { featurePolicy?: { allowsFeature(name: string): boolean } };

/** Asks for the camera, that at the back where there are several, and says exactly why there is none. */
export async function openCamera(id?: string): Promise<Opened> {
  if (!window.isSecureContext) return { trouble: 'insecure' };
  if (navigator.mediaDevices?.getUserMedia === undefined) return { trouble: 'unsupported' };
  if ((document as Policed).featurePolicy?.allowsFeature('camera') === false) return { trouble: 'elsewhere' };
  const which: MediaTrackConstraints = id ? { deviceId: { exact: id } } : { facingMode: 'environment' };
  try {
    const video = { ...which, width: { ideal: 1280 }, height: { ideal: 720 } };
    return { stream: await navigator.mediaDevices.getUserMedia({ audio: false, video }) };
  } catch (error) {
    return { trouble: await troubleOf(error) };
  }
}

/** The trouble behind an error of getUserMedia; older names of the same are older browsers'. */
export async function troubleOf(error: unknown): Promise<Trouble> {
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  switch (name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
      return /system/i.test(message) ? 'system' : refusal(message);
    case 'SecurityError':
      return 'blocked';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return 'none';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'busy';
    case 'TypeError':
    case 'NotSupportedError':
      return 'unsupported';
    default:
      return 'odd';
  }
}

/** Who said no: the permission of this site tells. One that is granted leaves only the system. */
async function refusal(message: string): Promise<Trouble> {
  if (/dismiss/i.test(message)) return 'dismissed';
  try {
    const { state } = await navigator.permissions.query({ name: 'camera' as PermissionName });
    if (state === 'granted') return 'system';
    return state === 'prompt' ? 'dismissed' : 'blocked';
  } catch {
    return 'blocked'; // a browser that does not tell
  }
}

/** The ids of all cameras; known only once one may be used. */
export async function cameras(): Promise<string[]> {
  try {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((one) => one.kind === 'videoinput' && one.deviceId !== '').map((one) => one.deviceId);
  } catch {
    return [];
  }
}
