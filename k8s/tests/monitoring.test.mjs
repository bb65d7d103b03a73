// Tests what Prometheus and Grafana receive: it selects the right pods, and every alert is documented.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { chart, find, installations, pods, render, root } from './render.mjs';

const objects = render(installations['everything optional']);

test('the ServiceMonitor selects API and worker only', () => {
  const { metadata, spec } = find(objects, 'ServiceMonitor');
  assert.equal(metadata.labels.release, 'prometheus');
  const [{ port, path }] = spec.endpoints;
  assert.deepEqual([port, path, spec.namespaceSelector.matchNames], ['metrics', '/metrics', ['pulsecheck']]);
  const [{ key, values }] = spec.selector.matchExpressions;
  const services = objects.filter(({ kind, metadata: { labels } }) => kind === 'Service'
    && Object.entries(spec.selector.matchLabels).every(([name, value]) => labels[name] === value) && values.includes(labels[key]));
  assert.deepEqual(services.map(({ metadata: { name } }) => name).sort(), ['pulsecheck-api', 'pulsecheck-worker']);
  for (const service of services) assert.ok(service.spec.ports.some(({ name }) => name === port), service.metadata.name);
});

test('the metrics port is the one that the program listens on', () => {
  const address = find(objects, 'ConfigMap', 'pulsecheck').data.PULSECHECK_METRICS_LISTEN;
  const port = Number(address.split(':')[1]);
  for (const component of ['api', 'worker']) {
    const [container] = pods(objects).find((pod) => pod.component === component).spec.containers;
    assert.equal(container.ports.find(({ name }) => name === 'metrics').containerPort, port, component);
  }
});

test('traces are sent only to a configured collector', () => {
  assert.equal(find(objects, 'ConfigMap', 'pulsecheck').data.OTEL_EXPORTER_OTLP_ENDPOINT, 'http://collector.monitoring:4318');
  assert.equal(find(render([]), 'ConfigMap', 'pulsecheck').data.OTEL_EXPORTER_OTLP_ENDPOINT, undefined);
});

const alerts = join(chart, 'monitoring/alerts.yaml');
if (existsSync(alerts)) {
  test('the chart contains the alert file, and the guide explains every alert', () => {
    const { groups } = parse(readFileSync(alerts, 'utf8'));
    assert.deepEqual(find(objects, 'PrometheusRule').spec.groups, groups);
    const guide = readFileSync(join(root, 'docs/operations.md'), 'utf8');
    for (const { alert } of groups.flatMap(({ rules }) => rules)) if (alert) assert.ok(guide.includes(`### ${alert}`), `${alert} is not explained`);
  });
}

const dashboard = join(chart, 'monitoring/dashboard.json');
if (existsSync(dashboard)) {
  test('the dashboard reaches Grafana unchanged', () => {
    const map = find(objects, 'ConfigMap', 'pulsecheck-dashboard');
    assert.equal(map.metadata.labels.grafana_dashboard, '1');
    assert.deepEqual(JSON.parse(map.data['pulsecheck.json']), JSON.parse(readFileSync(dashboard, 'utf8')));
  });
}

test('metrics are on by default if the program documents them', () => {
  const { metrics } = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));
  const documented = readFileSync(join(root, 'README.md'), 'utf8').includes('`PULSECHECK_METRICS_LISTEN`');
  assert.equal(metrics.enabled, documented, `metrics.enabled in values.yaml is ${metrics.enabled}: set it to ${documented}`);
});
