// Starts a real Redis with the commands of the Compose files and of the chart, changed only in the port.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { installations, render, root } from './render.mjs';
import { eventually, freePort } from './running.mjs';

const command = (file) => parse(readFileSync(join(root, 'docker', file), 'utf8')).services.redis.command;
const pod = render(installations.kind).find(({ kind, metadata }) => kind === 'Deployment' && metadata.name.endsWith('-redis')).spec.template.spec;
const [container] = pod.containers;
const commands = {
  // Compose writes a dollar sign as two.
  Compose: command('compose.yaml').map((word) => word.replaceAll('$$', '$')),
  chart: [...container.command, ...container.args ?? []],
};

/** Starts `words` with `password`, calls `use` with a client and the process, and stops it. */
async function withRedis(words, password, use) {
  const directory = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const given = words.map((word) => word.replace('redis-server', `redis-server --port ${port} --bind 127.0.0.1`));
  assert.notDeepEqual(given, words);
  const env = { PATH: process.env.PATH, REDISCLI_AUTH: password, MAX_MEMORY: '64mb' };
  const server = spawn(given[0], given.slice(1), { cwd: directory, env, stdio: 'ignore' });
  const client = (auth, ...request) => {
    const { stdout, stderr } = spawnSync('redis-cli', ['-p', `${port}`, '-e', ...request], { env: { PATH: env.PATH, ...auth && { REDISCLI_AUTH: auth } }, encoding: 'utf8' });
    return `${stdout}${stderr}`.trim();
  };
  try {
    await eventually(async () => {
      assert.equal(server.exitCode, null, 'Redis does not start');
      return /PONG|NOAUTH|WRONGPASS/.test(client(password, 'ping'));
    }, 'Redis');
    await use(client, server);
  } finally {
    const exited = server.exitCode === null && once(server, 'exit');
    server.kill('SIGTERM');
    await exited;
    rmSync(directory, { recursive: true });
  }
}

const passwords = ['0123456789abcdef', 'a "quoted" word', "it's", 'back\\slash', '$HOME $(id) `id`', '# > %41'];

for (const [name, words] of Object.entries(commands)) {
  test(`Redis of ${name} takes exactly its password, whatever is in it`, async () => {
    for (const password of passwords) {
      await withRedis(words, password, (client) => {
        assert.equal(client(password, 'ping'), 'PONG', password);
        assert.match(client(undefined, 'ping'), /NOAUTH/, password);
        assert.match(client(`${password}x`, 'ping'), /NOAUTH|WRONGPASS/, password);
      });
    }
  });

  test(`the command line of Redis of ${name} does not contain the password`, async () => {
    await withRedis(words, passwords[0], (client, { pid }) => {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      assert.match(line, /redis-server/);
      assert.ok(!line.includes(passwords[0]), line);
      assert.ok(!client(passwords[0], 'info', 'server').includes(passwords[0]));
    });
  });

  test(`Redis of ${name} keeps the bound of its memory and drops nothing`, async () => {
    await withRedis(words, passwords[0], (client) => {
      assert.match(client(passwords[0], 'config', 'get', 'maxmemory'), new RegExp(`\n${(name === 'chart' ? 64 : 128) * 2 ** 20}$`));
      assert.match(client(passwords[0], 'config', 'get', 'maxmemory-policy'), /\nnoeviction$/);
    });
  });
}
