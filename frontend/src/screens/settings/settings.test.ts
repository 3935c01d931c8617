import { screen, within } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nameIs } from '../../installation';
import { m } from '../../paraglide/messages';
import { button, heading, open, pressOn } from '../../testing/open';
import { bo, later, sessionOf } from '../../testing/people';
import { ok, refuse, reply, sent } from '../../testing/server';

const path = '/parameters/settings';
const administrator = sessionOf(undefined, { mfa: { state: 'on', requirement: 'allowed', deadline: null } });

function settings(more: object = {}) {
  return {
    brand: 'MailMachine',
    brand_fixed: false,
    accent: null,
    new_people: { requirement: 'allowed', days: 0 },
    recovery_checklist: null,
    key: { id: 1234567, kept_elsewhere_at: null },
    fixed: [
      { name: 'public-url', value: 'https://id.example.test' },
      { name: 'security-keys', value: 'true' },
      { name: 'trusted-proxy', value: '' },
      { name: 'something-new', value: '7' },
    ],
    ...more,
  };
}

function mail(more: object = {}) {
  return {
    sends: true,
    server: 'mail.example.test:587',
    from: 'no-reply@example.test',
    language: 'en',
    waiting: 0,
    waiting_since: null,
    given_up: 0,
    last_problem: '',
    ...more,
  };
}

const none = { sends: false, server: '', from: '', language: '' };

beforeEach(() => {
  reply('GET /settings', ok(settings()));
  reply('GET /mail', ok(mail()));
});

afterEach(() => {
  document.getElementById('accent-sheet')?.remove();
  nameIs('MailMachine');
});

const saveLook = () => button(pressOn(m.settings_save(), m.settings_look()));
const savePeople = () => button(pressOn(m.settings_save(), m.settings_new_people()));
const accent = () => screen.getByLabelText(m.settings_accent());

describe('settings: name and colour', () => {
  it('sends what was typed, and shows it on this page at once', async () => {
    reply('PATCH /settings', ok(settings({ brand: 'Acme', accent: '#0a7a55' })));
    const user = open(path, { session: administrator });
    const name = await screen.findByLabelText(m.settings_brand());
    await user.clear(name);
    await user.type(name, ' Acme ');
    await user.type(accent(), '#0A7A55');
    expect(screen.getAllByText(m.settings_contrast_enough(), { selector: 'td' })).toHaveLength(4);
    await user.click(await saveLook());
    await screen.findByText(m.settings_saved());
    expect(sent('PATCH /settings')[0]?.body).toEqual({ brand: 'Acme', accent: '#0a7a55' });
    expect(document.getElementById('accent-sheet')?.getAttribute('href')).toBe('/accent/0a7a55.css');
    expect(within(screen.getAllByRole('navigation')[0] as HTMLElement).getByText('Acme')).toBeTruthy();
    expect(document.title).toBe(m.page_title_of({ name: m.settings_title(), brand: 'Acme' }));
  });

  it('does not send a colour that people could not read, and offers the nearest that they can', async () => {
    reply('PATCH /settings', ok(settings({ accent: '#8d7400' })));
    const user = open(path, { session: administrator });
    await heading(m.settings_look());
    await user.type(accent(), '#ffd400');
    await screen.findByText(m.settings_accent_unreadable({ colour: '#ffd400' }));
    expect(screen.getAllByText(m.settings_contrast_too_low())).toHaveLength(2);
    await user.click(await saveLook());
    expect(accent().getAttribute('aria-invalid')).toBe('true');
    expect(sent('PATCH /settings')).toEqual([]);
    const take = await button(new RegExp(m.settings_accent_take({ nearest: '#8d7[34]00' })));
    await user.click(take);
    expect(screen.queryByText(m.settings_accent_unreadable({ colour: '#ffd400' }))).toBeNull();
    await user.click(await saveLook());
    await screen.findByText(m.settings_saved());
  });

  it('says what the server found, and keeps what was typed', async () => {
    const fields = [{ name: 'accent', code: 'contrast_too_low', params: { nearest: '#111111' } }];
    reply('PATCH /settings', refuse(422, 'invalid_input', { fields }));
    const user = open(path, { session: administrator });
    await heading(m.settings_look());
    await user.type(accent(), 'red');
    await user.click(await saveLook());
    await screen.findByText(m.field_colour_invalid());
    await user.clear(accent());
    await user.type(accent(), '#222222');
    await user.click(await saveLook());
    await screen.findByText(m.field_contrast_too_low({ nearest: '#111111' }));
    expect((accent() as HTMLInputElement).value).toBe('#222222');
  });

  it('goes back to the product’s own colour', async () => {
    reply('GET /settings', ok(settings({ accent: '#0a7a55' })));
    reply('PATCH /settings', ok(settings()));
    const user = open(path, { session: administrator });
    await user.click(await button(m.settings_accent_standard()));
    await screen.findByText(m.settings_accent_is_standard());
    await user.click(await saveLook());
    await screen.findByText(m.settings_saved());
    expect(sent('PATCH /settings')[0]?.body).toEqual({ brand: 'MailMachine', accent: '' });
    expect(document.getElementById('accent-sheet')).toBeNull();
  });

  it('leaves a name alone that a flag has set', async () => {
    reply('GET /settings', ok(settings({ brand_fixed: true })));
    reply('PATCH /settings', ok(settings({ brand_fixed: true, accent: '#0a7a55' })));
    const user = open(path, { session: administrator });
    const name = await screen.findByLabelText(m.settings_brand());
    expect((name as HTMLInputElement).readOnly).toBe(true);
    expect(screen.getByText(m.settings_brand_fixed())).toBeTruthy();
    await user.type(accent(), '#0a7a55');
    await user.click(await saveLook());
    await screen.findByText(m.settings_saved());
    expect(sent('PATCH /settings')[0]?.body).toEqual({ accent: '#0a7a55' });
  });
});

describe('settings: new people', () => {
  it('asks for the days only where it is required', async () => {
    reply('PATCH /settings', ok(settings({ new_people: { requirement: 'required', days: 30 } })));
    const user = open(path, { session: administrator });
    await heading(m.settings_new_people());
    expect(screen.queryByLabelText(m.settings_new_people_days())).toBeNull();
    await user.click(screen.getByRole('radio', { name: new RegExp(m.requirement_required()) }));
    const days = screen.getByLabelText(m.settings_new_people_days());
    for (const wrong of ['', '366', '1.5', 'x']) {
      await user.clear(days);
      if (wrong) await user.type(days, wrong);
      await user.click(await savePeople());
      await screen.findByText(m.settings_new_people_days_wrong({ most: '365' }));
    }
    await user.clear(days);
    await user.type(days, '30');
    await user.click(await savePeople());
    await screen.findByText(m.settings_saved());
    expect(sent('PATCH /settings')[0]?.body).toEqual({ new_people: { requirement: 'required', days: 30 } });
  });

  it('asks why, where it is not available', async () => {
    reply(
      'PATCH /settings',
      refuse(400, 'invalid_input', { fields: [{ name: 'new_people.reason', code: 'too_long', params: { max: 300 } }] }),
    );
    const user = open(path, { session: administrator });
    await heading(m.settings_new_people());
    await user.click(screen.getByRole('radio', { name: new RegExp(m.requirement_off()) }));
    const reason = screen.getByLabelText(m.settings_new_people_reason());
    await user.click(await savePeople());
    await screen.findByText(m.field_required());
    expect(sent('PATCH /settings')).toHaveLength(0);
    await user.type(reason, ' No phones here. ');
    await user.click(await savePeople());
    await screen.findByText(m.field_too_long());
    reply('PATCH /settings', ok(settings({ new_people: { requirement: 'off', days: 0 } })));
    await user.click(await savePeople());
    await screen.findByText(m.settings_saved());
    const new_people = { requirement: 'off', days: 0, reason: 'No phones here.' };
    expect(sent('PATCH /settings').at(-1)?.body).toEqual({ new_people });
  });
});

describe('settings: mail', () => {
  it('says what the mail server answered, whatever it was', async () => {
    reply(
      'POST /mail/test',
      ok({ taken: true, said: '250 2.0.0 Ok: queued as 4C1' }),
      ok({ taken: false, said: '550 5.1.1 There is nobody of that name' }),
      refuse(429, 'too_many_changes', { retry_after_seconds: 1_800 }),
    );
    const user = open(path, { session: administrator });
    const to = await screen.findByLabelText(m.settings_mail_to());
    expect((to as HTMLInputElement).value).toBe('ada@example.test');
    const test = await button(m.settings_mail_test());
    await user.click(test);
    await screen.findByText(m.settings_mail_taken({ address: 'ada@example.test' }));
    expect(screen.getByText('250 2.0.0 Ok: queued as 4C1')).toBeTruthy();
    await user.click(test);
    await screen.findByText(m.settings_mail_refused({ address: 'ada@example.test' }));
    expect(screen.getByText('550 5.1.1 There is nobody of that name')).toBeTruthy();
    await user.click(test);
    await screen.findByText(m.error_too_many_changes());
  });

  it('says what waits and what was given up', async () => {
    const problem = 'sending SMTP RCPT TO command: 450 4.2.0 Come back later';
    reply('GET /mail', ok(mail({ waiting: 3, waiting_since: later(-90_000), given_up: 2, last_problem: problem })));
    open(path, { session: administrator });
    await screen.findByText(problem);
    expect(screen.getByText(/^3, /)).toBeTruthy();
    expect(screen.getByText('English')).toBeTruthy();
  });

  it('says that none leaves', async () => {
    reply('GET /mail', ok(mail(none)));
    open(path, { session: administrator });
    await screen.findByText(m.settings_mail_none());
    expect(screen.queryByRole('button', { name: m.settings_mail_test() })).toBeNull();
  });
});

describe('settings: the key, and what flags have set', () => {
  it('notes that a copy is kept elsewhere', async () => {
    const kept = settings({ key: { id: 1234567, kept_elsewhere_at: '2026-03-12T09:41:00Z' } });
    reply('POST /settings/key-kept-elsewhere', refuse(409, 'key_changed'), ok(kept));
    const user = open(path, { session: administrator });
    await screen.findByText(m.settings_key_not_kept({ id: '1234567' }));
    const press = await button(m.settings_key_press());
    await user.click(press);
    await screen.findByText(m.error_key_changed());
    await user.click(press);
    await screen.findByText(m.settings_key_kept({ date: '12 March 2026' }));
    expect(sent('POST /settings/key-kept-elsewhere')[1]?.body).toEqual({ key: 1234567 });
    expect(await button(m.settings_key_again())).toBeTruthy();
  });

  it('shows what flags have set, in words and as they are written', async () => {
    open(path, { session: administrator });
    const row = (await screen.findByText('--public-url')).closest('div');
    expect(row?.textContent).toContain(m.settings_flag_public_url());
    expect(row?.textContent).toContain('https://id.example.test');
    expect(screen.getByText('--security-keys').closest('div')?.textContent).toContain(m.settings_flag_on());
    expect(screen.getByText('--trusted-proxy').closest('div')?.textContent).toContain(m.settings_flag_none());
    expect(screen.getByText('--something-new').closest('div')?.textContent).toContain('7');
  });
});

describe('settings: who and when', () => {
  it('begins at the section that a warning leads to', async () => {
    open(`${path}?section=mail`, { session: administrator });
    const section = await heading(m.settings_mail());
    await expect.poll(() => document.activeElement).toBe(section);
  });

  it('are to be looked at only by an administrator without 2-step verification', async () => {
    open(path, { session: sessionOf() });
    await screen.findByText(m.error_own_mfa_first());
    const presses = [await saveLook(), await savePeople(), await button(m.settings_mail_test())];
    for (const press of presses) expect(press.closest('fieldset')?.disabled).toBe(true);
    expect((await button(m.settings_key_press())).hasAttribute('disabled')).toBe(true);
  });

  it('are not there for a member', async () => {
    reply('GET /settings', refuse(403, 'not_permitted'));
    reply('GET /mail', refuse(403, 'not_permitted'));
    open(path, { session: sessionOf(bo) });
    await screen.findByText(m.error_not_permitted());
    expect(screen.queryByRole('link', { name: m.nav_settings() })).toBeNull();
  });

  it('can be asked for again when it fails', async () => {
    reply('GET /settings', refuse(500, 'internal_fault'), ok(settings()));
    const user = open(path, { session: administrator });
    await user.click(await button(m.try_again()));
    await heading(m.settings_look());
  });
});

describe('settings: letting somebody back in', () => {
  const lines = () => screen.findByLabelText<HTMLTextAreaElement>(m.settings_checklist_lines());
  const save = () => button(pressOn(m.settings_save(), m.settings_checklist()));

  it('shows the usual lines until the installation has its own, and saves those', async () => {
    reply('PATCH /settings', ok(settings({ recovery_checklist: ['Seen at the gate', 'Called back'] })));
    const user = open(path, { session: administrator });
    const field = await lines();
    expect(field.value.split('\n')).toContain(m.recovery_check_call());
    expect(screen.queryByRole('button', { name: m.settings_checklist_usual() })).toBeNull();
    await user.clear(field);
    await user.click(await save());
    await screen.findByText(m.settings_checklist_empty());
    expect(document.activeElement).toBe(field);
    await user.type(field, ' Seen at the gate {Enter}{Enter}Called back');
    await user.click(await save());
    await screen.findByText(m.settings_saved());
    expect(sent('PATCH /settings')[0]?.body).toEqual({ recovery_checklist: ['Seen at the gate', 'Called back'] });
  });

  it('puts the usual lines back', async () => {
    reply('GET /settings', ok(settings({ recovery_checklist: ['Seen at the gate'] })));
    reply('PATCH /settings', ok(settings()));
    const user = open(path, { session: administrator });
    expect((await lines()).value).toBe('Seen at the gate');
    await user.click(await button(m.settings_checklist_usual()));
    expect((await lines()).value).toContain(m.recovery_check_met());
    await user.click(await save());
    await screen.findByText(m.settings_saved());
    expect(sent('PATCH /settings')[0]?.body).toEqual({ recovery_checklist: [] });
  });

  it('says what is wrong with the lines', async () => {
    const field = { name: 'recovery_checklist[0]', code: 'illegible' };
    reply('PATCH /settings', refuse(422, 'invalid_input', { fields: [field] }), refuse(500, 'internal_fault'));
    const user = open(path, { session: administrator });
    const wrong: [string, string][] = [
      [Array.from({ length: 13 }, (_, n) => `Line ${n}`).join('\n'), m.settings_checklist_many({ most: '12' })],
      [`short\n${'x'.repeat(201)}`, m.settings_checklist_long({ line: '2', most: '200' })],
      ['twice\ntwice', m.settings_checklist_twice()],
    ];
    for (const [text, words] of wrong) {
      await user.clear(await lines());
      await user.click(await lines());
      await user.paste(text);
      await user.click(await save());
      await screen.findByText(words);
    }
    expect(sent('PATCH /settings')).toHaveLength(0);
    await user.clear(await lines());
    await user.type(await lines(), 'Turned round');
    await user.click(await save());
    await screen.findByText(m.field_text_illegible());
    await user.click(await save());
    await screen.findByText(m.error_internal_fault());
  });
});
