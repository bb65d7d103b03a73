// Tests the objects of the chart besides pods: they fit together and do what they are for.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { chart, find, helm, installations, requiredValues, pods, render, renderAll, root } from './render.mjs';

const all = renderAll();
const matches = (selector, labels) => Object.entries(selector).every(([key, value]) => labels[key] === value);

test('helm lint passes with every values file', () => {
  const cases = Object.values(installations).map((values) => ({ lint: true, values: [requiredValues, ...values] }));
  for (const { messages, errors, error } of helm(cases)) {
    const worse = (messages ?? []).filter(({ severity }) => severity >= 2);
    assert.deepEqual([error, worse, errors ?? []], [undefined, [], []]);
  }
});

test('object names are unique, and no object sets a namespace', () => {
  for (const [name, objects] of all) {
    const ids = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    assert.equal(new Set(ids).size, ids.length, `${name}: ${ids}`);
    for (const { kind, metadata } of objects) assert.equal(metadata.namespace, undefined, `${name}: ${kind}/${metadata.name}`);
  }
});

test('every Service, budget and autoscaler selects exactly its component', () => {
  for (const [name, objects] of all) {
    for (const object of objects) {
      const part = object.metadata.labels['app.kubernetes.io/component'];
      if (object.kind === 'Service' || object.kind === 'PodDisruptionBudget') {
        const selector = object.kind === 'Service' ? object.spec.selector : object.spec.selector.matchLabels;
        const found = pods(objects).filter(({ labels }) => matches(selector, labels)).map(({ component }) => component);
        assert.deepEqual(found, [part], `${name}: ${object.kind} ${object.metadata.name}`);
      }
      if (object.kind === 'HorizontalPodAutoscaler') {
        const { kind, name: target } = object.spec.scaleTargetRef;
        assert.equal(find(objects, kind, target).spec.replicas, undefined, `${name}: ${target} has fixed replicas, which each upgrade would restore`);
      }
    }
  }
});

test('every Service port exists in its pods', () => {
  for (const [name, objects] of all) {
    for (const service of objects.filter(({ kind }) => kind === 'Service')) {
      const [pod] = pods(objects).filter(({ labels }) => matches(service.spec.selector, labels));
      for (const { targetPort, port, protocol } of service.spec.ports) {
        const found = pod.spec.containers.flatMap(({ ports }) => ports ?? []).find((p) => p.name === targetPort);
        assert.equal(found?.containerPort, port, `${name}: ${service.metadata.name} ${targetPort}`);
        assert.equal(protocol, 'TCP');
      }
    }
  }
});

test('API, worker and dashboard may lose one pod at a time, even the last', () => {
  const objects = render([]);
  const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
  assert.deepEqual(budgets.map(({ metadata }) => metadata.labels['app.kubernetes.io/component']), ['api', 'ui', 'worker']);
  for (const { spec } of budgets) assert.deepEqual([spec.maxUnavailable, spec.minAvailable], [1, undefined]);
});

test('the API scales from 1 to 3 pods at 70 % CPU, up at once and down slowly', () => {
  const { spec } = find(render([]), 'HorizontalPodAutoscaler');
  assert.deepEqual([spec.minReplicas, spec.maxReplicas], [1, 3]);
  assert.deepEqual(spec.metrics, [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }]);
  assert.ok(spec.behavior.scaleUp.stabilizationWindowSeconds < spec.behavior.scaleDown.stabilizationWindowSeconds);
});

test('the worker scales on lateness only if enabled', () => {
  const named = (objects) => objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler').map(({ metadata }) => metadata.name);
  assert.deepEqual(named(render([])), ['pulsecheck-api']);
  const objects = render([{ metrics: { enabled: true }, worker: { autoscaling: { enabled: true, minReplicas: 3, metric: 'lateness_seconds' } } }]);
  const { spec } = find(objects, 'HorizontalPodAutoscaler', 'pulsecheck-worker');
  assert.equal(spec.minReplicas, 3);
  assert.deepEqual(spec.metrics[0].pods, { metric: { name: 'lateness_seconds' }, target: { type: 'AverageValue', averageValue: '2' } });
});

test('the migration is an ordinary Job at first and a hook before every upgrade', () => {
  const first = find(render([]), 'Job');
  assert.equal(first.metadata.annotations?.['helm.sh/hook'], undefined);
  const later = find(render([], { upgrade: true }), 'Job');
  assert.equal(later.metadata.annotations['helm.sh/hook'], 'pre-upgrade');
  assert.match(later.metadata.annotations['helm.sh/hook-delete-policy'], /before-hook-creation/);
  assert.notEqual(first.metadata.name, later.metadata.name);
  for (const { spec } of [first, later]) assert.deepEqual(spec.template.spec.containers[0].args, ['migrate']);
});

test('the dashboard is the only entry point, with TLS in production', () => {
  const kind = find(render([]), 'Ingress');
  assert.equal(kind.spec.tls, undefined);
  const production = find(render(installations.production), 'Ingress');
  const backends = production.spec.rules.flatMap(({ http }) => http.paths.map(({ path, backend }) => `${path} ${backend.service.name}:${backend.service.port.name}`));
  assert.deepEqual(backends, ['/ pulsecheck-ui:http']);
  assert.deepEqual(production.spec.tls, [{ hosts: ['pulse.example.com'], secretName: 'pulsecheck-tls' }]);
  assert.equal(production.metadata.annotations['cert-manager.io/cluster-issuer'], 'letsencrypt-prod');
});

test('the public URL follows the ingress unless it is set', () => {
  const address = (values) => find(render(values), 'ConfigMap', 'pulsecheck').data.PULSECHECK_PUBLIC_URL;
  assert.equal(address([]), 'http://pulsecheck.localhost');
  assert.equal(address(installations.production), 'https://pulse.example.com');
  assert.equal(address(installations['production on K3d']), 'http://pulsecheck-prod.localhost:8080');
});

test('in production strangers get no account and private targets are disabled', () => {
  const { data } = find(render(installations.production), 'ConfigMap', 'pulsecheck');
  assert.deepEqual([data.PULSECHECK_SIGN_UP, data.PULSECHECK_LOCAL_LOGIN, data.PULSECHECK_ALLOW_PRIVATE_TARGETS], ['nobody', undefined, 'false']);
});

test('the nginx of the UI trusts the same proxies as the API', () => {
  const trusted = (values) => {
    const objects = render(values);
    const nginx = [...find(objects, 'ConfigMap', 'pulsecheck-ui').data['api.conf'].matchAll(/set_real_ip_from (\S+);/g)].map(([, who]) => who);
    return [nginx, find(objects, 'ConfigMap', 'pulsecheck').data.PULSECHECK_TRUSTED_PROXIES];
  };
  assert.deepEqual(trusted(installations.kind), [['10.244.0.0/16'], '10.244.0.0/16']);
  for (const name of ['production', 'production on K3d']) assert.deepEqual(trusted(installations[name]), [['10.42.0.0/16'], '10.42.0.0/16'], name);
  const several = '10.1.0.0/16, fd00:1::/64 192.0.2.7,';
  assert.deepEqual(trusted([{ settings: { PULSECHECK_TRUSTED_PROXIES: several } }]), [['10.1.0.0/16', 'fd00:1::/64', '192.0.2.7'], several]);
  assert.deepEqual(trusted([{ settings: { PULSECHECK_TRUSTED_PROXIES: '' } }]), [[], '']);
});

test('a changed secret or setting restarts the pods that read it', () => {
  const sums = (values) => Object.fromEntries(pods(render(values)).map(({ component, annotations }) => [component, JSON.stringify(annotations)]));
  const before = sums([]);
  const secret = sums([{ secrets: { secretKey: 'f'.repeat(40) } }]);
  const setting = sums([{ settings: { PULSECHECK_LOG: 'debug' } }]);
  for (const part of ['api', 'worker']) {
    assert.notEqual(secret[part], before[part], part);
    assert.notEqual(setting[part], before[part], part);
  }
  assert.equal(setting.postgres, before.postgres, 'PostgreSQL restarts without need');
});

test('a provider\'s settings and secret reach the API only', () => {
  const values = { settings: { GITHUB_CLIENT_ID: 'id', OIDC_NAME: 'Ours' }, secrets: { extra: { GITHUB_CLIENT_SECRET: 'abc' } } };
  const objects = render([values]);
  assert.equal(find(objects, 'Secret').stringData['github-client-secret'], 'abc');
  assert.deepEqual(find(objects, 'ConfigMap', 'pulsecheck-sign-in').data, { GITHUB_CLIENT_ID: 'id', OIDC_NAME: 'Ours' });
  const [api] = find(objects, 'Deployment', 'pulsecheck-api').spec.template.spec.containers;
  assert.deepEqual(api.env.find(({ name }) => name === 'GITHUB_CLIENT_SECRET').valueFrom.secretKeyRef, { name: 'pulsecheck', key: 'github-client-secret' });
  assert.ok(api.envFrom.some(({ configMapRef }) => configMapRef.name === 'pulsecheck-sign-in'));
  // A worker with half of a provider's settings refuses to start.
  for (const pod of pods(objects).filter(({ component }) => component !== 'api')) {
    assert.doesNotMatch(JSON.stringify(pod.spec), /sign-in|GITHUB|github|OIDC/, pod.component);
    const hasKey = /secret-key/.test(JSON.stringify(pod.spec));
    assert.equal(hasKey, pod.component === 'worker', `${pod.component}: the secret key is for API and worker`);
  }
  assert.doesNotMatch(JSON.stringify(find(objects, 'ConfigMap', 'pulsecheck').data), /GITHUB|OIDC/);
});

test('an existing Secret is used instead of a new one', () => {
  const objects = render([{ secrets: { existingSecret: 'vault', secretKey: '', postgresPassword: '', redisPassword: '' } }]);
  assert.equal(objects.filter(({ kind }) => kind === 'Secret').length, 0);
  const names = JSON.stringify(objects).match(/"secretKeyRef":\{"name":"[^"]+"/g);
  assert.deepEqual([...new Set(names)], ['"secretKeyRef":{"name":"vault"']);
});

test('external PostgreSQL is reached through its own Secret', () => {
  const objects = render(installations['managed PostgreSQL and Redis']);
  const { env } = find(objects, 'Deployment', 'pulsecheck-worker').spec.template.spec.containers[0];
  const refs = Object.fromEntries(env.filter(({ valueFrom }) => valueFrom).map(({ name, valueFrom }) => [name, `${valueFrom.secretKeyRef.name}/${valueFrom.secretKeyRef.key}`]));
  const own = { PULSECHECK_SECRET_KEY: 'pulsecheck-secrets/secret-key', PULSECHECK_PREVIOUS_SECRET_KEY: 'pulsecheck-secrets/previous-secret-key' };
  assert.deepEqual(refs, { DATABASE_URL: 'managed-postgres/database-url', REDIS_URL: 'managed-redis/uri', ...own });
});

test('the storage class is the cluster default unless set', () => {
  const claim = (values) => find(render(values), 'StatefulSet').spec.volumeClaimTemplates[0].spec;
  assert.equal(claim([]).storageClassName, undefined);
  assert.equal(claim(installations.production).storageClassName, 'local-path');
  assert.equal(claim(installations.production).resources.requests.storage, '20Gi');
});

test('object names contain the release name, so that two can share a namespace', () => {
  const [{ objects }] = helm([{ values: [requiredValues], name: 'second' }]);
  for (const { kind, metadata } of objects) assert.match(metadata.name, /^second-pulsecheck/, `${kind} ${metadata.name}`);
  const { matchLabels } = find(objects, 'Deployment', 'second-pulsecheck-api').spec.selector;
  assert.equal(matchLabels['app.kubernetes.io/instance'], 'second');
});

test('version and appVersion of the chart equal the program version', () => {
  const cargo = readFileSync(join(root, 'Cargo.toml'), 'utf8').match(/\[workspace\.package\]\nversion = "(.+)"/)[1];
  const { version, appVersion } = parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8'));
  assert.deepEqual([version, appVersion], [cargo, cargo]);
});

test('the example secrets are complete, and refused unless edited', () => {
  const { secrets } = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));
  const example = parse(readFileSync(join(chart, 'values-secrets.example.yaml'), 'utf8')).secrets;
  assert.deepEqual(Object.keys(example).sort(), Object.keys(secrets).filter((key) => key !== 'existingSecret').sort());
  const [{ error }] = helm([{ values: [{ image: { tag: 'x' } }, join(chart, 'values-secrets.example.yaml')] }]);
  assert.match(error, /still the example's text/);
});
