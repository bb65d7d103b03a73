// Measures the dashboard in a browser: `make measure`, on a machine that does nothing else. Prints what it found beside
// what it is held to; nothing fails here.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { ask, openPage, startBrowser, startProgram } from './pulsecheck.mjs';

const MINUTES = Number(process.env.MEASURE_MINUTES ?? 10);
const SERVICES = 2000;
const FLIPS = 200;

const sorted = (all) => [...all].sort((a, b) => a - b);
const at = (all, share) => sorted(all)[Math.round((all.length - 1) * share)];
const ms = (time) => `${time.toFixed(1)} ms`;
const say = (what, result, aim) => console.log(`${what}: ${result} (${aim})`);

/** Notes when the first row stood on the page, by the clock that starts with the navigation. */
const noteFirstRow = () => {
  const look = () => {
    if (document.querySelector('li.row .badge')) window.firstRow ??= performance.now();
    else requestAnimationFrame(look);
  };
  look();
};

async function firstSight(browser, program, session, what, aims) {
  const paints = [], rows = [];
  for (let i = 0; i < 7; i++) {
    const { page } = await openPage(browser, { storageState: session, serviceWorkers: 'block' });
    await page.addInitScript(noteFirstRow);
    await page.goto(program.base);
    await page.waitForFunction(() => window.firstRow);
    const paint = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
    await page.waitForFunction(paint);
    paints.push(await page.evaluate(paint));
    rows.push(await page.evaluate(() => window.firstRow));
    await page.context().close();
  }
  say(`first paint, ${what}, nothing cached`, `median ${ms(at(paints, 0.5))}, slowest ${ms(at(paints, 1))}`, aims[0]);
  say(`usable list, ${what}, nothing cached`, `median ${ms(at(rows, 0.5))}, slowest ${ms(at(rows, 1))}`, aims[1]);
}

async function signIn(browser, program) {
  const { page } = await openPage(browser);
  await page.goto(program.link);
  await page.locator('#main').waitFor();
  const session = await page.context().storageState();
  await page.context().close();
  return session;
}

/** Answers as the path says it should just now, and anything else with 200; notes when each path was answered last. */
async function startTargets() {
  const down = new Set();
  const answered = new Map();
  const server = createServer((request, response) => {
    response.writeHead(down.has(request.url) ? 503 : 200).end('ok');
    answered.set(request.url, Date.now());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, down, answered, stop: () => { server.closeAllConnections(); server.close(); } };
}

/** The first is checked by hand in what is measured, and seldom besides. */
async function addServices(page, url) {
  for (let from = 0; from < SERVICES; from += 20) {
    const one = (i) => `s${i}: createService(input: { name: "Service ${i}", category: "Group ${i % 20}", url: "${url}/${i}",
      checkIntervalSeconds: ${i === 0 ? 3600 : 20}, confirmations: 1 }) { id }`;
    await ask(page, `mutation { ${Array.from({ length: 20 }, (_, i) => one(from + i)).join(' ')} }`);
  }
}

/** Long tasks, and scripts of updates, from now on. */
const watchTasks = () => {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((entry) => entry.duration)))
    .observe({ type: 'longtask' });
};

async function filtering(page) {
  const times = [];
  const filter = page.getByRole('searchbox').first();
  await filter.click();
  for (const text of ['1', '12', '123', '12', '1', '', 's', 'se', 'ser', '']) {
    times.push(await page.evaluate((text) => new Promise((done) => {
      const field = document.activeElement;
      const begun = performance.now();
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, text);
      field.dispatchEvent(new InputEvent('input', { bubbles: true }));
      // The second frame begins when the first has been painted.
      requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begun)));
    }), text));
  }
  say('filter keystroke to paint, 2,000 services', `median ${ms(at(times, 0.5))}, slowest ${ms(at(times, 1))}`, 'under 50 ms');
}

async function scrolling(page) {
  await page.evaluate(watchTasks);
  for (let i = 0; i < 60; i++) {
    await page.mouse.wheel(0, 900);
    await page.waitForTimeout(30);
  }
  const long = await page.evaluate(() => window.tasks);
  say('scrolling through 2,000 services', `${long.length} tasks of over 50 ms${long.length ? `, longest ${ms(Math.max(...long))}` : ''}`, 'none');
  await page.mouse.wheel(0, -100_000);
}

/** From the answer of the target, which comes before the recording, to the frame that shows the change. */
async function flips(page, targets) {
  // The first by name, so that it is in sight.
  const name = 'Service 0';
  const { services } = await ask(page, '{ services(filter: { search: "Service 0" }) { id name } }');
  const { id } = services.find((service) => service.name === name);
  await page.goto(`${new URL(page.url()).origin}/?group=none`);
  const row = page.locator('li.row').filter({ has: page.getByRole('link', { name, exact: true }) });
  await row.waitFor();
  await page.evaluate((name) => {
    window.shown = [];
    const badge = () => [...document.querySelectorAll('li.row')]
      .find((row) => [...row.querySelectorAll('a')].some((link) => link.textContent === name))?.querySelector('.badge').textContent;
    let before = badge();
    new MutationObserver(() => {
      if (badge() === before) return;
      before = badge();
      requestAnimationFrame(() => requestAnimationFrame(() => window.shown.push(Date.now())));
    }).observe(document.querySelector('#main'), { subtree: true, childList: true, characterData: true, attributes: true });
  }, name);
  await page.waitForTimeout(1000);
  const times = [];
  for (let i = 0; i < FLIPS; i++) {
    if (i % 2 === 0) targets.down.add('/0'); else targets.down.delete('/0');
    const count = await page.evaluate(() => window.shown.length);
    const begun = Date.now();
    await ask(page, `mutation { checkService(id: "${id}") { id } }`);
    await page.waitForFunction((count) => window.shown.length > count, count);
    const [shown, answered] = [await page.evaluate((count) => window.shown[count], count), targets.answered.get('/0')];
    if (answered < begun || shown < answered) throw new Error('a change was shown that is not the one that was made');
    times.push(shown - answered);
  }
  say(`from the target's answer to the changed pixel, ${FLIPS} flips`, `p50 ${ms(at(times, 0.5))}, p99 ${ms(at(times, 0.99))}`, 'p99 under 100 ms from recording');
}

/** The bytes of the memory of every WebAssembly module in the page. */
async function moduleMemory(cdp) {
  const { result: { objectId: prototypeObjectId } } = await cdp.send('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype' });
  const { objects: { objectId } } = await cdp.send('Runtime.queryObjects', { prototypeObjectId });
  const functionDeclaration = 'function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }';
  const { result } = await cdp.send('Runtime.callFunctionOn', { objectId, functionDeclaration, returnByValue: true });
  return result.value;
}

async function heap(page, cdp) {
  // Whether the module's memory is among what backs buffers depends on the browser: at worst it counts twice.
  const used = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = await cdp.send('Runtime.getHeapUsage');
    return (usedSize + embedderHeapUsedSize + backingStorageSize + await moduleMemory(cdp)) / 1e6;
  };
  await page.evaluate(watchTasks);
  const before = await cdp.send('Performance.getMetrics');
  const metric = ({ metrics }, name) => metrics.find((metric) => metric.name === name).value;
  const samples = [await used()];
  const begun = Date.now();
  while (Date.now() - begun < MINUTES * 60_000) {
    await page.waitForTimeout(Math.min(60_000, MINUTES * 60_000 / 4));
    samples.push(await used());
  }
  const seconds = (Date.now() - begun) / 1000;
  const after = await cdp.send('Performance.getMetrics');
  const script = (metric(after, 'ScriptDuration') - metric(before, 'ScriptDuration')) * 1000;
  const updates = seconds * SERVICES / 20;
  say('script of one live update', ms(script / updates), 'under 16 ms');
  const long = await page.evaluate(() => window.tasks);
  say('tasks of over 50 ms meanwhile', String(long.length), 'none');
  say(`heap over ${MINUTES} min of ${SERVICES / 20} updates a second`, samples.map((size) => `${size.toFixed(1)}`).join(' ') + ' MB', 'under 120 MB, no growth');
}

const browser = await startBrowser();
const demo = await startProgram(['demo']);
try {
  const session = await signIn(browser, demo);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  await firstSight(browser, demo, session, 'demo', ['under 300 ms', 'under 1,500 ms']);
} finally {
  await demo.stop();
}
const targets = await startTargets();
const program = await startProgram([], {
  PULSECHECK_MAX_SERVICES_PER_WORKSPACE: '5000', PULSECHECK_REQUESTS_PER_MINUTE: '1000000', PULSECHECK_CHECKS_NOW_PER_MINUTE: '100000',
  PULSECHECK_ALLOW_PRIVATE_TARGETS: 'true', PULSECHECK_CONCURRENCY_PER_HOST: '256', PULSECHECK_MIN_INTERVAL_SECONDS: '10',
});
try {
  const session = await signIn(browser, program);
  const { page } = await openPage(browser, { storageState: session, serviceWorkers: 'block' });
  await page.goto(program.base);
  await page.locator('#main').waitFor();
  await addServices(page, targets.url);
  await firstSight(browser, program, session, '2,000 services', ['under 300 ms', 'under 2,500 ms']);
  await page.goto(`${program.base}/?group=none`);
  await page.locator('li.row').first().waitFor();
  await page.waitForTimeout(3000);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  await filtering(page);
  await scrolling(page);
  await flips(page, targets);
  await page.goto(`${program.base}/?group=none`);
  await page.locator('li.row').first().waitFor();
  await page.waitForTimeout(5000);
  await heap(page, cdp);
} finally {
  await browser.close();
  await program.stop();
  targets.stop();
}
