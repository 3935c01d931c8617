import { expect, type Page } from '@playwright/test';
import type { Chapter, Stage } from './stage';

/** A reader answers below an article, in a browser of their own. */
async function answers({ browser, options }: Stage, article: string, helpful: string, sentence: string) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(`/help/${article}`);
  await page.getByRole('button', { name: helpful, exact: true }).click();
  await page.getByRole('textbox', { name: /optional/ }).fill(sentence);
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('status')).toBeVisible();
  await context.close();
}

const answered = (page: Page) => expect(page.getByRole('textbox', { name: /optional/ })).toBeVisible();

export const help: Chapter = {
  title: 'Help',
  walks: [
    [
      { name: 'help', shows: 'All articles, without signing in', go: ({ page }) => page.goto('/help'), whole: true },
      {
        name: 'help-article',
        shows: 'An article',
        go: ({ page }) => page.goto('/help/code-not-accepted'),
        whole: true,
      },
      {
        name: 'help-answered',
        shows: 'Below an article: a sentence after the answer',
        go: async ({ page }) => {
          await page.goto('/help/clock?said=no');
          await answered(page);
        },
        whole: true,
      },
      {
        name: 'help-search',
        shows: 'What a search finds',
        go: ({ page }) => page.goto('/help/search?q=lost+phone'),
        whole: true,
      },
      {
        name: 'help-not-found',
        shows: 'An article that is not there',
        go: ({ page }) => page.goto('/help/nothing'),
      },
    ],
    [
      {
        name: 'help-votes',
        shows: 'What readers answered, and what they wrote',
        go: async (stage) => {
          await answers(stage, 'cannot-scan', 'Yes', 'Typing the key by hand did it.');
          await answers(stage, 'lost-phone', 'Yes', 'The file with the codes was in my downloads.');
          await answers(stage, 'sign-in', 'No', 'Where do I find the app on my phone?');
          await stage.at('ada', '/parameters/help');
          await expect(stage.page.getByText('Where do I find the app on my phone?', { exact: true })).toBeVisible();
        },
        whole: true,
      },
    ],
  ],
};
