import { locale } from '../../numbers';

/** 0.04 seconds, 12 seconds: as exact as a difference of clocks is known; without its sign. */
export function seconds(value: number): string {
  const size = Math.abs(value);
  const maximumFractionDigits = size < 0.1 ? 3 : size < 1 ? 2 : size < 10 ? 1 : 0;
  const style = { style: 'unit', unit: 'second', unitDisplay: 'long', maximumFractionDigits } as const;
  return new Intl.NumberFormat(locale(), style).format(size);
}
