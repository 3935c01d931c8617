import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Chapter, Scene } from './stage';

/** Every kind of mail, as the server's own tests hold it. */
const letters = join(import.meta.dirname, '../../../server/mail/testdata');

const mail = (file: string): Scene => {
  const plain = readFileSync(join(letters, file.replace('.html', '.txt')), 'utf8');
  const subject = plain.slice('Subject: '.length, plain.indexOf('\n'));
  return {
    name: `mail-${file.replace('.html', '').replaceAll('_', '-')}`,
    shows: file.startsWith('code_used_few') ? `${subject}, and few are left` : subject,
    go: ({ page }) => page.goto(pathToFileURL(join(letters, file)).href),
  };
};

export const mails: Chapter = {
  title: 'Mails',
  walks: [
    readdirSync(letters)
      .filter((file) => file.endsWith('.html'))
      .sort()
      .map(mail),
  ],
};
