import { expect } from '@playwright/test';
import { say } from '../kit/words';
import type { Chapter } from './stage';

const settings = '/parameters/settings';

export const settingsScreens: Chapter = {
  title: 'Settings',
  walks: [
    [
      {
        name: 'settings',
        shows: 'What holds for the whole account',
        go: async (stage) => {
          await stage.at('ada', settings);
          await expect(stage.page.getByLabel(say('settings_brand'))).toBeVisible();
        },
      },
      {
        name: 'settings-unreadable',
        shows: 'A colour that people could not read, and the nearest that they can',
        go: async ({ page }) => {
          await page.getByLabel(say('settings_accent'), { exact: true }).fill('#ffd400');
          await expect(page.getByText(say('settings_accent_unreadable', { colour: '#ffd400' }))).toBeVisible();
        },
      },
      {
        name: 'settings-preview',
        shows: 'A colour in the light and in the dark',
        go: async ({ page }) => {
          await page.getByLabel(say('settings_accent'), { exact: true }).fill('#0a7a55');
          await expect(page.getByText(say('settings_preview', { colour: '#0a7a55' }))).toBeVisible();
        },
      },
    ],
  ],
};
