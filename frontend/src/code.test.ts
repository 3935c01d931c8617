import { expect, it } from 'vitest';
import { compact } from './code';

// The table of server/factor/typed.
it.each([
  ['', ''],
  ['123456', '123456'],
  [' 123 456\n', '123456'],
  ['123\t456\r\n', '123456'],
  ['123\u00a0456\u202f', '123456'],
  ['123\u3000456', '123456'],
  ['123\u0085456', '123456'],
  ['123-456', '123456'],
  ['123\u2010456\u2011', '123456'],
  ['\u2013123\u2014456\u2015', '123456'],
  ['123\u2212456', '123456'],
  ['123\u00ad456', '123456'],
  ['\ufeff123\u200b\u2060456', '123456'],
  ['１２３－４５６', '123456'], // here alone: what is sent is plain
  ['a_b.c+d', 'a_b.c+d'],
  ['a\x00b', 'a\x00b'],
])('%j is %j', (typed, bare) => expect(compact(typed)).toBe(bare));
