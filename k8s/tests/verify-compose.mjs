// Starts the Compose stacks on a container engine and verifies one claim after the other. Run by
// scripts/deploy/verify-compose.sh.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { root } from './render.mjs';
import { eventually, freePort, get } from './running.mjs';

const execute = promisify(execFile);
const secret = () => randomBytes(24).toString('hex');
const directory = await mkdtemp(join(tmpdir(), 'pulsecheck-verify-'));
const port = await freePort();
const origin = `http://localhost:${port}`;
const tag = 'verify';
const helper = process.env.DEBIAN_IMAGE ?? 'docker.io/library/debian:bookworm-slim';
const environment = {
  ...process.env,
  PULSECHECK_TAG: tag,
  PULSECHECK_VERSION: readFileSync(join(root, 'Cargo.toml'), 'utf8').match(/\[workspace\.package\]\nversion = "(.+)"/)[1],
  PULSECHECK_REVISION: spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim(),
  PULSECHECK_PUBLIC_URL: origin,
  PULSECHECK_BIND: `127.0.0.1:${port}`,
  // Networks that do not overlap with a stack that runs on this machine.
  PULSECHECK_WEB_NETWORK: '172.16.234.0/28',
  PULSECHECK_FRONT_PROXY: '172.16.234.1',
  PULSECHECK_SINGLE_NETWORK: '172.16.235.0/28',
  PULSECHECK_TRUSTED_PROXIES: '172.16.235.1',
  PULSECHECK_SECRET_KEY: secret(),
  POSTGRES_PASSWORD: secret(),
  REDIS_PASSWORD: secret(),
  // So that sign-in needs no provider and a target on this machine can be checked.
  PULSECHECK_LOCAL_LOGIN: 'true',
  PULSECHECK_ALLOW_PRIVATE_TARGETS: 'true',
};

let failed = 0;
async function claim(name, check) {
  try {
    const detail = await check();
    console.log(`pass  ${name}${typeof detail === 'string' ? ` (${detail})` : ''}`);
    return true;
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n      ${String(error.message ?? error).trim().split('\n').slice(-8).join('\n      ')}`);
    return false;
  }
}
function required(passed) {
  if (!passed) throw new Error('the other claims depend on this one');
}
function expect(condition, message) {
  if (!condition) throw new Error(message);
}

async function docker(...args) {
  const { stdout } = await execute('docker', args, { env: environment, cwd: root, maxBuffer: 1 << 26, encoding: args.includes('-binary') ? 'buffer' : 'utf8' });
  return stdout.trim();
}
const files = (...names) => names.flatMap((name) => ['-f', `docker/${name}`]);
// COMPOSE_ALSO: an additional Compose file, to see claims fail that should.
const also = process.env.COMPOSE_ALSO ? ['-f', process.env.COMPOSE_ALSO] : [];
const stack = ['compose', '-p', 'pulsecheck-verify', ...files('compose.yaml', 'compose.prod.yaml'), ...also];
const single = ['compose', '-p', 'pulsecheck-verify-single', ...files('compose.single.yaml')];
const compose = (...args) => docker(...stack, ...args);
const containerOf = async (service) => (await compose('ps', '-a', '-q', service)).split('\n')[0];
const inspect = async (id) => JSON.parse(await docker('inspect', id))[0];

function build(target, image) {
  const override = process.env.BUILT ? ['--build-context', `builder=${directory}/built`] : [];
  const args = ['RUST_IMAGE', 'DEBIAN_IMAGE', 'NGINX_IMAGE'].filter((name) => process.env[name])
    .flatMap((name) => ['--build-arg', `${name}=${process.env[name]}`]);
  const ran = spawnSync('docker', ['buildx', 'build', '--progress', 'plain', '--load', '-f', 'docker/Dockerfile', '--target', target, '-t', `${image}:${tag}`,
    ...args, ...override, '--build-arg', `VERSION=${environment.PULSECHECK_VERSION}`, '--build-arg', `REVISION=${environment.PULSECHECK_REVISION}`, '.'],
  { cwd: root, env: environment, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (ran.status !== 0) throw new Error(ran.stderr);
}

/** Whether a container can connect, tested by a helper in its network because it has no shell. */
async function canConnect(id, host, to) {
  const script = `timeout 3 bash -c 'exec 3<>/dev/tcp/${host}/${to}'`;
  const ran = await execute('docker', ['run', '--rm', '--network', `container:${id}`, '--entrypoint', 'bash', helper, '-c', script], { env: environment })
    .then(() => true, (error) => { if (error.code === 125) throw error; return false; });
  return ran;
}

let cookies = '';
async function graphql(query, variables) {
  const headers = { host: `localhost:${port}`, origin, cookie: cookies, 'content-type': 'application/json' };
  const { status, body } = await get(port, '/api/graphql', headers, { method: 'POST', body: JSON.stringify({ query, variables }) });
  const answer = JSON.parse(body);
  expect(status === 200 && !answer.errors, `${status}: ${body}`);
  return answer.data;
}

async function healthy(id) {
  return eventually(async () => (await inspect(id)).State.Health?.Status === 'healthy', 'healthy again').catch(async () => {
    // Restarting PostgreSQL ends connections, so other services take longer to recover.
    await eventually(async () => (await inspect(id)).State.Health?.Status === 'healthy', 'healthy again');
  });
}

const target = createServer((_, response) => response.end('ok'));
target.listen(0, '0.0.0.0');
await once(target, 'listening');
let service;
let stopListening;

async function checkedSince(moment) {
  return eventually(async () => {
    const { service: found } = await graphql('query ($id: UUID!) { service(id: $id) { current { status checkedAt message } } }', { id: service });
    return found.current.status === 'UP' && new Date(found.current.checkedAt) > moment && found;
  }, 'a new check that finds the target up');
}

try {
  if (process.env.BUILT) {
    spawnSync('mkdir', ['-p', `${directory}/built/out`]);
    spawnSync('cp', ['-r', join(process.env.BUILT, 'pulsecheck'), join(process.env.BUILT, 'ui'), `${directory}/built/out/`]);
  }
  required(await claim('both images build', () => { build('prod', 'pulsecheck'); build('ui', 'pulsecheck-ui'); }));
  for (const [image, most] of [['pulsecheck', 60], ['pulsecheck-ui', 200]]) {
    await claim(`${image} is below its size limit`, async () => {
      const size = Number(await docker('image', 'inspect', '-f', '{{.Size}}', `${image}:${tag}`)) / 1e6;
      expect(size < most, `${size.toFixed(1)} MB, at most ${most}`);
      return `${size.toFixed(1)} MB`;
    });
    await claim(`${image} has its labels, user and health check`, async () => {
      const { Config } = await inspect(`${image}:${tag}`);
      const label = (name) => Config.Labels[`org.opencontainers.image.${name}`];
      expect(label('version') === environment.PULSECHECK_VERSION && label('revision') === environment.PULSECHECK_REVISION && label('source'), JSON.stringify(Config.Labels));
      expect(Config.User === '1000:1000' && Config.Healthcheck, `user ${Config.User}, health check ${Config.Healthcheck}`);
    });
  }

  // Recorded from the start, because the engine keeps only the last few health check results.
  const events = [];
  const listening = spawn('docker', ['events', '--filter', 'label=com.docker.compose.project=pulsecheck-verify', '--filter', 'event=health_status',
    '--filter', 'event=start', '--filter', 'event=die', '--format', '{{json .}}'], { env: environment, stdio: ['ignore', 'pipe', 'ignore'] });
  stopListening = () => listening.kill();
  createInterface(listening.stdout).on('line', (line) => events.push(JSON.parse(line)));
  required(await claim('the stack starts and becomes healthy', async () => { await compose('up', '-d', '--no-build', '--wait', '--wait-timeout', '180'); }));

  await claim('services start in order: PostgreSQL, migration, API and worker, dashboard', async () => {
    const first = (service, action) => {
      const found = events.find(({ Action, Actor }) => Action === action && Actor.Attributes['com.docker.compose.service'] === service);
      expect(found, `${service} never came to ${action}`);
      return found;
    };
    const before = (earlier, later, sentence) => expect(earlier.timeNano <= later.timeNano, sentence);
    const well = 'health_status: healthy';
    const migrated = first('migrate', 'die');
    expect(migrated.Actor.Attributes.exitCode === '0', `the migration ended with ${migrated.Actor.Attributes.exitCode}`);
    before(first('postgres', well), first('migrate', 'start'), 'the migration began before PostgreSQL was well');
    for (const name of ['api', 'worker']) {
      before(migrated, first(name, 'start'), `${name} began before the schema was there`);
      before(first('redis', well), first(name, 'start'), `${name} began before Redis was well`);
    }
    before(first('api', well), first('ui', 'start'), 'the dashboard began before the API was well');
  });
  stopListening();

  await claim('only the dashboard is published, on loopback', async () => {
    for (const name of ['postgres', 'redis', 'api', 'worker', 'ui']) {
      const { HostConfig } = await inspect(await containerOf(name));
      const published = Object.entries(HostConfig.PortBindings ?? {}).map(([inside, [{ HostIp }]]) => `${HostIp} ${inside}`);
      expect(JSON.stringify(published) === JSON.stringify(name === 'ui' ? ['127.0.0.1 8080/tcp'] : []), `${name}: ${published}`);
    }
  });

  await claim('a user signs in through nginx by a link', async () => {
    const printed = await compose('exec', '-T', 'api', 'pulsecheck', 'login-link');
    const link = new URL(printed.match(/Sign in: (\S+)/)[1]);
    expect(link.origin === origin, `the link leads to ${link.origin}`);
    const answer = await get(port, link.pathname + link.search, { host: link.host });
    expect(answer.status === 303, `${answer.status}`);
    cookies = answer.headers['set-cookie'].map((cookie) => cookie.split(';')[0]).join('; ');
    expect((await graphql('{ me { email } }')).me.email, 'nobody');
  });

  await claim('nginx serves the dashboard\'s files', async () => {
    const page = await get(port, '/', { 'accept-encoding': 'identity' });
    const script = page.body.toString().match(/src="(\/assets\/start-[^"]+)"/)?.[1];
    expect(script, 'the page names no script');
    const { status, headers } = await get(port, script, { 'accept-encoding': 'br' });
    expect(status === 200 && headers['content-encoding']?.[0] === 'br' && /immutable/.test(headers['cache-control'][0]), JSON.stringify(headers));
  });

  await claim('the worker checks a service outside its networks, and the result arrives live', async () => {
    const network = (await inspect(await containerOf('worker'))).NetworkSettings.Networks['pulsecheck-verify_data'];
    const url = `http://${network.Gateway}:${target.address().port}/health`;
    const socket = new WebSocket(`ws://localhost:${port}/api/graphql/ws`, 'graphql-transport-ws', { headers: { cookie: cookies }, origin, handshakeTimeout: 10_000 });
    const messages = [];
    socket.on('message', (text) => messages.push(JSON.parse(text)));
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    await eventually(async () => messages.some(({ type }) => type === 'connection_ack'), 'the live connection');
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: 'subscription { statusUpdates { service { name } current { status message } } }' } }));
    const created = await graphql('mutation ($input: CreateServiceInput!) { createService(input: $input) { id } }', { input: { name: 'outside', monitor: { http: { url } }, checkIntervalSeconds: 10 } });
    service = created.createService.id;
    const update = await eventually(async () => messages.find(({ type }) => type === 'next'), 'an update');
    socket.terminate();
    const { service: named, current } = update.payload.data.statusUpdates;
    expect(named.name === 'outside' && current.status === 'UP', JSON.stringify(current));
  });

  await claim('only the intended connections are possible', async () => {
    const intended = { ui: { api: 8080 }, api: { postgres: 5432, redis: 6379 }, worker: { postgres: 5432, redis: 6379, api: 8080 } };
    const ports = { api: 8080, postgres: 5432, redis: 6379, worker: 8080 };
    const wrong = [];
    for (const from of ['ui', 'api', 'worker']) {
      for (const to of ['api', 'postgres', 'redis']) {
        if (from === to) continue;
        const found = await inspect(await containerOf(to));
        const addresses = [to, ...Object.values(found.NetworkSettings.Networks).map(({ IPAddress }) => IPAddress)];
        const open = [];
        for (const address of addresses) if (await canConnect(await containerOf(from), address, ports[to])) open.push(address);
        if ((open.length > 0) !== Boolean(intended[from][to])) wrong.push(`${from} -> ${to}: ${open.join(', ') || 'closed'}`);
      }
    }
    expect(wrong.length === 0, wrong.join('; '));
    return 'ui -> api; api, worker -> postgres, redis; ui not';
  });

  await claim('no container runs as root, has capabilities, or can gain them', async () => {
    const expected = { ui: 1000, api: 1000, worker: 1000, postgres: 999, redis: 999 };
    for (const [name, uid] of Object.entries(expected)) {
      const { State } = await inspect(await containerOf(name));
      const status = readFileSync(`/proc/${State.Pid}/status`, 'utf8');
      const field = (field) => status.match(new RegExp(`^${field}:\\s*(.*)$`, 'm'))[1].trim();
      expect(field('Uid').split(/\s+/).every((found) => Number(found) === uid), `${name} runs as ${field('Uid')}`);
      for (const set of ['CapEff', 'CapPrm', 'CapBnd']) expect(/^0+$/.test(field(set)), `${name} has ${set} ${field(set)}`);
      expect(field('NoNewPrivs') === '1' && field('Seccomp') === '2', `${name}: NoNewPrivs ${field('NoNewPrivs')}, Seccomp ${field('Seccomp')}`);
    }
  });

  await claim('no container can write to its image', async () => {
    writeFileSync(join(directory, 'file'), 'x');
    for (const name of ['ui', 'api', 'worker', 'postgres', 'redis']) {
      const id = await containerOf(name);
      expect((await inspect(id)).HostConfig.ReadonlyRootfs, `${name} is writable`);
      const copied = await docker('cp', join(directory, 'file'), `${id}:/etc/file`).then(() => 'worked', (error) => error.message);
      expect(/read-only/.test(copied), `${name}: copying into it ${copied}`);
    }
  });

  await claim('the program\'s image has no shell', async () => {
    const ran = await docker('run', '--rm', '--entrypoint', '/bin/sh', `pulsecheck:${tag}`, '-c', 'true').then(() => 'it started one', (error) => error.message);
    expect(/no such file|not found/.test(ran), ran);
  });

  for (const name of ['ui', 'api', 'worker', 'redis', 'postgres']) {
    await claim(`a restart of ${name} is survived: healthy, signed in, checking`, async () => {
      const id = await containerOf(name);
      const began = Date.now();
      await docker('restart', '-t', '45', id);
      for (const each of ['postgres', 'redis', 'api', 'worker', 'ui']) await healthy(await containerOf(each));
      await eventually(async () => (await graphql('{ me { email } }')).me.email, 'still signed in');
      await checkedSince(new Date());
      return `${((Date.now() - began) / 1000).toFixed(0)} s`;
    });
  }

  await claim('nginx finds a recreated API at its new address', async () => {
    const address = async () => (await inspect(await containerOf('api'))).NetworkSettings.Networks['pulsecheck-verify_web'].IPAddress;
    const before = await address();
    await compose('rm', '--stop', '--force', 'api');
    // Another container takes its address in the meantime.
    const other = await docker('run', '-d', '--rm', '--network', 'pulsecheck-verify_web', helper, 'sleep', '300');
    try {
      await compose('up', '-d', '--no-build', '--no-deps', '--wait', 'api');
      expect(await address() !== before, `it has the address ${before} again`);
      await eventually(async () => (await graphql('{ me { email } }')).me.email, 'still signed in');
    } finally {
      await docker('rm', '--force', other);
    }
  });

  await claim('no log shows a password or the secret key', async () => {
    const logs = await compose('logs', '--no-color', 'api', 'worker', 'migrate', 'ui');
    expect(/api-1/.test(logs) && /worker-1/.test(logs) && /ui-1/.test(logs), 'there are no logs');
    for (const name of ['PULSECHECK_SECRET_KEY', 'POSTGRES_PASSWORD', 'REDIS_PASSWORD']) expect(!logs.includes(environment[name]), `${name} appears in a log`);
  });
  await compose('down', '-v', '--timeout', '45');

  await claim('one container becomes healthy, signs a user in, and makes a backup', async () => {
    await docker(...single, 'up', '-d', '--no-build', '--wait', '--wait-timeout', '60');
    const printed = await docker(...single, 'exec', '-T', 'pulsecheck', 'pulsecheck', 'login-link');
    const link = new URL(printed.match(/Sign in: (\S+)/)[1]);
    const signedIn = await get(port, link.pathname + link.search, { host: link.host });
    expect(signedIn.status === 303, `${signedIn.status}`);
    cookies = signedIn.headers['set-cookie'].map((cookie) => cookie.split(';')[0]).join('; ');
    const { stdout } = await execute('docker', [...single, 'exec', '-T', 'pulsecheck', 'pulsecheck', 'backup', '-'], { env: environment, cwd: root, encoding: 'buffer', maxBuffer: 1 << 28 });
    expect(stdout.subarray(0, 15).toString() === 'SQLite format 3', `${stdout.length} bytes that are no database`);
    writeFileSync(join(directory, 'copy.sqlite'), stdout);
    return `${(stdout.length / 1024).toFixed(0)} KiB`;
  });
  await claim('a backup is restored only while the program is stopped', async () => {
    chmodSync(directory, 0o755);
    const restore = ['run', '--rm', '-T', '-v', `${directory}:/backup:ro`, 'pulsecheck', 'restore', '/backup/copy.sqlite'];
    const refused = await docker(...single, ...restore).then(() => 'it was not', (error) => error.message);
    expect(/another PulseCheck is running/.test(refused), refused);
    await docker(...single, 'stop');
    await docker(...single, ...restore);
  });
  await claim('data survives the container', async () => {
    await docker(...single, 'down');
    await docker(...single, 'up', '-d', '--no-build', '--wait', '--wait-timeout', '60');
    // The session, and the key that signed it, are in the volume.
    expect((await graphql('{ me { email } }')).me.email, 'the session is gone');
  });
} catch (error) {
  failed += 1;
  console.log(`FAIL  ${error.message}`);
} finally {
  stopListening?.();
  if (failed > 0) console.log(await compose('logs', '--no-color', '--tail', '20').catch(() => ''));
  await compose('down', '-v', '--timeout', '10').catch(() => {});
  await docker(...single, 'down', '-v', '--timeout', '10').catch(() => {});
  target.closeAllConnections();
  target.close();
  await rm(directory, { recursive: true, force: true });
}
console.log(failed === 0 ? 'All claims hold.' : `${failed} claim(s) failed.`);
process.exitCode = failed === 0 ? 0 : 1;
