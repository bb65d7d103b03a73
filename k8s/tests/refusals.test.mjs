// Tests that values which cannot work are rejected with a message, before anything reaches a cluster.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helm, requiredValues } from './render.mjs';

const managed = { existingSecret: 'managed', cidrs: ['10.0.0.1/32'] };
const production = [new URL('../../helm/pulsecheck/values-production.yaml', import.meta.url).pathname];

// [values on top of a valid installation, part of the message]
const refused = {
  'the unset tag': [[{ image: { tag: 'unset' } }], 'image.tag is not set: pass --set image.tag='],
  'a moving tag': [[{ image: { tag: 'latest' } }], 'image.tag is latest'],
  'no secret key': [[{ secrets: { secretKey: '' } }], 'secrets.secretKey is missing'],
  'a short secret key': [[{ secrets: { secretKey: 'hunter2' } }], 'fewer than 32 characters'],
  'the example\'s secret key': [[{ secrets: { secretKey: 'replace-me-with-openssl-rand-hex-32' } }], 'still the example\'s text'],
  'no PostgreSQL password': [[{ secrets: { postgresPassword: '' } }], 'secrets.postgresPassword is missing'],
  'no Redis password': [[{ secrets: { redisPassword: '' } }], 'secrets.redisPassword is missing'],
  'a password that breaks a URL': [[{ secrets: { postgresPassword: 'with@slash/and:colon' } }], 'postgresPassword'],
  'external PostgreSQL without a Secret': [[{ postgres: { enabled: false } }], 'postgres.external.existingSecret'],
  'external PostgreSQL without addresses':
    [[{ postgres: { enabled: false, external: { existingSecret: 'managed' } } }], 'postgres.external.cidrs is empty'],
  'external Redis without a Secret': [[{ redis: { enabled: false } }], 'redis.external.existingSecret'],
  'SQLite for several processes': [[{ settings: { DATABASE_URL: 'sqlite:///data/pulsecheck.sqlite' } }], 'SQLite file, which serves one process only'],
  'a password in a ConfigMap': [[{ settings: { REDIS_URL: 'redis://:x@redis:6379' } }], 'settings.REDIS_URL holds a password'],
  'a secret in a ConfigMap': [[{ settings: { GITHUB_CLIENT_SECRET: 'x' } }], 'would be readable in a ConfigMap'],
  'a provider without its secret': [[{ settings: { GITHUB_CLIENT_ID: 'id' } }], 'a provider needs both'],
  'a provider secret without its id': [[{ secrets: { extra: { GOOGLE_CLIENT_SECRET: 'x' } } }], 'a provider needs both'],
  'TLS without a host': [production, 'ingress.host is empty, and TLS needs a name'],
  'an ingress without a host': [[{ ingress: { host: '' } }], 'ingress.host is empty: set it'],
  'TLS without an ingress': [[{ ingress: { enabled: false, tls: { enabled: true } }, publicUrl: 'https://x.example' }], 'ingress.tls.enabled without ingress.enabled'],
  'no public URL': [[{ ingress: { enabled: false } }], 'publicUrl is empty'],
  'a public URL that contradicts TLS': [[{ publicUrl: 'http://x.example', ingress: { tls: { enabled: true } } }], 'must begin with https://'],
  'a public URL with a path': [[{ publicUrl: 'https://x.example/app' }], 'publicUrl'],
  'a minimum of pods above the maximum': [[{ api: { autoscaling: { minReplicas: 5 } } }], 'greater than maxReplicas'],
  'scaling on disabled metrics': [[{ metrics: { enabled: false }, worker: { autoscaling: { enabled: true } } }], 'worker.autoscaling needs metrics.enabled'],
  'scaling on a metric without a name': [[{ metrics: { enabled: true }, worker: { autoscaling: { enabled: true } } }], 'worker.autoscaling.metric is empty'],
  'scraping disabled metrics': [[{ metrics: { enabled: false, serviceMonitor: { enabled: true } } }], 'metrics.enabled is false'],
  'an unknown value': [[{ wroker: { replicas: 3 } }], 'wroker'],
  'an unknown nested value': [[{ api: { replica: 3 } }], 'replica'],
  'a setting that the chart sets itself': [[{ settings: { PULSECHECK_LISTEN: '0.0.0.0:1' } }], 'PULSECHECK_LISTEN'],
  'resources without a limit': [[{ api: { resources: { limits: { memory: null } } } }], 'memory'],
  'an image without a tag': [[{ postgres: { image: 'docker.io/library/postgres' } }], 'postgres'],
  'no replica at all': [[{ worker: { replicas: 0 } }], 'replicas'],
};

test('the valid installation that the cases differ from is accepted', () => {
  const [{ error }] = helm([{ values: [requiredValues] }]);
  assert.equal(error, undefined);
});

const answers = helm(Object.values(refused).map(([values]) => ({ values: [requiredValues, ...values] })));
Object.entries(refused).forEach(([name, [, sentence]], i) => {
  test(`${name} is rejected with a message`, () => {
    assert.ok(answers[i].error, 'it was accepted');
    assert.ok(answers[i].error.includes(sentence), answers[i].error);
  });
});

test('external PostgreSQL and Redis are accepted with Secrets and addresses', () => {
  const values = { secrets: { existingSecret: 'own' }, postgres: { enabled: false, external: managed }, redis: { enabled: false, external: managed } };
  const [{ error }] = helm([{ values: [requiredValues, values] }]);
  assert.equal(error, undefined);
});
