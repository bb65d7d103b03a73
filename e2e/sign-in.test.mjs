// Sign-in with providers in a real browser, from the buttons to the dashboard, and every failure:
// none leaves a cookie.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { client, startGitHub, startOpenId } from './providers.mjs';
import { openPage, startBrowser, startProgram } from './pulsecheck.mjs';

const secret = 'a secret key that only this test knows';
let openid, github, program, browser;

/** Reserves a port, because providers have to know the callback URL before the program runs. */
async function reservePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const release = async () => {
    server.close();
    await once(server, 'close');
  };
  return { port: server.address().port, release };
}

before(async () => {
  const { port, release } = await reservePort();
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

/** Sends a query as the page does. */
const ask = (page, query) => page.evaluate(async (query) => {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch('/api/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) });
  return (await answer.json()).data;
}, query);

/** Agrees to everything at a provider and returns the final URL. */
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

/** Makes the sign-in in progress ten minutes older, by signing its cookie again as the program does. */
async function expireSignIn(context) {
  const cookie = (await context.cookies()).find(({ name }) => name.startsWith('pulsecheck_sign_in'));
  const [head, payload] = cookie.value.split('.');
  const flow = JSON.parse(Buffer.from(payload, 'base64url'));
  flow.exp -= 600;
  const signed = `${head}.${Buffer.from(JSON.stringify(flow)).toString('base64url')}`;
  const key = createHash('sha256').update('pulsecheck sign-in key\0').update(secret).digest();
  const signature = createHmac('sha256', key).update(signed).digest('base64url');
  await context.addCookies([{ ...cookie, value: `${signed}.${signature}` }]);
}

/** Asserts that the page is the sign-in page with this error, without a session. */
async function assertFailed(page, code) {
  const url = new URL(page.url());
  assert.equal(url.pathname, '/sign-in');
  assert.equal(url.searchParams.get('error'), code);
  await page.getByRole('alert').first().waitFor();
  const session = (await cookies(page)).filter((name) => !name.startsWith('pulsecheck_sign_in'));
  assert.deepEqual(session, []);
  assert.deepEqual(await ask(page, '{ me { id } }'), { me: null });
}

/** A page that records the responses of callbacks. */
async function visitor() {
  const { page } = await openPage(browser);
  const answers = [];
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    // Without a session the page gets a 401; errors on the providers' pages are not ours.
    const ours = message.location().url.startsWith(program.base) && !message.text().includes('401');
    if (message.type() === 'error' && ours) errors.push(message.text());
  });
  page.on('response', (response) => {
    if (new URL(response.url()).pathname.endsWith('/callback')) answers.push(response.allHeaders());
  });
  return { page, errors, answers };
}

/** Asserts that no callback has set a cookie. */
async function assertNoCookies(responses) {
  assert.ok(responses.length > 0, 'the callback was reached');
  for (const headers of await Promise.all(responses)) assert.equal(headers['set-cookie'], undefined);
}

test('each provider signs in the same user and returns to the page', async () => {
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
  test(`${id}: a cancelled sign-in is reported`, async () => {
    const { page, answers } = await visitor();
    await page.goto(`${program.base}/api/auth/${id}`);
    await page.getByRole('link', { name: 'Cancel' }).click();
    await page.waitForURL(/\/sign-in/);
    await assertFailed(page, 'denied');
    await assertNoCookies(answers);
  });

  test(`${id}: a foreign, forged or replayed callback signs nobody in`, async () => {
    const { page } = await visitor();
    let callback;
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.pathname.endsWith('/callback') && url.searchParams.has('code')) callback = request.url();
    });
    await signIn(page, id);
    assert.ok(callback);

    const other = await visitor();
    await other.page.goto(callback);
    await assertFailed(other.page, 'browser');
    await assertNoCookies(other.answers);

    const forger = await visitor();
    await forger.page.goto(`${program.base}/api/auth/${id}`);
    await forger.page.goto(`${program.base}/api/auth/${id}/callback?code=x&state=${'A'.repeat(43)}`);
    await assertFailed(forger.page, 'mismatch');
    await forger.page.goto(callback);
    await assertFailed(forger.page, 'mismatch');
    await assertNoCookies(forger.answers);

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
    await assertFailed(replay.page, 'browser');
    await replay.page.context().addCookies(kept);
    replay.answers.length = 0;
    await replay.page.goto(again);
    await assertFailed(replay.page, 'used');
    await assertNoCookies(replay.answers);
  });

  test(`${id}: an expired sign-in or a lost cookie is reported`, async () => {
    const lost = (context) => context.clearCookies({ name: /^pulsecheck_sign_in/ });
    for (const [code, interfere] of [['expired', expireSignIn], ['browser', lost]]) {
      const { page, answers } = await visitor();
      await page.goto(`${program.base}/api/auth/${id}`);
      await interfere(page.context());
      await agree(page);
      await assertFailed(page, code);
      await assertNoCookies(answers);
    }
  });
}

test('a sign-in never redirects to another server', async () => {
  for (const path of ['//evil.example/', '/\\evil.example', '/%2F/evil.example', 'https://evil.example/']) {
    const { page } = await visitor();
    const url = await signIn(page, 'github', path);
    assert.equal(url.href, `${program.base}/`, path);
  }
});

test('an unverified address opens nobody else\'s account', async () => {
  openid.person.email_verified = false;
  openid.person.sub = 'eve';
  try {
    const { page, answers } = await visitor();
    await signIn(page, 'google');
    await assertFailed(page, 'email_taken');
    await assertNoCookies(answers);
  } finally {
    openid.person.email_verified = true;
    openid.person.sub = 'ada-1';
  }
  github.person.emails[0].verified = false;
  try {
    const { page, answers } = await visitor();
    await signIn(page, 'github');
    await assertFailed(page, 'unverified_email');
    await assertNoCookies(answers);
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
