/* SPDX-License-Identifier: MIT */
// Images, in every dialect's form: a model with a projector reads them; other models refuse them
// before anything is loaded or evicted (docs/lifecycle.md, JIT loading, rule 7).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { random, seeing, spoken } from './lib/models.js';
import { assertSame, judged } from './lib/same.js';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJ'
  + 'RU5ErkJggg==';
const DATA_URL = `data:image/png;base64,${PNG}`;

// Of one color, 24 bits a pixel.
function bmp(color) {
  const side = 16;
  const file = Buffer.alloc(54 + side * side * 3, color);
  file.fill(0, 0, 54);
  file.write('BM');
  for (const [at, value] of [[2, file.length], [10, 54], [14, 40], [18, side], [22, side]])
    file.writeUInt32LE(value, at);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  return file.toString('base64');
}

const chat = (url, model = 'other') => ({ model, max_tokens: 8, temperature: 0,
  messages: [{ role: 'user', content: [
    { type: 'text', text: 'What is this?' }, { type: 'image_url', image_url: { url } }] }] });

const anthropic = { model: 'other', max_tokens: 9, messages: [{ role: 'user', content: [
  { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
  { type: 'text', text: 'What is this?' }] }] };

// The path, its body, where in the answer the sentence is, and where what the model says.
const message = (body) => body.error.message;
const requests = [
  ['/v1/chat/completions', chat(DATA_URL), message, (body) => body.choices[0].message.content],
  ['/api/v0/chat/completions', chat(DATA_URL), message,
    (body) => body.choices[0].message.content],
  ['/v1/responses', { model: 'other', max_output_tokens: 8, input: [{ role: 'user', content: [
    { type: 'input_text', text: 'What is this?' },
    { type: 'input_image', image_url: DATA_URL }] }] }, message,
  (body) => body.output.at(-1).content[0].text],
  ['/api/v1/chat', { model: 'other', max_output_tokens: 8, input: [
    { type: 'message', content: 'What is this?' }, { type: 'image', data_url: DATA_URL }] },
  message, (body) => body.output.at(-1).content],
  ['/v1/messages', anthropic, message, (body) => body.content[0].text],
  ['/v1/messages/count_tokens', anthropic, message, (body) => `${body.input_tokens}`],
  ['/api/chat', { model: 'other', stream: false, options: { num_predict: 8 },
    messages: [{ role: 'user', content: 'What?', images: [PNG] }] },
  (body) => body.error, (body) => body.message.content],
  ['/api/generate', { model: 'other', prompt: 'What?', images: [PNG], stream: false,
    options: { num_predict: 8 } }, (body) => body.error, (body) => body.response],
];
const refusedOnly = [
  ['/v1/chat/completions', chat('https://example.invalid/a.png'), message],
  ['/v1/chat/completions', { ...chat(DATA_URL), stream: true }, message],
];

test('an image is refused before anything is loaded or evicted', async (t) => {
  const d = await Daemon.start(t, { models: { loaded: spoken('Hello.'), other: spoken('Hi.') } });
  assert.equal((await d.chat('loaded')).status, 200);
  const [before] = await d.instances();
  const watch = await d.watch();
  for (const [path, body, sentence] of [...requests, ...refusedOnly]) {
    const answer = await d.post(path, body);
    assert.equal(answer.status, 400, `${path}: ${JSON.stringify(answer.body)}`);
    assert.match(sentence(answer.body), /'other' reads text only.*leave the images out/, path);
  }
  assert.deepEqual(watch.transitions('other'), []);
  const [after] = await d.instances();
  assert.deepEqual([after.id, after.loaded_at], [before.id, before.loaded_at]);
  assert.equal((await d.chat('other')).status, 200);
});

test('a model with a projector is listed as one that sees', async (t) => {
  const [file, projector] = seeing();
  const d = await Daemon.start(t, { models:
    { see: [file, projector], read: random('--seed', '5') } });
  const { body: { models } } = await d.get('/api/v1/models');
  assert.deepEqual(models.map((m) => [m.key, m.type, m.capabilities.vision]),
    [['read', 'llm', false], ['see', 'llm', true]]);
  const { body: { data } } = await d.get('/api/v0/models');
  assert.deepEqual(data.map((m) => [m.id, m.type]), [['read', 'llm'], ['see', 'vlm']]);
  const need = async (model) =>
    (await d.post('/api/v1/models/estimate', { model })).body.model_bytes;
  assert.ok(await need('see') >= await need('read') + fs.statSync(projector).size);
});

test('every dialect shows its images to a model that sees', async (t) => {
  const d = await Daemon.start(t, { models: { other: seeing() } });
  for (const [path, body, , said] of requests) {
    const answer = await d.post(path, body);
    assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`);
    assert.match(said(answer.body), /\S/, path);
  }
});

test('what is seen decides the answer, and is remembered after an unload', async (t) => {
  const d = await Daemon.start(t, { models: { other: seeing() } });
  const ask = async (color) => {
    const url = `data:image/bmp;base64,${bmp(color)}`;
    const answer = await d.post('/v1/chat/completions', { ...chat(url), ...judged });
    const { choices, usage } = answer.body;
    return { answer, text: choices[0].message.content,
      cached: usage.prompt_tokens_details.cached_tokens };
  };
  const dark = await ask(10);
  const light = await ask(240);
  assert.notEqual(dark.text, light.text);
  assert.ok(light.cached < 64, `${light.cached}`);
  assert.equal((await d.unload('other')).status, 200);
  const again = await ask(10);
  assertSame(again.answer, dark.answer);
  assert.ok(again.cached > 64, `${again.cached}`);
});

test('a broken image, one too large, and an address are refused in a sentence', async (t) => {
  const d = await Daemon.start(t, { models: { other: seeing() } });
  const refusal = async (url) => {
    const answer = await d.post('/v1/chat/completions', chat(url));
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    return answer.body.error.message;
  };
  assert.match(await refusal(DATA_URL.slice(0, -40)), /Picture 1 of the conversation/);
  assert.match(await refusal('data:image/png;base64,aGVsbG8='), /cannot be read/);
  assert.match(await refusal('https://example.invalid/a.png'), /nothing is fetched/);
  assert.equal((await d.post('/v1/chat/completions', chat(DATA_URL))).status, 200);
});

test('a stream with an image is cancelled when its client leaves', async (t) => {
  const [, projector] = seeing();
  const slow = random('--layers', '64'); // 4,000 tokens take it most of a minute
  const d = await Daemon.start(t, { models: { other: [slow, projector] } });
  const watch = await d.watch();
  const gone = new AbortController();
  const stream = await d.stream('other', { ...chat(DATA_URL), max_tokens: 4000 },
    { signal: gone.signal });
  await stream.body.getReader().read();
  gone.abort();
  await watch.reaches('other', 'idle');
  const [, said] = /^doze_completion_tokens_total (\d+)$/m.exec((await d.get('/metrics')).body);
  assert.ok(Number(said) < 2000, `${said} tokens`);
  assert.equal((await d.post('/v1/chat/completions', chat(DATA_URL))).status, 200);
});
