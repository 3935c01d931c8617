import { cleanup, screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import { connection } from './api/connection.svelte';
import { sessionIs } from './installation';
import { localPath, place } from './navigation.svelte';
import { m } from './paraglide/messages';
import { match } from './routes';
import { button, heading, open } from './testing/open';
import { ada, bo, openMfa, protectedMfa, sessionOf } from './testing/people';
import { ok, refuse, reply, sent } from './testing/server';
import { theme } from './theme.svelte';

const mine = ok({ user: ada, mfa: protectedMfa(), enrolment: null });

describe('the page around the screens', () => {
  it('knows what it does not have', async () => {
    open('/nowhere/at/all');
    await heading(m.not_found_title());
    expect(document.title).toBe('There is nothing here – MailMachine');
  });

  it('takes a visitor to the sign-in without asking in vain, and remembers where they wanted to go', async () => {
    open('/parameters/users?query=bo');
    await heading(m.sign_in_title());
    expect(place.note.back).toBe('/parameters/users?query=bo');
    expect(sent('GET /session')).toHaveLength(0);
  });

  it('takes whoever is signed in from the sign-in to Home, at once or on the way back', async () => {
    reply('GET /users/me/security', mine);
    open('/sign-in', { session: sessionOf() });
    await heading(m.home_hello({ name: ada.name }));
    expect(place.path).toBe('/');
    place.go('/sign-in');
    await waitFor(() => expect(place.path).toBe('/'));
    expect(screen.queryByText(m.sign_in_title())).toBeNull();
    expect(sent('GET /session')).toHaveLength(1);
  });

  it('shows the sign-in when the session that was thought to live does not', async () => {
    open('/sign-in');
    await heading(m.sign_in_title());
    place.go('/nowhere/at/all');
    await heading(m.not_found_title());
    sessionIs('live');
    reply('GET /session', refuse(401, 'session_ended'));
    place.go('/sign-in');
    await waitFor(() => expect(sent('GET /session')).toHaveLength(1));
    await heading(m.sign_in_title());
  });

  it('says that the session has ended, in the middle of something', async () => {
    reply('GET /users/me/security', refuse(401, 'session_ended'));
    open('/', { session: sessionOf() });
    await screen.findByText(m.session_ended_title());
    expect(place.path).toBe('/sign-in');
  });

  it('moves the focus to the heading of a new screen', async () => {
    reply('GET /users/me/security', mine);
    const user = open('/', { session: sessionOf() });
    await heading(m.home_hello({ name: ada.name }));
    reply('GET /users', ok({ users: [], next_cursor: null, total: 0 }));
    await user.click(screen.getAllByRole('link', { name: m.nav_users() })[0] as HTMLElement);
    const title = await heading(m.users_title());
    await waitFor(() => expect(document.activeElement).toBe(title));
  });

  it('signs out and says so', async () => {
    reply('GET /users/me/security', mine);
    reply('DELETE /session', 'unreachable', ok());
    const user = open('/', { session: sessionOf() });
    await user.click(await button(/^Ada Admin/));
    await user.click(await button(m.sign_out()));
    await screen.findByText(m.sign_out_failed());
    await user.click(await button(m.sign_out()));
    await screen.findByText(m.told_signed_out());
    // Told once: who comes back to this entry, or reloads it, reads it no more.
    expect(history.state.told).toBeUndefined();
  });

  it('has in the menu what the bar of a small window leaves out, and for administrators alone', async () => {
    for (const [who, some] of [
      [sessionOf(), true],
      [sessionOf(bo), false],
    ] as const) {
      reply('GET /users/me/security', mine);
      const user = open('/', { session: who });
      await user.click(await button(new RegExp(`^${who.user.name}`)));
      const menu = document.getElementById('account-menu');
      for (const path of ['/parameters/settings', '/parameters/help'])
        expect(menu?.querySelector(`a[href="${path}"]`) !== null).toBe(some);
      cleanup();
    }
  });

  it('changes the theme', async () => {
    reply('GET /users/me/security', mine);
    const user = open('/', { session: sessionOf() });
    await user.click(await button(/^Ada Admin/));
    await user.click(screen.getByLabelText(m.theme_dark()));
    expect(document.documentElement.dataset.theme).toBe('dark');
    theme.choose('system');
    expect(document.documentElement.dataset.theme).toBeUndefined();
  });
});

describe('the way to the server', () => {
  it('waits for a server that restarts, and goes on by itself or by a press', async () => {
    reply('GET /users/me/security', 'unreachable', 'unreachable', mine);
    const none = ok({ events: [], next_cursor: null });
    reply('GET /users/me/security/events', 'unreachable', 'unreachable', none);
    reply('GET /protection/warnings', 'unreachable', 'unreachable', ok({ warnings: [] }));
    reply('GET /tickets', 'unreachable', 'unreachable', ok({ tickets: [], next_cursor: null, open: 0 }));
    const user = open('/', { session: sessionOf() });
    await screen.findByText(m.banner_unreachable());
    await user.click(await button(m.try_now()));
    await waitFor(() => expect(sent('GET /users/me/security')).toHaveLength(2));
    connection.tryNow();
    await screen.findByText(m.home_calm());
    expect(screen.queryByText(m.banner_unreachable())).toBeNull();
  });

  it('says that it is offline, and goes on when the network is back', async () => {
    const online = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    reply('GET /users/me/security', 'unreachable', mine);
    reply('GET /protection/warnings', 'unreachable', ok({ warnings: [] }));
    open('/', { session: sessionOf() });
    await screen.findByText(m.banner_offline());
    online.mockReturnValue(true);
    window.dispatchEvent(new Event('online'));
    await screen.findByText(m.home_calm());
  });

  it('offers a reload when the server is a newer one', async () => {
    const newer = ok({ user: ada, mfa: openMfa(), enrolment: null }, { 'Secondstep-Version': 'newer' });
    reply('GET /users/me/security', newer);
    open('/', { session: sessionOf() });
    await screen.findByText(m.banner_outdated());
    expect(await button(m.reload_page())).toBeTruthy();
  });
});

describe('addresses', () => {
  // Row 8 of security.md: to where a sign-in leads. It is asked at each use, since what is remembered is the browser's.
  it.each([
    ['/parameters/users?query=a', '/parameters/users?query=a'],
    ['//evil.example', undefined],
    ['\t//evil.example', undefined],
    ['/\t/evil.example', undefined],
    ['/\n\\evil.example', undefined],
    ['https:evil.example', undefined],
    ['https://localhost@evil.example', undefined],
    ['/%2f%2fevil.example', '/%2f%2fevil.example'],
    ['/%252f%252fevil.example', '/%252f%252fevil.example'],
    ['/@evil.example', '/@evil.example'],
    ['/\\evil.example', undefined],
    ['https://evil.example/', undefined],
    ['javascript:alert(1)', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s is a local path: %s', (path, expected) => expect(localPath(path)).toBe(expected));

  it('a route forgives a trailing slash, and keeps a wizard mounted from step to step', () => {
    expect(match('/parameters/users/')?.route.path).toBe('/parameters/users');
    const one = match('/parameters/users/me/security/enable/app');
    const two = match('/parameters/users/me/security/enable/scan');
    expect(one?.key).toBe(two?.key);
    expect(two?.params).toEqual({ id: 'me', step: 'scan' });
    expect(match('/parameters/users/01A/security')?.key).not.toBe(match('/parameters/users/01B/security')?.key);
  });
});
