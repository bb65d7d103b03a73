// Tests the configuration of clusters and the make targets that use it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { root } from './render.mjs';

const text = (file) => readFileSync(join(root, file), 'utf8');
const read = (file) => parse(text(file));

function make(...args) {
  const { status, stdout, stderr } = spawnSync('make', ['--no-print-directory', ...args], { cwd: root, encoding: 'utf8', env: { PATH: process.env.PATH, HOME: process.env.HOME } });
  return { status, output: stdout + stderr };
}

test('Kind has a control plane, two app nodes and a tainted edge node with ports', () => {
  const { nodes, networking } = read('k8s/kind-config.yaml');
  assert.deepEqual(nodes.map(({ role, labels }) => [role, labels?.role]), [['control-plane', undefined], ['worker', 'app'], ['worker', 'app'], ['worker', 'edge']]);
  assert.equal(networking.apiServerAddress, '127.0.0.1');
  const edge = nodes[3];
  assert.deepEqual(edge.extraPortMappings.map(({ containerPort, hostPort, listenAddress }) => [containerPort, hostPort, listenAddress]), [[80, 80, '127.0.0.1'], [443, 443, '127.0.0.1']]);
  for (const node of nodes.slice(0, 3)) assert.equal(node.extraPortMappings, undefined);
  const { nodeRegistration } = parse(edge.kubeadmConfigPatches[0]);
  assert.deepEqual(nodeRegistration.taints, [{ key: 'role', value: 'edge', effect: 'NoSchedule' }]);
  assert.doesNotMatch(JSON.stringify(nodes), /node-role\.kubernetes\.io/);
});

test('on Kind the ingress controller runs on the edge node', () => {
  const { controller } = read('helm/ingress-nginx/values-kind.yaml');
  assert.deepEqual(controller.nodeSelector, { role: 'edge' });
  assert.deepEqual(controller.tolerations, [{ key: 'role', operator: 'Equal', value: 'edge', effect: 'NoSchedule' }]);
  assert.equal(controller.hostPort.enabled, true);
  assert.equal(controller.config['use-forwarded-headers'], 'false');
});

test('in production a client address is trusted only from the proxy\'s ranges', () => {
  const { controller } = read('helm/ingress-nginx/values-production.yaml');
  assert.equal(controller.hostPort.enabled, true);
  assert.equal(controller.config['use-forwarded-headers'], 'true');
  const ranges = controller.config['proxy-real-ip-cidr'].split(',');
  const list = new BlockList();
  for (const range of ranges) {
    const [network, bits] = range.split('/');
    list.addSubnet(network, Number(bits), network.includes(':') ? 'ipv6' : 'ipv4');
    assert.ok(Number(bits) >= (network.includes(':') ? 29 : 12), `${range} is too wide`);
  }
  assert.ok(list.check('173.245.48.1') && list.check('2606:4700::1', 'ipv6'));
  for (const address of ['8.8.8.8', '10.0.0.1', '127.0.0.1', '192.168.0.1']) assert.ok(!list.check(address), address);
});

test('CoreDNS runs on app nodes, never two on one node', () => {
  const { nodeSelector, affinity } = read('k8s/coredns-patch.yaml').spec.template.spec;
  assert.deepEqual(nodeSelector, { role: 'app' });
  const [rule] = affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution;
  assert.deepEqual([rule.topologyKey, rule.labelSelector.matchLabels], ['kubernetes.io/hostname', { 'k8s-app': 'kube-dns' }]);
});

test('K3d is one node without Traefik and ServiceLB, at 127.0.0.1:8080', () => {
  const { servers, agents, ports, options } = read('k8s/k3d-config.yaml');
  assert.deepEqual([servers, agents, ports.map(({ port }) => port)], [1, 0, ['127.0.0.1:8080:80']]);
  assert.deepEqual(options.k3s.extraArgs.map(({ arg }) => arg).sort(), ['--disable=servicelb', '--disable=traefik']);
});

test('there is a staging and a production issuer for our ingress class', () => {
  const issuers = parseAllDocuments(text('k8s/cert-manager/clusterissuer.yaml')).map((document) => document.toJS());
  assert.deepEqual(issuers.map(({ kind, metadata }) => `${kind} ${metadata.name}`), ['ClusterIssuer letsencrypt-staging', 'ClusterIssuer letsencrypt-prod']);
  assert.deepEqual(issuers.map(({ spec }) => spec.acme.server.includes('staging')), [true, false]);
  for (const { spec } of issuers) assert.deepEqual(spec.acme.solvers, [{ http01: { ingress: { ingressClassName: 'nginx' } } }]);
  const production = read('helm/pulsecheck/values-production.yaml').ingress.annotations['cert-manager.io/cluster-issuer'];
  assert.ok(issuers.some(({ metadata }) => metadata.name === production));
});

test('the namespace enforces the restricted pod security standard', () => {
  assert.equal(read('k8s/namespace.yaml').metadata.labels['pod-security.kubernetes.io/enforce'], 'restricted');
});

test('image tags consist of version and commit', () => {
  const { output } = make('print-tags', 'REGISTRY=ghcr.io/example');
  const cargo = text('Cargo.toml').match(/\[workspace\.package\]\nversion = "(.+)"/)[1];
  const [program, ui] = output.trim().split('\n');
  assert.match(program, new RegExp(`^ghcr\\.io/example/pulsecheck:${cargo.replaceAll('.', '\\.')}-[0-9a-f]{12}(-dirty)?$`));
  assert.equal(ui, program.replace('/pulsecheck:', '/pulsecheck-ui:'));
});

test('every build names its platform, every pushed image has provenance and SBOM', () => {
  for (const target of ['build-images', 'push-images']) {
    const { output } = make('-n', target, 'REGISTRY=ghcr.io/example');
    const builds = output.split('\n').filter((line) => line.startsWith('docker buildx build'));
    assert.equal(builds.length, 2, output);
    for (const build of builds) {
      assert.match(build, /--platform linux\/amd64/);
      assert.match(build, /--build-arg VERSION=\S+ --build-arg REVISION=[0-9a-f]{40}/);
      if (target === 'push-images') assert.match(build, /--provenance=mode=max --sbom=true/);
    }
  }
});

test('every documented target exists, and production ones name their cluster', () => {
  const targets = ['cluster-up', 'cluster-down', 'cluster-pause', 'cluster-resume', 'build-images', 'load-images', 'deploy', 'redeploy', 'local-prod-up', 'local-prod-down',
    'local-prod-deploy', 'push-images', 'release', 'bootstrap-prod', 'deploy-prod', 'rollback-prod', 'logs-prod', 'print-tags', 'test-deploy', 'verify-compose', 'verify-cluster'];
  const { output: help } = make('help');
  for (const target of targets) assert.match(help, new RegExp(`make ${target} +\\S`), target);
  for (const target of targets.filter((name) => name.endsWith('-prod') && name !== 'local-prod')) {
    const refused = make(target);
    assert.notEqual(refused.status, 0, target);
    assert.match(refused.output, /PROD_CONTEXT=/, target);
    const { output } = make('-n', target, 'PROD_CONTEXT=server', 'REGISTRY=r', 'HOST=h.example', 'EMAIL=e@h.example');
    for (const line of output.replaceAll('\\\n', ' ').split('\n')) {
      if (/^(helm|kubectl)/.test(line)) assert.match(line, /--(kube-)?context server/, line);
    }
  }
  for (const target of ['cluster-up', 'deploy', 'local-prod-up', 'local-prod-deploy']) {
    const { output } = make('-n', target);
    for (const line of output.replaceAll('\\\n', ' ').split('\n')) {
      if (/^(helm|kubectl)/.test(line)) assert.match(line, /--(kube-)?context (kind-pulsecheck|k3d-pulsecheck-prod)/, line);
    }
  }
});

test('files named by make targets exist', () => {
  for (const target of ['cluster-up', 'deploy', 'local-prod-up', 'local-prod-deploy', 'bootstrap-prod', 'deploy-prod']) {
    const { output } = make('-n', target, 'PROD_CONTEXT=server', 'REGISTRY=r', 'HOST=h.example', 'EMAIL=e@h.example');
    for (const [file] of output.matchAll(/\b(helm|k8s|docker)\/[\w./-]+\.(yaml|sh)\b/g)) {
      if (!file.includes('values-secrets')) assert.ok(statSync(join(root, file)).isFile(), file);
    }
  }
});

/** Creates a temporary repository and runs the release check in it. */
function repository(version, appVersion) {
  const directory = mkdtempSync(join(tmpdir(), 'pulsecheck-release-'));
  writeFileSync(join(directory, 'Cargo.toml'), `[workspace.package]\nversion = "${version}"\n`);
  const git = (...args) => {
    const ran = spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t.example', ...args], { cwd: directory, encoding: 'utf8' });
    assert.equal(ran.status, 0, ran.stderr);
  };
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'x');
  const release = () => {
    const { status, stderr } = spawnSync(join(root, 'scripts/deploy/release.sh'), [appVersion], { cwd: directory, encoding: 'utf8' });
    return status === 0 ? 'accepted' : stderr;
  };
  return { directory, git, release };
}

test('a dirty tree, differing versions and a released version are refused', () => {
  const { directory, git, release } = repository('1.2.3', '1.2.3');
  assert.equal(release(), 'accepted');
  writeFileSync(join(directory, 'forgotten'), '');
  assert.match(release(), /the tree is dirty/);
  rmSync(join(directory, 'forgotten'));
  git('tag', 'v1.2.3');
  assert.match(release(), /v1\.2\.3 is tagged already/);
  rmSync(directory, { recursive: true });
  const other = repository('1.2.3', '1.2.4');
  assert.match(other.release(), /appVersion is 1\.2\.4, Cargo\.toml's version 1\.2\.3/);
  rmSync(other.directory, { recursive: true });
});

test('secrets are random, created once, private to their owner, and not in git', () => {
  const directory = mkdtempSync(join(tmpdir(), 'pulsecheck-secrets-'));
  const file = join(directory, 'values-secrets.yaml');
  const run = () => spawnSync(join(root, 'scripts/deploy/secrets.sh'), [file], { encoding: 'utf8' });
  assert.equal(run().status, 0);
  const first = readFileSync(file, 'utf8');
  const { secrets } = parse(first);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual([secrets.secretKey.length, secrets.postgresPassword.length, secrets.redisPassword.length], [64, 48, 48]);
  assert.equal(new Set(Object.values(secrets)).size, 3);
  run();
  assert.equal(readFileSync(file, 'utf8'), first, 'the second run replaced them');
  rmSync(directory, { recursive: true });
  for (const name of ['helm/pulsecheck/values-secrets.yaml', 'helm/pulsecheck/values-secrets-production.yaml', 'docker/.env']) {
    assert.equal(spawnSync('git', ['check-ignore', '-q', name], { cwd: root }).status, 0, `${name} is not ignored`);
  }
});

test('every script is executable', () => {
  for (const name of readdirSync(join(root, 'scripts/deploy')).filter((file) => file.endsWith('.sh') && file !== 'paths.sh')) {
    assert.ok(statSync(join(root, 'scripts/deploy', name)).mode & 0o100, name);
  }
});
