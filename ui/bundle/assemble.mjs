// Turns the output of ui-bundle into the directory that the server embeds: script, style sheet and
// module with hashed names, the pages that refer to them, and a brotli and a gzip copy of each
// file.
//
// usage: node assemble.mjs <output of ui-bundle> <directory of the optimised module> <output
// directory>
//
// Files in directories called `assets` have a hash in their names, so browsers may cache them for
// ever.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import zlib from "node:zlib";
import esbuild from "esbuild";

const UI = fileURLToPath(new URL("..", import.meta.url));
const [compiled, optimised, dist] = process.argv.slice(2).map((dir) => path.resolve(dir));

// The features that rustc enables for wasm32-unknown-unknown and that wasm-bindgen adds. wasm-opt
// has to accept them.
const WASM_FEATURES = [
  "bulk-memory",
  "bulk-memory-opt",
  "call-indirect-overlong",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
];
// Browsers load the compressed module, and of -Oz, -Os and -O2 the last is the smallest in brotli.
// Whole-program inference (gufa) finds a little more between two rounds of it.
const WASM_OPT = ["--gufa", "-O2", "--gufa", "-O2", "--strip-producers", ...WASM_FEATURES.map((feature) => `--enable-${feature}`)];
const BROWSERS = ["chrome109", "edge109", "firefox115", "safari16.4"];
const COMPRESSIBLE = /\.(css|html|ico|js|json|svg|txt|wasm|webmanifest)$/;

/** Runs wasm-opt, the slowest step, unless its input and options are unchanged. */
async function optimise() {
  const module = path.join(compiled, "ui_bg.wasm");
  const digest = createHash("sha256").update(WASM_OPT.join()).update(await fs.readFile(module)).digest("hex");
  const result = path.join(optimised, "ui.wasm");
  const digestFile = path.join(optimised, "input.sha256");
  if ((await exists(result)) && (await exists(digestFile)) && (await fs.readFile(digestFile, "utf8")) === digest) return;

  await fs.rm(optimised, { recursive: true, force: true });
  await fs.mkdir(optimised, { recursive: true });
  const wasmOpt = path.join(UI, "node_modules/binaryen/bin/wasm-opt");
  execFileSync(process.execPath, [wasmOpt, module, ...WASM_OPT, "-o", result], { stdio: "inherit" });
  await fs.writeFile(digestFile, digest);
}

async function exists(file) {
  return fs.access(file).then(() => true, () => false);
}

/** Bundles `entries` into `<base>/assets` and returns the URL of each output by its name without the hash. */
async function bundle(entries, base, options) {
  const { metafile } = await esbuild.build({
    absWorkingDir: UI,
    entryPoints: entries,
    outdir: path.join(dist, base, "assets"),
    publicPath: `${base}/assets`,
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    alias: { compiled, optimised },
    loader: { ".wasm": "file", ".woff2": "file" },
    bundle: true,
    minify: true,
    metafile: true,
    target: BROWSERS,
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "warning",
    ...options,
  });
  const names = {};
  for (const output of Object.keys(metafile.outputs)) {
    const file = path.relative(dist, path.resolve(UI, output));
    names[path.basename(file).replace(/-[A-Z0-9]{8}(?=\.[a-z0-9]+$)/, "")] = `/${file}`;
  }
  return names;
}

/** Writes a page with each `{{name}}` replaced by the URL of that file. */
async function page(template, target, names) {
  const html = await fs.readFile(path.join(UI, template), "utf8");
  const filled = html.replace(/{{([\w.-]+)}}/g, (_, name) => {
    if (!names[name]) throw new Error(`${template} refers to ${name}; there are ${Object.keys(names).join(", ")}`);
    return names[name];
  });
  await fs.writeFile(path.join(dist, target), filled);
}

/** Writes the service worker with the list of files to cache, and a version that changes with any of them. */
async function serviceWorker(names) {
  const files = ["/", ...Object.values(names), "/manifest.webmanifest"];
  const icons = (await fs.readdir(path.join(UI, "assets/static"))).filter((file) => file.endsWith(".svg"));
  files.push(...icons.map((file) => `/${file}`));
  const digest = createHash("sha256").update(await fs.readFile(path.join(dist, "index.html"))).update(files.join());
  const source = (await fs.readFile(path.join(UI, "assets/sw.js"), "utf8"))
    .replace("{{files}}", JSON.stringify(files))
    .replace("{{version}}", digest.digest("hex").slice(0, 16));
  const { code } = await esbuild.transform(source, { minify: true, target: BROWSERS });
  await fs.writeFile(path.join(dist, "sw.js"), code);
}

async function filesBelow(dir) {
  const entries = await fs.readdir(dir, { withFileTypes: true });
  const below = entries.map((entry) => {
    const file = path.join(dir, entry.name);
    return entry.isDirectory() ? filesBelow(file) : [file];
  });
  return (await Promise.all(below)).flat().sort();
}

/** Writes compressed copies beside `file` where they are smaller, and returns the sizes. */
async function compress(file) {
  const content = await fs.readFile(file);
  const sizes = { file: path.relative(dist, file), plain: content.length };
  if (!COMPRESSIBLE.test(file)) return sizes;
  const { BROTLI_MODE_FONT, BROTLI_MODE_GENERIC, BROTLI_PARAM_MODE, BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } =
    zlib.constants;
  const params = {
    // The font mode compresses WebAssembly a few kilobytes better than the generic one.
    [BROTLI_PARAM_MODE]: file.endsWith(".wasm") ? BROTLI_MODE_FONT : BROTLI_MODE_GENERIC,
    [BROTLI_PARAM_QUALITY]: 11,
    [BROTLI_PARAM_SIZE_HINT]: content.length,
  };
  const copies = await Promise.all([
    promisify(zlib.brotliCompress)(content, { params }),
    promisify(zlib.gzip)(content, { level: 9 }),
  ]);
  for (const [index, suffix] of ["br", "gz"].entries()) {
    if (copies[index].length >= content.length) continue;
    await fs.writeFile(`${file}.${suffix}`, copies[index]);
    sizes[suffix] = copies[index].length;
  }
  return sizes;
}

function printSizes(rows) {
  const cell = (bytes) => (bytes === undefined ? "-" : (bytes / 1024).toFixed(1)).padStart(10);
  const total = { file: "total" };
  for (const kind of ["plain", "gz", "br"]) total[kind] = rows.reduce((sum, row) => sum + (row[kind] ?? row.plain), 0);
  console.log(`${"size in KiB".padEnd(44)}${["plain", "gzip", "brotli"].map((head) => head.padStart(10)).join("")}`);
  for (const row of [...rows, total]) {
    console.log(`${row.file.padEnd(44)}${cell(row.plain)}${cell(row.gz)}${cell(row.br)}`);
  }
}

await optimise();
await fs.rm(dist, { recursive: true, force: true });
await fs.mkdir(dist, { recursive: true });

const app = await bundle(["assets/app.css"], "", {});
// A classic script, because a module would run only after the page is parsed.
const boot = await bundle(["assets/boot.js"], "", { format: "iife" });
const start = await bundle(["assets/start.js"], "", { format: "esm" });
const graphiql = await bundle(["graphiql/graphiql.js", "graphiql/graphiql.css"], "/graphiql", { format: "esm" });

if (await exists(path.join(UI, "assets/static"))) {
  await fs.cp(path.join(UI, "assets/static"), dist, { recursive: true });
}
await page("index.html", "index.html", { ...app, ...boot, ...start });
await serviceWorker({ ...app, ...boot, ...start });
await page("graphiql/index.html", "graphiql/index.html", graphiql);

printSizes(await Promise.all((await filesBelow(dist)).map(compress)));
