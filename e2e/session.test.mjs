// Sessions in a real browser: renewed silently, kept while the server is busy, over at once when
// ended elsewhere.
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

/** A signed-in page, with the status of each renewal of its session. */
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

/** Deletes the access token's cookie, as the browser does when it expires. */
async function expireAccessToken(page) {
  const cookies = await page.context().cookies();
  const access = cookies.find(({ name }) => name.startsWith('pulsecheck_access'));
  await page.context().clearCookies({ name: access.name });
}

const signInPage = (page) => page.getByRole('heading', { name: 'Sign in' });

test('an expired session is renewed without losing input', async () => {
  const { page, renewed } = await signedIn();
  await page.goto(`${program.base}/services/new`);
  await page.locator('#field-url').fill(target.url);
  await page.getByLabel('Name', { exact: true }).fill('Web shop');
  await expireAccessToken(page);
  await page.locator('#content').getByRole('button', { name: 'Add service' }).click();
  await page.getByRole('heading', { name: 'Web shop' }).waitFor();
  assert.deepEqual(renewed, [200]);

  await expireAccessToken(page);
  await page.reload();
  await page.getByRole('heading', { name: 'Web shop' }).waitFor();
  // The live connection works too.
  target.behave(503);
  await page.getByRole('button', { name: 'Check now' }).click();
  await page.getByText('answered 503').first().waitFor();
  target.behave(200);
  assert.equal(await signInPage(page).count(), 0);
  assert.ok(renewed.length >= 2 && renewed.every((status) => status === 200), `${renewed}`);
  await page.context().close();
});

test('a busy server signs nobody out', async () => {
  const { page } = await signedIn();
  await expireAccessToken(page);
  await page.route(REFRESH, (route) => route.fulfill({ status: 503, body: '' }));
  await page.reload();
  await page.getByText('No connection').waitFor();
  // Retrying by hand changes nothing, and is not necessary: the page retries by itself.
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('No connection').waitFor();
  assert.equal(await signInPage(page).count(), 0);
  await page.unroute(REFRESH);
  await page.getByRole('button', { name: /^Account: / }).waitFor();
  assert.equal(await signInPage(page).count(), 0);
  await page.context().close();
});

test('a session that is ended elsewhere is over at once', async () => {
  const [here, there] = [await signedIn(), await signedIn()];
  await there.page.goto(`${program.base}/settings`);
  await there.page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await there.page.locator('dialog[open]').getByRole('button', { name: 'Sign out' }).click();
  await signInPage(here.page).waitFor();
  await Promise.all([here.page.context().close(), there.page.context().close()]);
});
