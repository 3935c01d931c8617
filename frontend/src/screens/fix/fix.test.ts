import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import type { UserEvent } from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { m } from '../../paraglide/messages';
import { button, heading, open } from '../../testing/open';
import { ada, later, openMfa, protectedMfa, secondStep, sessionOf } from '../../testing/people';
import { ok, refuse, refuseCode, reply, sent } from '../../testing/server';

const on = { state: 'on', requirement: 'allowed', deadline: null };
const signedIn = { session: sessionOf(ada, { mfa: on }) };
const serverIs = (ahead: number) =>
  reply('GET /time', () => ok({ now: new Date(Date.now() + ahead * 1_000).toISOString() }));
const nobody = () => reply('GET /sign-in', refuse(401, 'not_signed_in'));
const pending = () => reply('GET /sign-in', ok(secondStep()));
/** Types Ada's address and password into the form that asks for them before a test. */
async function typePassword(user: UserEvent) {
  await user.type(await screen.findByLabelText(m.email()), 'ada@example.test');
  await user.type(screen.getByLabelText(m.password()), 'violet tractor humming');
}
/** Gives them, at first in vain. */
async function signInAfterRefusal(user: UserEvent) {
  await typePassword(user);
  reply('POST /sign-in', refuse(401, 'bad_credentials'), ok(secondStep()));
  await user.click(await button(m.continue()));
  await screen.findByText(m.error_bad_credentials());
  pending();
  await user.click(await button(m.continue()));
}
const field = () => screen.findByLabelText(m.code_label());

beforeEach(() => {
  serverIs(0);
  nobody();
});

describe('the index', () => {
  it('leads to every path', async () => {
    open('/fix');
    await heading(m.fix_title());
    const ways = screen.getAllByRole('listitem').map((one) => within(one).getByRole('link').getAttribute('href'));
    expect(ways).toEqual(['/fix/code', '/fix/scan', '/fix/backup-code', '/fix/phone', '/fix/mail']);
    await waitFor(() => expect(document.title).toContain(m.fix_title()));
  });

  it('knows no other', async () => {
    open('/fix/everything');
    await heading(m.not_found_title());
  });

  it('opens each page by itself, as the policy of a page stays what it was', async () => {
    open('/fix/mail', { mails: false });
    reply('GET /mail/sender', ok({ sends: false, from: '' }));
    const link = await screen.findByRole('link', { name: m.fix_all() });
    link.addEventListener('click', (event) => event.preventDefault());
    await fireEvent.click(link);
    expect(link.getAttribute('target')).toBe('_self');
  });
});

describe('the clock', () => {
  it.each([
    ['right', 0, 'right', m.fix_clock_right()],
    ['a little behind', 12, 'slight', m.fix_clock_behind({ span: '12 seconds' })],
    ['six minutes behind', 360, 'wrong', m.fix_clock_behind({ span: '6 minutes' })],
    ['an hour ahead', -3_600, 'wrong', m.fix_clock_ahead({ span: '1 hour' })],
  ])('%s is told, with the doubt there is', async (_, ahead, judged, title) => {
    serverIs(ahead);
    open('/fix/code');
    await screen.findByText(title);
    const box = document.querySelector(`[data-clock="${judged}"]`);
    expect(box?.textContent).toMatch(/give or take 0(\.\d+)? seconds/);
    expect(sent('GET /time')).toHaveLength(5);
  });

  it('can be compared again, and says when it can not', async () => {
    reply('GET /time', 'unreachable');
    const user = open('/fix/code');
    await screen.findByText(m.error_unreachable());
    serverIs(360);
    await user.click(await button(m.fix_clock_again()));
    await screen.findByText(m.fix_clock_behind({ span: '6 minutes' }));
    expect(screen.queryByText(m.error_unreachable())).toBeNull();
  });
});

describe('the steps', () => {
  it('are for the device that is chosen, and for the app', async () => {
    const user = open('/fix/code');
    const steps = await screen.findByLabelText(m.fix_device());
    expect(screen.getByText(m.iphone_time_1())).toBeTruthy(); // on a computer: the phone is another device
    await user.selectOptions(steps, m.fix_windows());
    await screen.findByText(m.windows_time_3());
    await user.selectOptions(steps, m.fix_mac());
    await screen.findByText(m.mac_time_1());
    await user.selectOptions(steps, m.fix_android());
    await screen.findByText(m.android_time_1());
    await user.selectOptions(screen.getByLabelText(m.fix_app()), 'Google Authenticator');
    await screen.findByText(m.fix_app_google());
    await user.selectOptions(screen.getByLabelText(m.fix_app()), '1Password');
    await screen.findByText(m.fix_app_devices());
    expect(screen.queryByText(m.fix_app_google())).toBeNull();
  });

  it('are those of the phone that this is read on', async () => {
    vi.spyOn(navigator, 'userAgent', 'get').mockReturnValue('Mozilla/5.0 (Linux; Android 15; Pixel 9)');
    open('/fix/code');
    await screen.findByText(m.android_time_1());
    expect(screen.queryByText(m.fix_clock_phone())).toBeNull();
  });

  it('are those of the computer whose own clock is wrong', async () => {
    vi.spyOn(navigator, 'userAgent', 'get').mockReturnValue('Mozilla/5.0 (Windows NT 10.0; Win64; x64)');
    serverIs(360);
    open('/fix/code');
    await screen.findByText(m.windows_time_1());
    // Before a code is tested.
    const order = screen.getAllByRole('heading', { level: 2 }).map((one) => one.textContent);
    expect(order.indexOf(m.fix_time_heading())).toBeLessThan(order.indexOf(m.fix_test_heading()));
  });
});

describe('a code that is tested', () => {
  const test = 'POST /session/code-check';
  const right = {
    accepted: true,
    factor: 'totp',
    name: 'iPhone',
    label: 'MailMachine: ada',
    offset_seconds: 0,
    next_code_in_seconds: 17,
  };

  it('is told what it is, and what comes next', async () => {
    reply(test, ok(right), ok({ ...right, offset_seconds: -30 }));
    const user = open('/fix/code', signedIn);
    await user.type(await field(), '123456');
    await screen.findByText(m.fix_right_title());
    expect(sent(test)[0]?.body).toMatchObject({ code: '123456', browser_now: expect.any(String) });
    expect(screen.getByText(/MailMachine: ada/).closest('p')?.textContent).toContain(m.fix_right_time());
    expect(screen.getByText(/next code comes in 1\d seconds/)).toBeTruthy();
    await waitFor(() => expect(document.activeElement?.textContent).toContain(m.fix_right_title()));
    await user.type(await field(), '123457');
    await screen.findByText(new RegExp(m.fix_right_behind({ span: '30 seconds' })));
  });

  it('is explained as at the sign-in, without a link to where one is', async () => {
    reply(test, refuseCode({ reason: 'clock_behind', offset_seconds: -360, attempts_left: 7 }));
    const user = open('/fix/code', signedIn);
    await user.type(await field(), '123456');
    await screen.findByText(m.clock_behind_title({ span: '6 minutes' }));
    expect(screen.queryByRole('link', { name: m.fix_find_out() })).toBeNull();
    expect(screen.getAllByRole('link', { name: m.help_more() })).toHaveLength(1);
  });

  it('is not taken when the last tries are kept for signing in', async () => {
    reply(test, refuseCode({ reason: 'too_many_attempts', kept_for_sign_in: true, retry_after_seconds: 1_800 }));
    const user = open('/fix/code', signedIn);
    await user.type(await field(), '123456');
    await screen.findByText(m.tests_kept_title());
    expect((await button(m.fix_test_press())).hasAttribute('disabled')).toBe(true);
  });

  it('says how many tests are left', async () => {
    const wrong = (left: number) => refuseCode({ reason: 'wrong_code', setup_label: 'M: a@b', attempts_left: left });
    reply(test, wrong(2), wrong(0));
    const user = open('/fix/code', signedIn);
    await user.type(await field(), '123456');
    await screen.findByText(m.fix_tests_left({ count: 2 }));
    await user.type(await field(), '123457');
    await screen.findByText(m.fix_tests_none());
  });

  it('keeps what it said when the button is pressed late', async () => {
    reply(test, ok(right));
    const user = open('/fix/code', signedIn);
    await user.type(await field(), '123456');
    await screen.findByText(m.fix_right_title());
    await user.click(await button(m.fix_test_press()));
    expect(screen.getByText(m.fix_right_title())).toBeTruthy();
    expect(screen.queryByText(m.malformed_app_title())).toBeNull();
    expect(sent(test)).toHaveLength(1);
  });

  it.each([
    ['the cookie is gone', refuse(401, 'not_signed_in')],
    ['it took too long', refuseCode({ reason: 'sign_in_expired' })],
  ])('asks for the password once more when the sign-in is over: %s', async (_, over) => {
    pending();
    reply('POST /sign-in/code-check', over, ok(right));
    const user = open('/fix/code');
    await user.type(await field(), '123456');
    await screen.findByText(m.fix_late_body());
    expect(screen.queryByText(m.error_not_signed_in())).toBeNull();
    const address = screen.getByLabelText(m.email());
    await waitFor(() => expect(document.activeElement).toBe(address));
    expect(screen.getByRole('link', { name: m.forgot_password() }).getAttribute('href')).toBe('/forgotten-password');
    screen.getByText(m.fix_password_alone());
    await typePassword(user);
    reply('POST /sign-in', ok(secondStep()));
    await user.click(await button(m.continue()));
    await user.type(await field(), '123457');
    await screen.findByText(m.fix_right_title());
    expect(screen.queryByText(m.fix_late_body())).toBeNull();
  });

  it('in a pending sign-in leads back to it', async () => {
    pending();
    reply('POST /sign-in/code-check', ok(right));
    const user = open('/fix/code');
    await user.type(await field(), '123456');
    await screen.findByText(m.fix_right_title());
    expect(screen.getByRole('link', { name: m.fix_go_on() }).getAttribute('href')).toBe('/second-step');
  });

  it('while a request to get back in is under way makes it needless, and says so', async () => {
    for (const [address, answer, said] of [
      ['/fix/code', right, m.fix_right_title()],
      [
        '/fix/backup-code',
        { accepted: true, factor: 'backup_code', number: 3, backup_codes_remaining: 7 },
        m.fix_right_backup({ number: '3' }),
      ],
    ] as const) {
      reply('GET /sign-in', ok({ ...secondStep(), recovery: 'proved' }));
      reply('POST /sign-in/code-check', ok(answer));
      const user = open(address);
      if (address === '/fix/code') await user.type(await field(), '123456');
      else {
        await user.type(await screen.findByLabelText(m.backup_code_label()), '7ZZZZ-ZZZZZ-ZZZZZ');
        await user.click(await button(m.fix_test_press()));
      }
      await screen.findByText(said);
      screen.getByText(m.fix_right_request());
      cleanup();
    }
    pending();
    reply('POST /sign-in/code-check', ok(right));
    const user = open('/fix/code');
    await user.type(await field(), '123456');
    await screen.findByText(m.fix_right_title());
    expect(screen.queryByText(m.fix_right_request())).toBeNull();
  });

  it('of nobody is looked at here alone, until there is a password', async () => {
    const user = open('/fix/code');
    await screen.findByText(m.fix_test_nobody());
    await user.type(await field(), '123456');
    await screen.findByText(m.fix_shape_app());
    expect(sent(test)).toHaveLength(0);
    await user.click(await button(m.fix_with_password()));
    const address = screen.getByLabelText(m.email());
    await waitFor(() => expect(document.activeElement).toBe(address));
    await user.click(await button(m.continue()));
    expect(screen.getAllByText(m.field_required())).toHaveLength(2);
    await signInAfterRefusal(user);
    await screen.findByText(m.fix_test_body());
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(m.code_label())));
  });

  it.each([
    ['off', { mfa: openMfa() }],
    ['a session for enrolling', { mfa: openMfa(), confined_to: 'enrolment' }],
  ])('is not asked for where there is none: %s', async (_, more) => {
    open('/fix/code', { session: sessionOf(ada, more) });
    await screen.findByText(m.fix_test_off());
    expect(screen.queryByLabelText(m.code_label())).toBeNull();
  });

  it('which is a backup code has a number, and is not used up', async () => {
    reply(test, ok({ accepted: true, factor: 'backup_code', number: 3, backup_codes_remaining: 7 }));
    reply(
      'GET /users/me/security',
      ok({ user: ada, mfa: protectedMfa(), enrolment: null, reset: null, codes_blocked: null }),
    );
    const user = open('/fix/backup-code', signedIn);
    await screen.findByText(m.fix_set_left({ left: '7', total: '10' }));
    expect(screen.getByText(/MailMachine-backup-codes-2026-03-12\.txt/)).toBeTruthy();
    await user.type(await screen.findByLabelText(m.backup_code_label()), '7ZZZZ-ZZZZZ-ZZZZZ');
    await user.click(await button(m.fix_test_press()));
    await screen.findByText(m.fix_right_backup({ number: '3' }));
    expect(screen.getByText(m.fix_right_backup_body({ left: '7' }))).toBeTruthy();
  });

  it('which is a backup code of nobody has a shape, or says what it lacks', async () => {
    const user = open('/fix/backup-code');
    await user.type(await screen.findByLabelText(m.backup_code_label()), '7ZZZZ-ZZZZZ');
    await user.click(await button(m.fix_test_press()));
    await screen.findByText(m.malformed_backup_title());
    await user.clear(screen.getByLabelText(m.backup_code_label()));
    await user.type(screen.getByLabelText(m.backup_code_label()), '7ZZZZ-ZZZZZ-ZZZZZ');
    await user.click(await button(m.fix_test_press()));
    await screen.findByText(m.fix_shape_backup());
  });
});

describe('the camera', () => {
  const camera = (getUserMedia: () => Promise<unknown>, state = 'denied') => {
    vi.stubGlobal('isSecureContext', true);
    Object.defineProperty(navigator, 'mediaDevices', {
      configurable: true,
      value: { getUserMedia, enumerateDevices: async () => [] },
    });
    Object.defineProperty(navigator, 'permissions', { configurable: true, value: { query: async () => ({ state }) } });
  };
  const failing = (name: string, message = '') => camera(() => Promise.reject(new DOMException(message, name)));

  it.each([
    ['blocked', 'NotAllowedError', m.fix_camera_blocked(), m.fix_camera_blocked_computer()],
    ['none', 'NotFoundError', m.fix_camera_none(), m.fix_camera_none_next()],
    ['busy', 'NotReadableError', m.fix_camera_busy(), m.fix_camera_busy_next()],
    ['odd', 'StrangeError', m.fix_camera_odd(), m.fix_camera_odd_next()],
  ])('is not there, and it is said why and what to do: %s', async (trouble, error, title, next) => {
    failing(error);
    const user = open('/fix/scan');
    await user.click(await button(m.fix_camera_try()));
    await screen.findByText(title);
    expect(screen.getByText(next)).toBeTruthy();
    const told = document.querySelector(`[data-camera="${trouble}"]`);
    await waitFor(() => expect(document.activeElement === told).toBe(true));
    expect(await button(m.fix_camera_again())).toBeTruthy();
  });

  it('says what the system keeps from the browser, for this system', async () => {
    vi.spyOn(navigator, 'userAgent', 'get').mockReturnValue('Mozilla/5.0 (Windows NT 10.0; Win64; x64)');
    camera(() => Promise.reject(new DOMException('Permission denied by system', 'NotAllowedError')));
    const user = open('/fix/scan');
    await user.click(await button(m.fix_camera_try()));
    await screen.findByText(m.fix_camera_system_windows());
  });

  it('is shown while it looks, and is off again when it is stopped', async () => {
    const stop = vi.fn();
    const track = { stop, addEventListener: vi.fn(), getSettings: () => ({}) };
    const stream = { getTracks: () => [track], getVideoTracks: () => [track] };
    camera(async () => Object.assign(new MediaStream(), stream));
    vi.spyOn(HTMLMediaElement.prototype, 'play').mockResolvedValue();
    const user = open('/fix/scan');
    await user.click(await button(m.fix_camera_try()));
    await screen.findByText(m.fix_seen_nothing());
    expect(screen.getByLabelText(m.fix_camera_picture())).toBeTruthy();
    await user.click(await button(m.fix_camera_stop()));
    expect(stop).toHaveBeenCalled();
    await button(m.fix_camera_try());
  });

  it('has a sample, which fills the screen on a press', async () => {
    const user = open('/fix/scan');
    await user.click(await button(m.enlarge()));
    const large = screen.getByRole('dialog', { name: m.enlarged_title() });
    await user.click(within(large).getByRole('button', { name: m.close() }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  });

  it('of the phone that has read the sample is good', async () => {
    vi.spyOn(navigator, 'userAgent', 'get').mockReturnValue('Mozilla/5.0 (Linux; Android 15; Pixel 9)');
    open('/fix/scan', { hash: '#read' });
    await screen.findByText(m.fix_read_title());
    expect(screen.queryByText(m.fix_same_phone())).toBeNull();
  });

  it('is not needed on the phone itself', async () => {
    vi.spyOn(navigator, 'userAgent', 'get').mockReturnValue('Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X)');
    open('/fix/scan');
    await screen.findByText(m.fix_same_phone());
  });
});

describe('a lost phone', () => {
  it('is quickest where one is signed in', async () => {
    open('/fix/phone', signedIn);
    await screen.findByText(m.fix_here_title());
    expect(screen.getByRole('link', { name: m.security_lost_title() }).getAttribute('href')).toMatch(/\/lost-phone$/);
  });

  it('asks one thing at a time, and each has its way', async () => {
    pending();
    const user = open('/fix/phone');
    await heading(m.fix_ask_codes());
    await user.click(await button(m.fix_yes()));
    expect(screen.getByRole('link', { name: m.use_backup_code() }).getAttribute('href')).toBe(
      '/second-step/backup-code',
    );
    await user.click(await button(m.back()));
    await user.click(await button(m.fix_no()));
    await heading(m.fix_ask_app());
    await user.click(await button(m.fix_yes()));
    expect(screen.getByRole('link', { name: m.use_app_code() }).getAttribute('href')).toBe('/second-step');
    await user.click(await button(m.back()));
    await user.click(await button(m.fix_no()));
    await heading(m.fix_ask_browser());
    await user.click(await button(m.fix_yes())); // and they have just said that they have no code
    await screen.findByText(m.fix_yes_browser());
    expect(screen.queryByText(/under My security/)).toBeNull();
    expect(screen.getByRole('link', { name: m.cannot_get_in() }).getAttribute('href')).toBe(
      '/second-step/cannot-get-in',
    );
    await user.click(await button(m.back()));
    await user.click(await button(m.fix_no()));
    await heading(m.fix_none_title());
    expect(screen.getByRole('link', { name: m.cannot_get_in() }).getAttribute('href')).toBe(
      '/second-step/cannot-get-in',
    );
    await user.click(await button(m.back()));
    await heading(m.fix_ask_browser());
  });

  it('keeps where one is over a reload, and the browser leads back through the questions', async () => {
    const user = open('/fix/phone');
    await heading(m.fix_ask_codes());
    await user.click(await button(m.fix_no()));
    await user.click(await button(m.fix_yes()));
    await screen.findByText(m.fix_yes_app());
    expect(location.hash).toBe('#2-yes');
    cleanup();
    open('/fix/phone', { hash: '#2-yes' });
    await screen.findByText(m.fix_yes_app());
    history.replaceState(null, '', '/fix/phone#2');
    window.dispatchEvent(new PopStateEvent('popstate'));
    await waitFor(() => expect(screen.queryByText(m.fix_yes_app())).toBeNull());
    await heading(m.fix_ask_app());
  });

  it('begins with the password where nobody is known, and goes on where the answers have led', async () => {
    const user = open('/fix/phone');
    await user.click(await button(m.fix_yes()));
    await heading(m.fix_give_password());
    await signInAfterRefusal(user);
    await waitFor(() => expect(location.pathname).toBe('/second-step/backup-code'));
  });

  it('goes on to what there is for who has nothing', async () => {
    const user = open('/fix/phone', { hash: '#4' });
    await heading(m.fix_none_title());
    await typePassword(user);
    reply('POST /sign-in', ok(secondStep()));
    pending();
    await user.click(await button(m.continue()));
    await waitFor(() => expect(location.pathname).toBe('/second-step/cannot-get-in'));
  });

  it('leads whom the password alone signs in to the new phone', async () => {
    const user = open('/fix/phone', { hash: '#4' });
    await typePassword(user);
    reply('GET /session', ok(sessionOf(ada, { mfa: on })));
    reply('POST /sign-in', ok({ state: 'signed_in' }));
    await user.click(await button(m.continue()));
    await screen.findByText(m.fix_here_title());
  });
});

describe('a mail that does not come', () => {
  const ask = 'POST /forgotten-password';

  it('can not come where none is sent', async () => {
    reply('GET /mail/sender', ok({ sends: false, from: '' }));
    open('/fix/mail', { mails: false });
    await screen.findByText(m.fix_mail_none());
    expect(screen.queryByText(m.fix_mail_again_heading())).toBeNull();
    expect(screen.getByText(/whoever runs the server, on its console/)).toBeTruthy();
  });

  it('has a sender, is sent once more, and is waited for', async () => {
    reply('GET /mail/sender', ok({ sends: true, from: 'no-reply@example.test' }));
    reply(ask, ok());
    const user = open('/fix/mail');
    await screen.findByText('no-reply@example.test');
    await user.click(await button(m.fix_mail_again()));
    await screen.findByText(m.field_required());
    await user.type(screen.getByLabelText(m.email()), 'ada@example.test');
    await user.click(await button(m.fix_mail_again()));
    await screen.findByText(m.fix_mail_asked({ email: 'ada@example.test' }));
    expect(sent(ask)[0]?.body).toEqual({ email: 'ada@example.test' });
    expect((await button(/^Again in [12]:/)).hasAttribute('disabled')).toBe(true);
    await user.click(await button(m.fix_mail_it_did_not()));
    await screen.findByText(m.fix_mail_not_came_body({ email: 'ada@example.test' }));
    await user.click(await button(m.fix_mail_again()));
    await user.click(await button(m.fix_mail_it_came()));
    await screen.findByText(m.fix_mail_came());
  });

  it('is sent to whoever is signed in, and a refusal says when it works again', async () => {
    reply('GET /mail/sender', ok({ sends: true, from: 'no-reply@example.test' }));
    reply(ask, refuse(429, 'too_many_asks', { retry_after_seconds: 600 }), refuse(409, 'no_mail_server'));
    const user = open('/fix/mail', { session: sessionOf() });
    const address = await screen.findByLabelText(m.email());
    await waitFor(() => expect((address as HTMLInputElement).value).toBe(ada.email));
    await user.click(await button(m.fix_mail_again()));
    await screen.findByText(m.error_too_many_asks());
    await user.click(await button(m.fix_mail_again()));
    await screen.findByText(m.fix_mail_none());
  });

  it('says when the server is not to be asked', async () => {
    reply('GET /mail/sender', refuse(500, 'internal_fault'));
    open('/fix/mail');
    await screen.findByText(m.error_internal_fault());
  });
});

describe('a refused code', () => {
  it.each([
    ['wrong_code', '/second-step', 'totp', '123456', '/fix/code'],
    ['backup_code_used', '/second-step/backup-code', 'backup-code', '7ZZZZ-ZZZZZ-ZZZZZ', '/fix/backup-code'],
    ['no_backup_codes_left', '/second-step/backup-code', 'backup-code', '7ZZZZ-ZZZZZ-ZZZZZ', '/fix/phone'],
  ])('leads to the path that fits: %s', async (reason, path, call, code, way) => {
    pending();
    reply(`POST /sign-in/${call}`, refuseCode({ reason, used_at: later(-600) }));
    const user = open(path);
    await user.type(await screen.findByRole('textbox'), `${code}{Enter}`);
    const link = await screen.findByRole('link', { name: m.fix_find_out() });
    expect([link.getAttribute('href'), link.getAttribute('target')]).toEqual([way, '_blank']);
  });
});
