/* SPDX-License-Identifier: MIT */
// Images, in every dialect's form: no model here sees, so that they are refused, and before
// anything is loaded or evicted for them (docs/lifecycle.md, JIT loading, rule 7).
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { spoken } from './lib/models.js';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJ'
  + 'RU5ErkJggg==';
const DATA_URL = `data:image/png;base64,${PNG}`;

const chat = (url) => ({ model: 'other', messages: [{ role: 'user', content: [
  { type: 'text', text: 'What is this?' }, { type: 'image_url', image_url: { url } }] }] });

const anthropic = { model: 'other', max_tokens: 9, messages: [{ role: 'user', content: [
  { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
  { type: 'text', text: 'What is this?' }] }] };

// The path, its body, and where in the answer the sentence is.
const requests = [
  ['/v1/chat/completions', chat(DATA_URL), (body) => body.error.message],
  ['/v1/chat/completions', chat('https://example.invalid/a.png'), (body) => body.error.message],
  ['/v1/chat/completions', { ...chat(DATA_URL), stream: true }, (body) => body.error.message],
  ['/api/v0/chat/completions', chat(DATA_URL), (body) => body.error.message],
  ['/v1/responses', { model: 'other', input: [{ role: 'user', content: [
    { type: 'input_text', text: 'What is this?' },
    { type: 'input_image', image_url: DATA_URL }] }] }, (body) => body.error.message],
  ['/v1/messages', anthropic, (body) => body.error.message],
  ['/v1/messages/count_tokens', anthropic, (body) => body.error.message],
  ['/api/chat', { model: 'other', messages: [{ role: 'user', content: 'What?', images: [PNG] }] },
    (body) => body.error],
  ['/api/generate', { model: 'other', prompt: 'What?', images: [PNG] }, (body) => body.error],
];

test('an image is refused before anything is loaded or evicted', async (t) => {
  const d = await Daemon.start(t, { models: { loaded: spoken('Hello.'), other: spoken('Hi.') } });
  assert.equal((await d.chat('loaded')).status, 200);
  const [before] = await d.instances();
  const watch = await d.watch();
  for (const [path, body, sentence] of requests) {
    const answer = await d.post(path, body);
    assert.equal(answer.status, 400, `${path}: ${JSON.stringify(answer.body)}`);
    assert.match(sentence(answer.body), /'other' reads text only.*leave the images out/, path);
  }
  assert.deepEqual(watch.transitions('other'), []);
  const [after] = await d.instances();
  assert.deepEqual([after.id, after.loaded_at], [before.id, before.loaded_at]);
  assert.equal((await d.chat('other')).status, 200);
});
