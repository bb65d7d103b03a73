// Services in the browser: the first check of a new one, undoing a pause, addresses without a scheme,
// defaults of the form, and the order of names.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, openPage, startBrowser, startProgram, startTarget } from './pulsecheck.mjs';

let program, target, browser, page, errors;

before(async () => {
  [program, target, browser] = await Promise.all([
    startProgram([], { PULSECHECK_MIN_INTERVAL_SECONDS: '1' }), startTarget(), startBrowser(),
  ]);
  ({ page, errors } = await openPage(browser, { serviceWorkers: 'block' }));
  await page.goto(program.link);
  await page.getByRole('heading', { name: 'Add your first service' }).waitFor();
});

after(async () => {
  await browser?.close();
  target?.stop();
  await program?.stop();
});

const row = (name) => page.locator('li.row', { hasText: name });
const state = () => page.locator('.detail-pane .state');

/** Waits until `read` returns `expected`. */
async function eventually(read, expected) {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const actual = await read();
    if (JSON.stringify(actual) === JSON.stringify(expected)) return;
    if (Date.now() > deadline) assert.deepEqual(actual, expected);
    await page.evaluate(() => new Promise((done) => { requestAnimationFrame(done); }));
  }
}

async function add(name, more = {}) {
  const input = { name, monitor: { http: { url: target.url } }, checkIntervalSeconds: 86400, ...more };
  const { createService } = await ask(page, 'mutation($input: CreateServiceInput!) { createService(input: $input) { id } }', { input });
  return createService.id;
}

async function remove(names) {
  const { services } = await ask(page, '{ services { id name } }');
  const ids = services.filter(({ name }) => names.includes(name)).map(({ id }) => id);
  await ask(page, 'mutation($ids: [UUID!]!) { deleteServices(ids: $ids) }', { ids });
}

test('the first result of a new service is never lost', async () => {
  // Whether the stream or the response is first depends on the moment, so each order is forced, and
  // the natural one is tried often.
  for (let round = 0; round < 20; round++) {
    await page.goto(`${program.base}/services/new`);
    const held = round % 2 === 0;
    if (held) {
      await page.route('**/api/graphql', async (route) => {
        if (!route.request().postData()?.includes('createService')) return route.continue();
        const response = await route.fetch();
        const { data } = await response.json();
        // The result of the first check is there before the page hears of the service.
        for (;;) {
          const answer = await fetchStatus(data.createService.id);
          if (answer) break;
        }
        return route.fulfill({ response });
      });
    }
    await page.locator('#field-url').fill(`${target.url}/${round}`);
    await page.getByLabel('Name', { exact: true }).fill(`New ${round}`);
    await page.getByText('Interval, thresholds and more').click();
    await page.getByLabel('Check every').fill('86400');
    await page.locator('main').getByRole('button', { name: 'Add service' }).click();
    await page.getByRole('heading', { name: `New ${round}`, exact: true }).waitFor();
    await state().getByText('Up', { exact: true }).waitFor();
    await page.unroute('**/api/graphql');
  }
  assert.deepEqual(errors.splice(0), []);
  await remove(Array.from({ length: 20 }, (_, round) => `New ${round}`));
});

/** Asks for a status past the page, whose requests are intercepted. */
async function fetchStatus(id) {
  const response = await page.request.post(`${program.base}/api/graphql`, {
    data: { query: 'query($id: UUID!) { service(id: $id) { current { status } } }', variables: { id } },
    headers: { origin: program.base },
  });
  return (await response.json()).data.service.current?.status;
}

test('until its first result a service is being checked', async () => {
  target.behave(200, 2500);
  await page.goto(`${program.base}/services/new`);
  await page.locator('#field-url').fill(target.url);
  await page.getByLabel('Name', { exact: true }).fill('Slow start');
  await page.locator('main').getByRole('button', { name: 'Add service' }).click();
  await state().getByText('Checking…').waitFor();
  await row('Slow start').getByText('Checking…').waitFor();
  assert.equal(await row('Slow start').getByText('Unknown').count(), 0);
  target.behave(200);
  await row('Slow start').getByText(/Up|Degraded/).waitFor();
  assert.deepEqual(errors.splice(0), []);
  await remove(['Slow start']);
});

test('undoing a pause restores status, time and incident of one and of many', async () => {
  const names = ['Bulk 1', 'Bulk 2', 'Bulk 3'];
  const ids = [];
  for (const name of names) ids.push(await add(name, { confirmations: 1 }));
  await page.goto(program.base);
  for (const name of names) await row(name).getByText('Up', { exact: true }).waitFor();
  target.behave(503);
  const broken = await add('Broken', { confirmations: 1 });
  await row('Broken').getByText('Down', { exact: true }).waitFor();
  const read = async () => {
    const { services } = await ask(page, '{ services { name paused current { status since } openIncident { id startedAt events { kind } } } }');
    return services;
  };
  const before = await read();
  assert.ok(before.find(({ name }) => name === 'Broken').openIncident);

  await row('Broken').getByRole('link', { name: 'Broken', exact: true }).click();
  await page.locator('.detail-pane').getByRole('button', { name: 'Pause' }).click();
  await eventually(async () => (await read()).find(({ name }) => name === 'Broken').openIncident, null);
  await page.locator('.notice', { hasText: 'Broken paused' }).getByRole('button', { name: 'Undo' }).click();
  // The target fails still: whatever is checked again meanwhile belongs to the same incident.
  await eventually(read, before);
  await state().getByText('Down', { exact: true }).waitFor();
  await page.goto(program.base);
  await page.locator('.incidents-now').getByText('Broken').waitFor();

  target.behave(200);
  await page.locator('li.row', { hasText: 'Bulk 1' }).getByRole('checkbox').click();
  await page.locator('li.row', { hasText: 'Bulk 3' }).getByRole('checkbox').click({ modifiers: ['Shift'] });
  await page.getByRole('button', { name: 'Pause' }).click();
  await eventually(async () => (await read()).filter(({ paused }) => paused).length, 3);
  await page.locator('.notice', { hasText: '3 services paused' }).getByRole('button', { name: 'Undo' }).click();
  const bulk = (services) => services.filter(({ name }) => names.includes(name));
  await eventually(async () => bulk(await read()), bulk(before));
  const { incidents } = await ask(page, '{ incidents { totalCount } }');
  assert.equal(incidents.totalCount, 1, 'no incident was closed and opened anew');
  assert.deepEqual(errors.splice(0), []);
  await ask(page, 'mutation($ids: [UUID!]!) { deleteServices(ids: $ids) }', { ids: [...ids, broken] });
});

test('an address without a scheme shows which one it gets', async () => {
  const port = new URL(target.url).port;
  for (const [typed, expected] of [[`localhost:${port}/x`, 'http'], [`127.0.0.1:${port}/x`, 'http']]) {
    await page.goto(`${program.base}/services/new`);
    await page.locator('#field-url').fill(typed);
    await page.getByText(`Will be requested as ${expected}://${typed}`).waitFor();
    await page.getByRole('button', { name: 'Test now' }).click();
    await page.locator('.tested').getByText('Up', { exact: true }).waitFor();
    assert.equal(await page.locator('#field-url').inputValue(), `http://${typed}`, 'the scheme that was chosen');
    await page.locator('#field-url').fill(typed);
    await page.getByLabel('Name', { exact: true }).fill('No scheme');
    await page.locator('main').getByRole('button', { name: 'Add service' }).click();
    await page.getByRole('link', { name: `http://${typed}` }).waitFor();
    await state().getByText('Up', { exact: true }).waitFor();
    await remove(['No scheme']);
  }
  await page.goto(`${program.base}/services/new`);
  await page.locator('#field-url').fill('example.com');
  await page.getByText('Will be requested as https://example.com, or by http:// if HTTPS does not answer').waitFor();
  await page.locator('#field-url').fill('https://example.com');
  await eventually(() => page.getByText('Will be requested').count(), 0);
  assert.deepEqual(errors.splice(0), []);
});

test('the threshold follows a shorter timeout', async () => {
  await page.goto(`${program.base}/services/new`);
  await page.locator('#field-url').fill(target.url);
  await page.getByLabel('Name', { exact: true }).fill('Quick');
  await page.getByText('Interval, thresholds and more').click();
  await page.getByLabel('Give up after').fill('900');
  assert.equal(await page.getByLabel('Degraded when slower than').inputValue(), '900');
  await page.locator('main').getByRole('button', { name: 'Add service' }).click();
  await page.getByRole('heading', { name: 'Quick', exact: true }).waitFor();
  assert.deepEqual(errors.splice(0), []);
  await remove(['Quick']);
});

test('names are ordered as in the language of the reader', async () => {
  const names = ['zebra', 'Äpfel', 'apple', 'Öl', 'Web 10', 'Web 2', 'émile', 'Emil'];
  for (const name of names) await add(name, { category: name });
  const storageState = await page.context().storageState();
  for (const locale of ['de-DE', 'sv-SE']) {
    const { page: read } = await openPage(browser, { storageState, locale, serviceWorkers: 'block' });
    const expected = [...names].sort(new Intl.Collator(locale, { numeric: true }).compare);
    assert.ok(expected.indexOf('Web 2') < expected.indexOf('Web 10'));
    await read.goto(`${program.base}/?group=none`);
    await read.locator('li.row').nth(names.length - 1).waitFor();
    assert.deepEqual(await read.locator('li.row a.name').allTextContents(), expected, `rows in ${locale}`);
    await read.goto(program.base);
    await read.locator('li.row').first().waitFor();
    assert.deepEqual(await read.locator('.group-head .title').allTextContents(), expected, `groups in ${locale}`);
    await read.goto(`${program.base}/incidents`);
    await read.getByLabel('Service').locator('option').nth(names.length).waitFor({ state: 'attached' });
    const options = await read.getByLabel('Service').locator('option').allTextContents();
    assert.deepEqual(options.slice(1), expected, `options in ${locale}`);
    await read.context().close();
  }
});
