import { describe, expect, it } from 'vitest';
import { preferred } from './locale';

describe('the language of the page', () => {
  const there = ['en', 'de', 'pt-BR', 'zh-TW', 'zh'] as const;

  it.each([
    ['what is asked for', ['de'], 'de'],
    ['the language without its region', ['de-AT'], 'de'],
    ['another region of the language', ['pt-PT'], 'pt-BR'],
    ['its own region before the language', ['zh-TW'], 'zh-TW'],
    ['the second choice, when there is no first', ['fr-CA', 'fr', 'de'], 'de'],
    ['the language that all are translated from', ['fr'], 'en'],
    ['that too, when nothing is asked for', [], 'en'],
    ['none that only begins alike', ['p'], 'en'],
  ])('is %s', (_, asked, expected) => {
    expect(preferred(asked, there, 'en')).toBe(expected);
  });
});
