// The window around the views: titles and icon, heights, tabs, tooltips, requests at load, and the
// browser's own news about the network.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, openPage, startBrowser, startProgram, startTarget } from './pulsecheck.mjs';

let program, target, browser, page, errors, id;

before(async () => {
  [program, target, browser] = await Promise.all([startProgram(), startTarget(), startBrowser()]);
  ({ page, errors } = await openPage(browser, { serviceWorkers: 'block' }));
  await page.goto(program.link);
  await page.getByRole('heading', { name: 'Add your first service' }).waitFor();
  target.behave(503);
  const input = { name: 'Payments API', monitor: { http: { url: target.url } }, checkIntervalSeconds: 86400, confirmations: 1 };
  ({ createService: { id } } = await ask(page, 'mutation($input: CreateServiceInput!) { createService(input: $input) { id } }', { input }));
  await page.goto(program.base);
  await row().getByText('Down', { exact: true }).waitFor();
});

after(async () => {
  await browser?.close();
  target?.stop();
  await program?.stop();
});

const row = () => page.locator('li.row', { hasText: 'Payments API' });
const titled = (title) => page.waitForFunction((title) => document.title === title, title);
const icon = () => page.locator('link[rel=icon]').getAttribute('href');

test('each view has a title of its own', async () => {
  const { incidents } = await ask(page, '{ incidents { edges { node { id } } } }');
  for (const [path, title] of [
    ['/', 'Dashboard - 1 down - PulseCheck'],
    [`/services/${id}`, 'Payments API - down - PulseCheck'],
    [`/services/${id}/edit`, 'Edit Payments API - PulseCheck'],
    ['/services/new', 'Add a service - 1 down - PulseCheck'],
    ['/incidents', 'Incidents - 1 down - PulseCheck'],
    [`/incidents/${incidents.edges[0].node.id}`, 'Payments API - open incident - PulseCheck'],
    ['/settings', 'Settings - 1 down - PulseCheck'],
    ['/system', 'System - 1 down - PulseCheck'],
    ['/nowhere', 'Page not found - 1 down - PulseCheck'],
  ]) {
    await page.goto(program.base + path);
    await titled(title);
  }
  assert.match(await icon(), /favicon-down\.svg$/);
  // Navigation inside of the page changes it as well.
  await page.goto(program.base);
  await row().getByRole('link', { name: 'Payments API', exact: true }).click();
  await titled('Payments API - down - PulseCheck');
  await page.goBack();
  await titled('Dashboard - 1 down - PulseCheck');
  assert.deepEqual(errors.splice(0), []);
});

test('beside the list the document is as high as the window', async () => {
  for (const [width, height] of [[1440, 900], [1280, 701], [1920, 1080]]) {
    await page.setViewportSize({ width, height });
    for (const path of [`/services/${id}`, '/services/new', `/services/${id}/edit`]) {
      await page.goto(program.base + path);
      await page.locator('.detail-pane h1').waitFor();
      const taller = await page.evaluate(() => document.documentElement.scrollHeight - window.innerHeight);
      assert.equal(taller, 0, `${path} at ${width}x${height}`);
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
});

test('on a phone one tab is lit', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const [path, lit] of [['/', 'Dashboard'], ['/services/new', 'Add'], ['/incidents', 'Incidents'], ['/settings', 'Settings'], [`/services/${id}`, 'Dashboard']]) {
    await page.goto(program.base + path);
    await page.locator('main h1:not(.unseen):visible').first().waitFor();
    const tabs = await page.locator('nav.bottom [aria-current]').allTextContents();
    assert.deepEqual(tabs.map((tab) => tab.trim()), [lit], path);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
});

test('a bar tells that its day is one in UTC, and when that is here', async () => {
  const storageState = await page.context().storageState();
  const { page: tokyo } = await openPage(browser, { storageState, timezoneId: 'Asia/Tokyo', locale: 'en-GB', serviceWorkers: 'block' });
  await tokyo.goto(`${program.base}/services/${id}`);
  const bar = tokyo.locator('.detail-pane svg.bar');
  await bar.locator('path').first().waitFor();
  const { width } = await bar.boundingBox();
  await bar.hover({ position: { x: width - 4, y: 5 } });
  const lines = await tokyo.getByRole('tooltip').locator('p').allTextContents();
  const today = new Date(new Date().toISOString().slice(0, 10));
  const format = (date, timeZone, options) => new Intl.DateTimeFormat('en-GB', { timeZone, ...options }).format(date);
  assert.equal(lines[0], `${today.toISOString().slice(0, 10)} (UTC day)`);
  const local = (date) => format(date, 'Asia/Tokyo', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  assert.equal(lines[1], `${local(today)} to ${local(new Date(today.getTime() + 86_400_000))} in your time zone`);
  assert.match(lines[1], /09:00/);
  await tokyo.context().close();
});

test('the list is requested once at each load', async () => {
  const requests = [];
  page.on('request', (request) => {
    const name = request.headers()['x-operation-name'];
    if (name) requests.push(name);
  });
  for (const path of ['/', `/services/${id}`, '/incidents']) {
    requests.length = 0;
    await page.goto(program.base + path);
    await page.getByText('Live', { exact: true }).waitFor();
    // The uptimes are requested after the list, so by then a second request for the list would be there.
    await page.waitForFunction(() => performance.getEntriesByType('resource').length > 0);
    const deadline = Date.now() + 10_000;
    while (!requests.includes('ListUptimes')) {
      assert.ok(Date.now() < deadline, `${requests}`);
      await page.evaluate(() => new Promise((done) => { requestAnimationFrame(done); }));
    }
    assert.deepEqual(requests.filter((name) => name === 'ListServices'), ['ListServices'], path);
  }
  page.removeAllListeners('request');
});

test('the browser tells of a lost network at once, and of its return', async () => {
  await page.goto(program.base);
  await page.getByText('Live', { exact: true }).waitFor();
  const bar = page.getByText(/^Connection lost at/);
  const lost = Date.now();
  await page.context().setOffline(true);
  await bar.waitFor({ timeout: 1000 });
  assert.ok(Date.now() - lost < 1000);
  await row().waitFor();
  await page.context().setOffline(false);
  await page.getByText('Live', { exact: true }).waitFor({ timeout: 5000 });
  await bar.waitFor({ state: 'detached' });
  // Requests that failed meanwhile are logged by the browser.
  assert.deepEqual(errors.splice(0).filter((error) => !error.includes('ERR_INTERNET_DISCONNECTED')), []);
});

test('a new service that is down shows no full uptime', async () => {
  await page.goto(program.base);
  await row().waitFor();
  await page.waitForFunction(() => document.querySelector('li.row .uptime').textContent !== '–');
  assert.doesNotMatch(await row().locator('.uptime').textContent(), /^100/);
  await page.goto(`${program.base}/services/${id}`);
  await page.locator('.tile b').first().waitFor();
  for (const tile of await page.locator('.tile b').allTextContents()) assert.doesNotMatch(tile, /^100/);
});

// Last, because it ends the session.
test('signing out clears title and icon', async () => {
  await page.goto(program.base);
  await titled('Dashboard - 1 down - PulseCheck');
  await page.getByRole('button', { name: /^Account: / }).click();
  await page.getByRole('button', { name: 'Sign out' }).first().click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await titled('Sign in - PulseCheck');
  assert.match(await icon(), /favicon\.svg$/);
});
