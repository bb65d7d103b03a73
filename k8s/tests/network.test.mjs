// Tests who can connect to whom: compares the intended table with the one computed from the rendered policies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canConnect } from './network.mjs';
import { installations, pods, render } from './render.mjs';

/** Values that enable every connection of the table. */
const metrics = { metrics: { enabled: true } };

/** The intended connections. Anything else must be impossible. */
const intended = `
  ingress controller -> ui           8080/TCP
  ui                 -> api          8080/TCP
  api                -> postgres     5432/TCP
  api                -> redis        6379/TCP
  worker             -> postgres     5432/TCP
  worker             -> redis        6379/TCP
  migrate            -> postgres     5432/TCP
  prometheus         -> api          9090/TCP
  prometheus         -> worker       9090/TCP
  ui                 -> dns          53/UDP 53/TCP
  api                -> dns          53/UDP 53/TCP
  worker             -> dns          53/UDP 53/TCP
  migrate            -> dns          53/UDP 53/TCP
  api                -> internet v4  80/TCP 443/TCP
  api                -> internet v6  80/TCP 443/TCP
  worker             -> internet v4  80/TCP 443/TCP
  worker             -> internet v6  80/TCP 443/TCP
`;

const ports = [[22, 'TCP'], [25, 'TCP'], [53, 'UDP'], [53, 'TCP'], [80, 'TCP'], [443, 'TCP'], [443, 'UDP'], [5432, 'TCP'],
  [6379, 'TCP'], [6443, 'TCP'], [8080, 'TCP'], [8443, 'TCP'], [9090, 'TCP'], [10250, 'TCP']];

/** The namespaces of a cluster, each with the label that Kubernetes sets. */
const namespaces = Object.fromEntries(['pulsecheck', 'ingress-nginx', 'monitoring', 'kube-system', 'elsewhere']
  .map((name) => [name, { 'kubernetes.io/metadata.name': name }]));

const pod = (name, namespace, labels) => ({ name, pod: { namespace, labels } });

/** Endpoints outside the release: the intended peers, and others that resemble them. */
const others = [
  pod('ingress controller', 'ingress-nginx', { 'app.kubernetes.io/name': 'ingress-nginx' }),
  pod('another pod of ingress-nginx', 'ingress-nginx', { app: 'other' }),
  pod('a pod with the controller\'s label elsewhere', 'elsewhere', { 'app.kubernetes.io/name': 'ingress-nginx' }),
  pod('prometheus', 'monitoring', { 'app.kubernetes.io/name': 'prometheus' }),
  pod('dns', 'kube-system', { 'k8s-app': 'kube-dns' }),
  pod('another pod of kube-system', 'kube-system', { 'k8s-app': 'metrics-server' }),
  pod('a pod with the dns label elsewhere', 'elsewhere', { 'k8s-app': 'kube-dns' }),
  pod('a stranger beside us', 'pulsecheck', { app: 'stranger' }),
  pod('a stranger elsewhere', 'elsewhere', { app: 'stranger' }),
  pod('another release beside us', 'pulsecheck', { 'app.kubernetes.io/name': 'pulsecheck', 'app.kubernetes.io/instance': 'second', 'app.kubernetes.io/component': 'api' }),
  pod('our labels elsewhere', 'elsewhere', { 'app.kubernetes.io/name': 'pulsecheck', 'app.kubernetes.io/instance': 'pulsecheck', 'app.kubernetes.io/component': 'api' }),
  ...Object.entries({
    'internet v4': ['93.184.215.14', '8.8.8.8', '172.15.0.1', '172.32.0.1', '192.169.0.1', '100.128.0.1', '11.0.0.1'],
    'internet v6': ['2606:4700::1111', '2a00:1450::1'],
    'private v4': ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.254', '192.168.1.1', '100.64.0.1', '100.127.255.254'],
    'this machine': ['127.0.0.1', '0.0.0.0', '::1'],
    'cloud metadata': ['169.254.169.254', 'fd00:ec2::254', 'fe80::a9fe:a9fe'],
    'multicast and reserved': ['224.0.0.1', '255.255.255.255', '240.0.0.1', '198.18.0.1', '192.0.0.1', 'ff02::1'],
    'private v6': ['fc00::1', 'fd12:3456::1', 'fe80::1', 'fec0::1'],
    'IPv4 inside IPv6': ['::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::', '2001:0:a00:1::'],
  }).flatMap(([name, addresses]) => addresses.map((address) => ({ name, address }))),
];

/** Returns the lines `from -> to  ports` of an installation, for every pair that includes one of its pods. */
function table(objects) {
  const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy').map(({ spec }) => ({ namespace: 'pulsecheck', spec }));
  const ours = pods(objects).map(({ component, labels }) => pod(component, 'pulsecheck', labels));
  const everybody = [...ours, ...others];
  const open = new Map();
  for (const from of everybody) {
    for (const to of everybody) {
      if (from === to || !(ours.includes(from) || ours.includes(to))) continue;
      for (const [port, protocol] of ports) {
        const pair = `${from.name} -> ${to.name}`;
        const endpoint = `${port}/${protocol}`;
        if (!open.has(pair)) open.set(pair, new Map());
        const seen = open.get(pair);
        if (!seen.has(endpoint)) seen.set(endpoint, []);
        seen.get(endpoint).push([canConnect(policies, namespaces, from, to, port, protocol), to.address ?? from.address]);
      }
    }
  }
  const lines = [];
  for (const [pair, endpoints] of open) {
    const reached = [];
    for (const [endpoint, answers] of endpoints) {
      // Addresses of one kind share a line, so they have to be treated alike.
      const yes = answers.filter(([allowed]) => allowed);
      assert.ok(yes.length === 0 || yes.length === answers.length, `${pair} ${endpoint}: only ${yes.map(([, address]) => address)}`);
      if (yes.length > 0) reached.push(endpoint);
    }
    if (reached.length > 0) lines.push(`${pair}  ${reached.sort().join(' ')}`);
  }
  return lines.sort();
}

function parse(text) {
  return text.trim().split('\n').map((line) => {
    const [, from, to, open] = line.match(/^\s*(.+?)\s*-> (.+?)\s{2,}(.+)$/);
    return `${from} -> ${to}  ${open.trim().split(' ').sort().join(' ')}`;
  }).sort();
}

for (const [name, upgrade] of [['kind', false], ['kind', true], ['production', true], ['production on K3d', false]]) {
  test(`exactly the intended pairs reach each other: ${name}${upgrade ? ', upgraded' : ''}`, () => {
    assert.deepEqual(table(render([...installations[name], metrics], { upgrade })), parse(intended));
  });
}

test('external servers replace ours, at their addresses only', () => {
  const lines = intended.trim().split('\n').filter((line) => !/-> (postgres|redis) /.test(line));
  const objects = render([...installations['managed PostgreSQL and Redis'], metrics]);
  assert.deepEqual(table(objects), parse(lines.join('\n')), 'something else opened with them');
  const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy').map(({ spec }) => ({ namespace: 'pulsecheck', spec }));
  const part = (component) => {
    const found = pods(objects).find((candidate) => candidate.component === component);
    return pod(component, 'pulsecheck', found.labels);
  };
  const opens = (from, address, port) => canConnect(policies, namespaces, part(from), { name: address, address }, port);
  for (const from of ['api', 'worker']) {
    assert.ok(opens(from, '10.20.0.5', 25060) && opens(from, '10.20.0.6', 6379), from);
    assert.ok(!opens(from, '10.20.0.5', 5432) && !opens(from, '10.20.0.5', 6379) && !opens(from, '10.20.0.7', 25060), from);
  }
  assert.ok(opens('migrate', '10.20.0.5', 25060) && !opens('migrate', '10.20.0.6', 6379) && !opens('ui', '10.20.0.5', 25060));
});

test('without metrics the monitoring namespace has no access', () => {
  const lines = intended.trim().split('\n').filter((line) => !/prometheus/.test(line));
  assert.deepEqual(table(render([{ metrics: { enabled: false } }])), parse(lines.join('\n')));
});

test('with traces only API and worker reach the collector', () => {
  const pairs = ['api', 'worker'].map((from) => `${from} -> prometheus  8080/TCP`).join('\n');
  const traces = { endpoint: 'http://collector.monitoring:8080', port: 8080 };
  assert.deepEqual(table(render([{ traces }, metrics])), parse(`${intended.trim()}\n${pairs}`));
});

test('an empty port list opens every TCP port of public addresses only', () => {
  const tcp = ports.filter(([, protocol]) => protocol === 'TCP').map(([port]) => `${port}/TCP`).join(' ');
  const lines = intended.replaceAll(/(internet v[46]) .*/g, `$1  ${tcp}`);
  assert.deepEqual(table(render([{ networkPolicy: { external: { ports: [] } } }, metrics])), parse(lines));
});

test('the deny policy selects every pod of the release in both directions', () => {
  const objects = render([]);
  const deny = objects.find(({ metadata }) => metadata.name === 'pulsecheck-default-deny');
  assert.deepEqual(deny.spec.policyTypes, ['Ingress', 'Egress']);
  assert.deepEqual([deny.spec.ingress, deny.spec.egress], [undefined, undefined]);
  for (const { component, labels } of pods(objects)) {
    const matched = Object.entries(deny.spec.podSelector.matchLabels).every(([key, value]) => labels[key] === value);
    assert.ok(matched, component);
  }
});

test('a pod without policies is open', () => {
  const stranger = others.find(({ name }) => name === 'a stranger beside us');
  const elsewhere = others.find(({ name }) => name === 'a stranger elsewhere');
  assert.ok(canConnect([], namespaces, stranger, elsewhere, 22));
  const closed = { namespace: 'pulsecheck', spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } };
  assert.ok(!canConnect([closed], namespaces, stranger, elsewhere, 22));
  assert.ok(!canConnect([closed], namespaces, elsewhere, stranger, 22));
});
