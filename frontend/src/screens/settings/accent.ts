import { formatHex, modeLrgb, modeOklab, modeOklch, modeRgb, type Rgb, useMode, wcagContrast } from 'culori/fn';

/**
 * The colours of the screens out of one that was chosen: the rules of server/settings/accent, for the preview. The
 * server's are the ones that decide; accent.test.ts holds both to the same table.
 */
export type Tones = { accent: string; strong: string; soft: string; on: string };
export type Palette = { light: Tones; dark: Tones };
export type Check = { theme: 'light' | 'dark'; what: 'text' | 'shape'; ratio: number; least: number };

const rgb = useMode(modeRgb);
const oklch = useMode(modeOklch);
useMode(modeOklab);
useMode(modeLrgb);

type Lch = { l: number; c: number; h: number };

/** The tokens page, surface and sunken. */
const backgrounds = {
  light: [of(0.982, 0.003, 260), of(1, 0, 0), of(0.965, 0.004, 260)],
  dark: [of(0.185, 0.008, 265), of(0.225, 0.009, 265), of(0.205, 0.008, 265)],
};
/** What the preview stands on, and is written in: the tokens surface and ink. */
export const ground = {
  light: { surface: '#ffffff', ink: '#181d29' },
  dark: { surface: '#1a1c20', ink: '#eff0f3' },
};
const grey = 0.002;
const steps = 24;

function of(l: number, c: number, h: number): Lch {
  return { l, c, h };
}

/** A colour as it is written here, or nothing. */
export function canonical(text: string): string | undefined {
  const colour = text.trim().toLowerCase();
  return /^#[0-9a-f]{6}$/.test(colour) ? colour : undefined;
}

export function palette(colour: string): Palette {
  const { l, c, h } = read(colour);
  const tone = (lightness: number, chroma: number) => hex(of(lightness, Math.min(c, chroma), h));
  return {
    light: { accent: colour, strong: tone(Math.max(l - 0.07, 0), c), soft: tone(0.96, 0.02), on: '#ffffff' },
    dark: { accent: tone(0.74, 0.13), strong: tone(0.8, 0.11), soft: tone(0.29, 0.05), on: tone(0.18, 0.03) },
  };
}

export function checks(tones: Palette): Check[] {
  return (['light', 'dark'] as const).flatMap((theme) => {
    const { accent, on } = tones[theme];
    const behind = backgrounds[theme].map((page) => wcagContrast(accent, hex(page)));
    return [
      { theme, what: 'text' as const, ratio: wcagContrast(on, accent), least: 4.5 },
      { theme, what: 'shape' as const, ratio: Math.min(...behind), least: 3 },
    ];
  });
}

export const enough = (check: Check) => check.ratio >= check.least;

export const passes = (colour: string) => checks(palette(colour)).every(enough);

/** The colour itself where it passes, else the lightest of its hue that does. */
export function nearest(colour: string): string {
  if (passes(colour)) return colour;
  const { l, c, h } = read(colour);
  let passing = '#000000';
  let low = 0;
  let high = l;
  for (let step = 0; step < steps; step++) {
    const middle = (low + high) / 2;
    const darker = hex(of(middle, c, h));
    if (passes(darker)) {
      passing = darker;
      low = middle;
    } else {
      high = middle;
    }
  }
  return passing;
}

function read(colour: string): Lch {
  const { l, c, h = 0 } = oklch(colour) ?? of(0, 0, 0);
  return c < grey ? of(l, 0, 0) : of(l, c, h);
}

/** The colour as a screen can show it: with as much of its chroma as there is at that lightness. */
function hex(colour: Lch): string {
  let shown = toRgb(colour);
  if (!inGamut(shown)) {
    let low = 0;
    let high = colour.c;
    for (let step = 0; step < steps; step++) {
      const middle = (low + high) / 2;
      if (inGamut(toRgb({ ...colour, c: middle }))) low = middle;
      else high = middle;
    }
    shown = toRgb({ ...colour, c: low });
  }
  return formatHex(shown);
}

const toRgb = ({ l, c, h }: Lch): Rgb => rgb({ mode: 'oklch', l, c, h });

function inGamut({ r, g, b }: Rgb): boolean {
  const slack = 1e-4;
  return [r, g, b].every((part) => part >= -slack && part <= 1 + slack);
}
