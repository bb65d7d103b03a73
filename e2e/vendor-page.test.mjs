// Following a vendor's page in a real browser: find it, choose from it, see what the vendor says, and choose again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, startProgram, startTarget } from './pulsecheck.mjs';
import { component, group, incident, maintenance, startVendor } from './vendor.mjs';

// A page is read once a minute at most.
const NEXT_READING = 100_000;

let program, vendor, empty, browser, page, errors;

const regions = Array.from({ length: 400 }, (_, place) => component(`r${place}`, `Region ${place}`, 'operational', 'regions'));
const shown = (api, extra = []) => [
  component('api', 'Public API', api), group('regions', 'Regions'), component('web', 'Console'), ...regions, ...extra,
];
const trouble = (affected) => incident('i1', 'Elevated <b>errors</b>', affected, [
  { status: 'identified', body: 'Found it. <img src=x onerror="document.title=\'harmed\'">' },
  { status: 'investigating', body: 'We are looking.\nSecond line.' },
]);

before(async () => {
  vendor = await startVendor('Example Cloud Status', {
    components: shown('partial_outage'),
    incidents: [trouble([component('api', 'Public API', 'partial_outage')])],
    maintenances: [maintenance('m1', 'Console upgrade', [component('web', 'Console')], 60, 120)],
  });
  [program, empty, browser] = await Promise.all([startProgram(), startTarget(), startBrowser()]);
  ({ page, errors } = await openPage(browser));
  await page.goto(program.link);
});

after(async () => {
  await browser?.close();
  vendor?.stop();
  empty?.stop();
  await program?.stop();
});

const search = () => page.getByLabel('Service or vendor page');
const byHand = () => page.getByRole('group', { name: 'Addresses of its JSON answers' });
const picker = () => page.getByRole('group', { name: /Components to follow/ });

test('the catalogue is searched as one types, by keyboard too', async () => {
  await page.goto(`${program.base}/services/new`);
  await page.getByRole('button', { name: "Vendor page", exact: true }).click();
  await search().pressSequentially('claud', { delay: 30 });
  const options = page.getByRole('listbox', { name: 'Known services' });
  await options.getByRole('option', { name: /Claude/ }).first().waitFor();
  const first = await search().getAttribute('aria-activedescendant');
  assert.ok(first, 'the likeliest is chosen already');
  await search().press('Escape');
  await options.waitFor({ state: 'hidden' });
  assert.equal(await search().inputValue(), 'claud');
});

test('where there is no page the field says so, and addresses by hand are asked for', async () => {
  const given = new URL('/', empty.url).href;
  // Slowly enough that the progress is seen.
  empty.behave(200, 300);
  assert.equal(await byHand().count(), 0);
  await search().fill(given);
  await search().press('Enter');
  await page.getByText('Looking for the vendor page of').waitFor();
  await page.locator('#field-page-hint.error').waitFor();
  await byHand().waitFor();
  assert.equal(await search().inputValue(), given, 'what was typed stays');
  await page.getByLabel('Address 1', { exact: true }).fill(empty.url);
  await page.getByRole('button', { name: 'Add another' }).click();
  await page.getByLabel('Address 2', { exact: true }).fill(`${vendor.url}/nowhere`);
  await page.getByRole('button', { name: 'Validate' }).click();
  await page.locator('.by-hand .error').nth(1).waitFor();
  assert.equal(await page.getByLabel('Address 1', { exact: true }).inputValue(), empty.url);
  await page.getByLabel('Address 2', { exact: true }).fill(`${vendor.url}/api/v2/summary.json`);
  await page.getByRole('button', { name: 'Validate' }).click();
  await picker().getByText('Public API').waitFor();
  await page.getByRole('button', { name: 'Another page' }).click();
  await byHand().waitFor();
});

test('a page is discovered, filtered, chosen from by group, and followed', async () => {
  await search().fill(vendor.url);
  await search().press('Enter');
  await picker().getByText('of 402 chosen').waitFor();
  await page.getByRole('button', { name: 'Add service', exact: true }).last().click();
  await page.getByText('Choose one component or more').waitFor();

  const filter = page.getByLabel('Filter components');
  await filter.fill('region 39');
  await picker().getByRole('button', { name: 'Select all in Regions' }).click();
  await picker().getByText('11 of 402 chosen').waitFor();
  await picker().getByRole('button', { name: 'Clear Regions' }).click();
  await filter.fill('');
  await picker().getByRole('checkbox', { name: /Public API/ }).check();
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Example Cloud · Public API');
  await picker().getByRole('checkbox', { name: /Console/ }).check();
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Example Cloud');
  await page.getByRole('button', { name: 'Add service', exact: true }).last().click();
  await page.waitForURL(/\/services\/[0-9a-f-]+$/);
});

test("the service's page shows the vendor's words, incidents with updates, and maintenance, all as text", async () => {
  const components = page.getByRole('region', { name: 'Components' });
  await components.getByText('partial outage').waitFor();
  await components.getByText('operational', { exact: true }).waitFor();
  await components.getByText(/Read from the vendor's page/).waitFor();
  const incidents = page.getByRole('region', { name: "The vendor's incidents" });
  await incidents.getByText('Elevated <b>errors</b>').waitFor();
  await incidents.getByText('Found it.').waitFor();
  await incidents.getByText('We are looking.').waitFor();
  await incidents.getByText('Touches Public API').waitFor();
  const link = incidents.getByRole('link', { name: /On the vendor's page/ });
  assert.equal(await link.getAttribute('href'), 'https://status.example.com/i1');
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
  const maintenances = page.getByRole('region', { name: "The vendor's maintenance" });
  await maintenances.getByText('Console upgrade').waitFor();
  await maintenances.getByText(/in (59 min|1 h)/).waitFor();
  assert.equal(await page.locator('.updates img, .note b b').count(), 0);
  assert.doesNotMatch(await page.title(), /harmed/);
});

test('the dashboard tells what vendors say, and whom it touches', async () => {
  await page.goto(`${program.base}/`);
  const said = page.getByRole('region', { name: 'What vendors say' });
  await said.getByText('Elevated <b>errors</b>').click();
  await said.getByText('We are looking.').waitFor();
  await said.getByText('Console upgrade').waitFor();
  await page.locator('li.row', { hasText: 'Example Cloud' }).getByText('Down', { exact: true }).waitFor();
  await said.getByRole('link', { name: 'Example Cloud' }).first().click();
  await page.waitForURL(/\/services\//);
});

test('a component that is gone is chosen anew by one click, and recovery arrives without a reload', async () => {
  vendor.shows({
    components: shown('operational', [component('console-2', 'Console', 'operational')]).filter(({ id }) => id !== 'web'),
  });
  const loaded = await page.evaluate(() => performance.timeOrigin);
  const components = page.getByRole('region', { name: 'Components' });
  await components.getByText("no longer on the vendor's page").waitFor({ timeout: NEXT_READING });
  await components.getByRole('button', { name: 'Follow Console instead' }).click();
  await components.getByText("no longer on the vendor's page").waitFor({ state: 'detached' });
  await page.locator('.state').getByText('Up', { exact: true }).waitFor({ timeout: NEXT_READING });
  assert.equal(await page.evaluate(() => performance.timeOrigin), loaded);

  await page.getByRole('link', { name: 'Edit' }).click();
  await picker().getByText('2 of 402 chosen').waitFor();
  await picker().getByRole('checkbox', { name: /Public API/ }).uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/\/services\/[0-9a-f-]+$/);
  await components.getByText('Console').waitFor();
  assert.equal(await components.getByText('Public API').count(), 0);
  assert.deepEqual(errors, []);
});
