import { screen, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { m } from '../../paraglide/messages';
import { button, open, pressOn } from '../../testing/open';
import { bo, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const path = '/parameters/help';
const signedIn = { session: sessionOf() };
const weeks = Array.from({ length: 12 }, (_, n) => ({
  begins: `2026-03-${String(n + 1).padStart(2, '0')}`,
  yes: n % 2,
  no: 0,
}));

function article(name: string, title: string, more: object = {}) {
  return { article: name, title, yes: 0, no: 0, open: 0, weeks, ...more };
}
function sentence(id: string, words: string, more: object = {}) {
  const at = '2026-03-10T09:00:00Z';
  return {
    id,
    article: 'sign-in',
    title: 'Sign in',
    locale: 'en',
    helpful: false,
    sentence: words,
    at,
    done_at: null,
    ...more,
  };
}
const votes = () =>
  ok({ articles: [article('audit', 'The audit log'), article('sign-in', 'Sign in', { yes: 1200, no: 3, open: 1 })] });
const page = (sentences: object[], next_cursor: string | null = null) => ok({ sentences, next_cursor });

describe('the help centre', () => {
  it('tells the answers of each article, in figures and over time', async () => {
    reply('GET /help/votes', votes());
    reply('GET /help/sentences', page([]));
    open(path, signedIn);
    const row = await screen.findByRole('row', { name: /^Sign in/ });
    expect(within(row).getByRole('link').getAttribute('href')).toBe('/help/sign-in');
    const cells = within(row)
      .getAllByRole('cell')
      .map((cell) => cell.textContent);
    expect(cells[0]).toContain('1,200');
    expect(cells[1]).toContain('3');
    expect(cells[2]).toContain(m.help_votes_lately({ yes: '6', no: '0' }));
    expect(screen.getByText(m.help_votes_silent({ count: 1, shown: '1' }))).toBeTruthy();
    expect(screen.queryByRole('row', { name: /audit log/ })).toBeNull();
  });

  it('shows what readers wrote, and takes off what is marked as done', async () => {
    reply('GET /help/votes', votes());
    const one = sentence('01ONE', 'No word of <b>keys</b>');
    reply(
      'GET /help/sentences',
      page([one], '01ONE'),
      page([sentence('01TWO', 'Too long', { helpful: true })]),
      page([]),
    );
    reply('PATCH /help/sentences/01ONE', ok());
    const user = open(path, signedIn);
    expect(await screen.findByText('No word of <b>keys</b>', { selector: 'bdi' })).toBeTruthy();
    await user.click(await button(m.events_more()));
    const next = await screen.findByText('Too long', { selector: 'bdi' });
    await expect.poll(() => document.activeElement).toBe(next.closest('li'));
    expect(sent('GET /help/sentences')[1]?.search.get('cursor')).toBe('01ONE');
    await user.click(screen.getByRole('button', { name: pressOn(m.help_votes_mark(), one.sentence) }));
    await screen.findByText(m.help_votes_marked());
    expect(sent('PATCH /help/sentences/01ONE')[0]?.body).toEqual({ done: true });
    await screen.findByText(m.help_votes_none_open());
    await expect.poll(() => document.activeElement?.textContent).toBe(m.help_votes_sentences());
    expect(sent('GET /help/votes').length).toBe(2);
  });

  it('opens again what was marked', async () => {
    reply('GET /help/votes', votes());
    reply('GET /help/sentences', page([]), page([sentence('01ONE', 'Too short')]), page([]));
    reply('PATCH /help/sentences/01ONE', ok());
    const user = open(path, signedIn);
    await screen.findByText(m.help_votes_none_open());
    await user.click(screen.getByRole('radio', { name: m.help_votes_done() }));
    await user.click(await screen.findByRole('button', { name: pressOn(m.help_votes_reopen(), 'Too short') }));
    await screen.findByText(m.help_votes_none_done());
    expect(sent('GET /help/sentences')[1]?.search.get('done')).toBe('true');
    expect(sent('PATCH /help/sentences/01ONE')[0]?.body).toEqual({ done: false });
  });

  it('says so when one was deleted meanwhile, and when nobody has answered yet', async () => {
    reply('GET /help/votes', ok({ articles: [article('audit', 'The audit log')] }));
    reply('GET /help/sentences', page([sentence('01ONE', 'Too short')]));
    reply('PATCH /help/sentences/01ONE', refuse(404, 'no_sentence'));
    const user = open(path, signedIn);
    await screen.findByText(m.help_votes_none());
    await user.click(await screen.findByRole('button', { name: pressOn(m.help_votes_mark(), 'Too short') }));
    await screen.findByText(m.error_no_sentence());
  });

  it('can be asked for again when it fails', async () => {
    reply('GET /help/votes', refuse(500, 'internal'), votes());
    reply('GET /help/sentences', page([]));
    const user = open(path, signedIn);
    await user.click(await button(m.try_again()));
    await screen.findByRole('row', { name: /^Sign in/ });
  });

  it('is not there for a member, who has the help itself in the rail', async () => {
    reply('GET /help/votes', refuse(403, 'not_permitted'));
    open(path, { session: sessionOf(bo) });
    await screen.findByText(m.error_not_permitted());
    expect(screen.queryByRole('link', { name: m.help_votes_title() })).toBeNull();
    expect(screen.getAllByRole('link', { name: m.help_title() })[0]?.getAttribute('href')).toBe('/help/roll-out#after');
  });
});

describe('the way to the help', () => {
  it('stands below the card of whoever is signed out, and leads to what fits', async () => {
    open('/sign-in', {});
    const link = await screen.findByRole('link', { name: m.help_title() });
    expect(link.getAttribute('href')).toBe('/help/sign-in');
  });
});
