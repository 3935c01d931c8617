import { cleanup, screen } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, heading, open } from '../../testing/open';
import { bo, later, recovery, secondStep, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const hash = '#token=TOKEN';

it('wants the password first, and then one press', async () => {
  reply('GET /sign-in', refuse(401, 'not_signed_in'));
  reply('POST /sign-in', ok(secondStep()));
  reply(
    'POST /sign-in/recovery/proof',
    ok(recovery({ state: 'proved', proved_at: later(0), decidable_at: later(86_400) })),
  );
  const user = open('/recovery', { hash });
  await heading(m.recovery_password_title());
  expect(location.hash).toBe('');
  await user.click(await button(m.enrol_sign_in()));
  await user.type(await screen.findByLabelText(m.email()), 'bo@example.test');
  await user.type(screen.getByLabelText(m.password()), 'violet tractor humming{Enter}');
  await heading(m.recovery_confirm_title());
  expect(place.path).toBe('/recovery');
  expect(sent('POST /sign-in/recovery/proof')).toHaveLength(0);
  reply('GET /sign-in', ok(secondStep()));
  reply(
    'GET /sign-in/recovery',
    ok({
      recovery: recovery({ state: 'proved', proved_at: later(0), decidable_at: later(86_400) }),
      askable: false,
      delay_seconds: 86_400,
    }),
  );
  await user.click(await button(m.recovery_confirm()));
  await heading(m.recovery_waiting_title());
  expect(sent('POST /sign-in/recovery/proof')[0]?.body).toEqual({ token: 'TOKEN' });
});

it('needs no password again in the browser that asked a moment ago', async () => {
  reply('GET /sign-in', ok(secondStep()));
  reply('POST /sign-in/recovery/proof', refuse(500, 'internal_fault'), refuse(401, 'not_signed_in'));
  const user = open('/recovery', { hash });
  await user.click(await button(m.recovery_confirm()));
  await screen.findByText(m.error_internal_fault());
  // The sign-in ran out meanwhile: the password once more, and nothing is lost.
  await user.click(await button(m.recovery_confirm()));
  await heading(m.recovery_password_title());
});

it('says what a link is not good for', async () => {
  reply('GET /sign-in', ok(secondStep()));
  reply('POST /sign-in/recovery/proof', refuse(410, 'recovery_link_expired'));
  const user = open('/recovery', { hash });
  await user.click(await button(m.recovery_confirm()));
  await heading(m.error_recovery_link_expired());
  cleanup();
  reply(
    'POST /sign-in/recovery/proof',
    refuse(422, 'invalid_input', { fields: [{ name: 'token', code: 'malformed' }] }),
  );
  const again = open('/recovery', { hash: '#token=OTHER' });
  await again.click(await button(m.recovery_confirm()));
  await heading(m.error_recovery_link_expired());
});

it('somebody who is signed in has nothing to confirm by it', async () => {
  reply('DELETE /session', ok());
  const user = open('/recovery', { hash, session: sessionOf(bo) });
  await heading(m.enrol_other_title({ name: bo.name }));
  await user.click(await button(m.enrol_other_sign_out()));
  await heading(m.sign_in_title());
  expect(place.note.back).toBe('/recovery');
});
