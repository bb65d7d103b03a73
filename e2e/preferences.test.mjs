// What is chosen for one browser, in a real one: messages on the desktop, time zone and language.
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

/** Stands for the desktop: keeps what is said to it, and lets a test say whether one looks at the page. */
function desktop(answer) {
  window.said = [];
  window.looking = true;
  document.hasFocus = () => window.looking;
  window.Notification = class {
    static permission = 'default';

    static async requestPermission() {
      this.permission = answer;
      return answer;
    }

    constructor(title, { body, icon, tag }) {
      window.said.push({ title, body, icon, tag });
    }
  };
}

test('a change of status is told on the desktop once that is switched on, and only to who looks elsewhere', async () => {
  const { page, errors } = await signedIn();
  await page.addInitScript(desktop, 'granted');
  await page.goto(`${program.base}/settings`);
  assert.equal(await notifications(page).isChecked(), false, 'nobody is told unasked');

  const input = { name: 'Web shop', monitor: { http: { url: target.url } }, checkIntervalSeconds: 86400, confirmations: 1 };
  const create = 'mutation($input: CreateServiceInput!) { createService(input: $input) { id } }';
  const { createService: { id } } = await ask(page, create, { input });
  // Each change of status ends with its announcement, which comes with what is said on the desktop.
  const becomes = async (code, word) => {
    target.behave(code);
    await ask(page, 'mutation($id: UUID!) { checkService(id: $id) { id } }', { id });
    await page.locator('[aria-live=polite]', { hasText: `Web shop is ${word}` }).waitFor({ state: 'attached' });
  };
  const look = (looking) => page.evaluate((now) => { window.looking = now; }, looking);
  const said = () => page.evaluate(() => window.said.splice(0).map(({ body }) => body));

  await page.goto(program.base);
  await row(page).getByText('Up', { exact: true }).waitFor();
  await look(false);
  await becomes(503, 'down');
  assert.deepEqual(await said(), [], 'it is switched off');

  await page.getByRole('link', { name: 'Settings' }).first().click();
  // The permission is asked for by this click alone.
  assert.equal(await page.evaluate(() => Notification.permission), 'default');
  await notifications(page).check();
  await page.waitForFunction(() => Notification.permission === 'granted');
  await becomes(200, 'up');
  assert.deepEqual(await said(), ['Web shop is up']);
  await becomes(503, 'down');
  const [{ title, body, icon, tag }] = await page.evaluate(() => window.said.splice(0));
  assert.deepEqual([title, body, tag], ['PulseCheck', 'Web shop is down', 'status']);
  assert.match(icon, /favicon-down\.svg$/);

  await look(true);
  await becomes(200, 'up');
  assert.deepEqual(await said(), [], 'who looks at the page sees it there');
  await look(false);
  await notifications(page).uncheck();
  await becomes(503, 'down');
  assert.deepEqual(await said(), [], 'it is switched off again');
  target.behave(200);
  assert.deepEqual(errors, []);
  await page.context().close();
});

test('a browser that allows no messages says so, and the box stays empty', async () => {
  const { page } = await signedIn();
  await page.addInitScript(desktop, 'denied');
  await page.goto(`${program.base}/settings`);
  await notifications(page).click();
  await page.locator('.notice', { hasText: 'does not allow PulseCheck to show notifications' }).waitFor();
  assert.equal(await notifications(page).isChecked(), false);
  await page.context().close();
});

test('times follow the zone and the language of the browser, until others are chosen', async () => {
  const { page } = await signedIn({ locale: 'de-DE', timezoneId: 'America/New_York' });
  const checked = () => row(page).locator('.checked time').getAttribute('title');
  const { services: [{ current }] } = await ask(page, '{ services { current { checkedAt } } }');
  /** That instant as anybody in that zone writes it. */
  const written = (locale, timeZone) => new Intl.DateTimeFormat(locale, {
    day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
    timeZoneName: 'short', timeZone,
  }).format(new Date(current.checkedAt));
  const spaces = (text) => text.replace(/\s/g, ' ');
  const shows = async (locale, zone) => {
    await row(page).waitFor();
    assert.equal(spaces(await checked()), spaces(written(locale, zone)));
  };
  const back = () => page.getByRole('link', { name: 'Dashboard' }).first().click();
  const there = () => page.getByRole('link', { name: 'Settings' }).first().click();
  await shows('de-DE', 'America/New_York');

  await there();
  await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
  await page.getByText(/^It is .*GMT\+9\.$/).waitFor();
  await back();
  await shows('de-DE', 'Asia/Tokyo');
  await there();
  await page.getByLabel('Language of dates').selectOption('en-US');
  await page.getByText(/^It is .* [AP]M GMT\+9\.$/).waitFor();
  await back();
  await shows('en-US', 'Asia/Tokyo');
  await page.reload();
  await shows('en-US', 'Asia/Tokyo');
  await there();
  assert.equal(await page.getByLabel('Time zone').inputValue(), 'Asia/Tokyo');

  for (const choice of ['Time zone', 'Language of dates']) await page.getByLabel(choice).selectOption('');
  await back();
  await shows('de-DE', 'America/New_York');
  await page.context().close();
});
