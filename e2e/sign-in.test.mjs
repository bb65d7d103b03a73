// Signing in by providers in a real browser, from the page's own buttons to the dashboard, and every way in
// which it can go wrong: none of them leaves a cookie.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { client, startGitHub, startOpenId } from './providers.mjs';
import { openPage, startBrowser, startProgram } from './pulsecheck.mjs';

const secret = 'a secret key that only this test knows';
let openid, github, program, browser;

/** Keeps a port: providers have to know the address of the callback before the program runs. */
async function keepPort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const release = async () => {
    server.close();
    await once(server, 'close');
  };
  return { port: server.address().port, release };
}

before(async () => {
  const { port, release } = await keepPort();
  const base = `http://127.0.0.1:${port}`;
  const ids = ['google', 'oidc'];
  [openid, github, browser] = await Promise.all([
    startOpenId(ids.map((id) => `${base}/api/auth/${id}/callback`)), startGitHub(), startBrowser(),
  ]);
  await release();
  program = await startProgram([], {
    PULSECHECK_LISTEN: `127.0.0.1:${port}`,
    PULSECHECK_SECRET_KEY: secret,
    PULSECHECK_SIGN_INS_PER_MINUTE: '1000',
    GOOGLE_CLIENT_ID: client.id, GOOGLE_CLIENT_SECRET: client.secret, GOOGLE_ISSUER: openid.base,
    GITHUB_CLIENT_ID: client.id, GITHUB_CLIENT_SECRET: client.secret, GITHUB_URL: github.base,
    OIDC_CLIENT_ID: client.id, OIDC_CLIENT_SECRET: client.secret, OIDC_ISSUER: openid.base, OIDC_NAME: 'Ours',
  });
});

after(async () => {
  await browser?.close();
  await program?.stop();
  openid?.stop();
  github?.stop();
});

const cookies = async (page) => {
  const all = await page.context().cookies();
  return all.filter(({ name }) => name.startsWith('pulsecheck_')).map(({ name }) => name.replace(/_\d+$/, '')).sort();
};

/** Asks the API as the page does. */
const ask = (page, query) => page.evaluate(async (query) => {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch('/api/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) });
  return (await answer.json()).data;
}, query);

/** Says yes to everything at a provider, until back; where it ended. */
async function agree(page) {
  while (!page.url().startsWith(program.base)) {
    const before = page.url();
    await page.getByRole('link', { name: 'Continue' }).click();
    await page.waitForURL((url) => url.href !== before);
  }
  return new URL(page.url());
}

async function signIn(page, id, path = '/incidents') {
  await page.goto(`${program.base}/api/auth/${id}?return=${encodeURIComponent(path)}`);
  return agree(page);
}

/** As if the sign-in under way had been begun ten minutes ago: its cookie is signed anew, as the program signs it. */
async function grownOld(context) {
  const cookie = (await context.cookies()).find(({ name }) => name.startsWith('pulsecheck_sign_in'));
  const [head, payload] = cookie.value.split('.');
  const flow = JSON.parse(Buffer.from(payload, 'base64url'));
  flow.exp -= 600;
  const signed = `${head}.${Buffer.from(JSON.stringify(flow)).toString('base64url')}`;
  const key = createHash('sha256').update('pulsecheck sign-in key\0').update(secret).digest();
  const signature = createHmac('sha256', key).update(signed).digest('base64url');
  await context.addCookies([{ ...cookie, value: `${signed}.${signature}` }]);
}

/** Ended on the sign-in page with this code, on a page that shows it, and with no session. */
async function refused(page, code) {
  const url = new URL(page.url());
  assert.equal(url.pathname, '/sign-in');
  assert.equal(url.searchParams.get('error'), code);
  await page.getByRole('alert').first().waitFor();
  const session = (await cookies(page)).filter((name) => !name.startsWith('pulsecheck_sign_in'));
  assert.deepEqual(session, []);
  assert.deepEqual(await ask(page, '{ me { id } }'), { me: null });
}

/** A page whose every answer to a callback is looked at. */
async function visitor() {
  const { page } = await openPage(browser);
  const answers = [];
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    // A stranger's page asks whether it has a session; what providers lack is not our affair.
    const ours = message.location().url.startsWith(program.base) && !message.text().includes('401');
    if (message.type() === 'error' && ours) errors.push(message.text());
  });
  page.on('response', (response) => {
    if (new URL(response.url()).pathname.endsWith('/callback')) answers.push(response.allHeaders());
  });
  return { page, errors, answers };
}

/** No answer to a callback has set a cookie. */
async function untouched(answers) {
  assert.ok(answers.length > 0, 'the callback was reached');
  for (const headers of await Promise.all(answers)) assert.equal(headers['set-cookie'], undefined);
}

test('somebody signs in by each provider, comes back to where they were, and is the same person', async () => {
  const seen = [];
  for (const [id, name] of [['google', 'Google'], ['github', 'GitHub'], ['oidc', 'Ours']]) {
    const { page, errors } = await visitor();
    await page.goto(`${program.base}/incidents`);
    await page.getByRole('link', { name: `Continue with ${name}`, exact: true }).click();
    await page.waitForURL((url) => !url.href.startsWith(program.base));
    const url = await agree(page);
    assert.equal(url.pathname, '/incidents');
    assert.deepEqual(await cookies(page), ['pulsecheck_access', 'pulsecheck_refresh']);
    for (const cookie of await page.context().cookies()) {
      if (!cookie.name.startsWith('pulsecheck_')) continue;
      assert.ok(cookie.httpOnly && cookie.sameSite === 'Lax', cookie.name);
    }
    const { me } = await ask(page, '{ me { id email name identities { provider } } }');
    assert.equal(me.email, 'ada@example.test');
    seen.push(me.id);
    assert.deepEqual(errors, [], id);
  }
  assert.equal(new Set(seen).size, 1);
});

for (const id of ['google', 'github']) {
  test(`${id}: whoever says no there is told so`, async () => {
    const { page, answers } = await visitor();
    await page.goto(`${program.base}/api/auth/${id}`);
    await page.getByRole('link', { name: 'Cancel' }).click();
    await page.waitForURL(/\/sign-in/);
    await refused(page, 'denied');
    await untouched(answers);
  });

  test(`${id}: what was begun in another browser, forged or replayed signs nobody in`, async () => {
    const { page } = await visitor();
    let wayBack;
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.pathname.endsWith('/callback') && url.searchParams.has('code')) wayBack = request.url();
    });
    await signIn(page, id);
    assert.ok(wayBack);

    const other = await visitor();
    await other.page.goto(wayBack);
    await refused(other.page, 'browser');
    await untouched(other.answers);

    const forger = await visitor();
    await forger.page.goto(`${program.base}/api/auth/${id}`);
    await forger.page.goto(`${program.base}/api/auth/${id}/callback?code=x&state=${'A'.repeat(43)}`);
    await refused(forger.page, 'mismatch');
    await forger.page.goto(wayBack);
    await refused(forger.page, 'mismatch');
    await untouched(forger.answers);

    const replay = await visitor();
    await replay.page.goto(`${program.base}/api/auth/${id}`);
    const kept = await replay.page.context().cookies();
    let again;
    replay.page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.pathname.endsWith('/callback')) again = request.url();
    });
    await agree(replay.page);
    assert.ok(again.includes('code='));
    assert.ok(kept.some(({ name }) => name.startsWith('pulsecheck_sign_in')));
    await replay.page.context().clearCookies();
    await replay.page.goto(again);
    await refused(replay.page, 'browser');
    await replay.page.context().addCookies(kept);
    replay.answers.length = 0;
    await replay.page.goto(again);
    await refused(replay.page, 'used');
    await untouched(replay.answers);
  });

  test(`${id}: whoever comes back too late, or has lost the cookie, is told so`, async () => {
    const lost = (context) => context.clearCookies({ name: /^pulsecheck_sign_in/ });
    for (const [code, meanwhile] of [['expired', grownOld], ['browser', lost]]) {
      const { page, answers } = await visitor();
      await page.goto(`${program.base}/api/auth/${id}`);
      await meanwhile(page.context());
      await agree(page);
      await refused(page, code);
      await untouched(answers);
    }
  });
}

test('no link to a provider leads to another server afterwards', async () => {
  for (const path of ['//evil.example/', '/\\evil.example', '/%2F/evil.example', 'https://evil.example/']) {
    const { page } = await visitor();
    const url = await signIn(page, 'github', path);
    assert.equal(url.href, `${program.base}/`, path);
  }
});

test('an address that nobody vouches for opens nobody else\'s account', async () => {
  openid.person.email_verified = false;
  openid.person.sub = 'eve';
  try {
    const { page, answers } = await visitor();
    await signIn(page, 'google');
    await refused(page, 'email_taken');
    await untouched(answers);
  } finally {
    openid.person.email_verified = true;
    openid.person.sub = 'ada-1';
  }
  github.person.emails[0].verified = false;
  try {
    const { page, answers } = await visitor();
    await signIn(page, 'github');
    await refused(page, 'unverified_email');
    await untouched(answers);
  } finally {
    github.person.emails[0].verified = true;
  }
});

test('the dashboard and GraphiQL run under their policies without a violation', async () => {
  const { page } = await visitor();
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => {
      window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  const url = await signIn(page, 'google', '/');
  assert.equal(url.pathname, '/');
  for (const path of ['/', '/incidents', '/settings', '/services/new', '/api/graphql']) {
    const answer = await page.goto(`${program.base}${path}`);
    const policy = answer.headers()['content-security-policy'];
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy.match(/script-src[^;]*/)[0], /'unsafe-inline'|'unsafe-eval'/);
    if (path === '/api/graphql') await page.getByRole('button', { name: /execute query/i }).waitFor();
    else await page.getByRole('heading', { level: 1 }).first().waitFor();
    assert.deepEqual(await page.evaluate(() => window.violations), [], path);
  }
});
