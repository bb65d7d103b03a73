// A client that graphql-codegen generates from the schema and the dashboard's own documents compiles.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { codegen } from '@graphql-codegen/core';
import * as documentNode from '@graphql-codegen/typed-document-node';
import * as operations from '@graphql-codegen/typescript-operations';
import { buildSchema, parse } from 'graphql';
import ts from 'typescript';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..');

// How a program uses what was generated.
const CLIENT = `
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { CreateServiceDocument, ListServicesDocument } from './generated';

async function request<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
  const body = JSON.stringify({ query: print(document), variables });
  const response = await fetch('/api/graphql', { method: 'POST', body });
  return ((await response.json()) as { data: Data }).data;
}

export async function names(): Promise<string[]> {
  const { servicesPage } = await request(ListServicesDocument, { after: null });
  return servicesPage.edges.map(({ node }) => node.name);
}

export async function add(url: string): Promise<string> {
  const { createService } = await request(CreateServiceDocument, { input: INPUT });
  return createService.id;
}
`;

let folder, generated;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pulsecheck-codegen-'));
  generated = await generate();
});
after(() => rm(folder, { recursive: true }));

async function generate() {
  const schema = await readFile(join(root, 'schema.graphql'), 'utf8');
  const documents = join(root, 'ui/documents');
  const read = async (location) => ({ location, document: parse(await readFile(join(documents, location), 'utf8')) });
  return codegen({
    filename: 'generated.ts',
    schema: parse(schema),
    schemaAst: buildSchema(schema),
    documents: await Promise.all((await readdir(documents)).map(read)),
    config: { scalars: { DateTime: 'string', UUID: 'string' } },
    plugins: [{ operations: {} }, { documentNode: {} }],
    pluginMap: { operations, documentNode },
  });
}

/** What the compiler finds wrong with the generated code and a client that uses it. */
async function compile(client) {
  await writeFile(join(folder, 'generated.ts'), generated);
  await writeFile(join(folder, 'client.ts'), client);
  const program = ts.createProgram([join(folder, 'client.ts'), join(folder, 'generated.ts')], {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    types: [],
    skipLibCheck: true,
    paths: { '*': [join(here, 'node_modules/*'), join(here, 'node_modules/@types/*')] },
  });
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

const input = "{ name: 'Shop', monitor: { http: { url } } }";

test('the generated client compiles', async () => {
  assert.deepEqual(await compile(CLIENT.replace('INPUT', input)), []);
});

test('a field that the schema does not have does not compile', async () => {
  const wrong = CLIENT.replace('INPUT', input).replace('node.name', 'node.title');
  assert.match((await compile(wrong)).join('\n'), /'title' does not exist/);
});
