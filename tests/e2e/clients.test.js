/* SPDX-License-Identifier: MIT */
// What editors send and insist on.
import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI from 'openai';
import { Daemon } from './lib/daemon.js';
import { broken, embedding, spoken, toolCaller } from './lib/models.js';
import { readChunks, readEvents } from './lib/sse.js';

const text = 'Of course. Here is your function.';

test('Zed: /api/v0/models has only the words it knows', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text), e: embedding(), tool: toolCaller(),
    bad: broken('truncated') } });
  await d.chat('m');
  const { body } = await d.get('/api/v0/models');
  assert.equal(body.object, 'list');
  assert.ok(body.data.length >= 3);
  for (const model of body.data) {
    assert.equal(typeof model.id, 'string');
    assert.equal(model.object, 'model');
    assert.ok(['llm', 'vlm', 'embeddings'].includes(model.type), model.type);
    assert.ok(['loaded', 'loading', 'not-loaded'].includes(model.state), model.state);
    assert.equal(typeof model.publisher, 'string');
    assert.equal(typeof model.arch, 'string');
    assert.equal(model.compatibility_type, 'gguf');
    assert.equal(typeof model.quantization, 'string');
    assert.ok(Number.isInteger(model.max_context_length));
    assert.ok(model.loaded_context_length === undefined || model.state === 'loaded');
    assert.ok((model.capabilities ?? []).every((c) => c === 'tool_use'));
  }
  const of = (id) => body.data.find((m) => m.id === id);
  assert.equal(of('m').state, 'loaded');
  assert.equal(of('e').type, 'embeddings');
  assert.deepEqual(of('tool').capabilities, ['tool_use']);
  const { body: one } = await d.get('/api/v0/models/m');
  assert.equal(one.id, 'm');
});

test('Zed: a chat', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const response = await d.fetch('/api/v0/chat/completions', { method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', stream: true, max_tokens: -1, stop: [], temperature: 0.7,
      tools: [], tool_choice: 'auto',
      messages: [{ role: 'system', content: 'x' }, { role: 'user', content: 'y' }] }) });
  let said = '', last;
  for await (const chunk of readChunks(response)) {
    assert.equal(chunk.choices.length, 1, 'Zed fails on a chunk without choices');
    said += chunk.choices[0].delta.content ?? '';
    last = chunk;
  }
  assert.equal(said, text);
  assert.equal(last.choices[0].finish_reason, 'stop');
});

test('v0: stats, model_info and runtime in the answer and in the last chunk', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const check = (body) => {
    assert.equal(body.stats.stop_reason, 'eosFound');
    assert.ok(body.stats.tokens_per_second > 0);
    assert.ok(body.stats.time_to_first_token >= 0 && body.stats.time_to_first_token < 60);
    assert.ok(body.stats.generation_time >= 0);
    assert.equal(body.model_info.arch, 'llama');
    assert.equal(body.model_info.format, 'gguf');
    assert.ok(body.model_info.context_length > 0);
    assert.equal(typeof body.runtime.name, 'string');
    assert.ok(body.runtime.supported_formats.includes('gguf'));
  };
  const messages = [{ role: 'user', content: 'y' }];
  check((await d.post('/api/v0/chat/completions', { model: 'm', messages })).body);
  const response = await d.fetch('/api/v0/chat/completions', { method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages, stream: true }) });
  const chunks = [];
  for await (const chunk of readChunks(response)) chunks.push(chunk);
  check(chunks.at(-1));
  const limited = await d.post('/api/v0/chat/completions', { model: 'm', messages, max_tokens: 2 });
  assert.equal(limited.body.stats.stop_reason, 'maxPredictedTokensReached');
  const stopped = await d.post('/api/v0/completions', { model: 'm', prompt: 'x', stop: 'Here' });
  assert.equal(stopped.body.stats.stop_reason, 'stopStringFound');
});

test('Cline: OpenAI client on /api/v0, usage in the stream, tokens as large as the context',
  async (t) => {
    const d = await Daemon.start(t, { models: { m: spoken(text) } });
    const client = new OpenAI({ baseURL: `${d.url}/api/v0`, apiKey: 'noop',
      fetch: globalThis.fetch });
    const { body } = await d.get('/api/v0/models');
    const stream = await client.chat.completions.create({ model: 'm', stream: true,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Write' },
        { type: 'text', text: ' a function.' }] }],
      max_completion_tokens: body.data[0].max_context_length,
      stream_options: { include_usage: true } });
    let said = '', usage;
    for await (const chunk of stream) {
      said += chunk.choices[0]?.delta?.content ?? '';
      usage = chunk.usage ?? usage;
    }
    assert.equal(said, text);
    assert.ok(usage.prompt_tokens > 0 && usage.completion_tokens > 0);
  });

test('Continue: odd credentials, completions for autocomplete, paths without /v1', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const headers = { authorization: 'Bearer undefined', 'api-key': '' };
  const { status, body } = await d.post('/v1/completions', { model: 'm', prompt: 'function f',
    max_tokens: 4, stop: ['\n\n', '<|endoftext|>'], stream: false, temperature: 0.01 },
  { headers });
  assert.equal(status, 200, JSON.stringify(body));
  assert.ok(text.startsWith(body.choices[0].text));
  for (const [where, more] of [
    ['/chat/completions', { messages: [{ role: 'user', content: 'x' }] }],
    ['/completions', { prompt: 'x' }]]) {
    const answer = await d.post(where, { model: 'm', ...more });
    assert.equal(answer.status, 200, where);
  }
  assert.equal((await d.get('/models')).body.data[0].id, 'm');
});

test('unknown fields are ignored', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const { status } = await d.chat('m', { user: 'me', store: false, metadata: { a: 1 },
    service_tier: 'auto', frobnicate: [1, 2, { x: null }] });
  assert.equal(status, 200);
});

test('an API key, when one is set', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) }, settings: { api_key: 'secret' } });
  const without = await d.chat('m');
  assert.equal(without.status, 401);
  assert.equal(without.body.error.code, 'invalid_api_key');
  const wrong = await d.chat('m', {}, { headers: { authorization: 'Bearer guess' } });
  assert.equal(wrong.status, 401);
  const right = await d.chat('m', {}, { headers: { authorization: 'Bearer secret' } });
  assert.equal(right.status, 200);
});

test('a stream\'s comments do not disturb a reader of events', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  for await (const event of readEvents(await d.stream('m')))
    assert.ok(event.comment !== undefined || event.data !== undefined);
});
