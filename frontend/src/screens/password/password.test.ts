import { screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { estimate } from '../../parts/estimator';
import { button, heading, open } from '../../testing/open';
import { ada, later, openMfa, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const path = '/parameters/users/me/security';
const call = 'POST /users/me/security/password';
const signedIn = { session: sessionOf() };

async function fill(user: ReturnType<typeof open>, wanted: string) {
  await user.type(await screen.findByLabelText(m.password_present()), 'violet tractor humming');
  await user.type(screen.getByLabelText(m.password_new()), wanted);
}

describe('changing the password', () => {
  it('asks for what is missing', async () => {
    const user = open(`${path}/password`, signedIn);
    await heading(m.password_title());
    await user.click(await button(m.password_change()));
    expect(screen.getAllByText(m.field_required())).toHaveLength(2);
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(m.password_present())));
  });

  it.each([
    ['password_too_short', { min: 12 }, () => m.field_password_too_short({ min: '12' })],
    ['password_too_long', { max: 128 }, () => m.field_password_too_long({ max: '128' })],
    ['password_too_common', {}, m.field_password_too_common],
    ['password_contains_context', {}, m.field_password_contains_context],
    ['password_unchanged', {}, m.field_password_unchanged],
  ])('says why under the field, and what was typed stays: %s', async (code, params, words) => {
    reply(call, refuse(422, 'invalid_input', { fields: [{ name: 'new_password', code, params }] }));
    const user = open(`${path}/password`, signedIn);
    await fill(user, 'any at all{Enter}');
    await screen.findByText(words());
    const field = screen.getByLabelText(m.password_new()) as HTMLInputElement;
    expect(field.value).toBe('any at all');
    expect(field.getAttribute('aria-describedby')).toContain('new-password-error');
    await waitFor(() => expect(document.activeElement).toBe(field));
    expect((screen.getByLabelText(m.password_present()) as HTMLInputElement).value).toBe('violet tractor humming');
    // What is changed is not wrong any more, until it is sent again.
    await user.type(field, '!');
    expect(screen.queryByText(words())).toBeNull();
  });

  it('gives a fresh proof with the password that was typed, says when it is wrong, and ends on the Security page', async () => {
    reply(call, refuse(403, 'fresh_proof_required'), refuse(403, 'fresh_proof_required'), ok({ state: 'changed' }));
    reply('POST /session/proof', refuse(422, 'wrong_password'), ok({ fresh_until: later(600), method: 'password' }));
    reply('GET /users/me/security', ok({ user: ada, mfa: openMfa(), enrolment: null }));
    const user = open(`${path}/password`, signedIn);
    await fill(user, 'seven quiet walnut lamps{Enter}');
    await screen.findByText(m.error_wrong_password());
    expect(screen.queryByText(m.proof_title())).toBeNull();
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(m.password_present())));
    await user.click(await button(m.password_change()));
    await screen.findByText(m.told_password_changed());
    expect(place.path).toBe(path);
    expect(sent('POST /session/proof').at(-1)?.body).toEqual({ password: 'violet tractor humming' });
    expect(sent(call).at(-1)?.body).toEqual({
      password: 'violet tractor humming',
      new_password: 'seven quiet walnut lamps',
    });
  });

  it('says what else went wrong', async () => {
    reply(call, 'unreachable');
    const user = open(`${path}/password`, signedIn);
    await fill(user, 'seven quiet walnut lamps{Enter}');
    await screen.findByText(m.error_unreachable());
  });

  it('shows how hard a password would be to guess', async () => {
    const user = open(`${path}/password`, signedIn);
    const field = await screen.findByLabelText(m.password_new());
    await user.type(field, 'password1234');
    await screen.findByText(m.strength_label({ strength: m.strength_1() }));
    await user.clear(field);
    await user.type(field, 'seven quiet walnut lamps');
    await screen.findByText(m.strength_label({ strength: m.strength_4() }));
  });

  const rule = (words: string, met: boolean) => `${words}: ${met ? m.rule_met() : m.rule_not_met()}`;
  const rules = () => [...document.querySelectorAll('#new-password-rules li')].map((line) => line.textContent?.trim());

  it('does not praise what is mostly a name with a hyphen', async () => {
    const ben = { ...ada, name: 'Ben Castellanos-Ruiz', email: 'ben@example.org' };
    const user = open(`${path}/password`, { session: sessionOf(ben) });
    await user.type(await screen.findByLabelText(m.password_new()), 'castellanos-vQ9');
    await screen.findByText(m.strength_label({ strength: m.strength_1() }));
    expect(rules()).toContain(rule(m.rule_context(), false));
  });

  it('nor the password of now, before and after it is refused', async () => {
    reply(call, refuse(422, 'invalid_input', { fields: [{ name: 'new_password', code: 'password_unchanged' }] }));
    const user = open(`${path}/password`, signedIn);
    await fill(user, 'violet tractor humming');
    expect(rules()).toContain(rule(m.rule_other(), false));
    await user.click(await button(m.password_change()));
    await screen.findByText(m.field_password_unchanged());
    expect(screen.queryByText(m.strength_label({ strength: m.strength_4() }))).toBeNull();
    expect(document.querySelector('#new-password-rules .on')).toBeNull();
    await user.type(screen.getByLabelText(m.password_new()), ' today');
    await screen.findByText(m.strength_label({ strength: m.strength_4() }));
    expect(rules()).toHaveLength(2);
  });

  it('nor what the server has refused as it stands', async () => {
    reply(call, refuse(422, 'invalid_input', { fields: [{ name: 'new_password', code: 'password_too_common' }] }));
    const user = open(`${path}/password`, signedIn);
    await fill(user, 'seven quiet walnut lamps');
    const strong = await screen.findByText(m.strength_label({ strength: m.strength_4() }));
    await user.click(await button(m.password_change()));
    await screen.findByText(m.field_password_too_common());
    expect(strong.textContent).toBe(m.password_rules());
  });
});

it.each([
  ['password1234', [], 1],
  ['qwertyuiopasdf', [], 2],
  ['seven quiet walnut lamps', [], 4],
  ['Ada Admin at Example', ['Ada Admin', 'example'], 3],
])('%s is not better than it is', (password, context, most) => {
  expect(estimate(password, context)).toBeLessThanOrEqual(most);
});
