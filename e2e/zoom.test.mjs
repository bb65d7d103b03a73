// Every view at 200 %, in a real browser on the demo: by the browser's zoom, which halves the
// viewport, and by a larger font size. Nothing is cut off, overlaps, or makes the page scroll
// sideways.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, openPage, startBrowser, startProgram, violations } from './pulsecheck.mjs';

let program, browser, session;

before(async () => {
  [program, browser] = await Promise.all([startProgram(['demo']), startBrowser()]);
  const { page } = await openPage(browser);
  await page.goto(program.link);
  await page.locator('li.row').first().waitFor();
  session = await page.context().storageState();
  await page.context().close();
});

after(async () => {
  await browser?.close();
  await program?.stop();
});

const signedIn = () => ({ storageState: session, serviceWorkers: 'block' });

/** The paths of all views. */
async function views(page) {
  const query = '{ services { id name kind incidents(first: 1) { edges { node { id } } } } }';
  const { services } = await ask(page, query);
  const requested = services.find(({ name }) => name === 'Payments API');
  const followed = services.find(({ kind }) => kind === 'VENDOR_PAGE');
  return ['/', '/?group=none', `/services/${requested.id}`, `/services/${followed.id}`, `/services/${requested.id}/edit`,
    `/services/${followed.id}/edit`, '/services/new', '/services/new?schedule=shared', '/incidents',
    `/incidents/${requested.incidents.edges[0].node.id}`, '/settings', '/system', '/nowhere'];
}

/** Finds texts that are cut off, overlap, or make the page too wide. */
function findLayoutProblems() {
  const problems = [];
  const wider = document.documentElement.scrollWidth - window.innerWidth;
  if (wider > 0) problems.push(`the page is ${wider} px too wide`);
  const texts = [];
  const walk = document.createTreeWalker(document.querySelector('#main'), NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest('.unseen, svg, dialog, option, .skip, .mark, [popover], .tip')) continue;
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    let layer = '';
    let hidden = false;
    const clips = [];
    for (let at = parent; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.clipPath !== 'none') hidden = true;
      if (style.position === 'fixed' || style.position === 'sticky') layer ||= at.className;
      if (style.overflowX !== 'visible' && at !== document.documentElement && at !== document.body) {
        clips.push([at, style]);
      }
    }
    if (hidden) continue;
    for (const { left, right, top, bottom, width, height } of range.getClientRects()) {
      if (width < 1 || height < 1) continue;
      const shown = { node, text: node.data.trim().slice(0, 40), layer, left, right, top, bottom };
      for (const [at, style] of clips) {
        const box = at.getBoundingClientRect();
        const scrolls = ['auto', 'scroll'].includes(style.overflowX);
        if (right > box.right + 1 && !scrolls && style.textOverflow !== 'ellipsis') {
          problems.push(`"${shown.text}" is cut off by .${at.className}`);
        }
        shown.left = Math.max(shown.left, box.left);
        shown.right = Math.min(shown.right, box.right);
        shown.top = Math.max(shown.top, box.top);
        shown.bottom = Math.min(shown.bottom, box.bottom);
      }
      if (shown.right > window.innerWidth + 1) problems.push(`"${shown.text}" ends outside of the window`);
      if (shown.right - shown.left > 1 && shown.bottom - shown.top > 1) texts.push(shown);
    }
  }
  texts.forEach((one, index) => texts.slice(index + 1).forEach((other) => {
    const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
    if (one.node !== other.node && one.layer === other.layer && across > 2 && down > 4) problems.push(`"${one.text}" and "${other.text}" overlap`);
  }));
  return [...new Set(problems)];
}

/** Checks every view, the palette and the sign-in page. */
async function checkEveryView(page, errors, size) {
  await page.goto(program.base);
  await page.locator('li.row').first().waitFor();
  const check = async (view) => {
    assert.deepEqual(await page.evaluate(findLayoutProblems), [], `${view}, ${size}`);
    assert.deepEqual(await violations(page), [], `${view}, ${size}`);
    if (process.env.SCREENSHOTS) {
      const name = `${size} ${view}`.replace(/[0-9a-f-]{36}/, 'one').replace(/\W+/g, '-');
      await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
    }
  };
  for (const path of await views(page)) {
    await page.goto(program.base + path);
    await page.locator('main h1:not(.unseen):visible').first().waitFor();
    await page.waitForFunction(() => !document.querySelector('.skeleton'));
    await check(path);
  }
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').waitFor();
  await check('the palette');
  // The session may have been renewed.
  session = await page.context().storageState();
  await page.context().clearCookies();
  await page.goto(program.base);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await check('the sign-in page');
  assert.deepEqual(errors.filter((error) => !error.includes('401')), []);
  await page.context().close();
}

for (const [width, height] of [[1440, 900], [1280, 800]]) {
  test(`a window of ${width} px at 200 % shows everything`, async () => {
    const viewport = { width: width / 2, height: height / 2 };
    const { page, errors } = await openPage(browser, { viewport, deviceScaleFactor: 2, ...signedIn() });
    await checkEveryView(page, errors, `${width} px at 200 %`);
  });

  test(`a window of ${width} px shows everything at twice the font size`, async () => {
    // The browser's setting of the default font size.
    const larger = await startBrowser(['--blink-settings=defaultFontSize=32,defaultFixedFontSize=26']);
    try {
      const viewport = { width, height };
      const { page, errors } = await openPage(larger, { viewport, ...signedIn() });
      await checkEveryView(page, errors, `${width} px at a larger font size`);
    } finally {
      await larger.close();
    }
  });
}
