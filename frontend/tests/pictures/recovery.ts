import { expect, type Page } from '@playwright/test';
import { givePassword, heading, press, toSecondStep } from '../kit/acts';
import { say } from '../kit/words';
import type { Chapter, Scene, Stage } from './stage';

const token = 'qk3Zt0bXnE1dG8mVtYw2uLr5sA7cHf9pJiO4xKzQe6M';
const hours = (count: number) => new Date(Date.now() + count * 3_600_000).toISOString();

/** The demo sends no mail, and its one request waits for its decision: the other states are answered in its place. */
const request = (more: Record<string, unknown>) => ({
  id: '01KAVQ4W7N6YQ2B8T5ZC9XJ3RF',
  reference: '7KQ2M-XW4TD',
  state: 'asked',
  asked_at: hours(-5.2),
  expires_at: hours(18.8),
  here: true,
  proof_by_mail: true,
  approvals_needed: 1,
  approvals: 0,
  ...more,
});

const answers = (page: Page, path: string | RegExp, json: unknown) =>
  page.route(typeof path === 'string' ? `**/api/v1/${path}` : path, (route) => route.fulfill({ json }));

const standing = (page: Page, more: Record<string, unknown>) =>
  answers(page, 'sign-in/recovery', { recovery: request(more), askable: true, delay_seconds: 86_400 });

/** How a request stands, for whoever comes back to it with the password. */
function stands(name: string, shows: string, title: string, more: Record<string, unknown>): Scene {
  return {
    name,
    shows,
    go: async ({ page }) => {
      await standing(page, more);
      await page.reload();
      await expect(heading(page, title)).toBeVisible();
    },
  };
}

const proved = { state: 'proved', proved_at: hours(-5) };

/** Signed in, while somebody asks. */
async function whileAsked(stage: Stage) {
  const asked = {
    ...request({}),
    browser: 'Chrome on Linux',
    address: '198.51.100.60',
    delay_seconds: 86_400,
    can_confirm: true,
  };
  await answers(stage.page, 'users/me/security/recovery', { recovery: asked });
  await stage.page.route('**/api/v1/users/me/security/recovery/stop', (route) => route.fulfill({ status: 204 }));
  await stage.page.route('**/api/v1/session', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), recovery: 'asked' } });
  });
  await stage.at('otto', '/');
  await expect(stage.page.getByText(say('recovery_banner_title'))).toBeVisible();
}

const ofMateo = ({ demo }: Stage) =>
  `/parameters/tickets/${demo.sql(`SELECT ticket_id FROM recoveries WHERE user_id = '${demo.person('mateo').id}'`)}/recovery`;

/** The request of the demo, as it would be in another state. */
async function ticket(stage: Stage, more: Record<string, unknown>) {
  await stage.as('ada');
  await stage.page.route('**/api/v1/tickets/*/recovery', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), ...more } });
  });
  await stage.open(ofMateo(stage));
}

export const recovery: Chapter = {
  title: 'Back in after losing everything',
  walks: [
    [
      {
        name: 'recovery-ask',
        shows: 'Ask to get back in',
        go: async ({ page, demo }) => {
          await toSecondStep(page, await demo.enrolled('hanna'));
          await page.getByRole('link', { name: say('cannot_get_in') }).click();
          await press(page, say('recovery_none_works'));
          await expect(heading(page, say('recovery_ask_title'))).toBeVisible();
        },
      },
      {
        name: 'recovery-ask-missing',
        shows: 'The same, before the quick ways are ruled out',
        go: ({ page }) => press(page, say('recovery_ask')),
      },
      stands('recovery-asked', 'The link is on its way', say('recovery_asked_title'), {}),
      stands('recovery-waiting', 'The waiting period', say('recovery_waiting_title'), {
        ...proved,
        decidable_at: hours(19),
        expires_at: hours(331),
      }),
      {
        name: 'recovery-withdraw',
        shows: 'Withdraw it?',
        go: ({ page }) => press(page, say('recovery_withdraw_ellipsis')),
      },
      stands('recovery-deciding', 'One of two administrators has agreed', say('recovery_deciding_title'), {
        ...proved,
        decidable_at: hours(-1),
        approvals_needed: 2,
        approvals: 1,
      }),
      stands('recovery-approved', 'Let back in', say('recovery_approved_title'), { ...proved, state: 'approved' }),
      stands('recovery-refused', 'Refused', say('recovery_refused_title'), { ...proved, state: 'refused' }),
      stands('recovery-stopped', 'Stopped', say('recovery_stopped_title'), { ...proved, state: 'stopped' }),
      stands('recovery-cancelled', 'Over', say('recovery_cancelled_title'), { ...proved, state: 'cancelled' }),
      stands('recovery-unproved', 'The link was not opened', say('recovery_expired_title'), { state: 'expired' }),
    ],
    [
      {
        name: 'recovery-link-password',
        shows: 'The mailed link: the password first',
        go: async (stage) => {
          await stage.open(`/recovery#token=${token}`);
          await expect(heading(stage.page, say('recovery_password_title'))).toBeVisible();
        },
      },
      {
        name: 'recovery-link',
        shows: 'The mailed link: one press',
        go: async ({ page, demo }) => {
          await press(page, say('enrol_sign_in'));
          await givePassword(page, demo.person('mateo'));
          await expect(heading(page, say('recovery_confirm_title'))).toBeVisible();
        },
      },
      {
        name: 'second-step-request',
        shows: 'The second step, with a request under way',
        go: async ({ page, demo }) => {
          await toSecondStep(page, demo.person('mateo'));
          await expect(page.getByText(say('recovery_under_way'))).toBeVisible();
        },
      },
    ],
    [
      { name: 'recovery-banner', shows: 'Somebody asks, in a browser that is signed in', go: whileAsked },
      { name: 'recovery-it-was-me', shows: 'It was me', go: (stage) => press(stage.page, say('recovery_me')) },
      {
        name: 'recovery-banner-stopped',
        shows: 'Stopped with one press',
        go: async ({ page }) => {
          await page.keyboard.press('Escape');
          await press(page, say('stop_this'));
          await expect(page.getByText(say('recovery_stop_done'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'stop-recovery',
        shows: 'Stop it, from the mail',
        go: async ({ page }) => {
          const mailed = { kind: 'recovery', email: 'ada@example.org', expires_at: '2040-01-01T09:00:00Z' };
          await answers(page, 'stop/link', mailed);
          await answers(page, 'stop', { kind: 'recovery', restored: false });
          await page.goto(`/stop#token=${token}`);
          await expect(heading(page, say('stop_recovery_title'))).toBeVisible();
        },
      },
      {
        name: 'stop-recovery-done',
        shows: 'It is stopped',
        go: async ({ page }) => {
          await press(page, say('stop_this'));
          await expect(heading(page, say('recovery_stop_done'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'somebody-asks',
        shows: 'The Security page of somebody who asks',
        go: async (stage) => {
          await stage.at('ada', `/parameters/users/${stage.demo.person('mateo').id}/security`);
          await stage.link(say('recovery_open_go')).scrollIntoViewIfNeeded();
        },
      },
      {
        name: 'recovery-ticket',
        shows: 'A request that can be decided',
        whole: true,
        go: async (stage) => {
          await stage.link(say('recovery_open_go')).click();
          await expect(stage.page.getByRole('heading', { name: say('recovery_decide') })).toBeVisible();
        },
      },
      {
        name: 'recovery-ticket-missing',
        shows: 'Nothing ticked, and no reason',
        whole: true,
        go: (stage) => press(stage.page, say('recovery_approve_ellipsis')),
      },
      {
        name: 'recovery-approve',
        shows: 'Let them back in?',
        go: async (stage) => {
          await stage.page.getByLabel(say('recovery_check_met')).check();
          await stage.page.getByLabel(say('reset_reason')).fill('Came by at the office, with the passport');
          await press(stage.page, say('recovery_approve_ellipsis'));
        },
      },
      {
        name: 'recovery-link-once',
        shows: 'The link, to be handed over',
        go: async (stage) => {
          const link = `${stage.demo.url}/enrol#token=${token}`;
          const decided = { state: 'approved', approvals: 1, approvals_needed: 1, enrolment_link: link, mailed: false };
          await answers(stage.page, 'tickets/*/decision', decided);
          await press(stage.page, say('recovery_approve'));
          await expect(stage.page.getByText(say('recovery_once_body'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'recovery-ticket-waiting',
        shows: 'A request whose time is not over',
        whole: true,
        go: async (stage) => {
          const until = hours(17.3);
          const early = { decidable: false, refusal: 'recovery_too_early', refuses_until: until };
          await ticket(stage, {
            ...early,
            decidable_at: until,
            proved_at: hours(-6.7),
            proved_by: 'email',
            warnings: [],
          });
          await expect(stage.page.getByText(say('recovery_at_waits'))).toBeVisible();
        },
      },
    ],
    [
      {
        name: 'recovery-ticket-approved',
        shows: 'Approved, and the link is out',
        whole: true,
        go: async (stage) => {
          const ada = stage.demo.person('ada');
          const mine = {
            by: { id: ada.id, name: ada.name },
            reason: 'Came by at the office, with the passport',
            checked: [say('recovery_check_met')],
            at: hours(-0.2),
          };
          const state = { state: 'approved', link_until: hours(71.8), decidable: false, refusal: 'recovery_changed' };
          await ticket(stage, { ...state, approvals: [mine] });
          await expect(stage.page.getByText(say('recovery_at_approved'))).toBeVisible();
        },
      },
    ],
  ],
};
