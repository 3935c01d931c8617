import { writeFileSync } from 'node:fs';
import { encode } from 'uqr';

const [width, height] = [640, 480];

/**
 * What a camera sees that a QR code is held in front of: a film of one picture, for Chromium's device that is none
 * (YUV4MPEG2: a line, then of each frame the light of every point, and two quarters of its colour).
 */
export function filmOf(text: string, file: string): void {
  const code = encode(text, { ecc: 'M', border: 4 });
  const scale = Math.floor((height - 40) / code.size);
  const [left, top] = [(width - code.size * scale) / 2, (height - code.size * scale) / 2];
  const light = Buffer.alloc(width * height, 120);
  for (let y = 0; y < code.size * scale; y++) {
    for (let x = 0; x < code.size * scale; x++) {
      const dark = code.data[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true;
      light[Math.floor(top + y) * width + Math.floor(left + x)] = dark ? 30 : 220;
    }
  }
  const frame = Buffer.concat([Buffer.from('FRAME\n'), light, Buffer.alloc((width * height) / 2, 128)]);
  writeFileSync(
    file,
    Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`), frame, frame]),
  );
}
