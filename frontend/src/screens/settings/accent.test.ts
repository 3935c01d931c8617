import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { canonical, checks, enough, nearest, palette, passes } from './accent';

type Row = {
  colour: string;
  passes: boolean;
  text_on_accent: number;
  accent_on_page: number;
  nearest: string;
  dark: string;
};
/** What the server answers, which decides. */
const table: Row[] = JSON.parse(readFileSync('server/settings/accent/testdata/colours.json', 'utf8'));

/** The last digit of a colour may be rounded otherwise. */
function near(got: string, want: string) {
  const parts = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  const apart = parts(got).map((part, n) => Math.abs(part - (parts(want)[n] ?? 0)));
  expect(Math.max(...apart), `${got} and ${want}`).toBeLessThanOrEqual(1);
}

describe('an accent', () => {
  it.each(table)('$colour is judged as the server does', (row) => {
    const [text, shape] = checks(palette(row.colour));
    expect(text?.ratio).toBeCloseTo(row.text_on_accent, 1);
    expect(shape?.ratio).toBeCloseTo(row.accent_on_page, 1);
    expect(passes(row.colour)).toBe(row.passes);
    near(nearest(row.colour), row.nearest);
    near(palette(row.colour).dark.accent, row.dark);
  });

  it('that is offered can be read, in every hue', () => {
    for (let hue = 0; hue < 4096; hue += 37) {
      const colour = `#${[hue >> 8, (hue >> 4) & 15, hue & 15].map((digit) => digit.toString(16).repeat(2)).join('')}`;
      expect(checks(palette(nearest(colour))).every(enough), colour).toBe(true);
    }
  });

  it('is written in one way', () => {
    expect(canonical(' #0A7A55 ')).toBe('#0a7a55');
    for (const text of ['', 'red', '#fff', '#12345g', '123456', '#1234567']) expect(canonical(text)).toBeUndefined();
  });
});
