// Tests the documents: links lead somewhere, named paths exist, and decisions are numbered and listed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { root } from './render.mjs';

const tracked = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' });
const documents = tracked.stdout.trim().split('\n').filter((name) => existsSync(join(root, name)) && !name.startsWith('.github/'));
const read = (name) => readFileSync(join(root, name), 'utf8');

/** The anchors that GitHub generates for the headings of a document. */
function anchors(text) {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading);
  return headings.map((heading) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

test('every link leads to a file and a heading that exist', () => {
  assert.ok(documents.includes('README.md') && documents.includes('docs/architecture.md'), `${documents}`);
  for (const name of documents) {
    for (const [, target] of read(name).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path, anchor] = target.split('#');
      const file = path ? join(dirname(name), path) : name;
      assert.ok(existsSync(join(root, file)), `${name}: ${target} does not exist`);
      if (anchor) assert.ok(anchors(read(file)).includes(anchor), `${name}: ${target} is no heading`);
    }
  }
});

test('every path named by the main documents exists', () => {
  const directories = ['backend', 'benches', 'crates', 'docker', 'docs', 'e2e', 'entity', 'helm', 'k8s', 'migration', 'scripts', 'src', 'tests', 'ui', 'worker'];
  const named = new RegExp(`\`((?:${directories.join('|')})/[\\w./-]*)\``, 'g');
  // Created on the machine of an operator, and ignored by git.
  const generated = /values-secrets|docker\/\.env$/;
  for (const name of documents.filter((each) => !each.includes('/') || each.startsWith('docs/'))) {
    for (const [, path] of read(name).matchAll(named)) {
      if (!generated.test(path)) assert.ok(existsSync(join(root, path)), `${name}: ${path} does not exist`);
    }
  }
});

test('decisions are numbered without gaps, complete, and listed in the index', () => {
  const names = readdirSync(join(root, 'docs/decisions')).filter((name) => name !== 'README.md').sort();
  const index = read('docs/decisions/README.md');
  names.forEach((name, i) => {
    const number = i + 1;
    const text = read(`docs/decisions/${name}`);
    const [, title] = text.match(/^# \d+\. (.+)$/m) ?? [];
    assert.ok(name.startsWith(`${String(number).padStart(4, '0')}-`), `${name} should have the number ${number}`);
    assert.ok(text.startsWith(`# ${number}. `), `${name} has another number in its title`);
    assert.ok(index.includes(`${number}. [${title}](${name})`), `${name} is not listed`);
    for (const heading of ['Context', 'Decision', 'Consequences']) assert.match(text, new RegExp(`^## ${heading}$`, 'm'), name);
  });
});
