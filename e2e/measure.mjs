// Measures the dashboard in a browser: `make measure`, on an otherwise idle machine. Prints each
// result beside its target; nothing fails here.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { ask, openPage, startBrowser, startProgram } from './pulsecheck.mjs';

const MINUTES = Number(process.env.MEASURE_MINUTES ?? 10);
const SERVICES = 2000;
const STATUS_CHANGES = 200;

const sorted = (all) => [...all].sort((a, b) => a - b);
const at = (all, share) => sorted(all)[Math.round((all.length - 1) * share)];
const ms = (time) => `${time.toFixed(1)} ms`;
const report = (what, result, target) => console.log(`${what}: ${result} (${target})`);

/** Records when the first row appears, in milliseconds since the navigation. */
const recordFirstRow = () => {
  const check = () => {
    if (document.querySelector('li.row .badge')) window.firstRow ??= performance.now();
    else requestAnimationFrame(check);
  };
  check();
};

async function measureFirstView(browser, program, session, what, targets) {
  const paints = [], rows = [];
  for (let i = 0; i < 7; i++) {
    const { page } = await openPage(browser, { storageState: session, serviceWorkers: 'block' });
    await page.addInitScript(recordFirstRow);
    await page.goto(program.base);
    await page.waitForFunction(() => window.firstRow);
    const paint = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
    await page.waitForFunction(paint);
    paints.push(await page.evaluate(paint));
    rows.push(await page.evaluate(() => window.firstRow));
    await page.context().close();
  }
  report(`first paint, ${what}, nothing cached`, `median ${ms(at(paints, 0.5))}, slowest ${ms(at(paints, 1))}`, targets[0]);
  report(`usable list, ${what}, nothing cached`, `median ${ms(at(rows, 0.5))}, slowest ${ms(at(rows, 1))}`, targets[1]);
}

async function signIn(browser, program) {
  const { page } = await openPage(browser);
  await page.goto(program.link);
  await page.locator('#main').waitFor();
  const session = await page.context().storageState();
  await page.context().close();
  return session;
}

/** Starts a server that answers 503 for paths in `down` and 200 for others, and records when each path was answered. */
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

/** The first service has a long interval, because the measurement triggers its checks. */
async function addServices(page, url) {
  for (let from = 0; from < SERVICES; from += 20) {
    const one = (i) => `s${i}: createService(input: { name: "Service ${i}", category: "Group ${i % 20}", monitor: { http: { url: "${url}/${i}" } },
      checkIntervalSeconds: ${i === 0 ? 3600 : 20}, confirmations: 1 }) { id }`;
    await ask(page, `mutation { ${Array.from({ length: 20 }, (_, i) => one(from + i)).join(' ')} }`);
  }
}

/** Starts to record long tasks. */
const recordLongTasks = () => {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((entry) => entry.duration)))
    .observe({ type: 'longtask' });
};

async function measureFilter(page) {
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
  report('filter keystroke to paint, 2,000 services', `median ${ms(at(times, 0.5))}, slowest ${ms(at(times, 1))}`, 'under 50 ms');
}

async function measureScrolling(page) {
  await page.evaluate(recordLongTasks);
  for (let i = 0; i < 60; i++) {
    await page.mouse.wheel(0, 900);
    await page.waitForTimeout(30);
  }
  const long = await page.evaluate(() => window.tasks);
  report('scrolling through 2,000 services', `${long.length} tasks of over 50 ms${long.length ? `, longest ${ms(Math.max(...long))}` : ''}`, 'none');
  await page.mouse.wheel(0, -100_000);
}

/** Measures from the target's response, which precedes the recording, to the frame that shows the change. */
async function measureStatusChanges(page, targets) {
  // The first by name, so that it is visible.
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
  for (let i = 0; i < STATUS_CHANGES; i++) {
    if (i % 2 === 0) targets.down.add('/0'); else targets.down.delete('/0');
    const count = await page.evaluate(() => window.shown.length);
    const begun = Date.now();
    await ask(page, `mutation { checkService(id: "${id}") { id } }`);
    await page.waitForFunction((count) => window.shown.length > count, count);
    const [shown, answered] = [await page.evaluate((count) => window.shown[count], count), targets.answered.get('/0')];
    if (answered < begun || shown < answered) throw new Error('another change was shown than the one that was made');
    times.push(shown - answered);
  }
  report(`from the target's answer to the changed pixel, ${STATUS_CHANGES} status changes`, `p50 ${ms(at(times, 0.5))}, p99 ${ms(at(times, 0.99))}`, 'p99 under 100 ms from recording');
}

/** Returns the memory of all WebAssembly modules in the page, in bytes. */
async function moduleMemory(cdp) {
  const { result: { objectId: prototypeObjectId } } = await cdp.send('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype' });
  const { objects: { objectId } } = await cdp.send('Runtime.queryObjects', { prototypeObjectId });
  const functionDeclaration = 'function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }';
  const { result } = await cdp.send('Runtime.callFunctionOn', { objectId, functionDeclaration, returnByValue: true });
  return result.value;
}

async function measureHeap(page, cdp) {
  // Some browsers count the module's memory as backing storage, so it may count twice.
  const used = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = await cdp.send('Runtime.getHeapUsage');
    return (usedSize + embedderHeapUsedSize + backingStorageSize + await moduleMemory(cdp)) / 1e6;
  };
  await page.evaluate(recordLongTasks);
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
  report('script of one live update', ms(script / updates), 'under 16 ms');
  const long = await page.evaluate(() => window.tasks);
  report('tasks of over 50 ms meanwhile', String(long.length), 'none');
  report(`heap over ${MINUTES} min of ${SERVICES / 20} updates a second`, samples.map((size) => `${size.toFixed(1)}`).join(' ') + ' MB', 'under 120 MB, no growth');
}

const browser = await startBrowser();
const demo = await startProgram(['demo']);
try {
  const session = await signIn(browser, demo);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  await measureFirstView(browser, demo, session, 'demo', ['under 300 ms', 'under 1,500 ms']);
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
  await measureFirstView(browser, program, session, '2,000 services', ['under 300 ms', 'under 2,500 ms']);
  await page.goto(`${program.base}/?group=none`);
  await page.locator('li.row').first().waitFor();
  await page.waitForTimeout(3000);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  await measureFilter(page);
  await measureScrolling(page);
  await measureStatusChanges(page, targets);
  await page.goto(`${program.base}/?group=none`);
  await page.locator('li.row').first().waitFor();
  await page.waitForTimeout(5000);
  await measureHeap(page, cdp);
} finally {
  await browser.close();
  await program.stop();
  targets.stop();
}
