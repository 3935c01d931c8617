import { sample } from './ways';

/** A picture as a canvas gives it: four bytes for each point. */
export type Picture = { data: Uint8ClampedArray; width: number; height: number };

/** What a look through the camera saw. Nothing of it leaves the page. */
export type Seen =
  | 'black' // no light at all: covered, or switched off by a slide
  | 'dark'
  | 'nothing' // light enough, and no code in it
  | 'sample' // ours
  | 'setup' // a real picture of a setup, which is a secret
  | 'other'; // another code

const [black, dark] = [10, 45]; // of 255

/** The code in a picture, if there is one. */
export type Decode = (picture: Picture) => string | undefined;

/** The decoder is fetched when a camera is tried, and not before. */
export async function decoder(): Promise<Decode> {
  const { decodeQR } = await import('qr/decode.js');
  return (picture) => {
    try {
      return decodeQR(picture, { timeLimit: 120 });
    } catch {
      return undefined; // its way to say that there is none
    }
  };
}

/** Says what a picture is to somebody who tries their camera. */
export function look(picture: Picture, decode: Decode): Seen {
  const text = decode(picture);
  if (text === undefined) {
    const light = brightness(picture);
    return light < black ? 'black' : light < dark ? 'dark' : 'nothing';
  }
  if (text === sample()) return 'sample';
  return /^otpauth/i.test(text) ? 'setup' : 'other';
}

/** How bright a picture is on the whole, 0 to 255, by every sixteenth point. */
export function brightness({ data }: Picture): number {
  let sum = 0;
  let points = 0;
  for (let at = 0; at + 2 < data.length; at += 64) {
    sum += 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
    points++;
  }
  return points === 0 ? 0 : sum / points;
}
