import { expect } from '@playwright/test';
import type { Chapter, Stage } from './stage';

/** Fields of the help's own pages, by their words. */
async function fill({ page }: Stage, fields: Record<string, string>): Promise<void> {
  for (const [label, text] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(text);
}

export const tickets: Chapter = {
  title: 'Tickets',
  walks: [
    [
      {
        name: 'contact',
        shows: 'Writing to the support without an account',
        go: ({ page }) => page.goto('/help/contact'),
        whole: true,
      },
      {
        name: 'contact-mended',
        shows: 'What is to be mended stands at its field, and nothing that was typed is lost',
        go: async (stage) => {
          await stage.page.evaluate(() => document.querySelector('main form')?.setAttribute('novalidate', ''));
          await fill(stage, {
            'Your name': 'Grace Hopper',
            'Your e-mail address': 'grace',
            'Your message': 'It says no.',
          });
          await stage.button('Send').click();
          await expect(stage.page.getByRole('alert')).toBeVisible();
        },
        whole: true,
      },
      {
        name: 'contact-sent',
        shows: 'With a mail server: a link is on its way',
        go: ({ page }) => page.goto('/help/contact?said=sent'),
        whole: true,
      },
      {
        name: 'contact-opened',
        shows: 'Without one: reference and key, this once',
        go: async (stage) => {
          await stage.page.goto('/help/contact');
          await fill(stage, {
            'Your name': 'Grace Hopper',
            'Your e-mail address': 'grace@example.net',
            'What is it about?': 'My code is refused',
            'Your message': 'It says that my phone is six minutes slow.\n\nWhere do I set its clock?',
          });
          await stage.button('Send').click();
          await expect(stage.page.getByRole('status')).toBeVisible();
        },
        whole: true,
      },
      {
        name: 'own-ticket',
        shows: 'A ticket, as whoever wrote it sees it',
        go: async (stage) => {
          await stage.button('Open my ticket').click();
          await expect(stage.button('It is solved')).toBeVisible();
        },
        whole: true,
      },
      {
        name: 'own-ticket-key',
        shows: 'Reference and key are asked for',
        go: ({ page }) => page.goto('/help/ticket'),
        whole: true,
      },
    ],
    [
      {
        name: 'own-tickets',
        shows: 'The tickets of whoever is signed in',
        go: async (stage) => {
          await stage.as('ben');
          await stage.page.goto('/help/ticket');
        },
        whole: true,
      },
      {
        name: 'own-ticket-answered',
        shows: 'An answer of the support',
        go: ({ page }) => page.getByRole('link', { name: /sign-in in the list/ }).click(),
        whole: true,
      },
    ],
    [
      {
        name: 'tickets',
        shows: 'What waits for the support',
        go: (stage) => stage.at('ada', '/parameters/tickets?state=all'),
        whole: true,
      },
      {
        name: 'ticket',
        shows: 'A ticket of a stranger, where no mail proves the address',
        go: async (stage) => {
          await stage.link('I never got my invitation').click();
          await expect(stage.page.getByRole('textbox')).toBeVisible();
        },
        whole: true,
      },
      {
        name: 'ticket-solved',
        shows: 'A ticket that is solved',
        go: async (stage) => {
          await stage.open('/parameters/tickets?state=solved');
          await stage.link('Which app should I take?').click();
          await expect(stage.page.getByText('Thank you, I will.')).toBeVisible();
        },
        whole: true,
      },
      {
        name: 'tickets-none',
        shows: 'No ticket is like what is looked for',
        go: (stage) => stage.open('/parameters/tickets?query=nobody'),
      },
    ],
  ],
};
