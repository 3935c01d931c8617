import { expect, type Page } from '@playwright/test';
import { say } from '../kit/words';
import type { Chapter } from './stage';

const audit = '/parameters/audit';
const rows = (page: Page) => page.locator('li.item');

export const auditLog: Chapter = {
  title: 'Audit log',
  walks: [
    [
      {
        name: 'audit',
        shows: 'What happened on the account, the newest first',
        go: async (stage) => {
          await stage.at('ada', audit);
          await expect(rows(stage.page)).toHaveCount(25);
        },
      },
      {
        name: 'audit-details',
        shows: 'All that is stored of an event',
        go: async ({ page }) => {
          await rows(page).first().getByRole('button').click();
          await expect(rows(page).first()).toContainText('request_id');
        },
      },
      {
        name: 'audit-checkpoint',
        shows: 'A checkpoint is saved',
        go: async (stage) => {
          await stage.button(say('audit_checkpoint')).click();
          await expect(stage.page.getByRole('status').first()).not.toBeEmpty();
        },
      },
    ],
    [
      {
        name: 'audit-refused',
        shows: 'What was refused',
        go: async (stage) => {
          await stage.at('ada', `${audit}?result=refused`);
          await expect(rows(stage.page)).not.toHaveCount(0);
        },
      },
      {
        name: 'audit-none',
        shows: 'Nothing fits',
        go: async (stage) => {
          await stage.open(`${audit}?result=fault`);
          await expect(stage.page.getByText(say('audit_none_title'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'audit-member',
        shows: 'A member asks for it',
        go: async (stage) => {
          await stage.as('otto');
          await stage.page.goto(audit);
          await expect(stage.page.getByRole('alert')).toBeVisible();
        },
      },
    ],
  ],
};
