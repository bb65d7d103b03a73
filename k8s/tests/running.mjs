// Starts processes for tests: the program, and nginx with the configuration of the image, changed only in paths and ports.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root, tools } from './render.mjs';

const program = process.env.PULSECHECK_BIN ?? join(root, 'target/debug/pulsecheck');
/** The dashboard's files; they have to be the ones embedded in the program. */
export const dist = process.env.PULSECHECK_UI_DIST ?? join(root, 'target/ui/dist');
const PATH = `${process.env.PATH}:/usr/sbin:/sbin:${tools}/own/root/usr/sbin`;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Calls `attempt` until it returns something, for 20 s at most. */
export async function eventually(attempt, what) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = await attempt().catch((error) => { if (Date.now() > deadline) throw error; });
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within 20 s`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

async function stopProcess(child, signal) {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal);
    await once(child, 'exit');
  }
}

/** Starts `pulsecheck` on temporary data with the public URL `publicUrl`; returns its port and sign-in link. */
export async function startProgram(publicUrl) {
  const data = await mkdtemp(join(tmpdir(), 'pulsecheck-deploy-'));
  const port = await freePort();
  const settings = {
    PATH, PULSECHECK_DATA_DIR: data, PULSECHECK_LISTEN: `0.0.0.0:${port}`, PULSECHECK_PUBLIC_URL: publicUrl, PULSECHECK_LOCAL_LOGIN: 'true',
  };
  const child = spawn(program, [], { env: settings, cwd: data, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (text) => { log = (log + text).slice(-4000); });
  let link;
  for await (const line of createInterface(child.stdout)) {
    link = line.match(/^Sign in: (\S+)/)?.[1];
    if (link) break;
  }
  if (!link) throw new Error(`${program} did not start:\n${log}`);
  child.stdout.resume();
  return {
    port,
    link,
    async stop() {
      await stopProcess(child, 'SIGTERM');
      await rm(data, { recursive: true });
    },
  };
}

/** Copies the image's nginx files to `directory`, with paths and ports replaced by those of this test. */
export async function nginxFiles(directory, { port, apiConf, dist: files }) {
  const source = join(root, 'docker/nginx');
  const relocate = (text) => text
    .replaceAll(' /tmp/', ` ${directory}/`)
    .replaceAll('/etc/nginx/pulsecheck', directory)
    .replaceAll('/usr/share/pulsecheck', join(directory, 'html'))
    .replace('access_log /dev/stdout line;', `access_log ${directory}/access.log line;`)
    .replace('listen 8080;', `listen 127.0.0.1:${port};`);
  await mkdir(join(directory, 'snippets'), { recursive: true });
  await mkdir(join(directory, 'api'));
  await mkdir(join(directory, 'html'));
  for (const name of await readdir(join(source, 'snippets'))) {
    await writeFile(join(directory, 'snippets', name), relocate(await readFile(join(source, 'snippets', name), 'utf8')));
  }
  // Started by root, nginx would switch to a user that cannot read the temporary directory.
  const user = process.getuid() === 0 ? 'user root;\n' : '';
  await writeFile(join(directory, 'nginx.conf'), user + relocate(await readFile(join(source, 'nginx.conf'), 'utf8')));
  await writeFile(join(directory, 'api/api.conf'), apiConf);
  if (files) await cp(files, join(directory, 'html/plain'), { recursive: true, preserveTimestamps: true });
  return ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', join(directory, 'error.log')];
}

export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, PATH }, ...options });
    let output = '';
    child.stdout.on('data', (text) => { output += text; });
    child.stderr.on('data', (text) => { output += text; });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** Starts nginx as in the image, in front of a program on `apiPort`; trusts X-Forwarded-For from `trusted`. */
export async function startNginx(port, apiPort, trusted = []) {
  const directory = await mkdtemp(join(tmpdir(), 'pulsecheck-nginx-'));
  const apiConf = `upstream pulsecheck_api { server 127.0.0.1:${apiPort}; keepalive 8; }\nmap "" $api { default pulsecheck_api; }\n`
    + trusted.map((proxy) => `set_real_ip_from ${proxy};\n`).join('');
  const args = await nginxFiles(directory, { port, apiConf, dist });
  const arranged = await run(join(root, 'docker/nginx/arrange.sh'), [join(directory, 'html')]);
  if (arranged.code !== 0) throw new Error(arranged.output);
  const child = spawn('nginx', [...args, '-g', 'daemon off;'], { env: { PATH }, stdio: 'ignore' });
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(await readFile(join(directory, 'error.log'), 'utf8'));
    return (await get(port, '/health')).status === 200;
  }, 'nginx answers');
  return {
    directory,
    async stop() {
      await stopProcess(child, 'SIGQUIT');
      await rm(directory, { recursive: true });
    },
  };
}

/** Sends one request without following redirects: `{ status, headers, body }`, header values as received. */
export function get(port, path, headers = {}, { method = 'GET', body } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => {
        const raw = {};
        for (let i = 0; i < answer.rawHeaders.length; i += 2) (raw[answer.rawHeaders[i].toLowerCase()] ??= []).push(answer.rawHeaders[i + 1]);
        resolve({ status: answer.statusCode, headers: raw, body: Buffer.concat(chunks) });
      });
    });
    sent.on('error', reject);
    sent.setTimeout(20_000, () => sent.destroy(new Error(`${method} ${path}: no answer within 20 s`)));
    sent.end(body);
  });
}

export { freePort };
