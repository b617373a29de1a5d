/* SPDX-License-Identifier: MIT */
// LM Studio's /api/v1/chat: a conversation that the server keeps, beside those of /v1/responses.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { spoken } from './lib/models.js';
import { readEvents } from './lib/sse.js';

const start = (t) => Daemon.start(t, { models: { m: spoken('One two three four five.') } });
const chat = (d, body) => d.post('/api/v1/chat', { model: 'm', ...body });

test('chat: an answer, and one that goes on with it', async (t) => {
  const d = await start(t);
  const first = await chat(d, { input: 'Hi', system_prompt: 'Be brief.' });
  assert.equal(first.status, 200, JSON.stringify(first.body));
  assert.equal(first.body.model_instance_id, 'm');
  assert.deepEqual(first.body.output.map((o) => o.type), ['message']);
  assert.ok(first.body.stats.input_tokens > 0);
  assert.ok(first.body.stats.model_load_time_seconds > 0, 'it was loaded for this');
  assert.match(first.body.response_id, /^resp_/);
  const next = await chat(d, { input: 'And now?', previous_response_id: first.body.response_id });
  assert.equal(next.status, 200, JSON.stringify(next.body));
  assert.ok(next.body.stats.input_tokens > first.body.stats.input_tokens);
  assert.equal(next.body.stats.model_load_time_seconds, undefined);
  const { body } = await d.get(`/v1/responses/${next.body.response_id}/input_items?order=asc`);
  assert.deepEqual(body.data.map((item) => item.role), ['system', 'user', 'assistant', 'user']);
});

test('chat: not stored, of nothing stored, and what is not offered', async (t) => {
  const d = await start(t);
  const unstored = await chat(d, { input: 'Hi', store: false });
  assert.equal(unstored.body.response_id, undefined);
  const lost = await chat(d, { input: 'Hi', previous_response_id: 'resp_none' });
  assert.equal(lost.status, 400);
  assert.equal(lost.body.error.param, 'previous_response_id');
  const plugins = await chat(d, { input: 'Hi', integrations: ['mcp/x'] });
  assert.equal(plugins.status, 400);
  assert.match(plugins.body.error.message, /integrations/);
  const picture = { type: 'image', data_url: 'data:image/png;base64,AAAA' };
  const image = await chat(d, { input: [picture] });
  assert.equal(image.status, 400);
});

test('chat: context_length is that of the load which the request causes', async (t) => {
  const d = await start(t);
  const loaded = async () =>
    (await d.get('/api/v0/models')).body.data.map((m) => m.loaded_context_length);
  for (const context_length of [0, 'x', 1e9]) {
    const refused = await chat(d, { input: 'Hi', context_length });
    assert.equal(refused.status, 400);
    assert.equal(refused.body.error.param, 'context_length');
  }
  assert.deepEqual(await loaded(), [undefined], 'nothing was loaded for it');
  assert.equal((await chat(d, { input: 'Hi', context_length: 768 })).status, 200);
  assert.deepEqual(await loaded(), [768]);
  assert.equal((await chat(d, { input: 'Hi', context_length: 1024 })).status, 200);
  assert.deepEqual(await loaded(), [768], 'a loaded model keeps its own');
});

test('chat: the stream tells of the load and the prompt, and ends with all of it', async (t) => {
  const d = await start(t);
  const response = await d.fetch('/api/v1/chat', { method: 'POST',
    body: JSON.stringify({ model: 'm', input: 'Hi', stream: true }) });
  const events = [];
  for await (const { event, data, comment } of readEvents(response)) {
    if (comment !== undefined) continue; // to a client that waits long
    events.push(JSON.parse(data));
    assert.equal(events.at(-1).type, event);
  }
  const types = events.map((event) => event.type);
  const order = ['chat.start', 'model_load.start', 'model_load.end', 'prompt_processing.start',
    'prompt_processing.end', 'message.start', 'message.delta', 'message.end', 'chat.end'];
  assert.deepEqual(order.filter((type) => types.includes(type)), order);
  assert.deepEqual([...order].sort((a, b) => types.indexOf(a) - types.indexOf(b)), order);
  const said = events.filter((event) => event.type === 'message.delta')
    .map((event) => event.content).join('');
  assert.equal(events.at(-1).result.output[0].content, said);
});
