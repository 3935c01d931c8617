import { screen, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { button, heading, open } from '../../testing/open';
import { ada, bo, later, openMfa, secondStep, sessionOf } from '../../testing/people';
import { ok, refuse, refuseCode, reply, sent } from '../../testing/server';
import { link, tokenIn } from './link';

const redeem = 'POST /sign-in/enrolment-link';
const token = 'q3Zt0GJx-2m7nV_YkWc1f4bLr8sQpEo5uTi9hDaN6Xw';
const waits = () => ({ state: 'enrolment_link_required', expires_at: later(300) });
const confined = sessionOf(bo, { confined_to: 'enrolment', signed_in_with: ['password', 'enrolment_link'] });

async function giveCredentials(user: ReturnType<typeof open>) {
  await user.type(await screen.findByLabelText(m.email()), 'bo@example.test');
  await user.type(screen.getByLabelText(m.password()), 'violet tractor humming{Enter}');
}

function opens() {
  reply(redeem, ok({ state: 'enrolment_required' }));
  reply('GET /session', ok(confined));
  reply('GET /users/me/security', ok({ user: bo, mfa: openMfa(), enrolment: null, reset: null, codes_blocked: null }));
}

beforeEach(() => link.forget());

describe('an enrolment link', () => {
  it('is taken out of the address, asks for the password, and leads into the wizard', async () => {
    reply('POST /sign-in', ok(waits()));
    opens();
    const user = open('/enrol', { hash: `#token=${token}` });
    await screen.findByText(m.sign_in_link_title());
    expect(location.href).not.toContain(token);
    expect(JSON.stringify(history.state)).not.toContain(token);
    await giveCredentials(user);
    await heading(m.wizard_title());
    expect(sent(redeem).map((call) => call.body)).toEqual([{ token }]);
    await screen.findByText(m.wizard_by_link());
    expect(screen.queryByText(m.home_required_now())).toBeNull();
    expect(link.kept()).toBeUndefined();
  });

  it('is taken in place of the second step where its person is let back in', async () => {
    const letIn = { ...secondStep(), recovery: 'approved' };
    reply('POST /sign-in', ok(letIn));
    opens();
    const user = open('/enrol', { hash: `#token=${token}` });
    await giveCredentials(user);
    await heading(m.wizard_title());
    expect(sent(redeem).map((call) => call.body)).toEqual([{ token }]);
  });

  it('can be typed in by whoever is let back in, whose old second step still works', async () => {
    reply('GET /sign-in', ok({ ...secondStep(), recovery: 'approved' }));
    open('/second-step/enrolment-link');
    await screen.findByText(m.link_step_lead_back());
    expect(screen.queryByText(m.link_step_ask())).toBeNull();
    expect(screen.getByRole('link', { name: m.use_app_code() }).getAttribute('href')).toBe('/second-step');
  });

  it('survives a reload between the link and the password', async () => {
    sessionStorage.setItem('secondstep-enrolment-link', token);
    open('/enrol');
    await screen.findByText(m.sign_in_link_title());
    expect(place.path).toBe('/sign-in');
  });

  it('does where the browser keeps nothing', async () => {
    const refuses = () => {
      throw new DOMException('denied', 'SecurityError');
    };
    vi.stubGlobal('sessionStorage', { getItem: refuses, setItem: refuses, removeItem: refuses });
    open('/enrol', { hash: `#token=${token}` });
    await screen.findByText(m.sign_in_link_title());
    expect(link.kept()).toBe(token);
  });

  it('is nothing without its token', async () => {
    open('/enrol');
    await heading(m.enrol_no_link_title());
    expect(screen.getByRole('link', { name: m.enrol_sign_in() })).toBeTruthy();
  });

  it('that is not good says what to do, and takes another', async () => {
    reply('POST /sign-in', ok(waits()));
    sessionStorage.setItem('secondstep-enrolment-link', 'used');
    opens();
    reply(redeem, refuse(410, 'enrolment_link_expired'), ok({ state: 'enrolment_required' }));
    const user = open('/sign-in');
    await giveCredentials(user);
    await screen.findByText(m.error_enrolment_link_expired());
    expect(link.kept()).toBeUndefined();
    const field = await screen.findByLabelText(m.link_step_field());
    await waitFor(() => expect(document.activeElement).toBe(field));
    await user.type(field, `https://id.example.test/enrol#token=${token}`);
    await user.click(await button(m.continue()));
    await heading(m.wizard_title());
    expect(sent(redeem).map((call) => call.body.token)).toEqual(['used', token]);
  });

  it('asks whoever is signed in here before it signs them out', async () => {
    reply('DELETE /session', ok());
    const user = open('/enrol', { hash: `#token=${token}`, session: sessionOf(ada) });
    await heading(m.enrol_other_title({ name: ada.name }));
    await user.click(await button(m.enrol_other_sign_out()));
    await screen.findByText(m.sign_in_link_title());
    expect(sent('DELETE /session')).toHaveLength(1);
  });

  it('may be left alone by whoever is signed in here', async () => {
    reply(
      'GET /users/me/security',
      ok({ user: ada, mfa: openMfa(), enrolment: null, reset: null, codes_blocked: null }),
    );
    const user = open('/enrol', { hash: `#token=${token}`, session: sessionOf(ada) });
    await user.click(await button(m.enrol_other_stay({ name: ada.name })));
    await heading(m.home_hello({ name: ada.name }));
    expect(link.kept()).toBeUndefined();
  });

  it('is forgotten where the sign-in wants none', async () => {
    sessionStorage.setItem('secondstep-enrolment-link', token);
    reply('POST /sign-in', ok(secondStep()));
    await giveCredentials(open('/sign-in'));
    await heading(m.second_step_heading());
    expect(link.kept()).toBeUndefined();
    // And not in silence.
    await screen.findByText(m.link_spent_title());
    await screen.findByText(m.link_spent_body());
  });
});

describe('after a reset, without the link', () => {
  it('says what lacks and whom to ask, and takes no code', async () => {
    reply('POST /sign-in', ok(waits()));
    const user = open('/sign-in');
    await giveCredentials(user);
    await heading(m.link_step_title());
    expect(screen.getByText(m.link_step_ask())).toBeTruthy();
    expect(screen.queryByLabelText(m.code_label())).toBeNull();
    await user.click(await button(m.continue()));
    await screen.findByText(m.field_required());
    expect(sent(redeem)).toHaveLength(0);
  });

  it.each(['/second-step', '/second-step/backup-code'])('a reload of %s leads there', async (path) => {
    reply('GET /sign-in', ok(waits()));
    open(path);
    await heading(m.link_step_title());
    expect(place.path).toBe('/second-step/enrolment-link');
  });

  it('a reload where a second step is wanted leads to that', async () => {
    reply('GET /sign-in', ok(secondStep()));
    open('/second-step/enrolment-link');
    await heading(m.second_step_heading());
  });

  it.each(['too_many_attempts', 'sign_in_expired'])('starts again at %s', async (reason) => {
    reply('GET /sign-in', ok(waits()));
    reply(redeem, refuseCode({ reason, start_again: true }));
    const user = open('/second-step/enrolment-link');
    await user.type(await screen.findByLabelText(m.link_step_field()), `${token}{Enter}`);
    await user.click(await button(m.start_again()));
    await heading(m.sign_in_title());
  });
});

describe('what is pasted', () => {
  it.each([
    [`https://id.example.test/enrol#token=${token}`],
    [`  ${token}\n`],
    [`#token=${token}`],
    [`token=${token}`],
  ])('%j has the token in it', (text) => expect(tokenIn(text)).toBe(token));
});
