// The dashboard in a real browser: filter, keyboard, bulk actions, the palette, themes, widths, and
// offline use.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, openPage, startBrowser, startProgram, startTarget, violations } from './pulsecheck.mjs';

const CATEGORIES = ['Storefront', 'Payments', 'Accounts', null];

let program, target, browser, page, errors;

before(async () => {
  [program, target, browser] = await Promise.all([startProgram(), startTarget(), startBrowser()]);
  // The service worker has a test of its own; the other tests intercept requests, which it would
  // hide.
  ({ page, errors } = await openPage(browser, { serviceWorkers: 'block' }));
  await page.goto(program.link);
  await page.getByRole('heading', { name: 'Add your first service' }).waitFor();
  await add(60);
  await page.goto(program.base);
  await rows().first().waitFor();
});

after(async () => {
  await browser?.close();
  target?.stop();
  await program?.stop();
});

const rows = () => page.locator('li.row');
const row = (name) => page.locator('li.row', { hasText: name });
const toast = (text) => page.locator('.notice', { hasText: text });

/** Adds services named `Service 000` and so on, in alternating categories. */
async function add(count) {
  for (let first = 0; first < count; first += 20) {
    const numbers = Array.from({ length: Math.min(20, count - first) }, (_, k) => first + k);
    const inputs = numbers.map((number) => [`i${number}`, {
      name: `Service ${String(number).padStart(3, '0')}`, category: CATEGORIES[number % 4],
      monitor: { http: { url: `${target.url}/${number}` } }, checkIntervalSeconds: 3600,
    }]);
    const declared = inputs.map(([name]) => `$${name}: CreateServiceInput!`).join();
    const fields = inputs.map(([name]) => `s${name}: createService(input: $${name}) { id }`).join(' ');
    await ask(page, `mutation(${declared}) { ${fields} }`, Object.fromEntries(inputs));
  }
}

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

async function openList(path = '/') {
  await page.goto(program.base + path);
  await rows().first().waitFor();
}

test('only visible rows exist, and every row can be reached', async () => {
  await openList('/?group=none');
  const rendered = await rows().count();
  assert.ok(rendered >= 20 && rendered < 55, `${rendered} rows are rendered`);
  assert.equal(await row('Service 059').count(), 0);
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  await row('Service 059').waitFor();
  assert.equal(await page.locator('li.row').last().getAttribute('aria-posinset'), '60');
});

test('filter and order are in the URL and in the history', async () => {
  await openList();
  await page.keyboard.press('/');
  await page.keyboard.type('service 03');
  await eventually(() => rows().count(), 10);
  await page.waitForURL(/\?q=service( |%20)03$/);
  await row('Service 031').getByRole('link', { name: 'Service 031', exact: true }).click();
  await page.getByRole('heading', { name: 'Service 031' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Service 031' }).waitFor();
  await eventually(() => rows().count(), 10);
  await page.goBack();
  await page.waitForURL(/\/\?q=/);
  await page.locator('#filter').fill('nothing of the kind');
  await page.getByText('No services match your filter').waitFor();
  await page.getByRole('button', { name: 'Clear filter' }).click();
  await rows().first().waitFor();
});

test('the keys move through the rows without losing the focus', async () => {
  await openList('/?group=none');
  const focused = () => page.evaluate(() => document.activeElement?.textContent);
  await page.keyboard.press('j');
  await eventually(focused, 'Service 000');
  for (let k = 0; k < 45; k++) await page.keyboard.press('j');
  await eventually(focused, 'Service 045');
  assert.ok(await page.evaluate(() => {
    const { top, bottom } = document.activeElement.getBoundingClientRect();
    return top >= 0 && bottom <= window.innerHeight;
  }), 'the focused row is visible');
  await page.keyboard.press('k');
  await eventually(focused, 'Service 044');
  // It keeps the focus after scrolling away.
  await page.evaluate(() => window.scrollTo(0, 0));
  await row('Service 000').waitFor();
  assert.equal(await focused(), 'Service 044');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Service 044' }).waitFor();
  for (const [keys, path] of [['gi', '/incidents'], ['gs', '/settings'], ['gd', '/'], ['n', '/services/new']]) {
    for (const key of keys) await page.keyboard.press(key);
    await page.waitForURL((url) => url.pathname === path);
    await page.evaluate(() => document.activeElement?.blur());
  }
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await page.keyboard.press('Escape');
});

test('the divider sets the width of the list, which is saved', async () => {
  await openList();
  await row('Service 000').click();
  const divider = page.getByRole('separator', { name: 'Width of the list' });
  await divider.waitFor();
  const position = async () => {
    const { x, width } = await divider.boundingBox();
    return Math.round(x + width / 2);
  };
  const dragged = async (to) => {
    const { height, y } = await divider.boundingBox();
    await page.mouse.move(await position(), y + height / 2);
    await page.mouse.down();
    await page.mouse.move(to, y + height / 2, { steps: 4 });
    await page.mouse.up();
  };
  await dragged(720);
  await eventually(() => divider.getAttribute('aria-valuenow'), '50');
  assert.ok(Math.abs(await position() - 720) <= 10, `it is where the pointer dropped it: ${await position()}`);
  await page.mouse.move(900, 400);
  assert.equal(await divider.getAttribute('aria-valuenow'), '50', 'the drag has ended');
  await divider.focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await eventually(() => divider.getAttribute('aria-valuenow'), '46');
  await page.reload();
  await rows().first().waitFor();
  await eventually(() => divider.getAttribute('aria-valuenow'), '46');
  assert.ok(Math.abs(await position() - 0.46 * 1440) <= 10, `it is where it was left: ${await position()}`);
  await dragged(1400);
  await eventually(() => divider.getAttribute('aria-valuenow'), '70');
});

test('the palette finds services and actions', async () => {
  await openList();
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Command palette' });
  await palette.getByRole('combobox').fill('serv 042');
  await palette.getByRole('option', { name: 'Service 042' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Service 042' }).waitFor();
  assert.equal(await palette.count(), 0);
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog', { name: 'Command palette' }).getByRole('combobox').fill('theme dark');
  await page.keyboard.press('Enter');
  await eventually(() => page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Escape');
  await eventually(() => page.getByRole('dialog').count(), 0);
});

test('the palette finds services that arrive while it is open', async () => {
  const { page: held, errors } = await openPage(browser, { storageState: await page.context().storageState(), serviceWorkers: 'block' });
  try {
    let release;
    const released = new Promise((resolve) => { release = resolve; });
    await held.route('**/api/graphql', async (route) => {
      await released;
      await route.continue();
    });
    const { services } = await ask(page, '{ services { id name } }');
    await held.goto(`${program.base}/services/${services.find(({ name }) => name === 'Service 000').id}`);
    await held.getByRole('navigation').first().waitFor();
    await held.keyboard.press('Control+k');
    const palette = held.getByRole('dialog', { name: 'Command palette' });
    await palette.getByRole('combobox').fill('serv 042');
    await palette.getByText('No results.').waitFor();
    // The selected entry stays selected when others are added before it.
    await palette.getByRole('combobox').fill('');
    await held.keyboard.press('ArrowDown');
    const selected = () => palette.getByRole('option', { selected: true }).textContent();
    const before = await selected();
    release();
    await palette.getByRole('option', { name: 'Delete Service 000' }).waitFor();
    assert.equal(await selected(), before);
    await palette.getByRole('combobox').fill('serv 042');
    await palette.getByRole('option', { name: 'Service 042' }).waitFor();
    assert.deepEqual(errors, []);
  } finally {
    await held.context().close();
  }
});

test('on a phone a button opens the palette, which works by touch', async () => {
  const storageState = await page.context().storageState();
  const phone = { storageState, viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
  const { page: held } = await openPage(browser, { serviceWorkers: 'block', ...phone });
  await held.goto(program.base);
  const palette = held.getByRole('dialog', { name: 'Command palette' });
  const find = held.locator('nav.bottom').getByRole('button', { name: 'Find' });
  await find.tap();
  await palette.getByRole('combobox').fill('serv 042');
  await palette.getByRole('option', { name: 'Service 042' }).tap();
  await held.getByRole('heading', { name: 'Service 042' }).waitFor();
  await find.tap();
  await palette.waitFor();
  await held.touchscreen.tap(180, 10);
  await palette.waitFor({ state: 'detached' });
  const small = await held.locator('nav.bottom > *').evaluateAll((all) =>
    all.map((one) => one.getBoundingClientRect()).filter(({ width, height }) => width < 44 || height < 44).length);
  assert.equal(small, 0, 'each button is large enough for a thumb');
  await held.context().close();
});

test('bulk pause, move and delete work and can be undone', async () => {
  await openList('/?group=none');
  const paused = async () => (await ask(page, '{ services { name paused } }')).services.filter((one) => one.paused).length;
  const sent = [];
  page.on('request', (request) => {
    if (request.postData()?.includes('"mutation')) sent.push(request.postData());
  });
  const select = async (first, last) => {
    await row(first).getByRole('checkbox').click();
    await row(last).getByRole('checkbox').click({ modifiers: ['Shift'] });
  };
  await select('Service 000', 'Service 004');
  await page.getByText('5 selected').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await row('Service 003').getByText('Paused').waitFor();
  await eventually(paused, 5);
  assert.equal(sent.filter((body) => body.includes('pauseServices')).length, 1);
  await toast('5 services paused').getByRole('button', { name: 'Undo' }).click();
  await eventually(paused, 0);

  await select('Service 005', 'Service 006');
  await page.getByRole('button', { name: 'Category' }).click();
  await page.getByLabel('Category', { exact: true }).fill('Elsewhere');
  await page.getByRole('button', { name: 'Move', exact: true }).click();
  const elsewhere = async () => (await ask(page, '{ services(filter: { category: "Elsewhere" }) { id } }')).services.length;
  await eventually(elsewhere, 2);
  await toast('moved to Elsewhere').getByRole('button', { name: 'Undo' }).click();
  await eventually(elsewhere, 0);

  const all = async () => (await ask(page, '{ services { id } }')).services.length;
  await select('Service 010', 'Service 012');
  await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await eventually(() => row('Service 011').count(), 0);
  assert.equal(await all(), 60, 'the deletion is not sent while it can be undone');
  await toast('3 services deleted').getByRole('button', { name: 'Undo' }).click();
  await row('Service 011').waitFor();
  await select('Service 010', 'Service 012');
  await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await eventually(all, 57);
  assert.equal(await row('Service 011').count(), 0);
});

test('a change that the server rejects is rolled back', async () => {
  await openList('/?group=none');
  await page.route('**/api/graphql', (route) =>
    (route.request().postData()?.includes('pauseServices') ? route.fulfill({ status: 503, body: '' }) : route.continue()));
  const name = await row('Service 000').getByRole('checkbox');
  await name.click();
  await page.getByRole('button', { name: 'Pause' }).click();
  await toast('Could not pause').waitFor();
  await eventually(() => row('Service 000').getByText('Paused').count(), 0);
  await page.unroute('**/api/graphql');
  // The browser logs the failed request; there must be no other error.
  assert.deepEqual(errors.splice(0).filter((error) => !error.includes('503')), []);
});

test('every view passes axe in both themes and fits three widths', async () => {
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme });
    await page.evaluate(() => localStorage.removeItem('pulsecheck.theme'));
    for (const width of [1440, 1024, 360]) {
      await page.setViewportSize({ width, height: 800 });
      for (const path of ['/', '/?group=none&q=no-such', '/incidents', '/settings', '/system', '/nowhere']) {
        await page.goto(program.base + path);
        // Not the heading of the skeleton, which is there until the program runs.
        await page.locator('main h1:not(.unseen)').first().waitFor();
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(wider <= 0, `${path} is ${wider} px too wide at ${width}`);
        await assertAccessible(`${path} at ${width}, ${theme}`);
        const widths = await page.locator('main select').evaluateAll((all) => all.map((one) => one.offsetWidth).filter((width) => width > 0));
        assert.ok(path !== '/' || widths.length > 0);
        assert.ok(widths.every((width) => width >= 100), `the selected options are readable on ${path} at ${width}: ${widths}`);
        assert.equal(await page.evaluate(() => window.scrollY), 0, `${path} starts at its top at ${width}`);
        if (process.env.SCREENSHOTS) {
          const name = `${path.replace(/\W+/g, '-')}-${width}-${theme}`;
          await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
        }
      }
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await openList();
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').waitFor();
  await assertAccessible('the palette');
  await page.keyboard.press('Escape');
  await row('Service 000').getByRole('checkbox').click();
  await assertAccessible('a selection');
  assert.deepEqual(errors, []);
});

// Last, because it ends the session.
test('without a connection the last known state is shown as such', async () => {
  const session = await page.context().storageState();
  const { page: other } = await openPage(browser, { storageState: session });
  const openList = async () => {
    await other.goto(program.base);
    await other.locator('li.row').first().waitFor();
  };
  await openList();
  await other.evaluate(() => navigator.serviceWorker.ready);
  // Load again, so that the responses pass through the service worker.
  await openList();
  await other.waitForFunction(async () => (await (await caches.open('state')).keys()).length >= 2);
  await other.context().setOffline(true);
  await other.reload();
  await other.locator('li.row').first().waitFor();
  await other.getByText('Offline. Showing data from').waitFor();
  await other.context().setOffline(false);
  await openList();
  await other.waitForFunction(() => !document.body.textContent.includes('Offline. Showing'));
  // Signing out deletes the cached state.
  await other.evaluate(() => fetch('/api/auth/logout', { method: 'POST' }));
  await other.waitForFunction(async () => !(await caches.has('state')));
  await other.context().close();
});

async function assertAccessible(view) {
  assert.deepEqual(await violations(page), [], view);
}
