// The main user journey in a real browser: sign in, add a service, watch its row change without a
// reload.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, startProgram, startTarget } from './pulsecheck.mjs';

let program, target, browser;

before(async () => {
  [program, target, browser] = await Promise.all([
    startProgram([], { PULSECHECK_MIN_INTERVAL_SECONDS: '1' }), startTarget(), startBrowser(),
  ]);
});

after(async () => {
  await browser?.close();
  target?.stop();
  await program?.stop();
});

test('a row goes up, degraded, down and up again without a reload', async () => {
  const { page, errors } = await openPage(browser);
  await page.goto(program.link);
  assert.equal(new URL(page.url()).pathname, '/');

  await page.goto(`${program.base}/services/new`);
  await page.locator('#field-url').fill(target.url);
  await page.getByLabel('Name', { exact: true }).fill('Web shop');
  await page.getByText('Interval, thresholds and more').click();
  await page.getByLabel('Check every').fill('1');
  await page.getByLabel('Give up after').fill('1000');
  await page.getByLabel('Degraded when slower than').fill('300');
  await page.getByRole('button', { name: 'Test now' }).click();
  await page.getByText(/200/).first().waitFor();
  await page.locator('main, #main').getByRole('button', { name: 'Add service' }).click();
  await page.getByRole('heading', { name: 'Web shop' }).waitFor();

  await page.goto(`${program.base}/`);
  const loaded = await page.evaluate(() => performance.timeOrigin);
  const row = page.locator('li.row', { hasText: 'Web shop' });
  const shows = (word) => row.getByText(word, { exact: true }).waitFor();
  await shows('Up');
  target.behave(200, 400);
  await shows('Degraded');
  target.behave(503);
  await shows('Down');
  await page.getByText('answered 503, expected 200-299').first().waitFor();
  target.behave(200);
  await shows('Up');
  assert.equal(await page.evaluate(() => performance.timeOrigin), loaded, 'the page was not reloaded');

  await page.getByRole('link', { name: 'Incidents' }).first().click();
  await page.locator('.incident').getByText('Web shop').first().waitFor();
  assert.deepEqual(errors, []);
});

test('nobody is signed in without the link, and a link works once', async () => {
  const { page } = await openPage(browser);
  await page.goto(program.base);
  await page.getByRole('heading', { name: 'Know what is broken' }).waitFor();
  assert.equal(await page.locator('li.row').count(), 0);
  await page.goto(program.link);
  await page.waitForURL(/\/sign-in\?error=/);
  await page.getByRole('alert').getByText('Sign-in failed').waitFor();
  assert.deepEqual((await page.context().cookies()).map((cookie) => cookie.name), []);
});

test('GraphiQL runs without any other host and answers a query', async () => {
  const { link } = program;
  const { page, errors } = await openPage(browser);
  const hosts = new Set();
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await page.goto(`${program.base}/api/graphql`);
  await page.getByRole('button', { name: /execute query/i }).waitFor();
  assert.deepEqual([...hosts], [new URL(link).host]);
  assert.deepEqual(errors.filter((error) => !error.includes('401')), []);
});
