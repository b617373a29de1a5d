/* SPDX-License-Identifier: MIT */
// The public JSON-Schema test suite (draft 4, its required part) as a property: what a model
// without sense says under each schema is valid, or the answer names the keyword it is against.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import Ajv from 'ajv-draft-04';
import { Daemon } from './lib/daemon.js';
import { random } from './lib/models.js';

const suite = createRequire(import.meta.url)('json-schema-test-suite');
const groups = suite.loadRequiredSync('draft4')
  .flatMap(({ name, schemas }) => schemas.map((group) => ({ file: name, ...group })));

// References to other documents, which a server that fetches nothing cannot have, and those with
// an escaped pointer.
const isReference = (message) => /\$ref|[Rr]eference|[Rr]esource/.test(message);

async function answer(d, schema) {
  const { status, headers, body } = await d.post('/v1/chat/completions', { model: 'm', seed: 1,
    max_tokens: 160, messages: [{ role: 'user', content: 'x' }],
    response_format: { type: 'json_schema', json_schema: { name: 's', strict: true, schema } } });
  if (status !== 200) return { kind: 'refused', status, message: body.error.message };
  const [{ message, finish_reason: reason }] = body.choices;
  if (reason === 'length') return { kind: 'unfinished' };
  const check = new Ajv({ strict: false, allErrors: true }).compile(schema);
  const named = (headers.get('x-doze-unenforced') ?? '').split(', ');
  if (check(JSON.parse(message.content))) return { kind: named[0] ? 'named' : 'valid' };
  const silent = check.errors.filter(({ schemaPath, keyword }) =>
    ![keyword, ...schemaPath.split('/')].some((word) => named.includes(word)));
  return { kind: 'said', silent, named };
}

test('what is said under a schema is valid, or names what was not enforced', async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  const counts = {};
  for (const { file, description, schema } of groups) {
    const got = await answer(d, schema);
    const where = `${file}, ${description}: ${JSON.stringify(got)}`;
    counts[got.kind] = (counts[got.kind] ?? 0) + 1;
    if (got.kind === 'refused') assert.ok(got.status === 400 && isReference(got.message), where);
    if (got.kind === 'said') assert.deepEqual(got.silent, [], where);
  }
  t.diagnostic(`${groups.length} schemas: ${JSON.stringify(counts)}`);
  // Without llguidance more is named.
  assert.ok(counts.refused <= 8 && counts.valid + (counts.named ?? 0) >= 45,
    JSON.stringify(counts));
});
