// The audits of GraphQL over HTTP, by the reference implementation: every MUST, SHOULD and MAY holds.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { startProgram } from './pulsecheck.mjs';

let program;
before(async () => { program = await startProgram(); });
after(() => program.stop());

const audits = serverAudits({ url: () => `${program.base}/api/graphql` });

test('all audits are known to run', () => assert.ok(audits.length >= 61, `${audits.length} audits`));

for (const { id, name, fn } of audits) {
  test(`${id} ${name}`, async () => {
    const { status, reason, response } = await fn();
    assert.equal(status, 'ok', `${reason}: ${response?.status} ${await response?.clone().text().catch(() => '')}`);
  });
}
