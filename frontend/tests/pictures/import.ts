import { expect } from '@playwright/test';
import { heading } from '../kit/acts';
import { say } from '../kit/words';
import type { Chapter, Stage } from './stage';

const page = '/parameters/users/import';
const lines = [
  'name,email,role,requirement,deadline',
  'Mara Lindqvist,mara@example.org,,required,2099-12-31',
  'Rosalind Vale,rosalind@example.org,administrator,,',
  ',nameless@example.org,,,',
  'Ada Again,ada@example.org,,,',
  'King,king@example.org,king,,',
];

async function choose(stage: Stage, name: string, text: string): Promise<void> {
  const file = { name, mimeType: 'text/csv', buffer: Buffer.from(text) };
  await stage.page.locator('input[type=file]').setInputFiles(file);
}

export const importing: Chapter = {
  title: 'People from a file',
  walks: [
    [
      {
        name: 'import',
        shows: 'A CSV file is chosen',
        go: async (stage) => {
          await stage.at('ada', page);
          await expect(heading(stage.page, say('import_title'))).toBeVisible();
        },
      },
      {
        name: 'import-unread',
        shows: 'A file that can not be read',
        go: async (stage) => {
          await choose(stage, 'staff.csv', 'Mara Lindqvist,mara@example.org\n');
          await expect(stage.page.getByRole('alert')).toBeVisible();
        },
      },
      {
        name: 'import-checked',
        shows: 'What can be imported, and what can not and why',
        go: async (stage) => {
          await choose(stage, 'staff.csv', `${lines.join('\n')}\n`);
          await expect(heading(stage.page, say('import_checked_title'))).toBeVisible();
        },
      },
      {
        name: 'import-done',
        shows: 'The links are handed over',
        go: async (stage) => {
          await stage.button(say('import_go', { count: 2 })).click();
          await expect(heading(stage.page, say('import_done_title'))).toBeVisible();
        },
      },
    ],
  ],
};
