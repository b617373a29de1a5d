/* SPDX-License-Identifier: MIT */
// The Responses API, through OpenAI's own client.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { ask } from './lib/ask.js';
import { Daemon } from './lib/daemon.js';
import { embedding, endless, random, slowToLoad, spoken, thinker, toolCaller } from
  './lib/models.js';
import { says } from './lib/says.js';

const text = 'One two three four five. Six seven eight nine ten.';
const client = (d) => new OpenAI({ baseURL: `${d.url}/v1`, apiKey: 'none', maxRetries: 0,
  fetch: globalThis.fetch });
const weather = { type: 'function', name: 'get_weather', description: 'The weather.',
  strict: false, parameters: { type: 'object', properties: { city: { type: 'string' } },
    required: ['city'] } };

test('responses: answer, usage, ttl', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const create = () => client(d).responses.create({ model: 'm', instructions: 'Be brief.',
    input: 'Hello?', ttl: 600 });
  const first = await create();
  assert.equal(first.object, 'response');
  assert.equal(first.status, 'completed');
  assert.equal(first.output_text, text);
  assert.ok(first.usage.input_tokens > 10);
  assert.equal(first.usage.total_tokens, first.usage.input_tokens + first.usage.output_tokens);
  assert.equal(first.store, true);
  assert.equal((await d.instance('m')).ttl, 600);
  assert.ok((await create()).usage.input_tokens_details.cached_tokens > 10);
});

test('responses streamed: each event in its order, the last has the whole', async (t) => {
  const d = await Daemon.start(t, { models: { m: thinker() } });
  const stream = await client(d).responses.create({ model: 'm', input: 'Two and two?',
    stream: true });
  const events = [];
  for await (const event of stream) events.push(event);
  assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
  assert.deepEqual(events.slice(0, 2).map((event) => event.type),
    ['response.created', 'response.in_progress']);
  const done = events.filter((event) => event.type === 'response.output_item.done');
  assert.deepEqual(done.map((event) => event.item.type), ['reasoning', 'message']);
  const last = events.at(-1);
  assert.equal(last.type, 'response.completed');
  assert.deepEqual(last.response.output, done.map((event) => event.item));
  const said = events.filter((event) => event.type === 'response.output_text.delta')
    .map((event) => event.delta).join('');
  assert.equal(said, done[1].item.content[0].text);
  assert.match(said, /The answer is 4/);
});

test('the client puts the stream together', async (t) => {
  const d = await Daemon.start(t, { models: { m: toolCaller() } });
  const stream = client(d).responses.stream({ model: 'm', input: 'Paris?', tools: [weather] });
  const response = await stream.finalResponse();
  const call = response.output.at(-1);
  assert.equal(call.type, 'function_call');
  assert.deepEqual(JSON.parse(call.arguments), { city: 'Paris' });
});

test('a tool is called, and its result goes back', async (t) => {
  const d = await Daemon.start(t, { models: { m: toolCaller() } });
  const input = [{ role: 'user', content: 'Paris?' }];
  const asked = await client(d).responses.create({ model: 'm', input, tools: [weather] });
  const call = asked.output.find((item) => item.type === 'function_call');
  assert.equal(call.name, 'get_weather');
  const next = await client(d).responses.create({ model: 'm', tools: [weather], input: [...input,
    ...asked.output, { type: 'function_call_output', call_id: call.call_id, output: 'Sunny.' }] });
  assert.equal(next.status, 'completed');
  const deep = { type: 'namespace', name: 'sky', description: 'The sky.', tools: [weather] };
  const spaced = await client(d).responses.create({ model: 'm', input, tools: [deep] });
  assert.equal(spaced.output.at(-1).name, 'get_weather');
  assert.equal(spaced.output.at(-1).namespace, 'sky');
});

test('structured output is what the schema says', async (t) => {
  const d = await Daemon.start(t, { models: { m: random('--seed', '3') } });
  const schema = z.object({ yes: z.boolean() });
  const { output_parsed: parsed } = await client(d).responses.parse({ model: 'm', input: 'Well?',
    text: { format: zodTextFormat(schema, 'answer') } });
  assert.equal(typeof parsed.yes, 'boolean');
});

test('log probabilities of the text come where include asks for them', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const ask = { model: 'm', input: 'Hello?', include: ['message.output_text.logprobs'],
    top_logprobs: 2 };
  const joined = (entries) => entries.map((e) => e.token).join('');
  const [part] = (await client(d).responses.create(ask)).output[0].content;
  assert.equal(joined(part.logprobs), text);
  assert.ok(part.logprobs.every((e) => e.logprob <= 0 && e.top_logprobs.length === 2));
  const stream = client(d).responses.stream(ask);
  const pieces = [];
  for await (const event of stream)
    if (event.type === 'response.output_text.delta') pieces.push(...event.logprobs);
  assert.equal(joined(pieces), text);
  const [same] = (await stream.finalResponse()).output[0].content;
  assert.deepEqual(same.logprobs, pieces);
  const [plain] = (await client(d).responses.create({ ...ask, include: [] })).output[0].content;
  assert.deepEqual(plain.logprobs, []);
  await assert.rejects(client(d).responses.create({ ...ask, top_logprobs: 21 }), { status: 400 });
});

test('an answer that is cut off is incomplete', async (t) => {
  const d = await Daemon.start(t, { models: { m: endless() } });
  const cut = await client(d).responses.create({ model: 'm', input: 'Go.', max_output_tokens: 16 });
  assert.equal(cut.status, 'incomplete');
  assert.equal(cut.incomplete_details.reason, 'max_output_tokens');
});

test('Codex loads a model with an empty input', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const answer = await d.post('/v1/responses', { model: 'm', input: '', max_output_tokens: 1 });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  await ask(() => d.instance('m'), ({ state }) => state === 'idle', 'it is idle');
});

test('errors have their true status', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text), e: embedding(),
    big: slowToLoad() } });
  const status = async (body) =>
    (await d.post('/v1/responses', { model: 'm', input: 'Hi', ...body })).status;
  assert.equal(await status({ model: 'none' }), 404);
  assert.equal(await status({ model: 'e' }), 400);
  assert.equal(await status({ previous_response_id: 'resp_1' }), 400);
  assert.equal(await status({ input: [{ type: 'item_reference', id: 'msg_1_0' }] }), 400);
  assert.equal(await status({ input: [{ role: 'user', content: [{ type: 'input_image',
    image_url: 'data:image/png;base64,aGk=' }] }] }), 400);
  const began = performance.now();
  const cold = await status({ model: 'big', stream: true, input: 'a '.repeat(9000) });
  // After five seconds it has a status.
  assert.ok(cold === 400 || (cold === 200 && performance.now() - began >= 4990), `${cold}`);
});

const stored = (d) => path.join(d.stateDir, 'responses.db');

test('the id of a stored response cannot be guessed from another', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const ids = [];
  for (let i = 0; i < 3; i++) {
    const { id } = await client(d).responses.create({ model: 'm', input: 'Hi' });
    assert.match(id, /^resp_[0-9a-f]{32}$/);
    ids.push(id);
  }
  assert.equal(new Set(ids.map((id) => id.slice(0, 13))).size, 3, ids.join(' '));
});

test('a stored response is gone on with, as if everything had been sent again', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const api = client(d).responses;
  const first = await api.create({ model: 'm', input: 'I am Ann.' });
  const next = await api.create({ model: 'm', input: 'Who am I?',
    previous_response_id: first.id });
  assert.equal(next.previous_response_id, first.id);
  const whole = await api.create({ model: 'm', store: false, input: [
    { role: 'user', content: 'I am Ann.' }, ...first.output,
    { role: 'user', content: 'Who am I?' }] });
  assert.equal(next.usage.input_tokens, whole.usage.input_tokens);
  assert.ok(next.usage.input_tokens_details.cached_tokens > first.usage.input_tokens - 4);
  assert.equal(whole.store, false);
  await assert.rejects(api.retrieve(whole.id), { status: 404 });
});

test('the client reads, lists and removes a response', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const api = client(d).responses;
  const first = await api.create({ model: 'm', input: 'One?' });
  const next = await api.create({ model: 'm', input: 'Two?', previous_response_id: first.id });
  const { output_text: _, ...answered } = next;
  assert.deepEqual(await d.get(`/v1/responses/${next.id}`).then((a) => a.body), answered);
  const items = [];
  for await (const item of api.inputItems.list(next.id, { limit: 2, order: 'asc' })) {
    items.push(item);
  }
  assert.deepEqual(items.map((item) => item.content[0].text), ['One?', text, 'Two?']);
  await api.del(first.id);
  await assert.rejects(api.retrieve(first.id), { status: 404 });
  await assert.rejects(api.create({ model: 'm', input: 'Three?',
    previous_response_id: next.id }), { status: 400, param: 'previous_response_id' });
});

test('a stream is stored before it ends, and outlives a killed server', async (t) => {
  const d = await Daemon.start(t, { models: { m: toolCaller() } });
  const asked = await client(d).responses.stream({ model: 'm', input: 'Paris?',
    tools: [weather] }).finalResponse();
  const call = asked.output.at(-1);
  const kept = (await d.get(`/v1/responses/${asked.id}`)).body;
  assert.deepEqual(kept.output.at(-1).call_id, call.call_id);
  d.kill('SIGKILL');
  await d.exited;
  await d.launch();
  const next = await client(d).responses.create({ model: 'm', tools: [weather],
    previous_response_id: asked.id, input: [{ type: 'function_call_output',
      call_id: call.call_id, output: 'Sunny.' }] });
  assert.equal(next.status, 'completed');
});

test('references stand for stored items', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const api = client(d).responses;
  const first = await api.create({ model: 'm', input: 'One?' });
  const input = (item) => [{ role: 'user', content: 'One?' }, item,
    { role: 'user', content: 'Two?' }];
  const sent = await api.create({ model: 'm', input: input(first.output[0]) });
  const named = await api.create({ model: 'm',
    input: input({ type: 'item_reference', id: first.output[0].id }) });
  assert.equal(named.usage.input_tokens, sent.usage.input_tokens);
});

test('tools that this server does not run are left out, and the log names them once', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const ask = { model: 'm', input: 'Hi', tools: [{ type: 'web_search' }, { type: 'mcp' }] };
  for (let i = 0; i < 3; i++)
    assert.equal((await client(d).responses.create(ask)).output_text, text);
  await says(d, /does not run \(web_search, mcp\)/);
  assert.equal(d.log.match(/does not run/g).length, 1);
});

test('where nothing can be stored, answers come as always', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  fs.mkdirSync(stored(d)); // nobody can write into this
  const api = client(d).responses;
  for (let i = 0; i < 3; i++) {
    assert.equal((await api.create({ model: 'm', input: 'Hi' })).output_text, text);
  }
  assert.equal((await d.get('/v1/responses/resp_x')).status, 500);
  await says(d, /responses cannot be stored/);
  assert.equal(d.log.match(/responses cannot be stored/g).length, 1);
});

test('response_store_bytes 0 removes what is stored and stores nothing', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const api = client(d).responses;
  const first = await api.create({ model: 'm', input: 'Hi' });
  assert.equal((await api.retrieve(first.id)).id, first.id);
  await d.patch('/api/v1/settings', { response_store_bytes: 0 });
  await assert.rejects(api.retrieve(first.id), { status: 404 });
  const next = await api.create({ model: 'm', input: 'Hi' });
  assert.equal(next.store, false);
  await assert.rejects(api.retrieve(next.id), { status: 404 });
});

test('an answer that its client left is not stored', async (t) => {
  const d = await Daemon.start(t, { models: { m: endless() } });
  const stream = await client(d).responses.create({ model: 'm', input: 'Go.', stream: true });
  let id, watch;
  for await (const event of stream) {
    id ??= event.response?.id;
    if (event.type !== 'response.output_text.delta') continue;
    watch = await d.watch(); // it is busy now
    break;
  }
  await watch.reaches('m', 'idle');
  assert.equal((await d.get(`/v1/responses/${id}`)).status, 404);
});

test('cancel is for responses in the background, which there are none of', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hi.') } });
  const { body: made } = await d.post('/v1/responses', { model: 'm', input: 'Hello.' });
  const refused = await d.post(`/v1/responses/${made.id}/cancel`, {});
  assert.equal(refused.status, 400);
  assert.match(refused.body.error.message, /is complete; only one in the background/);
  assert.equal((await d.get(`/v1/responses/${made.id}`)).status, 200, 'nothing has changed');
  assert.equal((await d.post('/v1/responses/resp_none/cancel', {})).status, 404);
  assert.equal((await d.post(`/v1/responses/${made.id}`, {})).status, 404);
  const later = await d.post('/v1/responses', { model: 'm', input: 'x', background: true });
  assert.equal(later.status, 400);
  assert.match(later.body.error.message, /background/);
});

test('an image in a tool’s result does not end the conversation', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('It is a cat.') } });
  const { status, body } = await d.post('/v1/responses', { model: 'm', input: [
    { role: 'user', content: 'Look at a.png.' },
    { type: 'function_call', call_id: 'c1', name: 'view_image', arguments: '{"path":"a.png"}' },
    { type: 'function_call_output', call_id: 'c1',
      output: [{ type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=' }] }] });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.output.at(-1).content[0].text, 'It is a cat.');
});
