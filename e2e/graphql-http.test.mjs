// The audits of GraphQL over HTTP, by the reference implementation.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { createToken, startProgram } from './pulsecheck.mjs';

let program, token;
before(async () => {
  program = await startProgram();
  token = await createToken(program);
});
after(() => program.stop());

const fetchFn = (url, options) =>
  fetch(url, { ...options, headers: { ...options?.headers, authorization: `Bearer ${token}` } });
const audits = serverAudits({ url: () => `${program.base}/api/graphql`, fetchFn });

test('all audits are known to run', () => assert.ok(audits.length >= 61, `${audits.length} audits`));

for (const { id, name, fn } of audits) {
  test(`${id} ${name}`, async () => {
    const { status, reason } = await fn();
    assert.equal(status, 'ok', reason);
  });
}
