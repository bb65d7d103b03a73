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

function connect(connectionParams) {
  const url = `${program.base.replace('http', 'ws')}/api/graphql/ws`;
  return createClient({ url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 });
}

async function first(client, payload) {
  for await (const result of client.iterate(payload)) return result;
  return undefined;
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
