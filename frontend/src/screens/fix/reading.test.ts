import { encode } from 'uqr';
import { describe, expect, it } from 'vitest';
import { brightness, decoder, look, type Picture } from './reading';
import { sample } from './ways';

/** A picture of a code as a camera gives it: `scale` points a module, `light` for its paper and `ink` for its ink. */
function photo(text: string | undefined, { scale = 5, light = 230, ink = 25, noise = 0 } = {}): Picture {
  const code = text === undefined ? { size: 40, data: [] } : encode(text, { ecc: 'M', border: 4 });
  const size = code.size * scale + 40;
  const data = new Uint8ClampedArray(size * size * 4);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [row, column] = [Math.floor((y - 20) / scale), Math.floor((x - 20) / scale)];
      const dark = code.data[row]?.[column] === true;
      // The same noise each time, and not in rows.
      const grey = (dark ? ink : light) + (((x * 7919 + y * 104_729) % 101) / 100 - 0.5) * noise;
      data.set([grey, grey, grey, 255], (y * size + x) * 4);
    }
  }
  return { data, width: size, height: size };
}

describe('what is seen through a camera', async () => {
  const decode = await decoder();
  const seen = (picture: Picture) => look(picture, decode);

  it.each([
    ['the sample', photo(sample()), 'sample'],
    ['the sample, noisy and faint', photo(sample(), { light: 170, ink: 80, noise: 40 }), 'sample'],
    ['the sample on a dim screen', photo(sample(), { light: 60, ink: 8 }), 'sample'],
    ['a setup', photo('otpauth://totp/MailMachine:ada?secret=JBSWY3DPEHPK3PXP&issuer=MailMachine'), 'setup'],
    ['many setups at once', photo('otpauth-migration://offline?data=abc'), 'setup'],
    ['another code', photo('https://example.test/'), 'other'],
    ['no code', photo(undefined, { light: 140 }), 'nothing'],
    ['a dark room', photo(undefined, { light: 30 }), 'dark'],
    ['a covered lens', photo(undefined, { light: 3 }), 'black'],
  ])('%s', (_, picture, what) => expect(seen(picture)).toBe(what));

  it('has a brightness', () => {
    expect(brightness(photo(undefined, { light: 200 }))).toBeCloseTo(200, 0);
    expect(brightness({ data: new Uint8ClampedArray(0), width: 0, height: 0 })).toBe(0);
  });
});
