/* SPDX-License-Identifier: MIT */
// A strict tool is called by its schema, or the answer names what of it is not enforced.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { random, template } from './lib/models.js';

const tool = (parameters, strict = true) =>
  ({ type: 'function', function: { name: 'f', strict, parameters } });
const object = (x) => ({ type: 'object', properties: { x }, required: ['x'] });

const model = (name) => random('--chat-template', template(`${name}.jinja`));

// POST with one tool; returns the status, the header and the error.
async function ask(d, where, body) {
  const { status, headers, body: { error } } = await d.post(where, { max_tokens: 4, ...body });
  return { status, names: headers.get('x-doze-unenforced'), error };
}

const chat = (d, one, more) => ask(d, '/v1/chat/completions',
  { model: 'm', messages: [{ role: 'user', content: 'x' }], tools: [one], ...more });

test('what a grammar does not keep of a strict tool is named, in every dialect', async (t) => {
  const d = await Daemon.start(t, { models: { m: model('Qwen-Qwen2.5-7B-Instruct') } });
  const odd = object({ type: 'number', minimum: 1, not: {} });
  assert.deepEqual(await chat(d, tool(odd)), { status: 200, names: 'minimum, not',
    error: undefined });
  assert.equal((await chat(d, tool(odd, false))).names, null);
  assert.equal((await chat(d, tool(odd, null))).names, null);
  assert.equal((await chat(d, tool(odd), { tool_choice: 'none' })).names, null);
  assert.equal((await chat(d, tool(object({ enum: ['a', 'b'] })))).names, null);
  const { names } = await ask(d, '/v1/responses', { model: 'm', input: 'x',
    max_output_tokens: 16, tools: [{ type: 'function', name: 'f', strict: true,
      parameters: odd }] });
  assert.equal(names, 'minimum, not');
  const said = await ask(d, '/v1/messages', { model: 'm', messages: [{ role: 'user',
    content: 'x' }], tools: [{ name: 'f', strict: true, input_schema: odd }] });
  assert.equal(said.names, 'minimum, not');
});

test('a format that writes each argument by itself names "parameters"', async (t) => {
  const d = await Daemon.start(t, { models: { m: model('Qwen3-Coder') } });
  for (const [x, names] of [
    [{ type: 'string' }, null],
    [{ type: 'integer', minimum: 3 }, null],
    [{ type: 'string', enum: ['a'] }, 'parameters'],
    [{ type: ['string', 'null'] }, 'parameters'],
    [{ type: 'string', pattern: '^a$', not: {} }, 'not, parameters'],
  ]) {
    const got = await chat(d, tool(object(x)));
    assert.deepEqual(got, { status: 200, names, error: undefined }, JSON.stringify(x));
  }
});

test('a strict tool whose schema has no meaning is refused, another one loosened', async (t) => {
  const d = await Daemon.start(t, { models: { m: model('Qwen-Qwen2.5-7B-Instruct') } });
  for (const x of [{ $ref: '#/$defs/nowhere' }, { type: 'str' }, { enum: [] }]) {
    const { status, error } = await chat(d, tool(object(x)));
    assert.equal(status, 400, JSON.stringify(x));
    assert.equal(error.param, 'tools');
    assert.match(error.message, /^The schema of the strict tool 'f' cannot be used: ./);
    assert.equal((await chat(d, tool(object(x), false))).status, 200);
  }
  const itself = { type: 'object', properties: { next: { $ref: '#' } } };
  assert.equal((await chat(d, tool(itself))).status, 200);
  const { status, error } = await chat(d, tool(object({}), 'yes'));
  assert.equal(status, 400);
  assert.equal(error.param, 'tools[0].function.strict');
});
