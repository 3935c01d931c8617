import { codeField, givePassword, heading, press, toSecondStep } from './kit/acts';
import { inspect } from './kit/inspect';
import { carryOver, Person } from './kit/person';
import { expect, password, test } from './kit/test';
import { say } from './kit/words';

test('offline: said at once, over by itself, and nothing typed is lost', async ({ page, context, someone, tidy }) => {
  tidy.expectUnanswered();
  const ada = await someone();
  await page.goto('/sign-in');
  await context.setOffline(true);
  await expect(page.getByText(say('banner_offline'))).toBeVisible();
  await inspect(page, 'sign-in, offline');
  await givePassword(page, ada);
  await expect(page.getByRole('alert')).toContainText(say('error_offline_next'));
  await context.setOffline(false);
  await expect(page.getByText(say('banner_offline'))).toHaveCount(0);
  await expect(page.getByLabel(say('password'), { exact: true })).toHaveValue(ada.password);
  await press(page, say('continue'));
  await expect(heading(page, say('home_hello', { name: ada.name }))).toBeVisible();
});

test('offline on a screen not loaded yet: said, with a way to try again', async ({ page, context, someone, tidy }) => {
  tidy.expectUnanswered();
  const ada = await someone();
  await carryOver(await ada.knock(), context);
  await page.goto('/');
  await expect(page.getByText(say('home_off_body'))).toBeVisible();
  await context.setOffline(true);
  await page
    .getByRole('navigation')
    .getByRole('link', { name: say('nav_users') })
    .first()
    .click();
  await expect(heading(page, say('offline_title'))).toBeVisible();
  await inspect(page, 'screen not loaded, offline');
  await context.setOffline(false);
  await press(page, say('try_again'));
  await expect(heading(page, say('users_title'))).toBeVisible();
});

test('the server restarts: the page says so and goes on by itself', async ({ page, context, empty, tidy }) => {
  tidy.expectUnanswered();
  const ada = new Person(empty, 'Ada Lovelace', 'ada@example.test', password, 'administrator');
  await empty.add(ada);
  await carryOver(await ada.knock(), context);
  await page.goto(`${empty.url}/`);
  await expect(page.getByText(say('home_off_administrator'))).toBeVisible();
  await page
    .getByRole('navigation')
    .getByRole('link', { name: say('nav_users') })
    .first()
    .click();
  await expect(heading(page, say('users_title'))).toBeVisible();

  await empty.stop();
  await page
    .getByRole('navigation')
    .getByRole('link', { name: say('nav_home') })
    .first()
    .click();
  await expect(page.getByText(say('banner_unreachable'))).toBeVisible();
  await expect(page.getByRole('button', { name: say('try_now') })).toBeVisible();
  await inspect(page, 'home, server restarting');
  await empty.start();
  await expect(page.getByText(say('home_off_administrator'))).toBeVisible();
  await expect(page.getByText(say('banner_unreachable'))).toHaveCount(0);
});

test('the server is away while a code is sent: said, and the code is still there', async ({ page, empty, tidy }) => {
  tidy.expectUnanswered();
  const ada = new Person(empty, 'Ada Lovelace', 'ada@example.test', password, 'member');
  await empty.add({ name: 'Root', email: 'root@example.test', password, role: 'administrator' });
  await empty.add(ada);
  await ada.enrol();
  await page.goto(`${empty.url}/sign-in`);
  await givePassword(page, ada);
  await expect(codeField(page)).toBeFocused();
  const code = await ada.app.code();
  await empty.stop();
  await codeField(page).fill(code);
  await expect(page.getByRole('alert')).toContainText(say('error_unreachable_next'));
  await expect(codeField(page)).toHaveValue(code);
  await inspect(page, 'second step, server away');
  await empty.start();
  await press(page, say('continue'));
  await expect(heading(page, say('home_hello', { name: ada.name }))).toBeVisible();
});

test('a session that ended: sign in again, and one is back where one was', async ({ page, context, someone, tidy }) => {
  tidy.expectRefusals(401);
  const ada = await someone();
  await carryOver(await ada.knock(), context);
  await page.goto('/parameters/users/me/security');
  await expect(heading(page, say('my_security'))).toBeVisible();
  // One that is still loading would be refused before the press.
  await expect(page.getByText(say('loading'))).toHaveCount(0);
  ada.server.sql(`DELETE FROM sessions WHERE user_id = '${ada.id}'`);
  await page
    .getByRole('navigation')
    .getByRole('link', { name: say('nav_home') })
    .first()
    .click();
  await expect(page.getByText(say('session_ended_title'))).toBeVisible();
  await expect(page.getByText(say('session_ended_back'))).toBeVisible();
  await inspect(page, 'sign-in, session ended');
  await givePassword(page, ada);
  await expect(heading(page, say('home_hello', { name: ada.name }))).toBeVisible();

  await page.goto('/parameters/users/me/security');
  await expect(heading(page, say('my_security'))).toBeVisible();
  ada.server.sql(`DELETE FROM sessions WHERE user_id = '${ada.id}'`);
  await page.reload();
  await expect(page.getByText(say('session_ended_title'))).toBeVisible();
  await givePassword(page, ada);
  await expect(page).toHaveURL('/parameters/users/me/security');
});

test('a new version of the server is told, and the page reloads when it suits', async ({ page, context, someone }) => {
  const ada = await someone();
  await carryOver(await ada.knock(), context);
  await page.route('**/api/v1/**', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, headers: { ...answer.headers(), 'secondstep-version': 'a newer one' } });
  });
  await page.goto('/');
  await expect(page.getByText(say('banner_outdated'))).toBeVisible();
  await inspect(page, 'home, new version');
  await page.unroute('**/api/v1/**');
  await press(page, say('reload_page'));
  await expect(heading(page, say('home_hello', { name: ada.name }))).toBeVisible();
  await expect(page.getByText(say('banner_outdated'))).toHaveCount(0);
});

test('a screen whose file is gone after an update asks for a reload', async ({ page, context, someone, tidy }) => {
  tidy.expectRefusals(404);
  const ada = await someone();
  await carryOver(await ada.knock(), context);
  await page.goto('/');
  await expect(page.getByText(say('home_off_body'))).toBeVisible();
  await page.route('**/assets/Users*', (route) => route.fulfill({ status: 404, body: '' }));
  await page
    .getByRole('navigation')
    .getByRole('link', { name: say('nav_users') })
    .first()
    .click();
  await expect(heading(page, say('screen_failed_title'))).toBeVisible();
  await inspect(page, 'screen not loaded, updated');
  await page.unroute('**/assets/Users*');
  await press(page, say('reload_page'));
  await expect(heading(page, say('users_title'))).toBeVisible();
});

test('an address that is none says so, signed out and signed in', async ({ page, context, someone }) => {
  await page.goto('/no/such/place');
  await expect(heading(page, say('not_found_title'))).toBeVisible();
  await inspect(page, 'not found');
  const ada = await someone();
  await carryOver(await ada.knock(), context);
  await page.goto('/');
  await expect(heading(page, say('home_hello', { name: ada.name }))).toBeVisible();
  await page.goto('/parameters/nothing');
  await expect(heading(page, say('not_found_title'))).toBeVisible();
});

test('a fault of ours gives the number to report, and what was typed stays', async ({ page, someone, tidy }) => {
  tidy.expectRefusals(500);
  const ada = await someone();
  await ada.enrol();
  await toSecondStep(page, ada);
  await page.route('**/api/v1/sign-in/totp', (route) =>
    route.fulfill({
      status: 500,
      contentType: 'application/problem+json',
      body: JSON.stringify({ status: 500, code: 'internal_fault', request_id: '01JFAULT' }),
    }),
  );
  await codeField(page).fill(await ada.app.code());
  await expect(page.getByRole('alert')).toContainText(say('error_internal_fault'));
  await expect(page.getByRole('alert')).toContainText(say('request_number', { id: '01JFAULT' }));
  await inspect(page, 'second step, our fault');
});

test('loading shows a skeleton, not nothing', async ({ page, context, someone }) => {
  const ada = await someone();
  await carryOver(await ada.knock(), context);
  let go = () => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  await page.route('**/api/v1/users/me/security', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto('/parameters/users/me/security');
  await expect(page.getByRole('status').filter({ hasText: say('loading') })).toBeVisible();
  await inspect(page, 'security, loading');
  go();
  await expect(heading(page, say('my_security'))).toBeVisible();
});
