import { expect } from '@playwright/test';
import { carryOver } from '../kit/person';
import { say } from '../kit/words';
import type { Chapter, Scene } from './stage';

const home = (name: string, first: string, shows: string): Scene => ({
  name,
  shows,
  go: (stage) => stage.at(first, '/'),
});

export const atHome: Chapter = {
  title: 'Home',
  walks: [
    [home('home', 'otto', 'Nothing to do')],
    [home('home-off', 'carla', 'Turn it on')],
    [home('home-off-administrator', 'grace', 'Turn it on, for an administrator')],
    [home('home-required', 'kaori', 'Turn it on by a day')],
    [home('home-few-codes', 'farid', 'Few backup codes left')],
    [home('home-no-codes', 'greta', 'No backup code left')],
    [home('home-unfinished', 'dmitri', 'Finish what was begun')],
    [home('home-not-saved', 'elif', 'Save the codes of a setup that was begun')],
    [home('home-not-available', 'noor', 'Not available')],
    [
      {
        name: 'home-was-this-you',
        shows: 'A browser that was not seen before',
        go: async (stage) => {
          const uma = await stage.demo.enrolled('uma');
          const thief = await uma.signIn(uma.codes[3] ?? '');
          await thief.done('GET', '/api/v1/session');
          await carryOver(await uma.signIn(uma.codes[4] ?? ''), stage.page.context());
          await stage.open('/');
        },
      },
    ],
    [
      {
        name: 'account-menu',
        shows: 'The menu of the account, with the theme',
        go: async (stage) => {
          await stage.at('otto', '/');
          await stage.page.getByRole('navigation').getByRole('button').first().click();
          await expect(stage.page.getByText(say('sign_out'))).toBeVisible();
        },
      },
    ],
  ],
};
