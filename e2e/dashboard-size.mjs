// Bounds what a browser loads to show the dashboard: WASM, scripts and styles, in brotli.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';

const dist = new URL('../target/ui/dist/', import.meta.url);
const MAX_KIB = 450;

test(`the dashboard is at most ${MAX_KIB} KiB in brotli`, (t) => {
  const files = readdirSync(new URL('assets/', dist)).map((name) => `assets/${name}`).concat('sw.js');
  const parts = files.filter((name) => /\.(wasm|js|css)$/.test(name));
  assert.deepEqual(['.css', '.js', '.wasm'].filter((type) => !parts.some((name) => name.endsWith(type))), []);
  const sizes = parts.map((name) => [name, statSync(new URL(`${name}.br`, dist)).size]);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  for (const [name, size] of [...sizes, ['total', total]]) t.diagnostic(`${String(size).padStart(8)} ${name}`);
  assert.ok(total <= MAX_KIB * 1024, `${total} bytes are ${total - MAX_KIB * 1024} more than ${MAX_KIB} KiB`);
});
