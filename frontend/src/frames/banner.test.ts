import { cleanup, screen, waitFor, within } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';
import { m } from '../paraglide/messages';
import { button, heading, open } from '../testing/open';
import { bo, later, openMfa, protectedMfa, sessionOf } from '../testing/people';
import { ok, refuse, reply, sent } from '../testing/server';

const asked = (more: Record<string, unknown> = {}) => ({
  id: '01TICKET',
  reference: '7KQ2M-XW4TD',
  state: 'asked',
  asked_at: later(-600),
  browser: 'Firefox on Windows',
  address: '192.0.2.7',
  expires_at: later(86_000),
  delay_seconds: 172_800,
  can_confirm: true,
  ...more,
});

function at(more: Record<string, unknown> = {}, session: Record<string, unknown> = {}) {
  reply('GET /users/me/security', ok({ user: bo, mfa: protectedMfa(), enrolment: null }));
  reply('GET /users/me/security/recovery', ok({ recovery: asked(more) }));
  return open('/', { session: sessionOf(bo, { recovery: 'asked', ...session }) });
}

it('a signed-in browser is told who asks, and stops it with one press', async () => {
  const user = at();
  const box = await screen.findByRole('alert');
  within(box).getByText(/Firefox on Windows, 192\.0\.2\.7/);
  reply('POST /users/me/security/recovery/stop', ok());
  reply('GET /session', ok(sessionOf(bo, { recovery: '' })));
  await user.click(await button(m.stop_this()));
  await screen.findByText(m.recovery_stop_done());
  expect(screen.getByRole('link', { name: m.recovery_stop_secure() }).getAttribute('href')).toBe(
    '/parameters/users/me/security/not-me',
  );
  await user.click(await button(m.close()));
  await waitFor(() => expect(screen.queryByText(m.recovery_stop_done())).toBeNull());
});

it('is most urgent when somebody is let in', async () => {
  at({ state: 'approved', can_confirm: false }, { recovery: 'approved' });
  const box = within(await screen.findByRole('alert'));
  box.getByText(m.recovery_banner_approved());
  box.getByText(m.recovery_banner_approved_body());
  expect(screen.queryByText(m.recovery_banner_title())).toBeNull();
  await button(m.stop_this());
});

it('another request is another alarm', async () => {
  const user = at();
  await button(m.stop_this());
  reply('POST /users/me/security/recovery/stop', ok());
  reply('GET /session', ok(sessionOf(bo, { recovery: '' })), ok(sessionOf(bo, { recovery: 'asked' })));
  await user.click(await button(m.stop_this()));
  await screen.findByText(m.recovery_stop_done());
  reply('GET /users/me/security/recovery', ok({ recovery: asked({ id: '01OTHER', browser: 'Safari on iPhone' }) }));
  await user.click(await button(m.close()));
  await screen.findByText(/Safari on iPhone/);
  await button(m.stop_this());
});

it('one that is over already needs no stopping, and a fault is said', async () => {
  const user = at();
  reply('POST /users/me/security/recovery/stop', refuse(500, 'internal_fault'), refuse(404, 'no_recovery'));
  await button(m.stop_this());
  reply('GET /session', ok(sessionOf(bo, { recovery: '' })));
  await user.click(await button(m.stop_this()));
  await screen.findByText(m.error_internal_fault());
  await user.click(await button(m.stop_this()));
  await screen.findByText(m.recovery_stop_done());
});

it('it was me: the password stands in for the mailed link', async () => {
  const user = at();
  reply(
    'POST /users/me/security/recovery/confirm',
    refuse(422, 'wrong_password'),
    ok({ recovery: asked({ state: 'proved', can_confirm: false }) }),
  );
  await user.click(await button(m.recovery_me()));
  await screen.findByText(m.recovery_me_body({ time: '2 days' }));
  const dialog = within(await screen.findByRole('dialog'));
  await user.click(dialog.getByRole('button', { name: m.recovery_me_confirm() }));
  await dialog.findByText(m.field_required());
  await user.type(dialog.getByLabelText(m.password()), 'not it{Enter}');
  await dialog.findByText(m.error_wrong_password());
  await user.type(dialog.getByLabelText(m.password()), 'violet tractor humming{Enter}');
  await screen.findByText(m.recovery_me_done());
  await user.click(await button(m.close()));
  await button(m.stop_this());
  expect(screen.queryByRole('button', { name: m.recovery_me() })).toBeNull();
});

it('says nothing in the browser that is let back in, nor where nobody asks', async () => {
  reply('GET /users/me/security', ok({ user: bo, mfa: openMfa(), enrolment: null }));
  const byLink = { confined_to: 'enrolment', signed_in_with: ['password', 'enrolment_link'], recovery: '' };
  open('/', { session: sessionOf(bo, byLink) });
  await heading(m.wizard_title());
  expect(sent('GET /users/me/security/recovery')).toHaveLength(0);
  cleanup();
  open('/', { session: sessionOf(bo, { recovery: '' }) });
  await heading(m.home_hello({ name: bo.name }));
  expect(sent('GET /users/me/security/recovery')).toHaveLength(0);
});

it('a page that was open for long learns of it when it is looked at again', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  reply('GET /users/me/security', ok({ user: bo, mfa: protectedMfa(), enrolment: null }));
  open('/', { session: sessionOf(bo, { recovery: '' }) });
  await heading(m.home_hello({ name: bo.name }));
  reply('GET /session', ok(sessionOf(bo, { recovery: 'asked' })));
  reply('GET /users/me/security/recovery', ok({ recovery: asked({ can_confirm: false }) }));
  document.dispatchEvent(new Event('visibilitychange'));
  await vi.advanceTimersByTimeAsync(100);
  expect(screen.queryByText(m.recovery_banner_title())).toBeNull();
  await vi.advanceTimersByTimeAsync(61_000);
  document.dispatchEvent(new Event('visibilitychange'));
  await screen.findByText(m.recovery_banner_title());
});

it('goes by itself when the time of the request is over', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  at({ expires_at: later(30) });
  await screen.findByText(m.recovery_banner_title());
  reply('GET /session', ok(sessionOf(bo, { recovery: '' })));
  reply('GET /users/me/security/recovery', ok({ recovery: null }));
  await vi.advanceTimersByTimeAsync(31_000);
  expect(screen.queryByText(m.recovery_banner_title())).toBeNull();
  expect(screen.queryByRole('button', { name: m.stop_this() })).toBeNull();
});

it('stays while the request got more time meanwhile', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  at({ state: 'approved', can_confirm: false, expires_at: later(30) });
  await screen.findByText(m.recovery_banner_approved());
  reply('GET /session', ok(sessionOf(bo, { recovery: 'approved' })));
  reply('GET /users/me/security/recovery', ok({ recovery: asked({ state: 'approved', expires_at: later(4_000) }) }));
  await vi.advanceTimersByTimeAsync(31_000);
  await screen.findByText(m.recovery_banner_approved());
});
