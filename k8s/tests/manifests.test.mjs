// Validates every object of every installation, and every raw manifest, against the schemas of the supported Kubernetes
// versions.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { chart, renderAll, root, tools } from './render.mjs';

const versions = ['1.30', '1.33', '1.36'];
// Custom resources, which no Kubernetes schema describes; their shape is tested where they are rendered.
const foreign = ['monitoring.coreos.com/v1', 'cert-manager.io/v1'];

function validate(objects, version) {
  const directory = mkdtempSync(join(tmpdir(), 'pulsecheck-manifests-'));
  const file = join(directory, 'all.yaml');
  writeFileSync(file, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  const { status, stdout, stderr } = spawnSync(join(tools, 'python/bin/kubernetes-validate'), ['--strict', '--quiet', '-k', version, file], { encoding: 'utf8' });
  rmSync(directory, { recursive: true });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

// Installations have many objects in common; each one is validated once.
const distinct = new Map();
for (const [, objects] of renderAll()) {
  for (const object of objects) if (!foreign.includes(object.apiVersion)) distinct.set(JSON.stringify(object), object);
}
const raw = ['k8s/namespace.yaml'].flatMap((file) => parseAllDocuments(readFileSync(join(root, file), 'utf8')).map((document) => document.toJS()));

for (const version of versions) {
  test(`every rendered object is valid for Kubernetes ${version}`, () => {
    assert.equal(validate([...distinct.values(), ...raw], version), '');
  });
}

test('the schemas reject an invalid object', () => {
  const wrong = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: { prots: [] } };
  assert.match(validate([wrong], versions[0]), /prots/);
});

test('the chart requires a Kubernetes version that is tested', () => {
  const { kubeVersion } = parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8'));
  assert.equal(kubeVersion, `>=${versions[0]}.0-0`);
});
