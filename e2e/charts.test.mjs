// Charts and incidents in a real browser on the demo: response times, sparklines, the bar of days,
// notes, filters.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, openPage, startBrowser, startProgram, violations } from './pulsecheck.mjs';

let program, browser, page, errors, service;

before(async () => {
  [program, browser] = await Promise.all([startProgram(['demo']), startBrowser()]);
  ({ page, errors } = await openPage(browser, { permissions: ['clipboard-read', 'clipboard-write'] }));
  await page.goto(program.link);
  await page.locator('li.row').first().waitFor();
  const query = '{ services { id name kind incidents(first: 1) { edges { node { startedAt resolvedAt } } } } }';
  // The service that failed last, because its checks are still stored.
  const last = ({ incidents }) => incidents.edges[0]?.node;
  const { services } = await ask(page, query);
  const failed = services.filter((one) => one.kind === 'HTTP' && last(one)?.resolvedAt);
  service = failed.sort((a, b) => last(b).startedAt.localeCompare(last(a).startedAt))[0];
});

after(async () => {
  await browser?.close();
  await program?.stop();
});

const chart = (of = page) => of.getByRole('slider', { name: /^Response times/ });
const caption = () => page.locator('.chart figcaption');
const region = (name, of = page) => of.getByRole('region', { name, exact: true });
const pressedWindows = () => region('Response time').locator('[aria-pressed=true]').allTextContents();

async function openService(query = '') {
  await page.goto(`${program.base}/services/${service.id}${query}`);
  await chart().waitFor();
  // The tiles above the chart are loaded by another query.
  await page.locator('.tile b').first().waitFor();
}

/** Drags across the chart, between two fractions of its width. */
async function drag(from, to) {
  const { x, y, width, height } = await chart().boundingBox();
  await page.mouse.move(x + width * from, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * (from + to) / 2, y + height / 2);
  await page.locator('.chart .marked').waitFor();
  await page.mouse.move(x + width * to, y + height / 2);
  await page.mouse.up();
}

test('rows draw a sparkline where there is room', async () => {
  await page.goto(`${program.base}/?group=none`);
  const row = (name) => page.locator('li.row', { hasText: name });
  const line = row('Web shop').getByRole('img', { name: /^Last 24 hours: \d+ ms to \d+ ms$/ });
  await line.waitFor();
  const hours = '{ services { name hourlyP50Ms } }';
  const points = (await ask(page, hours)).services.find(({ name }) => name === 'Web shop').hourlyP50Ms;
  assert.equal(points.length, 24);
  const measured = points.filter((point) => point !== null).length;
  assert.equal((await line.locator('path').getAttribute('d')).match(/[ML]/g).length, measured);
  // This service has no response times.
  assert.equal(await row('Harbour · Console').locator('.spark').count(), 0);
  await page.setViewportSize({ width: 800, height: 900 });
  await line.waitFor({ state: 'hidden' });
  await page.setViewportSize({ width: 1440, height: 900 });
});

test('the pointer shows exact values, and incidents are shaded', async () => {
  await openService();
  assert.deepEqual(await pressedWindows(), ['24 h']);
  await chart().hover();
  await caption().getByText(/^\d+ checks?$/).waitFor();
  assert.match(await caption().textContent(), /p50 [\d.]+ m?s.*p95 [\d.]+ m?s/);
  assert.equal(await page.locator('.chart .cross').count(), 1);
  await page.mouse.move(5, 5);
  await page.locator('.chart .cross').waitFor({ state: 'detached' });
  await openService('?range=30d');
  await page.locator('.chart .shade').first().waitFor({ state: 'attached' });
});

test('dragging zooms in, the range is in the URL, and a button zooms out', async () => {
  await openService();
  const { y } = await chart().boundingBox();
  await drag(0.4, 0.6);
  await page.waitForURL(/\?range=\d+-\d+$/);
  await page.getByRole('button', { name: 'Zoom out' }).waitFor();
  assert.equal((await chart().boundingBox()).y, y, 'the page does not scroll');
  assert.deepEqual(await pressedWindows(), []);
  const [from, until] = new URL(page.url()).searchParams.get('range').split('-').map(Number);
  assert.ok(Math.abs(until - from - 86_400 * 0.2) < 86_400 * 0.03, `${until - from} s`);
  const name = await chart().getAttribute('aria-label');
  await page.reload();
  await chart().waitFor();
  assert.equal((await chart().getAttribute('aria-label')).split(':')[0], name.split(':')[0]);
  await drag(0.7, 0.5);
  await page.waitForURL((url) => !url.search.includes(`${from}-${until}`));
  await page.getByRole('button', { name: 'Zoom out' }).click();
  await page.waitForURL((url) => url.search === '');
  assert.deepEqual(await pressedWindows(), ['24 h']);
  await region('Response time').getByRole('button', { name: '7 d' }).click();
  await page.waitForURL(/\?range=7d$/);
  await page.reload();
  await chart().waitFor();
  assert.deepEqual(await pressedWindows(), ['7 d']);
  // A click is no drag.
  await chart().click();
  assert.match(page.url(), /\?range=7d$/);
});

test('the arrow keys select values, Enter zooms in, Escape out', async () => {
  await openService();
  await chart().focus();
  const value = () => chart().getAttribute('aria-valuetext');
  await page.keyboard.press('End');
  const last = await value();
  assert.match(last, /: p50 .*, p95 .*, \d+ checks?$/);
  await page.keyboard.press('ArrowLeft');
  assert.notEqual(await value(), last);
  await page.keyboard.press('ArrowRight');
  assert.equal(await value(), last);
  await page.keyboard.press('Home');
  for (let k = 0; k < 60; k++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\?range=\d+-\d+$/);
  assert.ok(await chart().evaluate((element) => element === document.activeElement), 'the focus stays');
  await page.keyboard.press('Escape');
  await page.waitForURL((url) => url.search === '');
});

test('the values are available as a table', async () => {
  await openService('?range=30d');
  await page.getByText('Show as a table').click();
  const table = region('Response times').getByRole('table');
  await table.getByRole('columnheader', { name: 'p95' }).waitFor();
  assert.ok(await table.getByRole('row').count() > 50);
});

test('each day of the bar shows its uptime and incidents', async () => {
  await openService();
  const bar = region('Uptime').getByRole('img');
  await bar.hover();
  const tip = page.getByRole('tooltip');
  await tip.getByText(/% uptime$/).waitFor();
  assert.match(await tip.textContent(), /\d{4}-\d\d-\d\d.*(No incidents|\d+ incidents?)$/);
  assert.match(await bar.getAttribute('aria-label'), /^Last 30 days/);
  await region('Uptime').getByRole('button', { name: '90 days' }).click();
  await page.waitForFunction(() => document.querySelector('.days-wide svg').getAttribute('aria-label').startsWith('Last 90 days'));
});

test('an incident is acknowledged, noted and copied, live elsewhere', async () => {
  await openService();
  await region('Incidents').getByRole('listitem').first().getByRole('link').click();
  await region('Timeline').waitFor();
  await region('Checks around the start').getByRole('row').nth(3).waitFor();
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByRole('button', { name: 'Acknowledge', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Acknowledge', exact: true }).click();
  await other.getByRole('button', { name: 'Unacknowledge' }).waitFor();
  await other.getByText(/^acknowledged /).waitFor();

  const text = '<b>disk</b> full\n- cleaned';
  await page.getByLabel('New note').fill(text);
  await page.getByRole('button', { name: 'Add note' }).click();
  const note = (of) => region('Notes', of).locator('.written p');
  await note(page).waitFor();
  assert.equal(await note(page).evaluate((element) => element.textContent), text);
  await note(other).waitFor();
  assert.equal(await page.getByLabel('New note').inputValue(), '');

  await page.getByRole('button', { name: 'Copy as Markdown' }).click();
  await page.getByText('Copied the incident as Markdown').waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(copied.startsWith(`## ${service.name}: `) && copied.includes('\n### Timeline\n'), copied);
  assert.ok(copied.includes('\n> <b>disk</b> full\n> - cleaned\n') && copied.includes('- **Acknowledged:** '), copied);

  await region('Notes').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await note(page).waitFor({ state: 'detached' });
  await note(other).waitFor({ state: 'detached' });
  await other.getByRole('button', { name: 'Unacknowledge' }).click();
  await page.getByRole('button', { name: 'Acknowledge', exact: true }).waitFor();
  await other.close();
});

test('incident filters work and are in the URL', async () => {
  await page.goto(`${program.base}/incidents`);
  const shown = () => page.locator('.incident .name').allTextContents();
  await page.locator('.incident').first().waitFor();
  assert.ok(new Set(await shown()).size > 1);
  await page.getByLabel('Service', { exact: true }).selectOption(service.name);
  await page.waitForURL(/service=/);
  await page.waitForFunction((name) => [...document.querySelectorAll('.incident .name')].every((one) => one.textContent === name), service.name);
  const count = async () => Number((await page.getByRole('status').filter({ hasText: /incidents?$/ }).textContent()).split(' ')[0]);
  const all = await count();
  assert.ok(all > 1, `${all} incidents`);
  await page.getByLabel('State').selectOption('Resolved');
  await page.getByLabel('Type').selectOption('Downtime');
  await page.getByLabel('Time').selectOption('Last 7 d');
  await page.waitForURL(/time=7d/);
  await page.waitForFunction((all) => {
    const status = [...document.querySelectorAll('[role=status]')].find((one) => /incidents?$/.test(one.textContent));
    return Number(status.textContent.split(' ')[0]) < all;
  }, all);
  await page.reload();
  await page.locator('.incident, .empty').first().waitFor();
  // The incidents may arrive before the services, which are the options of a filter.
  await page.getByLabel('Service', { exact: true }).locator('option').nth(1).waitFor({ state: 'attached' });
  for (const [label, value] of [['State', 'resolved'], ['Type', 'downtime'], ['Time', '7d'], ['Service', service.id]]) {
    assert.equal(await page.getByLabel(label, { exact: true }).inputValue(), value);
  }
});

test('every view passes axe in both themes and fits three widths', async () => {
  const { incidents } = await ask(page, '{ incidents(first: 1) { edges { node { id } } } }');
  await ask(page, `mutation { acknowledgeIncident(id: "${incidents.edges[0].node.id}") { id } }`);
  const note = 'The disk of the second machine was full.\\n\\nCleaned it; an alert for 80 % follows.';
  await ask(page, `mutation { addIncidentNote(incidentId: "${incidents.edges[0].node.id}", text: "${note}") { id } }`);
  const until = Math.floor(Date.now() / 1000) - 3600;
  const views = {
    service: [`/services/${service.id}`, chart()],
    closer: [`/services/${service.id}?range=${until - 7200}-${until}`, page.getByRole('button', { name: 'Zoom out' })],
    month: [`/services/${service.id}?range=30d`, chart()],
    incident: [`/incidents/${incidents.edges[0].node.id}`, page.locator('.written')],
    incidents: ['/incidents?state=resolved&time=30d', page.locator('.incident').first()],
  };
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme });
    for (const width of [1440, 1024, 360]) {
      await page.setViewportSize({ width, height: 900 });
      for (const [name, [path, there]] of Object.entries(views)) {
        await page.goto(program.base + path);
        await there.waitFor();
        if (name !== 'incident' && name !== 'incidents') {
          await chart().hover();
          await caption().getByText(/checks?$/).waitFor();
        }
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(wider <= 0, `${name} is ${wider} px too wide at ${width}`);
        if (process.env.SCREENSHOTS) {
          await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}-${width}-${theme}.png`, fullPage: true });
        }
        assert.deepEqual(await violations(page), [], `${name} at ${width}, ${theme}`);
      }
    }
  }
  assert.deepEqual(errors, []);
});
