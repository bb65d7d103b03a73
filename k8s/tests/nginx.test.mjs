// Tests nginx with the configuration of the image in front of a running program: a browser must not notice a difference
// from the program alone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import WebSocket from 'ws';
import { find, render, root } from './render.mjs';
import { dist, eventually, freePort, get, nginxFiles, run, startNginx, startProgram } from './running.mjs';

let program;
let nginx;
let port;
let cookies;
let assets;

before(async () => {
  port = await freePort();
  program = await startProgram(`http://localhost:${port}`);
  nginx = await startNginx(port, program.port);
  assets = (await readdir(join(dist, 'assets'))).filter((name) => !/\.(br|gz)$/.test(name));
  const url = new URL(program.link);
  const signedIn = await get(port, url.pathname + url.search, { host: `localhost:${port}` });
  assert.equal(signedIn.status, 303);
  cookies = signedIn.headers['set-cookie'].map((cookie) => cookie.split(';')[0]).join('; ');
});

after(async () => {
  await nginx?.stop();
  await program?.stop();
});

/** Sends a request to nginx and to the program, with the same host name. */
async function both(path, headers = {}, options = {}) {
  const sent = { host: `localhost:${port}`, ...headers };
  return [await get(port, path, sent, options), await get(program.port, path, sent, options)];
}

function graphql(query, headers = {}) {
  const body = JSON.stringify({ query });
  const sent = { host: `localhost:${port}`, origin: `http://localhost:${port}`, cookie: cookies, 'content-type': 'application/json', ...headers };
  return get(port, '/api/graphql', sent, { method: 'POST', body });
}

test('nginx accepts the configurations of Compose and of the chart', async () => {
  const chart = find(render([]), 'ConfigMap', 'pulsecheck-ui').data['api.conf'].replace('pulsecheck-api:8080', '127.0.0.1:8080');
  // Compose defines this name in the container's hosts file; localhost takes its place here.
  const compose = (await readFile(join(root, 'docker/nginx/api.conf'), 'utf8')).replace('front-proxy;', 'localhost;');
  for (const apiConf of [chart, compose]) {
    const directory = await mkdtemp(join(tmpdir(), 'pulsecheck-nginx-t-'));
    const args = await nginxFiles(directory, { port: await freePort(), apiConf });
    const { code, output } = await run('nginx', ['-t', ...args]);
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /warn|emerg/);
    await rm(directory, { recursive: true });
  }
});

test('files have the same headers and content as from the program', async () => {
  const compared = ['content-type', 'content-security-policy', 'cache-control', 'x-content-type-options', 'x-frame-options', 'referrer-policy',
    'cross-origin-opener-policy', 'cross-origin-resource-policy', 'permissions-policy', 'strict-transport-security', 'content-encoding', 'vary'];
  const graphiql = (await readdir(join(dist, 'graphiql/assets'))).filter((name) => !/\.(br|gz)$/.test(name));
  const paths = ['/', '/services/0192', '/index.html', '/favicon.svg', '/graphiql/index.html', '/assets/no-such.js', '/no-such.png', '/assets/',
    ...assets.map((name) => `/assets/${name}`), ...graphiql.map((name) => `/graphiql/assets/${name}`)];
  for (const path of paths) {
    for (const accept of ['gzip, deflate, br, zstd', 'gzip', 'identity', 'br;q=0, gzip', 'br;q=0.5']) {
      const [ours, theirs] = await both(path, { 'accept-encoding': accept });
      assert.equal(ours.status, theirs.status, path);
      for (const name of compared) assert.deepEqual(ours.headers[name], theirs.headers[name], `${name} of ${path} for ${accept}`);
      assert.ok(ours.body.equals(theirs.body), `the content of ${path} for ${accept}`);
    }
  }
});

test('compressed copies match the files, and a cached one is not sent again', async () => {
  const path = `/assets/${assets.find((name) => name.endsWith('.wasm'))}`;
  const plain = await get(port, path);
  const brotli = await get(port, path, { 'accept-encoding': 'br' });
  const gzip = await get(port, path, { 'accept-encoding': 'gzip' });
  assert.ok(brotliDecompressSync(brotli.body).equals(plain.body));
  assert.ok(gunzipSync(gzip.body).equals(plain.body));
  assert.ok(brotli.body.length < gzip.body.length && gzip.body.length < plain.body.length);
  assert.deepEqual(plain.headers['cache-control'], ['public, max-age=31536000, immutable']);
  const again = await get(port, path, { 'accept-encoding': 'br', 'if-none-match': brotli.headers.etag[0] });
  assert.deepEqual([again.status, again.body.length], [304, 0]);
  assert.notEqual(brotli.headers.etag[0], plain.headers.etag[0]);
});

test('behind https responses carry HSTS', async () => {
  const { headers } = await get(port, '/', { 'x-forwarded-proto': 'https' });
  assert.deepEqual(headers['strict-transport-security'], ['max-age=31536000']);
});

test('API responses pass unchanged, with each header once', async () => {
  for (const path of ['/api/health', '/api/ready', '/api/graphql', '/api/no-such', '/api', '/api/']) {
    const [ours, theirs] = await both(path, { accept: 'text/html' });
    assert.equal(ours.status, theirs.status, path);
    for (const [name, values] of Object.entries(theirs.headers)) {
      if (['date', 'x-request-id', 'connection', 'transfer-encoding', 'content-length', 'keep-alive'].includes(name)) continue;
      assert.deepEqual(ours.headers[name], values, `${name} of ${path}`);
    }
    for (const [name, values] of Object.entries(ours.headers)) assert.equal(values.length, 1, `${name} of ${path} comes twice`);
  }
});

test('a session works through nginx', async () => {
  const { status, body } = await graphql('{ me { email } }');
  assert.equal(status, 200);
  const answer = JSON.parse(body);
  assert.equal(answer.errors, undefined, body.toString());
  assert.ok(answer.data.me.email);
});

test('a cross-site request is refused through nginx', async () => {
  const { status, body } = await graphql('{ me { email } }', { origin: 'https://evil.example' });
  assert.ok(status === 403 || JSON.parse(body).errors, body.toString());
});

test('a WebSocket passes and delivers updates', async () => {
  const socket = new WebSocket(`ws://localhost:${port}/api/graphql/ws`, 'graphql-transport-ws', {
    headers: { cookie: cookies }, origin: `http://localhost:${port}`, host: `localhost:${port}`, handshakeTimeout: 10_000,
  });
  const messages = [];
  socket.on('message', (text) => messages.push(JSON.parse(text)));
  await once(socket, 'open');
  assert.equal(socket.protocol, 'graphql-transport-ws');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await eventually(async () => messages.some(({ type }) => type === 'connection_ack'), 'the connection is acknowledged');
  const query = 'subscription { statusUpdates { service { name } current { status } } }';
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
  const url = `http://127.0.0.1:${port}/health`;
  const created = await graphql(`mutation { createService(input: { name: "nginx", monitor: { http: { url: "${url}" } }, checkIntervalSeconds: 10 }) { id } }`);
  assert.equal(JSON.parse(created.body).errors, undefined, created.body.toString());
  const update = await eventually(async () => messages.find(({ type }) => type === 'next'), 'an update arrives');
  assert.equal(update.payload.data.statusUpdates.service.name, 'nginx');
  socket.close();
  await once(socket, 'close');
});

test('a cross-site WebSocket is refused', async () => {
  const socket = new WebSocket(`ws://localhost:${port}/api/graphql/ws`, 'graphql-transport-ws', {
    headers: { cookie: cookies }, origin: 'https://evil.example', handshakeTimeout: 10_000,
  });
  const [, answer] = await once(socket, 'unexpected-response');
  assert.equal(answer.statusCode, 403);
  socket.on('error', () => {});
  socket.terminate();
});

test('the API receives host, scheme and client address', async () => {
  const echo = createServer((request, response) => response.end(JSON.stringify(request.headers)));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const other = await freePort();
  const proxy = await startNginx(other, echo.address().port);
  try {
    const sent = { host: 'pulse.example.com:8443', 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' };
    const received = JSON.parse((await get(other, '/api/anything', sent)).body);
    assert.equal(received.host, 'pulse.example.com:8443');
    assert.equal(received['x-forwarded-host'], 'pulse.example.com:8443');
    assert.equal(received['x-forwarded-proto'], 'https');
    assert.equal(received['x-forwarded-for'], '127.0.0.1', 'what a client says about its address');
    assert.equal(received.upgrade, undefined);
    // Without a proxy in front: the scheme of this connection, whatever a client claims.
    const plain = JSON.parse((await get(other, '/api/anything', { 'x-forwarded-proto': 'gopher' })).body);
    assert.deepEqual([plain['x-forwarded-proto'], plain['x-forwarded-for']], ['http', '127.0.0.1']);
  } finally {
    await proxy.stop();
    echo.closeAllConnections();
    echo.close();
  }
});

test('a trusted proxy determines the client address', async () => {
  const echo = createServer((request, response) => response.end(JSON.stringify(request.headers)));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const other = await freePort();
  const proxy = await startNginx(other, echo.address().port, ['127.0.0.1', '10.42.0.0/16']);
  const clientAddress = async (forwarded) => JSON.parse((await get(other, '/api/anything', { 'x-forwarded-for': forwarded })).body)['x-forwarded-for'];
  try {
    assert.equal(await clientAddress('203.0.113.7'), '203.0.113.7');
    assert.equal(await clientAddress('198.51.100.1, 203.0.113.7'), '203.0.113.7');
    assert.equal(await clientAddress('198.51.100.1, 203.0.113.7, 10.42.0.9'), '203.0.113.7');
    assert.equal(await clientAddress('2001:db8::1'), '2001:db8::1');
    assert.equal(await clientAddress('unknown'), '127.0.0.1');
    assert.match(await readFile(join(proxy.directory, 'access.log'), 'utf8'), /^203\.0\.113\.7 "GET/m);
  } finally {
    await proxy.stop();
    echo.closeAllConnections();
    echo.close();
  }
});

test('while the API is down nginx returns its error shape and stays healthy', async () => {
  const other = await freePort();
  const lonely = await startNginx(other, await freePort());
  try {
    const answer = await get(other, '/api/graphql', {}, { method: 'POST', body: '{}' });
    assert.deepEqual([answer.status, answer.headers['retry-after'], answer.headers['content-type']], [503, ['5'], ['application/json']]);
    assert.match(JSON.parse(answer.body).errors[0].message, /does not answer/);
    assert.equal((await get(other, '/health')).status, 200);
    assert.equal((await get(other, '/')).status, 200);
  } finally {
    await lonely.stop();
  }
});
