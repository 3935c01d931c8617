import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { mostlyOwnWords } from './ownWords';

type Case = { password: string; name: string; email: string; brand: string; refused: boolean };
/** What the server says to each, which decides. */
const cases: Case[] = JSON.parse(readFileSync('server/account/testdata/own_words.json', 'utf8'));

it.each(cases)('$password of $name is judged as the server does', ({ password, refused, ...context }) => {
  expect(mostlyOwnWords(password, context)).toBe(refused);
});
