// Tests the Compose files as Compose reads them: networks, published ports, dependencies, hardening.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { root, tools } from './render.mjs';

const values = {
  PULSECHECK_TAG: 'tag', PULSECHECK_PUBLIC_URL: 'https://pulse.example.com', PULSECHECK_SECRET_KEY: 'key', POSTGRES_PASSWORD: 'one', REDIS_PASSWORD: 'two',
};

function compose(files, environment = values) {
  const args = [...files.flatMap((file) => ['-f', join(root, 'docker', file)]), 'config', '--format', 'json'];
  const plugin = join(tools, 'docker/cli-plugins/docker-compose');
  // Without an env file, so that a .env on this machine has no effect.
  return spawnSync(plugin, ['--project-directory', join(root, 'docker'), '--env-file', '/dev/null', ...args], { env: { PATH: process.env.PATH, HOME: '/nonexistent', ...environment }, encoding: 'utf8' });
}

function read(...files) {
  const { status, stdout, stderr } = compose(files);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

const development = read('compose.yaml');
const production = read('compose.yaml', 'compose.prod.yaml');
const single = read('compose.single.yaml');
const stacks = { development, production };

test('dashboard and API are in web, everything but the dashboard is in data', () => {
  for (const [name, { services, networks }] of Object.entries(stacks)) {
    assert.deepEqual(Object.keys(networks).sort(), ['data', 'web'], name);
    const members = (network) => Object.keys(services).filter((service) => service in { ...services[service].networks, [service]: 0 } && network in services[service].networks).sort();
    assert.deepEqual(members('web'), name === 'development' ? ['api', 'ui', 'ui-build'] : ['api', 'ui'], name);
    assert.deepEqual(members('data'), ['api', 'migrate', 'postgres', 'redis', 'worker'], name);
  }
});

test('only the dashboard is published, on loopback', () => {
  for (const [name, { services }] of Object.entries({ ...stacks, single })) {
    for (const [service, { ports = [], network_mode: mode }] of Object.entries(services)) {
      assert.equal(mode, undefined, `${service} of ${name}`);
      const expected = ['ui', 'pulsecheck'].includes(service) ? ['127.0.0.1'] : [];
      assert.deepEqual(ports.map(({ host_ip: address }) => address), expected, `${service} of ${name}`);
    }
  }
});

test('Compose, Kind and K3d use different ports and names', () => {
  const published = [development, production, single].flatMap(({ services }) => Object.values(services).flatMap(({ ports = [] }) => ports.map((port) => Number(port.published))));
  const kind = parse(readFileSync(join(root, 'k8s/kind-config.yaml'), 'utf8')).nodes.flatMap(({ extraPortMappings = [] }) => extraPortMappings.map(({ hostPort }) => hostPort));
  const k3d = parse(readFileSync(join(root, 'k8s/k3d-config.yaml'), 'utf8')).ports.map(({ port }) => Number(port.split(':')[1]));
  const all = [...published, ...kind, ...k3d];
  assert.equal(new Set(all).size, all.length, `${all}`);
  assert.equal(new Set([development, production, single].map(({ name }) => name)).size, 3);
});

test('every long-running service has a health check', () => {
  for (const [name, { services }] of Object.entries({ ...stacks, single })) {
    for (const [service, { healthcheck }] of Object.entries(services)) {
      if (service === 'migrate') continue;
      assert.ok(healthcheck?.test?.length > 1, `${service} of ${name}`);
    }
  }
  assert.deepEqual(production.services.worker.healthcheck.test.slice(-2), ['healthcheck', '--worker']);
});

test('API and worker wait for PostgreSQL, Redis and the schema, the dashboard for the API', () => {
  for (const [name, { services }] of Object.entries(stacks)) {
    const waits = (service) => Object.fromEntries(Object.entries(services[service].depends_on).map(([on, { condition }]) => [on, condition]));
    const both = { migrate: 'service_completed_successfully', postgres: 'service_healthy', redis: 'service_healthy' };
    assert.deepEqual(waits('api'), both, name);
    assert.deepEqual(waits('worker'), both, name);
    assert.deepEqual(waits('migrate'), { postgres: 'service_healthy' }, name);
    assert.deepEqual(waits('ui'), { api: 'service_healthy' }, name);
  }
});

test('sources are mounted in development only; on a server only the database is', () => {
  const mounts = ({ services }) => Object.fromEntries(Object.entries(services).map(([name, { volumes = [] }]) => [name, volumes.map(({ type, target }) => `${type} ${target}`)]));
  for (const name of ['api', 'worker', 'migrate', 'ui-build']) assert.ok(mounts(development)[name].includes('bind /src'), name);
  assert.deepEqual(mounts(production), { api: [], migrate: [], postgres: ['volume /var/lib/postgresql/data'], redis: [], ui: [], worker: [] });
  assert.deepEqual(Object.keys(production.volumes), ['postgres']);
  assert.equal(production.services['ui-build'], undefined);
});

test('server containers are read-only, unprivileged, limited and restarted', () => {
  for (const [name, service] of Object.entries({ ...production.services, ...single.services })) {
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    assert.equal(service.privileged, undefined, name);
    assert.match(service.user, /^(1000:1000|999:999)$/, name);
    assert.ok(service.deploy.resources.limits.memory && service.deploy.resources.limits.cpus, name);
    assert.equal(service.restart, name === 'migrate' ? 'no' : 'unless-stopped', name);
    for (const mount of service.tmpfs ?? []) assert.match(mount, /size=/, name);
  }
});

test('the server stack names a missing value', () => {
  for (const missing of Object.keys(values)) {
    const { [missing]: _, ...others } = values;
    const { status, stderr } = compose(['compose.yaml', 'compose.prod.yaml'], others);
    assert.notEqual(status, 0, missing);
    assert.match(stderr, new RegExp(missing));
  }
});

test('the example settings contain every required value', () => {
  const example = readFileSync(join(root, 'docker/prod.env.example'), 'utf8');
  for (const name of Object.keys(values)) assert.match(example, new RegExp(`^${name}=`, 'm'));
});

test('providers of sign-in are the API\'s business, and the secret key is that of API and worker', () => {
  for (const [name, { services }] of Object.entries(stacks)) {
    assert.ok(services.api.environment.PULSECHECK_SECRET_KEY, name);
    assert.ok('GITHUB_CLIENT_SECRET' in services.api.environment && 'OIDC_ISSUER' in services.api.environment, name);
    assert.equal(services.worker.environment.PULSECHECK_SECRET_KEY, services.api.environment.PULSECHECK_SECRET_KEY, name);
    for (const service of ['worker', 'migrate']) assert.doesNotMatch(JSON.stringify(services[service].environment), /GITHUB|GOOGLE|OIDC/, `${service} of ${name}`);
    assert.doesNotMatch(JSON.stringify(services.migrate.environment), /SECRET_KEY/, name);
  }
});

test('the API trusts the network of nginx, nginx trusts the proxy on this machine', () => {
  const subnet = ({ networks }, network) => {
    const [{ subnet: only }, ...others] = networks[network].ipam.config;
    assert.deepEqual(others, []);
    assert.match(only, /^172\.16\.\d+\.0\/28$/);
    return only;
  };
  const gateway = (network) => network.replace('.0/28', '.1');
  for (const [name, { services, networks }] of Object.entries(stacks)) {
    assert.equal(services.api.environment.PULSECHECK_TRUSTED_PROXIES, subnet({ networks }, 'web'), name);
  }
  const front = ({ services }) => services.ui.extra_hosts;
  assert.deepEqual(front(development), ['front-proxy=127.0.0.1']);
  assert.deepEqual(front(production), [`front-proxy=${gateway(subnet(production, 'web'))}`]);
  // The gateway is also the address from which Docker passes on clients, who could then forge their own.
  assert.equal(single.services.pulsecheck.environment.PULSECHECK_TRUSTED_PROXIES, '');
  const networks = [subnet(development, 'web'), subnet(production, 'web'), subnet(single, 'default')];
  assert.equal(new Set(networks).size, networks.length, 'stacks that run at once');
  const read = (...set) => JSON.parse(compose(['compose.yaml', 'compose.prod.yaml'], { ...values, ...Object.fromEntries(set) }).stdout);
  assert.deepEqual(front(read(['PULSECHECK_FRONT_PROXY', '192.0.2.7'])), ['front-proxy=192.0.2.7']);
  const moved = read(['PULSECHECK_WEB_NETWORK', '172.16.9.0/28']);
  assert.deepEqual([subnet(moved, 'web'), moved.services.api.environment.PULSECHECK_TRUSTED_PROXIES], ['172.16.9.0/28', '172.16.9.0/28']);
  const behind = gateway(subnet(single, 'default'));
  const chosen = JSON.parse(compose(['compose.single.yaml'], { ...values, PULSECHECK_TRUSTED_PROXIES: behind }).stdout);
  assert.equal(chosen.services.pulsecheck.environment.PULSECHECK_TRUSTED_PROXIES, behind);
});

test('development passwords never reach a server', () => {
  assert.doesNotMatch(JSON.stringify(production), /development|0123456789/);
  // Every use of a secret must fail when it is missing: a default would be used silently.
  const text = readFileSync(join(root, 'docker/compose.prod.yaml'), 'utf8');
  const uses = [...text.matchAll(/\$\{(POSTGRES_PASSWORD|REDIS_PASSWORD|PULSECHECK_SECRET_KEY)(.{2})/g)];
  assert.ok(uses.length > 3);
  for (const [use, , operator] of uses) assert.equal(operator, ':?', use);
});

test('no secret is in a command line', () => {
  const secrets = { PULSECHECK_SECRET_KEY: 'secret-1', POSTGRES_PASSWORD: 'secret-2', REDIS_PASSWORD: 'secret-3', GITHUB_CLIENT_SECRET: 'secret-4', OIDC_CLIENT_SECRET: 'secret-5' };
  for (const files of [['compose.yaml'], ['compose.yaml', 'compose.prod.yaml'], ['compose.single.yaml']]) {
    const { services } = JSON.parse(compose(files, { ...values, ...secrets }).stdout);
    for (const [service, { command, entrypoint, healthcheck }] of Object.entries(services)) {
      assert.doesNotMatch(JSON.stringify([command, entrypoint, healthcheck]), /secret-\d/, `${service} of ${files}`);
    }
  }
});

test('stacks use existing Dockerfile targets, and what these copy is not ignored', () => {
  const dockerfile = readFileSync(join(root, 'docker/Dockerfile'), 'utf8');
  const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, stage]) => stage);
  for (const needed of ['dev', 'builder', 'prod', 'ui']) assert.ok(stages.includes(needed), needed);
  for (const { services } of [development, production, single]) {
    for (const { build } of Object.values(services)) if (build) assert.ok(stages.includes(build.target), build.target);
  }
  // What a stage copies from the context must not be excluded by the ignore file.
  const ignored = readFileSync(join(root, 'docker/Dockerfile.dockerignore'), 'utf8').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources]) => sources.split(' ')).filter((source) => source !== '.');
  for (const source of copied) {
    assert.ok(existsSync(join(root, source)), `${source} does not exist`);
    assert.ok(ignored.some((kept) => source === kept || source.startsWith(`${kept}/`)), `${source} is ignored`);
  }
});

test('each base image is an argument with a tag, and no stage uses another', () => {
  const dockerfile = readFileSync(join(root, 'docker/Dockerfile'), 'utf8');
  const images = Object.fromEntries([...dockerfile.matchAll(/^ARG (\w+_IMAGE)=(\S+)$/gm)].map(([, name, image]) => [name, image]));
  for (const image of Object.values(images)) assert.match(image, /^docker\.io\/\S+:[\w.-]+$/);
  const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, stage]) => stage);
  for (const [, from] of dockerfile.matchAll(/^FROM (\S+) AS \S+$/gm)) {
    assert.ok(from === 'scratch' || stages.includes(from) || Object.keys(images).some((name) => from === `\${${name}}`), from);
  }
});

test('final images run as user 1000, with health check and labels', () => {
  const dockerfile = readFileSync(join(root, 'docker/Dockerfile'), 'utf8');
  for (const target of ['prod', 'ui']) {
    const stage = dockerfile.split(/^(?=FROM )/m).find((text) => text.match(/^FROM \S+ AS (\S+)/)?.[1] === target);
    assert.match(stage, /^USER 1000:1000$/m, target);
    assert.match(stage, /^HEALTHCHECK .*(\\\n\s+)?CMD \["/m, target);
    for (const label of ['source', 'version', 'revision', 'title', 'licenses']) assert.match(stage, new RegExp(`org\\.opencontainers\\.image\\.${label}=`), `${target}: ${label}`);
    assert.match(stage, /^ENTRYPOINT \["/m, `${target} starts through a shell`);
  }
});
