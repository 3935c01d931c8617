import { describe, expect, it } from 'vitest';
import { written } from './csv';
import { calls, type FileContent, readFile, readText } from './file';

const read = (text: string) => readText(text) as FileContent;
const faults = (text: string) =>
  read(text).bad.map(({ row, faults }) => `${row.line} ${faults.map((one) => `${one.name}:${one.code}`).join(' ')}`);

describe('a file of people', () => {
  it('names its columns in any order and in its own capitals', () => {
    const { rows, bad, unused } = read('E-Mail;Department;Name;ROLE\nbo@example.test;Sales; Bo ;Member\n');
    expect(rows).toEqual([
      { line: 2, name: 'Bo', email: 'bo@example.test', role: 'Member', requirement: '', deadline: '', reason: '' },
    ]);
    expect(bad).toEqual([]);
    expect(unused).toEqual(['Department']);
  });

  it.each([
    ['a byte order mark', '\ufeffname,email\nBo,bo@example.test'],
    ['line ends of Windows', 'name,email\r\nBo,bo@example.test\r\n'],
    ['line ends of old', 'name,email\rBo,bo@example.test\r'],
    ['semicolons', 'name;email\nBo;bo@example.test'],
    ['tabs', 'name\temail\nBo\tbo@example.test'],
    ['quotes', '"name","email"\n"Bo","bo@example.test"'],
    ['rows of nothing', 'name,email\nBo,bo@example.test\n,\n\n , \n'],
  ])('may have %s', (_, text) => {
    const { rows, bad } = read(text);
    expect(rows.map(({ line, name, email }) => [line, name, email])).toEqual([[2, 'Bo', 'bo@example.test']]);
    expect(bad).toEqual([]);
  });

  it('counts lines as an editor does', () => {
    const text = 'name,email\n\n"Bo, the ""second""",bo@example.test\n"Cy\nDi",cy@example.test\nEd,ed@example.test';
    expect(read(text).rows.map(({ line, name }) => [line, name])).toEqual([
      [3, 'Bo, the "second"'],
      [6, 'Ed'],
    ]);
    expect(faults(text)).toEqual(['4 name:illegible']);
  });

  it('keeps back what the server would not read', () => {
    const long = 'x'.repeat(101);
    expect(
      faults(
        [
          'name,email,role',
          'Bo,bo@example.test,member,more',
          `${long},bo@example.test,`,
          `Bo,${long}${long}${long}@example.test,`,
          `Bo,bo@example.test,${long}`,
          'B\u0007o,bo@example.test,',
          'Bo,"bo@example.test',
        ].join('\n'),
      ),
    ).toEqual([
      '2 line:too_many_columns',
      '3 name:too_long',
      '4 email:email_invalid',
      '5 role:invalid',
      '6 name:illegible',
      '7 line:quotes',
    ]);
  });

  it('has the reason for off', () => {
    const content = `name,email,requirement,reason\nBo,bo@example.test,off, no phone \nCy,cy@example.test,off,${'x'.repeat(301)}`;
    expect(readText(content)).toMatchObject({
      rows: [{ requirement: 'off', reason: 'no phone' }],
      bad: [{ faults: [{ name: 'reason', code: 'too_long' }] }],
    });
  });

  it.each([
    ['empty', ' \n'],
    ['columns', 'Bo,bo@example.test\n'],
    ['columns', 'name,role\n'],
    ['column_twice', 'name,email,E-Mail\n'],
  ])('is refused: %s', (problem, text) => {
    expect(readText(text)).toBe(problem);
  });

  it('is refused when it is not UTF-8', async () => {
    expect(await readFile(new Blob([new Uint8Array([0x6e, 0xfc, 0x0a])]))).toBe('not_utf8');
  });

  it('goes to the server in calls of 50 lines and less than 16 KiB', () => {
    const row = {
      line: 1,
      name: 'ü'.repeat(100),
      email: 'x'.repeat(250),
      role: '',
      requirement: '',
      deadline: '',
      reason: '',
    };
    const short = { ...row, name: 'Bo', email: 'bo@example.test' };
    expect([...calls(Array(120).fill(short))].map((some) => some.length)).toEqual([50, 50, 20]);
    const parts = [...calls(Array(120).fill(row))];
    expect(parts.flat()).toHaveLength(120);
    for (const people of parts) {
      const body = new TextEncoder().encode(JSON.stringify({ people, confirm: false }));
      expect(body.length).toBeLessThan(16 * 1024);
    }
    expect([...calls([])]).toEqual([]);
  });
});

it('writes cells that no spreadsheet takes for a formula', () => {
  const cells = ['=1+1', '+1', '-1', '@A1', '\t=1', '\r=1', '\n=1', '=1\n2', '=HYPERLINK("x","y")', 'a=1', 'a;=1', ''];
  expect(written([cells])).toBe(
    `\ufeff"'=1+1","'+1","'-1","'@A1","'\t=1","'\r=1","'\n=1","'=1\n2","'=HYPERLINK(""x"",""y"")","a=1","a;=1",""\r\n`,
  );
});
