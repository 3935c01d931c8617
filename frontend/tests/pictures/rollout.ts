import { expect, type Page } from '@playwright/test';
import { press } from '../kit/acts';
import { say } from '../kit/words';
import type { Chapter } from './stage';

const users = '/parameters/users';
const rollOut = '/parameters/protection/roll-out';

/** Nothing is asked of anybody for a picture. */
const run = (more: object = {}) => ({
  id: '01KKGPQTP0CXJ900X0R2FHK1NB',
  kind: 'roll_out',
  state: 'running',
  stopped_for: '',
  started_by: 'Ada Lovelace',
  started_at: new Date(Date.now() - 3 * 86_400_000).toISOString(),
  ended_at: null,
  chosen: false,
  query: '',
  protection: '',
  role: '',
  requirement: 'required',
  deadline: new Date(Date.now() + 11 * 86_400_000).toISOString(),
  reason: '',
  message: ['We turn it on for everybody this month. Questions? Ask Ada, room 12.'],
  total: 1240,
  done: 450,
  changed: 441,
  unchanged: 9,
  left_out: [],
  mailed: 430,
  asked: 450,
  protected: 212,
  history: [212].map((protectedNow) => ({ date: new Date().toISOString().slice(0, 10), protected: protectedNow })),
  ...more,
});

const answer = (page: Page, body: object) =>
  page.route('**/api/v1/roll-outs/*', (route) => route.fulfill({ json: body }));
const days = [180, 640, 830, 967].map((count, n) => ({
  date: new Date(Date.now() - (3 - n) * 86_400_000).toISOString().slice(0, 10),
  protected: count,
}));

export const rollOuts: Chapter = {
  title: 'Asked of many',
  walks: [
    [
      {
        name: 'users-selected',
        shows: 'Some people are chosen',
        go: async (stage) => {
          await stage.at('ada', users);
          const boxes = stage.page.getByRole('row').getByRole('checkbox');
          for (const n of [2, 3, 5]) await boxes.nth(n).check();
          await expect(stage.button(say('select_requirement'))).toBeVisible();
        },
      },
      {
        name: 'users-selected-requirement',
        shows: 'A requirement for them',
        go: async ({ page }) => {
          await press(page, say('select_requirement'));
        },
      },
      {
        name: 'users-selected-look',
        shows: 'Who changes by it',
        go: async ({ page }) => {
          await press(page, say('look_go'));
          await expect(page.getByRole('button', { name: say('look_back') })).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'roll-out',
        shows: 'Turn it on for everybody',
        go: async (stage) => {
          await stage.at('ada', rollOut);
          await stage.page
            .getByLabel(say('roll_out_message'))
            .fill('We turn it on for everybody this month. Questions? Ask Ada, room 12.');
        },
        whole: true,
      },
      {
        name: 'roll-out-look',
        shows: 'What happens, and the mail',
        go: async ({ page }) => {
          await page.route('**/requirement/look', async (route) => {
            const real = await (await route.fetch()).json();
            await route.fulfill({
              json: {
                ...real,
                mail: true,
                mailed: real.changed,
                subject: 'Turn on 2-step verification',
                text: 'Hello Ada Lovelace,\n\nTurn on 2-step verification\n\nIt is required for your MailMachine account: after the deadline below, nothing opens without it. Turning it on takes about two minutes and an authenticator app on your phone.\n\nAn administrator of your account writes:\n\n> We turn it on for everybody this month. Questions? Ask Ada, room 12.\n',
              },
            });
          });
          await press(page, say('roll_out_look'));
          await expect(page.getByText(say('roll_out_mail_title'))).toBeVisible();
        },
        whole: true,
      },
    ],
    [
      {
        name: 'roll-out-running',
        shows: 'It is under way',
        go: async (stage) => {
          await stage.as('ada');
          await answer(stage.page, run());
          await stage.open('/parameters/protection/roll-outs/01KKGPQTP0CXJ900X0R2FHK1NB');
          await expect(stage.page.getByText(say('run_note'))).toBeVisible();
        },
        whole: true,
      },
    ],
    [
      {
        name: 'roll-out-done',
        shows: 'How many are protected since',
        go: async (stage) => {
          await stage.as('ada');
          const left = [{ reason: 'off', count: 3 }];
          const over = { state: 'done', done: 1240, changed: 1228, asked: 1237, protected: 967, mailed: 1190 };
          await answer(stage.page, run({ ...over, history: days, left_out: left }));
          await stage.open('/parameters/protection/roll-outs/01KKGPQTP0CXJ900X0R2FHK1NB');
          await expect(stage.page.getByText(say('run_outcome'))).toBeVisible();
        },
        whole: true,
      },
    ],
    [
      {
        name: 'protection-roll-outs',
        shows: 'Protection, with what was asked of many, and reminders',
        go: async (stage) => {
          await stage.as('ada');
          await stage.page.route('**/api/v1/roll-outs', (route) =>
            route.fulfill({
              json: { roll_outs: [run(), run({ id: '01OLD', kind: 'reminder', state: 'done', done: 12, total: 12 })] },
            }),
          );
          await stage.page.route('**/api/v1/mail', (route) => route.fulfill({ json: { sends: true } }));
          await stage.open('/parameters/protection');
          await expect(stage.page.getByText(say('remind_title')).first()).toBeVisible();
        },
        whole: true,
      },
    ],
  ],
};
