// Takes the README's screenshots of the demo: `PULSECHECK_BIN=target/debug/pulsecheck node
// e2e/pictures.mjs`.
import { openPage, startBrowser, startProgram } from './pulsecheck.mjs';

const folder = new URL('../docs/', import.meta.url).pathname;
const [program, browser] = await Promise.all([startProgram(['demo']), startBrowser()]);
let session;

/** Opens the dashboard, signed in, and waits for everything that is loaded after the rows. */
async function dashboard(options) {
  const { page } = await openPage(browser, { reducedMotion: 'reduce', storageState: session, ...options });
  await page.goto(session ? program.base : program.link);
  await page.locator('.row .bar path').first().waitFor({ state: 'attached' });
  await page.locator('.live.on').waitFor();
  // Wait until every service and the vendor page were checked.
  await page.waitForFunction(() => !document.querySelector('.row .badge.unknown') && document.querySelector('.vendors-now'));
  session = await page.context().storageState();
  return page;
}

try {
  const wide = await dashboard({ colorScheme: 'dark', viewport: { width: 1440, height: 900 } });
  await wide.screenshot({ path: `${folder}dashboard.png` });
  await wide.locator('li.row', { hasText: 'Payments API' }).getByRole('link', { name: 'Payments API', exact: true }).click();
  await wide.getByRole('slider', { name: /^Response times/ }).hover();
  await wide.locator('.incident-list').waitFor();
  await wide.screenshot({ path: `${folder}service.png` });
  const phone = { colorScheme: 'light', viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
  const narrow = await dashboard({ ...phone, deviceScaleFactor: 2 });
  await narrow.screenshot({ path: `${folder}phone.png` });
} finally {
  await browser.close();
  await program.stop();
}
