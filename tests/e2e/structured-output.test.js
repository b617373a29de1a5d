/* SPDX-License-Identifier: MIT */
// What an answer with a schema may be, where llguidance keeps it (`doze version` says whether).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { random, spoken, template } from './lib/models.js';
import { doze, sanitized } from './lib/programs.js';

const { structured_output: by } =
  JSON.parse(execFileSync(doze, ['version', '--json'], { encoding: 'utf8' }));
const skip = by.startsWith('llguidance') ? false : `structured output is by ${by}`;

const ask = (d, schema, more = {}) => d.post('/v1/chat/completions', { model: 'm', seed: 1,
  max_tokens: 60, messages: [{ role: 'user', content: 'x' }], response_format:
    { type: 'json_schema', json_schema: { name: 's', strict: true, schema } }, ...more });

const times = (count, make) => Array.from({ length: count }, (_, i) => make(i));
const chain = (count) => Object.fromEntries(times(count, (i) =>
  [`d${i}`, i + 1 < count ? { $ref: `#/$defs/d${i + 1}` } : { type: 'null' }]));
const next = (i) => ({ $ref: `#/$defs/d${i % 60}` });

// Each of these keeps llama.cpp's own grammars busy for more than a minute, or crashes them.
const HOSTILE = {
  'repetitions of repetitions': { type: 'string', pattern: '^(((a?){10}){10}){10}$' },
  'alternatives of alternatives': { $ref: '#/$defs/d0', $defs: Object.fromEntries(times(60, (i) =>
    [`d${i}`, { anyOf: [next(i + 1), next(i + 2), { type: 'null' }] }])) },
  'an enum of 40,000': { enum: times(40000, (i) => `value-${i}`) },
  '20,000 properties': { type: 'object',
    properties: Object.fromEntries(times(20000, (i) => [`p${i}`, { type: 'integer' }])) },
  // In an instrumented build its recursion is deeper than a preparer's stack, which ends it.
  'a chain of many references': { $ref: '#/$defs/d0', $defs: chain(sanitized ? 500 : 10000) },
  'a wide pattern': { type: 'string', pattern: '^[a-z]{1,4000}(x|y){4000}$' },
};

test('hostile schemas get an answer or a reason, and the worker lives on', { skip }, async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  for (const [name, schema] of Object.entries(HOSTILE)) {
    const { status, body } = await ask(d, schema);
    assert.ok(status === 200 || status === 400, `${name}: ${JSON.stringify(body)}`);
    if (status === 400) assert.match(body.error.message, /schema/, name);
  }
  const { status } = await ask(d, { type: 'boolean' });
  assert.equal(status, 200);
});

test('numbers have their bounds, patterns and lengths stand together', { skip }, async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  for (const [schema, holds] of [
    [{ type: 'number', exclusiveMinimum: 0.5, maximum: 0.75 }, (x) => x > 0.5 && x <= 0.75],
    [{ type: 'integer', multipleOf: 7, minimum: 10, maximum: 99 }, (x) => x % 7 === 0],
    [{ type: 'string', pattern: '^[a-c]+$', minLength: 3, maxLength: 5 },
      (x) => /^[a-c]{3,5}$/.test(x)],
    [{ anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], maximum: 9 },
      (x) => x === null || (x >= 1 && x <= 9)],
  ]) {
    // Of digits there may be many.
    const { status, headers, body } = await ask(d, schema, { temperature: 1.5, max_tokens: 400 });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(headers.get('x-doze-unenforced'), null);
    assert.equal(body.choices[0].finish_reason, 'stop', JSON.stringify(body));
    assert.ok(holds(JSON.parse(body.choices[0].message.content)), JSON.stringify(body));
  }
});

test('an answer names the keywords that its engine does not enforce', { skip }, async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  const schema = { type: 'string', pattern: '^(?!a)b', format: 'email', not: { pattern: 'c' } };
  for (const stream of [false, true]) {
    const response = await fetch(`${d.url}/v1/chat/completions`, { method: 'POST',
      headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'm', stream,
        max_tokens: 5, messages: [{ role: 'user', content: 'x' }], response_format:
          { type: 'json_schema', json_schema: { name: 's', schema } } }) });
    await response.text();
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-doze-unenforced'), 'pattern, not');
  }
});

test('a union as code generators write it is kept whole', { skip }, async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  const kind = (name, more) => ({ type: 'object', required: ['kind', 'x'],
    properties: { kind: { type: 'string', const: name }, x: more } });
  const $defs = { Cat: kind('cat', { type: 'boolean' }), Dog: kind('dog', { enum: [7] }) };
  const schema = { $defs, type: 'object', required: ['pet'], properties: { pet: {
    oneOf: [{ $ref: '#/$defs/Cat' }, { $ref: '#/$defs/Dog' }],
    discriminator: { propertyName: 'kind' } } } };
  for (const seed of [1, 2, 3]) {
    const { status, headers, body } = await ask(d, schema, { seed, temperature: 2 });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(headers.get('x-doze-unenforced'), null);
    const { pet } = JSON.parse(body.choices[0].message.content);
    assert.equal(typeof pet.x, pet.kind === 'cat' ? 'boolean' : 'number');
  }
});

test('a schema that nothing matches is refused with the reason', { skip }, async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  const { status, body } = await ask(d, { type: 'integer', minimum: 2, maximum: 1 });
  assert.equal(status, 400);
  assert.equal(body.error.param, 'response_format');
  assert.match(body.error.message, /minimum/);
});

test('several answers with schemas at once keep to theirs, with penalties and log '
  + 'probabilities', { skip }, async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  const answers = await Promise.all(times(4, (i) => ask(d, { type: 'array', minItems: i + 1,
    maxItems: i + 1, items: { enum: [i, i + 10] } }, { seed: i, presence_penalty: 1,
    frequency_penalty: 1, logprobs: true, top_logprobs: 2 })));
  answers.forEach(({ status, body }, i) => {
    assert.equal(status, 200, JSON.stringify(body));
    const list = JSON.parse(body.choices[0].message.content);
    assert.equal(list.length, i + 1);
    assert.ok(list.every((x) => x === i || x === i + 10));
    assert.ok(body.choices[0].logprobs.content.length > 0);
  });
});

test('the JSON stands behind the thinking, which may say anything', { skip }, async (t) => {
  const says = '<think>\nFour > three, {so} "true".\n</think>\n\n{"a": true}';
  const d = await Daemon.start(t, { models:
    { m: spoken(says, '--chat-template', template('Qwen-Qwen3-0.6B.jinja')) } });
  const schema = { type: 'object', properties: { a: { type: 'boolean' } }, required: ['a'] };
  const { status, body } = await ask(d, schema, { temperature: 0 });
  assert.equal(status, 200, JSON.stringify(body));
  const [{ message, finish_reason: reason }] = body.choices;
  assert.equal(reason, 'stop');
  assert.equal(message.reasoning_content.trim(), 'Four > three, {so} "true".');
  assert.deepEqual(JSON.parse(message.content), { a: true });
});
