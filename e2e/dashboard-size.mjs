// What a browser has to load of the dashboard stays small: WASM, scripts and styles, as they are sent.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';

const dist = new URL('../target/ui/dist/', import.meta.url);
const MOST_KIB = 350;

test(`the dashboard is at most ${MOST_KIB} KiB in brotli`, (t) => {
  const files = readdirSync(new URL('assets/', dist)).map((name) => `assets/${name}`).concat('sw.js');
  const parts = files.filter((name) => /\.(wasm|js|css)$/.test(name));
  assert.deepEqual(['.css', '.js', '.wasm'].filter((kind) => !parts.some((name) => name.endsWith(kind))), []);
  const sizes = parts.map((name) => [name, statSync(new URL(`${name}.br`, dist)).size]);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  for (const [name, size] of [...sizes, ['total', total]]) t.diagnostic(`${String(size).padStart(8)} ${name}`);
  assert.ok(total <= MOST_KIB * 1024, `${total} bytes are ${total - MOST_KIB * 1024} more than ${MOST_KIB} KiB`);
});
