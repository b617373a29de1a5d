/* SPDX-License-Identifier: MIT */
// The OpenAI surface, through OpenAI's own client.
import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI from 'openai';
import { Daemon } from './lib/daemon.js';
import { embedding, endless, random, spoken, thinker, toolCaller } from './lib/models.js';
import { readEvents } from './lib/sse.js';

const text = 'One two three four five. Six seven eight nine ten.';
// Node's own fetch: the one that the client brings ends kept-alive streams early under Node 18.
const client = (d) => new OpenAI({ baseURL: `${d.url}/v1`, apiKey: 'none', maxRetries: 0,
  fetch: globalThis.fetch });
const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hello?' }];
// An answer with a seed is the same each time if the model is loaded so (docs/settings.md).
const reproducible = { load: { reproducible: true } };
const weather = { type: 'function', function: { name: 'get_weather', description: 'The weather.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } };

test('chat: answer, usage', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const answer = await client(d).chat.completions.create({ model: 'm', messages });
  assert.equal(answer.object, 'chat.completion');
  assert.equal(answer.choices[0].message.role, 'assistant');
  assert.equal(answer.choices[0].message.content, text);
  assert.equal(answer.choices[0].message.refusal, null);
  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.ok(answer.usage.prompt_tokens > 10);
  assert.equal(answer.usage.total_tokens,
    answer.usage.prompt_tokens + answer.usage.completion_tokens);
  const again = await client(d).chat.completions.create({ model: 'm', messages });
  assert.ok(again.usage.prompt_tokens_details.cached_tokens > 10, 'the prompt is still known');
});

test('chat streamed: pieces make the text, the first one has the role', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const stream = await client(d).chat.completions.create({ model: 'm', messages, stream: true });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.equal(chunks[0].choices[0].delta.refusal, null);
  assert.equal(chunks.map((c) => c.choices[0].delta.content ?? '').join(''), text);
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
  assert.equal(new Set(chunks.map((c) => c.id)).size, 1);
  assert.ok(chunks.length > 5, 'it came in pieces');
  for (const chunk of chunks) {
    assert.equal(chunk.object, 'chat.completion.chunk');
    assert.equal(chunk.choices.length, 1, 'no chunk without choices unless usage was asked for');
  }
});

test('n answers to one chat, which count its prompt once', async (t) => {
  const d = await Daemon.start(t, { models: { m: random() }, settings: reproducible });
  const ask = { model: 'm', messages, max_tokens: 12, seed: 5, temperature: 1 };
  const one = await client(d).chat.completions.create(ask);
  const three = await client(d).chat.completions.create({ ...ask, n: 3 });
  assert.deepEqual(three.choices.map((c) => c.index), [0, 1, 2]);
  const texts = three.choices.map((c) => c.message.content);
  assert.equal(new Set(texts).size, 3, 'each has a seed of its own');
  assert.equal(three.usage.prompt_tokens, one.usage.prompt_tokens);
  assert.equal(three.usage.completion_tokens, 36);
  const stream = await client(d).chat.completions.create({ ...ask, n: 3, stream: true });
  const streamed = ['', '', ''];
  for await (const { choices } of stream) {
    for (const { index, delta } of choices) streamed[index] += delta.content ?? '';
  }
  assert.deepEqual(streamed, texts);
});

test('n answers to a very long request are refused, with how many it can have', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const { status, body } = await d.post('/v1/chat/completions', { model: 'm', n: 4,
    messages: [{ role: 'user', content: 'x'.repeat(5 << 20) }] });
  assert.equal(status, 400);
  assert.equal(body.error.param, 'n');
  assert.match(body.error.message, /can have 3 answers at most/);
});

test('n answers to each of two prompts', async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  const { choices } = await client(d).completions.create({ model: 'm', prompt: ['a', 'b'], n: 2,
    best_of: 2, max_tokens: 8, echo: true });
  assert.deepEqual(choices.map((c) => [c.index, c.text[0]]), [[0, 'a'], [1, 'a'], [2, 'b'],
    [3, 'b']]);
});

test('best_of: of all answers the one with the highest mean log probability', async (t) => {
  const d = await Daemon.start(t, { models: { m: random() }, settings: reproducible });
  const request = { model: 'm', prompt: 'a', seed: 1, max_tokens: 8, logprobs: 0 };
  const { choices } = await client(d).completions.create({ ...request, n: 4 });
  const mean = ({ logprobs: { token_logprobs: all } }) => all.reduce((a, b) => a + b) / all.length;
  const best = choices.reduce((a, b) => (mean(b) > mean(a) ? b : a));
  const { choices: [one, ...none], usage } = await client(d).completions.create({ ...request,
    best_of: 4, logprobs: undefined });
  assert.deepEqual([one.text, one.index, one.logprobs, none], [best.text, 0, null, []]);
  assert.equal(usage.completion_tokens, 32);
});

test('usage comes in a chunk of its own only if include_usage asks for it', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const stream = await client(d).chat.completions.create({ model: 'm', messages, stream: true,
    stream_options: { include_usage: true } });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  const last = chunks.pop();
  assert.deepEqual(last.choices, []);
  assert.ok(last.usage.completion_tokens > 5);
  assert.ok(chunks.every((c) => c.choices.length === 1 && !c.usage));
});

test('max_tokens, max_completion_tokens, -1 and more than fits', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text), slow: endless('20M') } });
  const ask = (more) => client(d).chat.completions.create({ model: 'm', messages, ...more });
  const short = await ask({ max_tokens: 2 });
  assert.equal(short.choices[0].finish_reason, 'length');
  assert.equal(short.usage.completion_tokens, 2);
  assert.equal((await ask({ max_completion_tokens: 3 })).usage.completion_tokens, 3);
  assert.equal((await ask({ max_tokens: -1 })).choices[0].message.content, text);
  assert.equal((await ask({ max_tokens: 1e6 })).choices[0].message.content, text);
  await d.load('slow', { context_length: 256, parallel: 1 });
  const full = await client(d).chat.completions.create({ model: 'slow', messages });
  assert.equal(full.choices[0].finish_reason, 'length');
  assert.ok(full.usage.total_tokens <= 256);
});

test('a prompt longer than the context is refused with the numbers', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  await d.load('m', { context_length: 256 });
  const long = [{ role: 'user', content: 'x'.repeat(1000) }];
  const failure = await client(d).chat.completions.create({ model: 'm', messages: long })
    .then(() => null, (e) => e);
  assert.equal(failure.status, 400);
  assert.equal(failure.code, 'context_length_exceeded');
  assert.match(failure.message, /10\d\d.*256|256.*10\d\d/);
});

test('stop strings: string, array, none; never a part of one is sent', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const ask = async (stop) => {
    const { choices: [choice] } = await client(d).chat.completions.create(
      { model: 'm', messages, stop });
    return [choice.message.content, choice.finish_reason];
  };
  assert.deepEqual(await ask(' three'), ['One two', 'stop']);
  assert.deepEqual(await ask(['nine', 'ee f']), ['One two thr', 'stop']);
  assert.deepEqual(await ask([]), [text, 'stop']);
  const stream = await client(d).chat.completions.create({ model: 'm', messages, stream: true,
    stop: 'five. Six' });
  let said = '';
  for await (const chunk of stream) said += chunk.choices[0].delta.content ?? '';
  assert.equal(said, 'One two three four ');
});

test('json_schema holds a model to the schema, whatever it would say', async (t) => {
  const d = await Daemon.start(t, { models: { r: random('--seed', '5') } });
  const schema = { type: 'object', additionalProperties: false, required: ['ok', 'color'],
    properties: { ok: { type: 'boolean' }, color: { enum: ['red', 'green'] } } };
  for (const seed of [1, 2, 3]) {
    const answer = await client(d).chat.completions.create({ model: 'r', messages, seed,
      temperature: 1, max_tokens: 500,
      response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } } });
    const value = JSON.parse(answer.choices[0].message.content);
    assert.deepEqual(Object.keys(value).sort(), ['color', 'ok']);
    assert.equal(typeof value.ok, 'boolean');
    assert.ok(['red', 'green'].includes(value.color));
  }
});

test('a schema that is none is refused', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const { status, body } = await d.chat('m', {
    response_format: { type: 'json_schema', json_schema: { schema: { type: 'nonsense' } } } });
  assert.equal(status, 400, JSON.stringify(body));
});

test('tools: a call, streamed and not; its name comes once, whole', async (t) => {
  const d = await Daemon.start(t, { models: { m: toolCaller() } });
  const request = { model: 'm', messages, tools: [weather] };
  const { choices: [choice] } = await client(d).chat.completions.create(request);
  assert.equal(choice.finish_reason, 'tool_calls');
  const [call] = choice.message.tool_calls;
  assert.equal(call.type, 'function');
  assert.equal(call.function.name, 'get_weather');
  assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Paris' });
  assert.ok(call.id);

  const stream = await client(d).chat.completions.create({ ...request, stream: true });
  const pieces = [];
  let finish;
  for await (const chunk of stream) {
    pieces.push(...(chunk.choices[0].delta.tool_calls ?? []));
    finish = chunk.choices[0].finish_reason ?? finish;
  }
  assert.equal(finish, 'tool_calls');
  assert.equal(pieces[0].function.name, 'get_weather');
  assert.ok(pieces.slice(1).every((p) => !p.function.name && !p.id));
  assert.deepEqual(JSON.parse(pieces.map((p) => p.function.arguments ?? '').join('')),
    { city: 'Paris' });
});

test('tools: the answer to a call goes back into the prompt; tool_choice none', async (t) => {
  const d = await Daemon.start(t, { models: { m: toolCaller() } });
  const call = { id: 'call_1', type: 'function',
    function: { name: 'get_weather', arguments: '{"city":"Paris"}' } };
  const answer = await client(d).chat.completions.create({ model: 'm', tools: [weather],
    messages: [...messages, { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' }] });
  assert.equal(answer.choices[0].finish_reason, 'tool_calls');
  const none = await client(d).chat.completions.create({ model: 'm', tools: [weather], messages,
    tool_choice: 'none' });
  assert.equal(none.choices[0].message.tool_calls?.length ?? 0, 0);
  assert.match(none.choices[0].message.content, /get_weather/);
});

test('reasoning is split from the answer', async (t) => {
  const d = await Daemon.start(t, { models: { m: thinker() } });
  const { choices: [choice] } = await client(d).chat.completions.create({ model: 'm', messages });
  assert.equal(choice.message.content, 'The answer is 4.');
  assert.match(choice.message.reasoning_content, /Two and two make four\./);
  const stream = await client(d).chat.completions.create({ model: 'm', messages, stream: true });
  let content = '', reasoning = '';
  for await (const { choices: [{ delta }] } of stream) {
    content += delta.content ?? '';
    reasoning += delta.reasoning_content ?? '';
  }
  assert.equal(content, 'The answer is 4.');
  assert.match(reasoning, /Two and two make four\./);
});

test('UTF-8 characters arrive whole, also where a token ends inside one', async (t) => {
  const foreign = 'naïve 日本語のとても長いテキストです 🎉🎉🎉🎉 ok';
  const d = await Daemon.start(t, { models: { m: spoken(foreign) } });
  const stream = await client(d).chat.completions.create({ model: 'm', messages, stream: true });
  let said = '';
  for await (const chunk of stream) {
    const piece = chunk.choices[0].delta.content ?? '';
    assert.doesNotMatch(piece, /\ufffd/);
    said += piece;
  }
  assert.equal(said, foreign);
});

test('logprobs', async (t) => {
  const d = await Daemon.start(t, { models: { r: random('--seed', '5') } });
  const answer = await client(d).chat.completions.create({ model: 'r', messages, max_tokens: 4,
    temperature: 0, logprobs: true, top_logprobs: 3 });
  const { content } = answer.choices[0].logprobs;
  assert.equal(content.length, 4);
  for (const token of content) {
    assert.ok(token.logprob <= 0);
    assert.equal(token.top_logprobs.length, 3);
    assert.equal(token.top_logprobs[0].token, token.token, 'greedy takes the likeliest');
  }
  assert.equal(content.map((c) => c.token).join(''), answer.choices[0].message.content);
});

test('the same seed gives the same text, temperature 0 always', async (t) => {
  const d = await Daemon.start(t, { models: { r: random('--seed', '5') },
    settings: reproducible });
  const say = async (more) => (await client(d).chat.completions.create(
    { model: 'r', messages, max_tokens: 20, ...more })).choices[0].message.content;
  assert.equal(await say({ temperature: 0 }), await say({ temperature: 0 }));
  assert.equal(await say({ temperature: 1, seed: 3 }), await say({ temperature: 1, seed: 3 }));
  assert.notEqual(await say({ temperature: 1, seed: 3 }), await say({ temperature: 1, seed: 4 }));
});

test('completions: text, echo, several prompts, streamed', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const one = await client(d).completions.create({ model: 'm', prompt: 'Say:' });
  assert.equal(one.object, 'text_completion');
  assert.equal(one.choices[0].text, text);
  const echo = await client(d).completions.create({ model: 'm', prompt: 'Say:', echo: true });
  assert.equal(echo.choices[0].text, `Say:${text}`);
  const two = await client(d).completions.create({ model: 'm', prompt: ['a', 'b'], max_tokens: 3 });
  assert.deepEqual(two.choices.map((c) => c.index).sort(), [0, 1]);
  assert.ok(two.choices.every((c) => c.text === text.slice(0, c.text.length) && c.text));
  const stream = await client(d).completions.create({ model: 'm', prompt: 'Say:', stream: true });
  let said = '';
  for await (const chunk of stream) said += chunk.choices[0].text;
  assert.equal(said, text);
});

test('embeddings: float and base64, order, usage, and other texts differ', async (t) => {
  const d = await Daemon.start(t, { models: { e: embedding() } });
  const input = ['the cat sat', 'a court ruling', 'the cat sat'];
  const floats = await client(d).embeddings.create({ model: 'e', input, encoding_format: 'float' });
  assert.deepEqual(floats.data.map((item) => item.index), [0, 1, 2]);
  const vectors = floats.data.map((item) => item.embedding);
  for (const v of vectors) {
    assert.equal(v.length, 128);
    assert.ok(Math.abs(v.reduce((s, x) => s + x * x, 0) - 1) < 1e-3, 'of length one');
  }
  const close = (a, b) => a.every((x, i) => Math.abs(x - b[i]) < 1e-4);
  assert.ok(close(vectors[0], vectors[2]));
  assert.ok(!close(vectors[0], vectors[1]));
  assert.ok(floats.usage.prompt_tokens > 5);
  // Without a format the client asks for base64 and decodes it itself.
  const base64 = await client(d).embeddings.create({ model: 'e', input });
  assert.ok(close(base64.data[0].embedding, vectors[0]));
  const single = await client(d).embeddings.create({ model: 'e', input: input[1] });
  assert.ok(close(single.data[0].embedding, vectors[1]));
});

test('models: list and one', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text), e: embedding() } });
  const list = await client(d).models.list();
  assert.deepEqual(list.data.map((m) => m.id).sort(), ['e', 'm']);
  assert.equal((await client(d).models.retrieve('m')).id, 'm');
  const failure = await client(d).models.retrieve('nope').then(() => null, (e) => e);
  assert.equal(failure.status, 404);
});

test('models: one by every name that requests take', async (t) => {
  const d = await Daemon.start(t, { models: { 'acme/Vectors-GGUF/vectors': embedding() } });
  for (const name of ['vectors', 'text-embedding-vectors', 'acme/vectors', 'Vectors']) {
    for (const path of ['/v1/models/', '/api/v0/models/']) {
      const { status, body } = await d.get(path + encodeURIComponent(name));
      assert.equal(status, 200, path + name);
      assert.equal(body.id, 'vectors');
    }
    const said = await d.post('/v1/embeddings', { model: name, input: 'a' });
    assert.equal(said.status, 200, name);
  }
  assert.equal((await d.get('/v1/models/vector')).status, 404);
});

test('several requests at once on one instance, each with its own answer', async (t) => {
  const d = await Daemon.start(t, { models: { r: random('--seed', '5') } });
  const say = async (content) => (await client(d).chat.completions.create({ model: 'r',
    messages: [{ role: 'user', content }], max_tokens: 24, temperature: 0.7, seed: 1 }))
    .usage.completion_tokens;
  const counts = await Promise.all(Array.from({ length: 12 }, (_, i) => say(`question ${i}`)));
  assert.deepEqual(counts, Array(12).fill(24));
});

test('the bytes of a stream: one space after data, [DONE] at the end', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const raw = await (await d.stream('m')).text();
  assert.doesNotMatch(raw, /\r/);
  for (const line of raw.split('\n'))
    assert.match(line, /^(|: .*|data: (\{.*\}|\[DONE\]))$/);
  assert.ok(raw.endsWith('data: [DONE]\n\n'));
  const events = [];
  for await (const event of readEvents(await d.stream('m'))) events.push(event);
  assert.equal(events.filter((e) => e.data === '[DONE]').length, 1);
});
