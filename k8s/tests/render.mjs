// Renders the chart for tests, once for each way of installing it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const chart = join(root, 'helm/pulsecheck');
const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
export const tools = process.env.DEPLOY_TOOLS ?? join(cache, 'pulsecheck/deploy-tools');
const python = join(tools, 'python/bin/python');

/** The values that every installation requires: secrets and a tag. */
export const requiredValues = {
  image: { tag: '0.1.0-0123abc' },
  secrets: {
    secretKey: '0123456789abcdef0123456789abcdef',
    postgresPassword: 'postgres-password-0',
    redisPassword: 'redis-password-0000',
  },
};

const file = (name) => join(chart, name);
const has = (name) => existsSync(file(name));
const production = [file('values-production.yaml'), { ingress: { host: 'pulse.example.com' } }];

/** Every values file, and installations with optional parts on or off. */
export const installations = {
  kind: [],
  production,
  'production on K3d': [...production.slice(0, 1), file('values-production-local.yaml')],
  'everything optional': [{
    worker: { autoscaling: { enabled: true, metric: 'lateness_seconds' } },
    metrics: {
      enabled: true,
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
      prometheusRule: { enabled: has('monitoring/alerts.yaml') },
      dashboard: { enabled: has('monitoring/dashboard.json') },
    },
    traces: { endpoint: 'http://collector.monitoring:4318' },
    priorityClassName: 'important',
    nodeSelector: { role: 'app' },
    tolerations: [{ key: 'role', operator: 'Equal', value: 'app', effect: 'NoSchedule' }],
    imagePullSecrets: [{ name: 'registry' }],
    networkPolicy: { external: { ports: [] } },
  }],
  'managed PostgreSQL and Redis': [...production, {
    secrets: { existingSecret: 'pulsecheck-secrets' },
    postgres: { enabled: false, external: { existingSecret: 'managed-postgres', cidrs: ['10.20.0.5/32'], port: 25060 } },
    redis: { enabled: false, external: { existingSecret: 'managed-redis', key: 'uri', cidrs: ['10.20.0.6/32'] } },
  }],
  'as little as possible': [{
    publicUrl: 'http://127.0.0.1:8080',
    ingress: { enabled: false },
    api: { autoscaling: { enabled: false }, podDisruptionBudget: false },
    metrics: { enabled: false },
  }],
};

/** Runs Helm for each of `cases`; each result is `{ objects }`, `{ messages }` or `{ error }`. */
export function helm(cases, path = chart) {
  const ran = spawnSync(python, [fileURLToPath(new URL('helm.py', import.meta.url)), path],
    { input: JSON.stringify(cases), encoding: 'utf8', maxBuffer: 1 << 28 });
  if (ran.status !== 0) throw new Error(`helm.py failed (run scripts/deploy/tools.sh static first):\n${ran.stderr}`);
  return JSON.parse(ran.stdout);
}

/** Renders all installations, for a first installation and for an upgrade: `[name, objects]`. */
export function renderAll() {
  const names = Object.keys(installations).flatMap((name) => [[name, false], [name, true]]);
  const cases = names.map(([name, upgrade]) => ({ values: [requiredValues, ...installations[name]], upgrade }));
  return helm(cases).map(({ objects, error }, i) => {
    const name = `${names[i][0]}${names[i][1] ? ', upgraded' : ''}`;
    if (error) throw new Error(`${name}: ${error}`);
    return [name, objects];
  });
}

/** Renders one installation and returns its objects. */
export function render(values, options = {}) {
  const [{ objects, error }] = helm([{ values: [requiredValues, ...values], ...options }]);
  if (error) throw new Error(error);
  return objects;
}

export function find(objects, kind, name) {
  const found = objects.filter((object) => object.kind === kind && (!name || object.metadata.name === name));
  if (found.length !== 1) throw new Error(`${found.length} ${kind} ${name ?? ''} instead of one`);
  return found[0];
}

/** Returns the pod templates of `objects` as `{ owner, labels, spec, annotations, component }`. */
export function pods(objects) {
  return objects.filter((object) => object.spec?.template?.spec?.containers).map((object) => ({
    owner: object,
    labels: object.spec.template.metadata.labels,
    annotations: object.spec.template.metadata.annotations ?? {},
    spec: object.spec.template.spec,
    component: object.spec.template.metadata.labels['app.kubernetes.io/component'],
  }));
}

export function containers(pod) {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
}
