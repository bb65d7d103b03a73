// Starts the program with temporary data, a target with a controllable response, and a browser.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const program = process.env.PULSECHECK_BIN ?? new URL('../target/debug/pulsecheck', import.meta.url).pathname;

// Without these Chromium contacts its vendor's hosts; the sandbox does not work for root.
const flags = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])];

/** Starts `pulsecheck` and returns its URL, its one-time sign-in link, and functions to control it. */
export async function startProgram(args = [], settings = {}) {
  const data = await mkdtemp(join(tmpdir(), 'pulsecheck-e2e-'));
  const env = { PATH: process.env.PATH, PULSECHECK_DATA_DIR: data, PULSECHECK_LISTEN: '127.0.0.1:0', ...settings };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (text) => { log = (log + text).slice(-8000); });
  const found = {};
  for await (const line of createInterface(child.stdout)) {
    const [, name, value] = line.match(/^(Listening on|Sign in:) (\S+)/) ?? [];
    if (name) found[name] = value;
    if (found['Sign in:']) break;
  }
  if (!found['Sign in:']) throw new Error(`${program} did not start:\n${log}`);
  child.stdout.resume();
  return {
    base: found['Listening on'],
    link: found['Sign in:'],
    /** Creates another one-time link, as an operator does. */
    async loginLink() {
      const { stdout } = await promisify(execFile)(program, ['login-link'], { env });
      const { pathname, search } = new URL(stdout.match(/https?:\S+/)[0]);
      return found['Listening on'] + pathname + search;
    },
    async stop() {
      child.kill();
      if (child.exitCode === null) await once(child, 'exit');
      await rm(data, { recursive: true });
    },
  };
}

/** Starts an HTTP server to be checked; `behave` sets its response. */
export async function startTarget() {
  let behaviour = { code: 200, delay: 0 };
  const server = createServer((_, response) => {
    const { code, delay } = behaviour;
    setTimeout(() => { response.writeHead(code).end('ok'); }, delay);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/health`,
    behave(code, delay = 0) { behaviour = { code, delay }; },
    stop() { server.closeAllConnections(); server.close(); },
  };
}

export function startBrowser(more = []) {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: [...flags, ...more] });
}

/** Opens a page that collects its errors. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const errors = [];
  // Leaving a page while it loads aborts its requests, which is not an error.
  const record = (error) => { if (!error.includes('Response body loading was aborted')) errors.push(error); };
  page.on('pageerror', (error) => record(String(error)));
  page.on('console', (message) => { if (message.type() === 'error') record(message.text()); });
  page.setDefaultTimeout(20_000);
  return { page, errors };
}

/** Sends a query as the page does. */
export async function ask(page, query, variables = {}) {
  const answer = await page.evaluate(async (body) => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch('/api/graphql', { method: 'POST', headers, body })).json();
  }, JSON.stringify({ query, variables }));
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

/** Returns the accessibility violations that axe finds on the page. */
export async function violations(page) {
  // The page's content security policy blocks other scripts, but not those of the debugger.
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(async () => (await window.axe.run()).violations
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html).join(' | ')}`));
}

/** Signs in by the program's link and creates an API token. */
export async function createToken({ base, link }) {
  const { headers } = await fetch(link, { redirect: 'manual' });
  const cookie = headers.getSetCookie().map((each) => each.split(';')[0]).join('; ');
  const query = 'mutation { createApiToken(input: { name: "client" }) { token } }';
  const response = await fetch(`${base}/api/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie, origin: base },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data.createApiToken.token;
}
