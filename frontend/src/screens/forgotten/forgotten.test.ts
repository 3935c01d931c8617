import { cleanup, screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, heading, open } from '../../testing/open';
import { later } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const call = 'POST /forgotten-password';
const link = (name: string) => screen.findByRole('link', { name });

describe('asking for a link', () => {
  it('is led to from the sign-in, with what was typed there, and back to where one wanted to go', async () => {
    reply(call, ok());
    const user = open('/sign-in', { note: { back: '/parameters/users' } });
    await user.type(await screen.findByLabelText(m.email()), 'bo@example.test');
    await user.click(await link(m.forgot_password()));
    await heading(m.forgotten_title());
    const field = screen.getByLabelText(m.email()) as HTMLInputElement;
    expect(field.value).toBe('bo@example.test');
    expect(place.note.back).toBe('/parameters/users');
    await waitFor(() => expect(document.activeElement).toBe(field));
    await user.click(await button(m.forgotten_submit()));
    const said = await heading(m.forgotten_sent_title());
    await screen.findByText(m.forgotten_sent_body({ email: 'bo@example.test' }));
    await waitFor(() => expect(document.activeElement).toBe(said));
    expect(sent(call)[0]?.body).toEqual({ email: 'bo@example.test' });
    // Again, where nothing came: what was typed is there to be looked at.
    await user.click(await button(m.forgotten_again()));
    expect((screen.getByLabelText(m.email()) as HTMLInputElement).value).toBe('bo@example.test');
    expect((await link(m.forgotten_back())).getAttribute('href')).toBe('/sign-in');
  });

  it('asks for what is missing, and says what is wrong with it', async () => {
    reply(call, refuse(422, 'invalid_input', { fields: [{ name: 'email', code: 'email_invalid' }] }));
    const user = open('/forgotten-password');
    await user.click(await button(m.forgotten_submit()));
    await screen.findByText(m.field_required());
    const field = screen.getByLabelText(m.email());
    await waitFor(() => expect(document.activeElement).toBe(field));
    await user.type(field, 'bo{Enter}');
    await screen.findByText(m.field_email_invalid());
    await waitFor(() => expect(document.activeElement).toBe(field));
  });

  it('says when one may ask again, and what to do until then', async () => {
    reply(call, refuse(429, 'too_many_asks', { retry_after_seconds: 1_800 }));
    const user = open('/forgotten-password');
    await user.type(await screen.findByLabelText(m.email()), 'bo@example.test{Enter}');
    await screen.findByText(m.error_too_many_asks());
    await screen.findByText(m.error_too_many_asks_next({ time: '30 minutes' }));
  });

  it('says what else went wrong, and what was typed stays', async () => {
    reply(call, 'unreachable');
    const user = open('/forgotten-password');
    await user.type(await screen.findByLabelText(m.email()), 'bo@example.test{Enter}');
    await screen.findByText(m.error_unreachable());
    expect((screen.getByLabelText(m.email()) as HTMLInputElement).value).toBe('bo@example.test');
  });

  it('promises no mail where none is sent, and names the way that there is', async () => {
    open('/forgotten-password', { mails: false });
    await heading(m.forgotten_title());
    await screen.findByText(m.forgotten_no_mail_lead());
    screen.getByText(m.forgotten_no_mail_ask());
    // A member has no use for the name of a command.
    expect(document.body.textContent).not.toContain('set-password');
    expect(screen.queryByRole('button', { name: m.forgotten_submit() })).toBeNull();
    cleanup();
    // The same where the page is older than the setting.
    reply(call, refuse(409, 'no_mail_server'));
    const user = open('/forgotten-password');
    await user.type(await screen.findByLabelText(m.email()), 'bo@example.test{Enter}');
    await screen.findByText(m.forgotten_no_mail_lead());
  });
});

describe('the page behind the link', () => {
  const look = 'POST /forgotten-password/link';
  const choose = 'POST /forgotten-password/password';
  const good = ok({ name: 'Bo Lindqvist', email: 'bo@example.test', expires_at: later(3_600) });

  it('says how to open it where the link is not whole, and takes the one that is pasted', async () => {
    open('/new-password');
    await heading(m.new_password_no_link_title());
    expect((await link(m.new_password_ask())).getAttribute('href')).toBe('/forgotten-password');
    reply(look, good);
    location.hash = '#token=PASTED';
    window.dispatchEvent(new Event('hashchange'));
    await screen.findByText(m.new_password_lead({ email: 'bo@example.test' }));
    expect(location.hash).toBe('');
    // The same once more.
    location.hash = '#token=PASTED';
    window.dispatchEvent(new Event('hashchange'));
    await waitFor(() => expect(sent(look)).toHaveLength(2));
    await screen.findByText(m.new_password_lead({ email: 'bo@example.test' }));
  });

  it('uses the link at a press and not before, signs nobody in, and leads to the sign-in', async () => {
    reply(look, good);
    reply(choose, ok());
    const user = open('/new-password', { hash: '#token=TOKEN' });
    await heading(m.new_password_title());
    const field = await screen.findByLabelText(m.password_new());
    expect(location.hash).toBe('');
    expect(sent(choose)).toEqual([]);
    await user.type(field, 'seven quiet walnut lamps');
    await screen.findByText(m.strength_label({ strength: m.strength_4() }));
    await user.click(await button(m.new_password_submit()));
    const said = await heading(m.new_password_done_title());
    await waitFor(() => expect(document.activeElement).toBe(said));
    expect(sent(choose)[0]?.body).toEqual({ token: 'TOKEN', password: 'seven quiet walnut lamps' });
    expect(sent('GET /session')).toEqual([]);
    expect((await link(m.new_password_sign_in())).getAttribute('href')).toBe('/sign-in');
  });

  it.each([
    ['password_too_short', { min: 12 }, () => m.field_password_too_short({ min: '12' })],
    ['password_too_long', { max: 128 }, () => m.field_password_too_long({ max: '128' })],
    ['password_too_common', {}, m.field_password_too_common],
    ['password_contains_context', {}, m.field_password_contains_context],
  ])('says why a password is refused, and what was typed stays: %s', async (code, params, words) => {
    reply(look, good);
    reply(choose, refuse(422, 'invalid_input', { fields: [{ name: 'password', code, params }] }));
    const user = open('/new-password', { hash: '#token=TOKEN' });
    const field = (await screen.findByLabelText(m.password_new())) as HTMLInputElement;
    await user.click(await button(m.new_password_submit()));
    await screen.findByText(m.field_required());
    await user.type(field, 'any at all{Enter}');
    await screen.findByText(words());
    expect(field.value).toBe('any at all');
    await waitFor(() => expect(document.activeElement).toBe(field));
  });

  it('says what else went wrong, and the link is still there', async () => {
    reply(look, good);
    reply(choose, 'unreachable', ok());
    const user = open('/new-password', { hash: '#token=TOKEN' });
    await user.type(await screen.findByLabelText(m.password_new()), 'seven quiet walnut lamps{Enter}');
    await screen.findByText(m.error_unreachable());
    await user.click(await button(m.new_password_submit()));
    await heading(m.new_password_done_title());
  });

  it.each([
    ['password_link_used', 410, m.error_password_link_used, true],
    ['password_link_expired', 410, m.error_password_link_expired, true],
    ['password_link_replaced', 410, m.error_password_link_replaced, true],
    ['password_link_withdrawn', 410, m.error_password_link_withdrawn, true],
    ['password_link_unknown', 410, m.error_password_link_unknown, true],
    ['account_disabled', 403, m.error_account_disabled, false],
  ] as const)('says what is the matter with a link, and what to do next: %s', async (code, status, words, another) => {
    const next = async () => {
      await heading(words());
      expect((await link(m.new_password_sign_in())).getAttribute('href')).toBe('/sign-in');
      expect(screen.queryAllByRole('link', { name: m.new_password_ask() })).toHaveLength(another ? 1 : 0);
    };
    reply(look, refuse(status, code));
    open('/new-password', { hash: '#token=OLD' });
    await next();
    cleanup();
    // The same where it happens while the password is chosen.
    reply(look, good);
    reply(choose, refuse(status, code));
    const user = open('/new-password', { hash: '#token=OLD' });
    await user.type(await screen.findByLabelText(m.password_new()), 'seven quiet walnut lamps{Enter}');
    await next();
  });
});
