import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Locator, type Page } from '@playwright/test';
import { atHome, codeField, heading, press, refusal, toSecondStep } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver } from './kit/person';
import { expect, test } from './kit/test';
import { filmOf } from './kit/video';
import { say } from './kit/words';

const link = (page: Page | Locator, name: string) => page.getByRole('link', { name, exact: true });
const sixMinutes = '6 minutes';

/** By the keyboard alone. */
async function pressAt(page: Page, wanted: Locator): Promise<void> {
  await expect(wanted).toBeVisible();
  for (let n = 0; n < 60 && !(await wanted.evaluate((one) => one === document.activeElement)); n++) {
    await page.keyboard.press('Tab');
  }
  await expect(wanted).toBeFocused();
  await page.keyboard.press('Enter');
}

test('whose phone runs six minutes slow is told so at the first refusal, follows the path, and signs in', async ({
  page,
  someone,
  tidy,
}) => {
  tidy.expectRefusals(422);
  const ada = await someone();
  await ada.enrol();
  await page.setViewportSize({ width: 360, height: 740 });
  await toSecondStep(page, ada);

  // The phone shows the code of six minutes ago.
  await page.keyboard.type(await ada.app.code(-11));
  const box = await refusal(page, 'clock_behind');
  await expect(box).toContainText(say('clock_behind_title', { span: sixMinutes }));
  await inspect(page, 'refused, with the way to the troubleshooter');

  const opened = page.waitForEvent('popup');
  await pressAt(page, link(box, say('fix_find_out')));
  const path = await opened;
  await path.bringToFront();
  await path.setViewportSize({ width: 360, height: 740 });
  await expect(heading(path, say('fix_code_title'))).toBeFocused();
  await expect(path.locator('[data-clock="right"]')).toContainText(say('fix_clock_right'));
  await expect(path.getByText(say('fix_test_body'))).toBeVisible();
  await inspect(path, 'my code is not accepted, in a pending sign-in');

  // The same phone, tested: it is the phone, and not the computer.
  await codeField(path).focus();
  await path.keyboard.type(await ada.app.code(-11));
  await expect(await refusal(path, 'clock_behind')).toContainText(say('clock_behind_title', { span: sixMinutes }));
  await path.getByLabel(say('fix_device')).selectOption(say('fix_android'));
  await expect(path.getByText(say('android_time_2'))).toHaveCount(2); // in the refusal as well
  await inspect(path, 'a tested code is of another moment');

  // Automatic time is on now.
  await codeField(path).focus();
  await path.keyboard.type(await ada.app.code());
  await expect(path.getByText(say('fix_right_title'))).toBeVisible();
  await expect(path.getByText(say('fix_right_spent'))).toBeVisible();
  await inspect(path, 'a tested code is right');

  await pressAt(path, link(path, say('fix_go_on')));
  await expect(codeField(path)).toBeFocused();
  await path.keyboard.type(await ada.app.code(1));
  await atHome(path, ada);
});

test('a phone whose clock is slow compares it, sets it, and compares again', async ({ another, tidy }) => {
  tidy.expectRefusals(401);
  const phone = await another({
    viewport: { width: 360, height: 740 },
    userAgent:
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1',
  });
  await phone.addInitScript(() => {
    const [now, shift] = [Date.now, { by: -360_000 }];
    Object.assign(window, { setTheClock: () => (shift.by = 0) });
    Date.now = () => now() + shift.by;
  });
  const page = await phone.newPage();
  await page.goto('/fix');
  await inspect(page, 'the troubleshooter');
  await page.getByRole('link', { name: say('fix_code_title') }).click();
  const told = page.locator('[data-clock="wrong"]');
  await expect(told).toContainText(say('fix_clock_behind', { span: sixMinutes }));
  await expect(told).toContainText('give or take 0');
  await expect(page.getByText(say('iphone_time_2'))).toBeVisible();
  await inspect(page, 'the clock of this phone is slow');
  await page.evaluate(() => (window as unknown as { setTheClock: () => void }).setTheClock());
  await press(page, say('fix_clock_again'));
  await expect(page.locator('[data-clock="right"]')).toBeVisible();
});

test('the camera: read, refused, missing, and for one page only', async ({ page, server, tidy, launchOptions }) => {
  const folder = mkdtempSync(join(tmpdir(), 'secondstep-film-'));
  const film = join(folder, 'code.y4m');
  filmOf(`${server.url}/fix/scan#read`, film);
  /** A browser whose camera is a film, or none, and whose person presses Allow, or does not. */
  const having = async (flags: string[], act: (page: Page) => Promise<void>) => {
    const browser = await chromium.launch({ ...launchOptions, args: [...(launchOptions.args ?? []), ...flags] });
    try {
      const context = await browser.newContext({ baseURL: server.url, locale: 'en-GB', reducedMotion: 'reduce' });
      await tidy.watch(context);
      await act(await context.newPage());
    } finally {
      await browser.close();
    }
  };
  const [device, allow] = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
  const allowed = (page: Page) =>
    page.evaluate(() => {
      const { featurePolicy } = document as unknown as { featurePolicy: { allowsFeature(name: string): boolean } };
      return featurePolicy.allowsFeature('camera');
    });
  const told = async (page: Page, what: string) => {
    await press(page, say('fix_camera_try'));
    const box = page.locator(`[data-camera="${what}"]`);
    await expect(box).toBeFocused();
    return box;
  };

  await page.goto('/fix/scan');
  await inspect(page, 'I can not scan');
  await expect(await told(page, 'none')).toContainText(say('fix_camera_none_next'));

  await having([device, `--use-file-for-fake-video-capture=${film}`, allow], async (page) => {
    // By way of the index, whose own policy has no camera.
    await page.goto('/fix');
    expect(await allowed(page)).toBe(false);
    await page.getByRole('link', { name: say('fix_scan_title') }).click();
    await expect(heading(page, say('fix_scan_title'))).toBeVisible();
    expect(await allowed(page)).toBe(true);
    await expect(await told(page, 'sample')).toContainText(say('fix_seen_sample'));
    await page.getByRole('link', { name: say('fix_all') }).click();
    await expect(heading(page, say('fix_title'))).toBeVisible();
    expect(await allowed(page)).toBe(false);
  });
  await having([device, `${allow}=deny`], async (page) => {
    await page.goto('/fix/scan');
    // Refused this once, and not for good.
    await expect(await told(page, 'dismissed')).toContainText(say('fix_camera_dismissed_next'));
  });
  rmSync(folder, { recursive: true, force: true });
});

test('a camera that is in use says so, with what to do', async ({ page }) => {
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('in use', 'NotReadableError'));
  });
  await page.goto('/fix/scan');
  await press(page, say('fix_camera_try'));
  await expect(page.locator('[data-camera="busy"]')).toContainText(say('fix_camera_busy_next'));
  await inspect(page, 'the camera is in use');
});

test('backup codes, a lost phone and mail that does not come, each with what is found', async ({
  page,
  mailing,
  someone,
}) => {
  const { server, mailbox } = mailing;
  const ada = await someone({ on: server });
  const caller = await ada.enrol();
  await carryOver(caller, page.context());
  await page.goto(`${server.url}/fix/backup-code`);
  await page.getByLabel(say('backup_code_label')).fill(ada.codes[3] ?? '');
  await press(page, say('fix_test_press'));
  await expect(page.getByText(say('fix_right_backup', { number: 3 }))).toBeVisible();
  await expect(page.getByText(say('fix_set_left', { left: 10, total: 10 }))).toBeVisible();
  await inspect(page, 'a backup code is tested');
  await page.goto(`${server.url}/fix/phone`);
  await expect(link(page, say('security_lost_title'))).toBeVisible();
  await inspect(page, 'a lost phone, signed in');
  await page.goto(`${server.url}/fix/mail`);
  await expect(page.locator('[data-mail="sends"]')).toContainText('no-reply@example.test');
  await expect(page.getByLabel(say('email'))).toHaveValue(ada.email);
  await press(page, say('fix_mail_again'));
  await expect(page.getByText(say('fix_mail_asked', { email: ada.email }))).toBeVisible();
  await inspect(page, 'a mail is waited for');
  await mailbox.link(ada.email, '/new-password');
  await press(page, say('fix_mail_it_came'));
  await expect(page.getByText(say('fix_mail_came'))).toBeVisible();
});
