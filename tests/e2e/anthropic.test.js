/* SPDX-License-Identifier: MIT */
// The Messages API, through Anthropic's own client.
import assert from 'node:assert/strict';
import test from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { Daemon } from './lib/daemon.js';
import { embedding, endless, slowToLoad, spoken, thinker, toolCaller } from './lib/models.js';

const text = 'One two three four five. Six seven eight nine ten.';
const client = (d, more = {}) => new Anthropic({ baseURL: d.url, apiKey: 'none', maxRetries: 0,
  ...more });
const hello = { model: 'm', max_tokens: 200, messages: [{ role: 'user', content: 'Hello?' }] };
const weather = { name: 'get_weather', description: 'The weather.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } };

test('messages: answer and usage; the second time the prompt is read from the cache', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const create = () => client(d).messages.create({ ...hello, system: 'Be brief.', ttl: 600 });
  const first = await create();
  assert.equal(first.type, 'message');
  assert.equal(first.role, 'assistant');
  assert.deepEqual(first.content, [{ type: 'text', text }]);
  assert.equal(first.stop_reason, 'end_turn');
  assert.ok(first.usage.input_tokens > 10);
  assert.ok(first.usage.output_tokens > 5);
  assert.equal((await d.instance('m')).ttl, 600);
  const second = await create();
  assert.ok(second.usage.cache_read_input_tokens > 10);
  assert.equal(second.usage.cache_read_input_tokens + second.usage.input_tokens,
    first.usage.cache_read_input_tokens + first.usage.input_tokens);
});

test('messages streamed: what the client puts together is the message', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const events = [];
  const stream = client(d).messages.stream(hello);
  stream.on('streamEvent', (event) => events.push(event.type));
  const message = await stream.finalMessage();
  assert.deepEqual(message.content, [{ type: 'text', text }]);
  assert.equal(message.stop_reason, 'end_turn');
  assert.equal(events[0], 'message_start');
  assert.deepEqual(events.slice(-3), ['content_block_stop', 'message_delta', 'message_stop']);
  assert.ok(events.filter((type) => type === 'content_block_delta').length > 5, 'in pieces');
});

test('a tool is called, and its result goes back', async (t) => {
  const d = await Daemon.start(t, { models: { m: toolCaller() } });
  const asked = { ...hello, tools: [weather] };
  const call = { type: 'tool_use', name: 'get_weather', input: { city: 'Paris' } };
  const whole = await client(d).messages.create(asked);
  const streamed = await client(d).messages.stream(asked).finalMessage();
  for (const message of [whole, streamed]) {
    assert.equal(message.stop_reason, 'tool_use');
    const { id, ...rest } = message.content.at(-1);
    assert.deepEqual(rest, call);
    assert.ok(id.length > 0);
  }
  const next = await client(d).messages.create({ ...asked, messages: [...hello.messages,
    { role: 'assistant', content: whole.content },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: whole.content.at(-1).id,
      content: [{ type: 'text', text: 'Sunny.' }] }, { type: 'text', text: 'Well?' }] }] });
  assert.ok(next.usage.output_tokens > 0);
});

test('thinking is shown where it was asked for', async (t) => {
  const d = await Daemon.start(t, { models: { m: thinker() } });
  const thinking = { type: 'enabled', budget_tokens: 1024 };
  const shown = await client(d).messages.stream({ ...hello, max_tokens: 2000, thinking })
    .finalMessage();
  assert.deepEqual(shown.content.map((block) => block.type), ['thinking', 'text']);
  assert.match(shown.content[0].thinking, /Two and two/);
  assert.match(shown.content[1].text, /The answer is 4/);
  const hidden = await client(d).messages.create(hello);
  assert.deepEqual(hidden.content.map((block) => block.type), ['text']);
});

test('count_tokens counts what the prompt of that message has', async (t) => {
  const d = await Daemon.start(t, { models: { m: toolCaller() } });
  const { max_tokens: _, ...body } = { ...hello, tools: [weather], system: 'Be brief.' };
  const { input_tokens: counted } = await client(d).messages.countTokens(body);
  const { usage } = await client(d).messages.create({ ...body, max_tokens: 1 });
  assert.equal(counted, usage.input_tokens + usage.cache_read_input_tokens);
});

test('models are listed as Anthropic lists them', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const ids = [];
  for await (const model of client(d).models.list()) ids.push([model.type, model.id]);
  assert.deepEqual(ids, [['model', 'm']]);
});

test('errors have the types that the client raises', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text), e: embedding(),
    big: slowToLoad() } });
  const fails = (more) => client(d).messages.create({ ...hello, ...more });
  await assert.rejects(fails({ model: 'none' }), Anthropic.NotFoundError);
  await assert.rejects(fails({ messages: [] }), Anthropic.BadRequestError);
  await assert.rejects(fails({ model: 'e' }), Anthropic.BadRequestError);
  const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png',
    data: 'aGk=' } };
  await assert.rejects(fails({ messages: [{ role: 'user', content: [picture] }] }),
    Anthropic.BadRequestError);
  const long = [{ role: 'user', content: 'a '.repeat(9000) }];
  const began = performance.now();
  const cold = async () => {
    const events = await fails({ model: 'big', messages: long, stream: true });
    for await (const { type } of events) assert.equal(type, 'message_start');
  };
  await assert.rejects(cold(), (error) => {
    if (performance.now() - began < 4990) { // after five seconds a stream has its status
      assert.equal(error.status, 400);
      assert.equal(error.error.type, 'error');
    }
    assert.match(error.message, /prompt is too long/);
    return true;
  });
});

test('the key may come as x-api-key, api-key or Bearer in any case', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  await d.settings({ api_key: 'secret' });
  const answer = await client(d, { apiKey: 'secret' }).messages.create(hello);
  assert.equal(answer.stop_reason, 'end_turn');
  await assert.rejects(client(d, { apiKey: 'wrong' }).messages.create(hello),
    Anthropic.AuthenticationError);
  const status = async (headers) => (await d.fetch('/v1/models', { headers })).status;
  assert.equal(await status({ 'api-key': 'secret' }), 200);
  assert.equal(await status({ authorization: 'bearer secret' }), 200);
  const refused = await d.fetch('/v1/models', {});
  assert.equal(refused.status, 401);
  assert.match(refused.headers.get('www-authenticate'), /^Bearer/);
});

test('a client that leaves stops the answer', async (t) => {
  const d = await Daemon.start(t, { models: { m: endless() } });
  const stream = client(d).messages.stream({ ...hello, max_tokens: 100000 });
  await new Promise((resolve) => stream.once('text', resolve));
  stream.abort();
  await assert.rejects(stream.finalMessage());
  while ((await d.instance('m')).running > 0) await new Promise((resolve) => setImmediate(resolve));
});
