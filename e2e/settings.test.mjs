// The settings in a real browser: sessions, tokens, calendar feed, data export, account deletion.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, startProgram } from './pulsecheck.mjs';

let program, browser, page, errors;

before(async () => {
  [program, browser] = await Promise.all([startProgram(), startBrowser()]);
  ({ page, errors } = await openPage(browser, { permissions: ['clipboard-read', 'clipboard-write'] }));
  await page.goto(program.link);
});

after(async () => {
  await browser?.close();
  await program?.stop();
});

const card = (name) => page.getByRole('region', { name, exact: true });
const dialog = () => page.locator('dialog[open]');

/** Sends a query with an API token. */
async function queryWithToken(token, query) {
  const response = await fetch(`${program.base}/api/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

test('the account menu leads to the settings', async () => {
  await page.getByRole('button', { name: /^Account: / }).click();
  await page.getByRole('group', { name: 'Account' }).getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
  await page.getByRole('group', { name: 'Account' }).waitFor({ state: 'hidden' });
});

test('operators reach the system page from the account menu', async () => {
  await page.getByRole('button', { name: /^Account: / }).click();
  await page.getByRole('group', { name: 'Account' }).getByRole('link', { name: 'System' }).click();
  await page.getByRole('heading', { name: 'System' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/system');
  const scheduling = card('Scheduling');
  await scheduling.getByText('none overdue').waitFor();
  await scheduling.getByText('SQLite').waitFor();
  await card('Workers').getByText(/last seen (now|\d+ s ago)/).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('settings');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
});

test('another browser is listed and signed out', async () => {
  const other = await openPage(browser);
  await other.page.goto(await program.loginLink());
  await other.page.getByRole('button', { name: /^Account: / }).waitFor();

  await page.reload();
  const sessions = card('Sessions');
  await sessions.getByText('this browser').waitFor();
  assert.equal(await sessions.getByRole('listitem').count(), 2);
  await sessions.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await dialog().getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('Signed out 1 other session').waitFor();
  await sessions.getByRole('listitem').nth(1).waitFor({ state: 'detached' });
  await other.page.reload();
  await other.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await other.page.context().close();
});

test('a token is shown once, copied, limited and revoked', async () => {
  const tokens = card('API tokens');
  await tokens.getByLabel('New token').fill('Backup script');
  await tokens.getByLabel('Expires after').fill('soon');
  await tokens.getByRole('button', { name: 'Create' }).click();
  await tokens.getByText('"soon" is not a whole number of days').waitFor();
  assert.equal(await tokens.getByLabel('New token').inputValue(), 'Backup script', 'the input is kept');
  await tokens.getByLabel('Expires after').fill('99999');
  await tokens.getByRole('button', { name: 'Create' }).click();
  await tokens.locator('#field-expiresInDays-error').waitFor();
  await tokens.getByLabel('Expires after').fill('30');
  await tokens.getByRole('button', { name: 'Create' }).click();

  const token = await tokens.locator('.secret code').textContent();
  assert.match(token, /^pck_/);
  await tokens.getByRole('button', { name: 'Copy' }).click();
  await tokens.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), token);
  assert.ok((await queryWithToken(token, '{ me { email } }')).data.me.email);
  const refused = await queryWithToken(token, 'mutation { createApiToken(input: { name: "x" }) { token } }');
  assert.equal(refused.errors[0].extensions.code, 'FORBIDDEN');

  await page.reload();
  await tokens.getByText('Backup script').waitFor();
  await tokens.getByText('read-only', { exact: true }).waitFor();
  assert.equal(await tokens.getByText(token).count(), 0, 'it is not shown again');
  await tokens.getByRole('button', { name: 'Revoke Backup script' }).click();
  await dialog().getByRole('button', { name: 'Revoke' }).click();
  await tokens.getByText('Backup script', { exact: true }).waitFor({ state: 'detached' });
  const late = await queryWithToken(token, '{ services { id } }');
  assert.equal(late.errors[0].extensions.code, 'UNAUTHENTICATED');
});

test('the calendar link is created, renewed and revoked', async () => {
  const calendar = card('Calendar');
  const shown = () => calendar.locator('.secret code').textContent();
  await calendar.getByRole('button', { name: 'Create calendar link' }).click();
  const first = await shown();
  const read = await fetch(first);
  assert.equal(read.status, 200);
  assert.match(read.headers.get('content-type'), /text\/calendar/);
  assert.match(await read.text(), /BEGIN:VCALENDAR/);

  await calendar.getByRole('button', { name: 'Renew link' }).click();
  await dialog().getByRole('button', { name: 'Renew' }).click();
  await page.waitForFunction((old) => document.querySelector('.secret code')?.textContent !== old, first);
  const second = await shown();
  assert.equal((await fetch(first)).status, 404);
  assert.equal((await fetch(second)).status, 200);

  await calendar.getByRole('button', { name: 'Revoke' }).click();
  await dialog().getByRole('button', { name: 'Revoke' }).click();
  await calendar.getByRole('button', { name: 'Create calendar link' }).waitFor();
  assert.equal((await fetch(second)).status, 404);
});

test('the data can be exported as JSON', async () => {
  const [download] = await Promise.all([
    page.waitForEvent('download'), card('Your data').getByRole('link', { name: 'Export as JSON' }).click(),
  ]);
  assert.match(download.suggestedFilename(), /^pulsecheck-\d{4}-\d\d-\d\d\.json$/);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  assert.equal(typeof JSON.parse(Buffer.concat(chunks).toString()), 'object');
});

test('an account is deleted after its e-mail address is typed', async () => {
  const data = card('Your data');
  await data.getByRole('button', { name: 'Delete account' }).click();
  const field = dialog().getByLabel('Type your e-mail address to confirm');
  await field.fill('somebody@else.example');
  await dialog().getByRole('button', { name: 'Delete everything' }).click();
  await dialog().locator('#field-email-error').waitFor();
  assert.equal(await field.inputValue(), 'somebody@else.example', 'the input is kept');
  await field.fill(await field.getAttribute('placeholder'));
  await dialog().getByRole('button', { name: 'Delete everything' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.deepEqual((await page.context().cookies()).map((cookie) => cookie.name), []);
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.deepEqual(errors.filter((error) => !/40[013]/.test(error)), []);
});

test('the sign-in page explains an error in its own words', async () => {
  await page.goto(`${program.base}/sign-in?error=%3Cb%3Ecall%20us%3C/b%3E`);
  await page.getByRole('alert').getByText('PulseCheck could not sign you in').waitFor();
  assert.equal(await page.getByText('call us').count(), 0);
  await page.goto(`${program.base}/sign-in?error=link_used`);
  await page.getByRole('alert').getByText('This link was already used').waitFor();
});
