// How a session lasts in a real browser: renewed without anybody noticing, kept while the server is busy, and over at once
// when it was ended elsewhere.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, startProgram, startTarget } from './pulsecheck.mjs';

let program, target, browser;

before(async () => {
  [program, target, browser] = await Promise.all([startProgram(), startTarget(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  target?.stop();
  await program?.stop();
});

const REFRESH = '**/api/auth/refresh';

/** A signed-in page on the dashboard, and how often it has renewed its session. */
async function signedIn() {
  const { page } = await openPage(browser, { serviceWorkers: 'block' });
  await page.goto(await program.loginLink());
  await page.getByRole('button', { name: /^Account: / }).waitFor();
  const renewed = [];
  page.on('response', (response) => {
    if (new URL(response.url()).pathname === '/api/auth/refresh') renewed.push(response.status());
  });
  return { page, renewed };
}

/** What an access token that has run out looks like to the server: it is not there. */
async function runOut(page) {
  const cookies = await page.context().cookies();
  const access = cookies.find(({ name }) => name.startsWith('pulsecheck_access'));
  await page.context().clearCookies({ name: access.name });
}

const signInPage = (page) => page.getByRole('heading', { name: 'Sign in' });

test('a session that has run out is renewed while one goes on, and nothing is lost', async () => {
  const { page, renewed } = await signedIn();
  await page.goto(`${program.base}/services/new`);
  await page.locator('#field-url').fill(target.url);
  await page.getByLabel('Name', { exact: true }).fill('Web shop');
  await runOut(page);
  await page.locator('#content').getByRole('button', { name: 'Add service' }).click();
  await page.getByRole('heading', { name: 'Web shop' }).waitFor();
  assert.deepEqual(renewed, [200]);

  await runOut(page);
  await page.reload();
  await page.getByRole('heading', { name: 'Web shop' }).waitFor();
  // The live connection, too: what changes from now on is seen.
  target.behave(503);
  await page.getByRole('button', { name: 'Check now' }).click();
  await page.getByText('answered 503').first().waitFor();
  target.behave(200);
  assert.equal(await signInPage(page).count(), 0);
  assert.ok(renewed.length >= 2 && renewed.every((status) => status === 200), `${renewed}`);
  await page.context().close();
});

test('a server that is busy does not sign anybody out', async () => {
  const { page } = await signedIn();
  await runOut(page);
  await page.route(REFRESH, (route) => route.fulfill({ status: 503, body: '' }));
  await page.reload();
  await page.getByText('No connection').waitFor();
  // Asking again changes nothing, and need not be done: the page goes on asking by itself.
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('No connection').waitFor();
  assert.equal(await signInPage(page).count(), 0);
  await page.unroute(REFRESH);
  await page.getByRole('button', { name: /^Account: / }).waitFor();
  assert.equal(await signInPage(page).count(), 0);
  await page.context().close();
});

test('a session that was ended elsewhere is over at once', async () => {
  const [here, there] = [await signedIn(), await signedIn()];
  await there.page.goto(`${program.base}/settings`);
  await there.page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await there.page.locator('dialog[open]').getByRole('button', { name: 'Sign out' }).click();
  await signInPage(here.page).waitFor();
  await Promise.all([here.page.context().close(), there.page.context().close()]);
});
