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

    constructor(title, { body, icon, tag, renotify }) {
      if (window.refused) throw new TypeError('Illegal constructor: use showNotification');
      this.content = { title, body, icon, tag, renotify };
      window.shown.push(this.content);
      window.last = this;
    }
  };
}

/** Replaces the service worker's notifications by a recorder, as on a phone, where pages may show none. */
function fakeWorker() {
  window.refused = true;
  const registration = {
    active: {},
    async showNotification(title, { body, icon, tag, renotify, data }) {
      window.shown.push({ title, body, icon, tag, renotify, url: data.url });
    },
  };
  navigator.serviceWorker.getRegistration = async () => registration;
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
  const shown = () => page.evaluate(() => window.shown.splice(0).map(({ title }) => title));
  const next = async () => {
    await page.waitForFunction(() => window.shown.length > 0);
    return page.evaluate(() => window.shown.splice(0));
  };

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
  const [up] = await next();
  assert.equal(up.title, 'Web shop is up');
  assert.match(up.body, /^Recovered after /);
  await becomes(503, 'down');
  const [{ title, body, icon, tag, renotify }] = await next();
  assert.deepEqual([title, body, renotify], ['Web shop is down', 'Answered 503, expected 200-299', true]);
  assert.equal(tag, up.tag, 'one notification for each service');
  assert.match(icon, /favicon-down\.svg$/);
  await page.evaluate(() => window.last.onclick());
  await page.waitForURL(/\/incidents\/[0-9a-f-]+$/);
  await page.locator('header.head').getByText('answered 503').waitFor();
  await page.getByRole('link', { name: 'Settings' }).first().click();

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

test('where pages may not show notifications the service worker does', async () => {
  const { page, errors } = await signedIn();
  await page.addInitScript(fakeNotifications, 'granted');
  await page.addInitScript(fakeWorker);
  await page.goto(`${program.base}/settings`);
  await notifications(page).check();
  await page.evaluate(() => { window.focused = false; });
  const input = (name) => ({ name, monitor: { http: { url: target.url } }, checkIntervalSeconds: 86400, confirmations: 1 });
  const create = 'mutation($input: CreateServiceInput!) { createService(input: $input) { id } }';
  const ids = [];
  for (const name of ['First', 'Second']) {
    const { createService: { id } } = await ask(page, create, { input: input(name) });
    ids.push(id);
  }
  // Not by loading the page, which would forget the permission.
  await page.getByRole('link', { name: 'Dashboard' }).first().click();
  for (const name of ['First', 'Second']) await page.locator('li.row', { hasText: name }).getByText('Up', { exact: true }).waitFor();
  await page.evaluate(() => { window.focused = false; });
  target.behave(502);
  const shown = [];
  for (const id of ids) {
    await ask(page, 'mutation($id: UUID!) { checkService(id: $id) { id } }', { id });
    await page.waitForFunction(() => window.shown.length > 0);
    shown.push(...await page.evaluate(() => window.shown.splice(0)));
  }
  assert.deepEqual(shown.map(({ title, body }) => [title, body]), [
    ['First is down', 'Answered 502, expected 200-299'], ['Second is down', 'Answered 502, expected 200-299'],
  ]);
  assert.notEqual(shown[0].tag, shown[1].tag, 'the second outage does not replace the first');
  for (const { url, renotify } of shown) {
    assert.match(url, /^\/incidents\//);
    assert.equal(renotify, true);
  }
  // Without a worker a page that may show none stays silent, and goes on.
  await page.evaluate(() => { navigator.serviceWorker.getRegistration = async () => undefined; });
  target.behave(200);
  await ask(page, 'mutation($id: UUID!) { checkService(id: $id) { id } }', { id: ids[0] });
  await page.locator('[aria-live=polite]', { hasText: 'First is up' }).waitFor({ state: 'attached' });
  assert.deepEqual(await page.evaluate(() => window.shown), []);
  await ask(page, 'mutation($ids: [UUID!]!) { deleteServices(ids: $ids) }', { ids });
  assert.deepEqual(errors, []);
  await page.context().close();
});

test('a click on a notification of the service worker opens its page in the window that is there', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(await program.loginLink());
  await page.evaluate(() => navigator.serviceWorker.ready);
  const [worker] = context.serviceWorkers();
  // A click cannot be made by a script, so what the worker does with it is called.
  await worker.evaluate(() => openPage('/incidents?state=open'));
  await page.waitForURL(/\/incidents\?state=open$/);
  await page.getByRole('heading', { name: 'Incidents' }).waitFor();
  assert.equal(context.pages().length, 1);
  await context.close();
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
