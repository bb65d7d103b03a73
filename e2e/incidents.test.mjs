// Open incidents in the browser: the current cause, edits, and the table of checks.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, openPage, startBrowser, startProgram, startTarget, violations } from './pulsecheck.mjs';

let program, target, browser, page, errors, id;

before(async () => {
  [program, target, browser] = await Promise.all([startProgram(), startTarget(), startBrowser()]);
  ({ page, errors } = await openPage(browser, { serviceWorkers: 'block' }));
  await page.goto(program.link);
  await page.getByRole('heading', { name: 'Add your first service' }).waitFor();
  target.behave(500);
  const input = { name: 'Web shop', monitor: { http: { url: target.url } }, checkIntervalSeconds: 86400, confirmations: 1 };
  ({ createService: { id } } = await ask(page, 'mutation($input: CreateServiceInput!) { createService(input: $input) { id } }', { input }));
  await page.goto(program.base);
  await page.locator('.incidents-now').getByText('answered 500').waitFor();
});

after(async () => {
  await browser?.close();
  target?.stop();
  await program?.stop();
});

async function checkAgain(code) {
  target.behave(code);
  await ask(page, 'mutation($id: UUID!) { checkService(id: $id) { id } }', { id });
}

async function incident() {
  const { incidents } = await ask(page, '{ incidents { edges { node { id cause events { kind message } } } } }');
  assert.equal(incidents.edges.length, 1, 'it is one incident');
  return incidents.edges[0].node;
}

test('another cause is shown everywhere as soon as it is found', async () => {
  const dashboard = page.locator('.incidents-now');
  await checkAgain(404);
  await dashboard.getByText('answered 404').waitFor();
  assert.equal(await dashboard.getByText('answered 500').count(), 0);

  await page.getByRole('link', { name: 'Incidents' }).first().click();
  await page.locator('.incident summary').getByText('answered 404').waitFor();
  await checkAgain(502);
  await page.locator('.incident summary').getByText('answered 502').waitFor();

  await page.goto(`${program.base}/incidents/${(await incident()).id}`);
  await page.getByRole('region', { name: 'Timeline' }).getByText('still failing, now: answered 404').waitFor();
  await checkAgain(410);
  await page.locator('header.head').getByText('answered 410').waitFor();
  await page.getByRole('region', { name: 'Timeline' }).getByText('still failing, now: answered 410').waitFor();
  const { events } = await incident();
  assert.deepEqual(events.map(({ kind }) => kind), ['opened', 'cause_changed', 'cause_changed', 'cause_changed']);
  assert.deepEqual(errors.splice(0), []);
});

test('the table of checks is not cut off at any width', async () => {
  await page.goto(`${program.base}/incidents/${(await incident()).id}`);
  const table = page.getByRole('region', { name: 'Checks', exact: true });
  await table.waitFor();
  for (const width of [1440, 1024, 700, 360]) {
    await page.setViewportSize({ width, height: 800 });
    const [hidden, page_] = await table.evaluate((region) => [
      region.scrollWidth - region.clientWidth, document.documentElement.scrollWidth - window.innerWidth,
    ]);
    assert.ok(hidden <= 0, `${hidden} px of the table are hidden at ${width}`);
    assert.ok(page_ <= 0, `the page is ${page_} px too wide at ${width}`);
    assert.deepEqual(await violations(page), [], `at ${width}`);
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/incident-${width}.png` });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
});

// Last, because it ends the incident.
test('an edit is an event of its own, and the recovery tells of it', async () => {
  await page.goto(`${program.base}/services/${id}/edit`);
  target.behave(200);
  await page.locator('#field-url').fill(`${target.url}/other`);
  await page.locator('main').getByRole('button', { name: 'Save' }).click();
  await page.locator('.detail-pane .state').getByText('Up', { exact: true }).waitFor();
  await page.goto(`${program.base}/incidents/${(await incident()).id}`);
  const timeline = page.getByRole('region', { name: 'Timeline' });
  await timeline.getByText(`the definition was changed: address (now ${target.url}/other)`).waitFor();
  await timeline.getByText(/^Up after .* with the changed definition: answered 200/).waitFor();
  assert.equal(await timeline.getByText('up again').count(), 0);
  assert.deepEqual(errors.splice(0), []);
});
