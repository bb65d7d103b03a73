// GraphQL over WebSocket, with the reference client on the other side.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { createToken, startProgram, startTarget } from './pulsecheck.mjs';

let program, target, token;

before(async () => {
  program = await startProgram();
  target = await startTarget();
  token = await createToken(program);
});

after(async () => {
  await program?.stop();
  target?.stop();
});

/** Sends an operation over HTTP. */
async function post(headers, query, variables = {}) {
  const response = await fetch(`${program.base}/api/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

function connect(connectionParams, options = {}) {
  const url = `${program.base.replace('http', 'ws')}/api/graphql/ws`;
  return createClient({ url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0, ...options });
}

async function first(client, payload) {
  for await (const result of client.iterate(payload)) return result;
  return undefined;
}

/** Expects that an operation is refused with an error that has this code. */
function assertRefused(client, query, code) {
  return assert.rejects(first(client, { query }), (errors) => {
    assert.equal(errors.length, 1);
    assert.equal(errors[0].extensions.code, code);
    return true;
  });
}

test('a query over a WebSocket has one result', async () => {
  const client = connect({ authorization: `Bearer ${token}` });
  const results = [];
  for await (const result of client.iterate({ query: '{ me { id } services { id } }' })) results.push(result);
  assert.equal(results.length, 1);
  assert.ok(results[0].data.me.id);
  assert.deepEqual(results[0].data.services, []);
  await client.dispose();
});

test('a subscription gets what is changed over HTTP', async () => {
  const client = connect({ authorization: `Bearer ${token}` });
  const changes = client.iterate({ query: 'subscription { serviceChanges { change service { name target } } }' });
  const next = changes.next();
  // A result of a later operation says that the subscription is active.
  await first(client, { query: '{ me { id } }' });
  const query = 'mutation($url: String!) { createService(input: { name: "Shop", monitor: { http: { url: $url } } }) { id } }';
  await post({ authorization: `Bearer ${token}` }, query, { url: target.url });
  const { value } = await next;
  assert.deepEqual(value.data.serviceChanges, { change: 'CREATED', service: { name: 'Shop', target: target.url } });
  await changes.return();
  await client.dispose();
});

test('an invalid operation is an error and leaves the connection open', async () => {
  const connections = { opened: 0, closed: 0 };
  const on = { connected: () => { connections.opened += 1; }, closed: () => { connections.closed += 1; } };
  const client = connect({ authorization: `Bearer ${token}` }, { lazy: false, on });
  await assertRefused(client, '{ nothing }', 'BAD_INPUT');
  await assertRefused(client, '{', 'BAD_INPUT');
  assert.ok((await first(client, { query: '{ me { id } }' })).data.me.id);
  assert.deepEqual(connections, { opened: 1, closed: 0 });
  await client.dispose();
});

test('without a token only public fields are answered', async () => {
  const client = connect();
  assert.deepEqual(await first(client, { query: '{ me { id } }' }), { data: { me: null } });
  await assertRefused(client, '{ services { id } }', 'UNAUTHENTICATED');
  await assertRefused(client, 'subscription { serviceChanges { change } }', 'UNAUTHENTICATED');
  await client.dispose();
});

test('the server answers the close frame of the client', async () => {
  let client;
  const closed = new Promise((resolve) => {
    client = connect({ authorization: `Bearer ${token}` }, { lazy: false, on: { closed: resolve } });
  });
  await first(client, { query: '{ me { id } }' });
  await client.dispose();
  const { code, wasClean } = await closed;
  assert.equal(code, 1000);
  assert.ok(wasClean);
});
