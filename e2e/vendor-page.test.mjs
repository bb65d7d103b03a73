// Following a vendor page in a real browser: find it, choose components, see its incidents, replace
// a component.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, startProgram, startTarget } from './pulsecheck.mjs';
import { component, group, incident, maintenance, startVendor } from './vendor.mjs';

// Vendor pages are read once a minute at most.
const NEXT_READING_MS = 100_000;

let program, vendor, empty, browser, page, errors;

const regions = Array.from({ length: 400 }, (_, index) => component(`r${index}`, `Region ${index}`, 'operational', 'regions'));
const shown = (api, extra = []) => [
  component('api', 'Public API', api), group('regions', 'Regions'), component('web', 'Console'), ...regions, ...extra,
];
const outage = (affected) => incident('i1', 'Elevated <b>errors</b>', affected, [
  { status: 'identified', body: 'Found it. <img src=x onerror="document.title=\'harmed\'">' },
  { status: 'investigating', body: 'We are looking.\nSecond line.' },
]);

before(async () => {
  vendor = await startVendor('Example Cloud Status', {
    components: shown('partial_outage'),
    incidents: [outage([component('api', 'Public API', 'partial_outage')])],
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
const byHand = () => page.getByRole('group', { name: 'JSON endpoints' });
const picker = () => page.getByRole('group', { name: /Components to follow/ });

test('the catalogue is searched while typing', async () => {
  await page.goto(`${program.base}/services/new`);
  await page.getByRole('button', { name: "Vendor page", exact: true }).click();
  await search().pressSequentially('claud', { delay: 30 });
  const options = page.getByRole('listbox', { name: 'Known services' });
  await options.getByRole('option', { name: /Claude/ }).first().waitFor();
  const first = await search().getAttribute('aria-activedescendant');
  assert.ok(first, 'the best match is selected');
  await search().press('Escape');
  await options.waitFor({ state: 'hidden' });
  assert.equal(await search().inputValue(), 'claud');
});

test('without a vendor page, addresses can be given by hand', async () => {
  const given = new URL('/', empty.url).href;
  // Slow enough to show the progress.
  empty.behave(200, 300);
  assert.equal(await byHand().count(), 0);
  await search().fill(given);
  await search().press('Enter');
  await page.getByText('Looking for the vendor page of').waitFor();
  await page.locator('#field-page-hint.error').waitFor();
  await byHand().waitFor();
  assert.equal(await search().inputValue(), given, 'the input is kept');
  await page.getByLabel('URL 1', { exact: true }).fill(empty.url);
  await page.getByRole('button', { name: 'Add another' }).click();
  await page.getByLabel('URL 2', { exact: true }).fill(`${vendor.url}/nowhere`);
  await page.getByRole('button', { name: 'Validate' }).click();
  await page.locator('.by-hand .error').nth(1).waitFor();
  assert.equal(await page.getByLabel('URL 1', { exact: true }).inputValue(), empty.url);
  await page.getByLabel('URL 2', { exact: true }).fill(`${vendor.url}/api/v2/summary.json`);
  await page.getByRole('button', { name: 'Validate' }).click();
  await picker().getByText('Public API').waitFor();
  await page.getByRole('button', { name: 'Change page' }).click();
  await byHand().waitFor();
});

test('a vendor page is discovered, filtered and followed', async () => {
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

test("the service's page shows the vendor's text without interpreting it", async () => {
  const components = page.getByRole('region', { name: 'Components' });
  await components.getByText('partial outage').waitFor();
  await components.getByText('operational', { exact: true }).waitFor();
  await components.getByText(/Read from the vendor page/).waitFor();
  const incidents = page.getByRole('region', { name: "The vendor's incidents" });
  await incidents.getByText('Elevated <b>errors</b>').waitFor();
  await incidents.getByText('Found it.').waitFor();
  await incidents.getByText('We are looking.').waitFor();
  await incidents.getByText('Affects Public API').waitFor();
  const link = incidents.getByRole('link', { name: /View on the vendor page/ });
  assert.equal(await link.getAttribute('href'), 'https://status.example.com/i1');
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
  const maintenances = page.getByRole('region', { name: "The vendor's maintenance" });
  await maintenances.getByText('Console upgrade').waitFor();
  await maintenances.getByText(/in (59 min|1 h)/).waitFor();
  assert.equal(await page.locator('.updates img, .note b b').count(), 0);
  assert.doesNotMatch(await page.title(), /harmed/);
});

test('the dashboard shows announcements and affected services', async () => {
  await page.goto(`${program.base}/`);
  const announcements = page.getByRole('region', { name: 'Vendor announcements' });
  await announcements.getByText('Elevated <b>errors</b>').click();
  await announcements.getByText('We are looking.').waitFor();
  await announcements.getByText('Console upgrade').waitFor();
  await page.locator('li.row', { hasText: 'Example Cloud' }).getByText('Down', { exact: true }).waitFor();
  await announcements.getByRole('link', { name: 'Example Cloud' }).first().click();
  await page.waitForURL(/\/services\//);
});

test('a missing component is replaced, and a recovery arrives live', async () => {
  vendor.setPage({
    components: shown('operational', [component('console-2', 'Console', 'operational')]).filter(({ id }) => id !== 'web'),
  });
  const loaded = await page.evaluate(() => performance.timeOrigin);
  const components = page.getByRole('region', { name: 'Components' });
  await components.getByText('no longer on the vendor page').waitFor({ timeout: NEXT_READING_MS });
  await components.getByRole('button', { name: 'Follow Console instead' }).click();
  await components.getByText('no longer on the vendor page').waitFor({ state: 'detached' });
  await page.locator('.state').getByText('Up', { exact: true }).waitFor({ timeout: NEXT_READING_MS });
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
