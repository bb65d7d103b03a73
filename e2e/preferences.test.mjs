// The settings that are saved in a browser: desktop notifications, time zone, language of dates.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, openPage, startBrowser, startProgram, startTarget } from './pulsecheck.mjs';

let program, target, browser;

before(async () => {
  [program, target, browser] = await Promise.all([startProgram(), startTarget(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  target?.stop();
  await program?.stop();
});

/** A signed-in page in a browser of its own. */
async function signedIn(options) {
  const opened = await openPage(browser, { serviceWorkers: 'block', ...options });
  await opened.page.goto(await program.loginLink());
  await opened.page.getByRole('button', { name: /^Account: / }).waitFor();
  return opened;
}

const row = (page) => page.locator('li.row', { hasText: 'Web shop' });
const notifications = (page) => page.getByRole('region', { name: 'Notifications' }).getByRole('checkbox');

/** Replaces the browser's notifications by a recorder, and lets a test decide whether the page has the focus. */
function fakeNotifications(permission) {
  window.shown = [];
  window.focused = true;
  document.hasFocus = () => window.focused;
  window.Notification = class {
    static permission = 'default';

    static async requestPermission() {
      this.permission = permission;
      return permission;
    }

    constructor(title, { body, icon, tag }) {
      window.shown.push({ title, body, icon, tag });
    }
  };
}

test('desktop notifications appear if switched on and unfocused', async () => {
  const { page, errors } = await signedIn();
  await page.addInitScript(fakeNotifications, 'granted');
  await page.goto(`${program.base}/settings`);
  assert.equal(await notifications(page).isChecked(), false, 'they are off by default');

  const input = { name: 'Web shop', monitor: { http: { url: target.url } }, checkIntervalSeconds: 86400, confirmations: 1 };
  const create = 'mutation($input: CreateServiceInput!) { createService(input: $input) { id } }';
  const { createService: { id } } = await ask(page, create, { input });
  // The announcement of a change and its notification come together.
  const becomes = async (code, word) => {
    target.behave(code);
    await ask(page, 'mutation($id: UUID!) { checkService(id: $id) { id } }', { id });
    await page.locator('[aria-live=polite]', { hasText: `Web shop is ${word}` }).waitFor({ state: 'attached' });
  };
  const setFocus = (focused) => page.evaluate((focused) => { window.focused = focused; }, focused);
  const shown = () => page.evaluate(() => window.shown.splice(0).map(({ body }) => body));

  await page.goto(program.base);
  await row(page).getByText('Up', { exact: true }).waitFor();
  await setFocus(false);
  await becomes(503, 'down');
  assert.deepEqual(await shown(), [], 'notifications are off');

  await page.getByRole('link', { name: 'Settings' }).first().click();
  // The permission is asked for by this click alone.
  assert.equal(await page.evaluate(() => Notification.permission), 'default');
  await notifications(page).check();
  await page.waitForFunction(() => Notification.permission === 'granted');
  await becomes(200, 'up');
  assert.deepEqual(await shown(), ['Web shop is up']);
  await becomes(503, 'down');
  const [{ title, body, icon, tag }] = await page.evaluate(() => window.shown.splice(0));
  assert.deepEqual([title, body, tag], ['PulseCheck', 'Web shop is down', 'status']);
  assert.match(icon, /favicon-down\.svg$/);

  await setFocus(true);
  await becomes(200, 'up');
  assert.deepEqual(await shown(), [], 'the focused page shows the change itself');
  await setFocus(false);
  await notifications(page).uncheck();
  await becomes(503, 'down');
  assert.deepEqual(await shown(), [], 'notifications are off again');
  target.behave(200);
  assert.deepEqual(errors, []);
  await page.context().close();
});

test('a denied permission is reported and leaves the box unchecked', async () => {
  const { page } = await signedIn();
  await page.addInitScript(fakeNotifications, 'denied');
  await page.goto(`${program.base}/settings`);
  await notifications(page).click();
  await page.locator('.notice', { hasText: 'Notifications are blocked' }).waitFor();
  assert.equal(await notifications(page).isChecked(), false);
  await page.context().close();
});

test('times follow the browser until another zone is chosen', async () => {
  const { page } = await signedIn({ locale: 'de-DE', timezoneId: 'America/New_York' });
  const checked = () => row(page).locator('.checked time').getAttribute('title');
  const { services: [{ current }] } = await ask(page, '{ services { current { checkedAt } } }');
  /** The time of the check in that zone and language. */
  const expected = (locale, timeZone) => new Intl.DateTimeFormat(locale, {
    day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
    timeZoneName: 'short', timeZone,
  }).format(new Date(current.checkedAt));
  const spaces = (text) => text.replace(/\s/g, ' ');
  const shows = async (locale, zone) => {
    await row(page).waitFor();
    assert.equal(spaces(await checked()), spaces(expected(locale, zone)));
  };
  const openDashboard = () => page.getByRole('link', { name: 'Dashboard' }).first().click();
  const openSettings = () => page.getByRole('link', { name: 'Settings' }).first().click();
  await shows('de-DE', 'America/New_York');

  await openSettings();
  await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
  await page.getByText(/^Current time: .*GMT\+9$/).waitFor();
  await openDashboard();
  await shows('de-DE', 'Asia/Tokyo');
  await openSettings();
  await page.getByLabel('Language of dates').selectOption('en-US');
  await page.getByText(/^Current time: .* [AP]M GMT\+9$/).waitFor();
  await openDashboard();
  await shows('en-US', 'Asia/Tokyo');
  await page.reload();
  await shows('en-US', 'Asia/Tokyo');
  await openSettings();
  assert.equal(await page.getByLabel('Time zone').inputValue(), 'Asia/Tokyo');

  for (const choice of ['Time zone', 'Language of dates']) await page.getByLabel(choice).selectOption('');
  await openDashboard();
  await shows('de-DE', 'America/New_York');
  await page.context().close();
});
