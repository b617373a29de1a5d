/* SPDX-License-Identifier: MIT */
// JIT loading (docs/lifecycle.md): a request loads the model it names.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { Daemon } from './lib/daemon.js';
import { endless, slowToLoad, spoken } from './lib/models.js';
import { freeze } from './lib/process.js';
import { spareOf } from './lib/workers.js';

const alpha = () => spoken('Alpha speaking. All is well.');
const beta = () => spoken('Beta is here, as you asked.');

test('a request loads the model; ttl is the default; the answer is the model\'s', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  const { status, body } = await d.chat('alpha');
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.choices[0].message.content, 'Alpha speaking. All is well.');
  assert.equal(body.choices[0].finish_reason, 'stop');
  assert.equal(body.model, 'alpha');
  await watch.reaches('alpha', 'idle');
  assert.deepEqual(watch.transitions('alpha').map((e) => `${e.from} ${e.to} ${e.reason}`),
    ['absent loading request', 'loading busy request', 'busy idle done']);
  const instance = await d.instance('alpha');
  assert.equal(instance.origin, 'jit');
  assert.equal(instance.state, 'idle');
  assert.equal(instance.ttl, 3600);
  assert.ok(instance.memory_bytes > 0);
  assert.ok(Date.parse(instance.idle_expires_at) > Date.now() + 3500e3);
});

test('a ttl in the request that loads becomes the instance\'s', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  await d.chat('alpha', { ttl: 77 });
  assert.equal((await d.instance('alpha')).ttl, 77);
  await d.chat('alpha');
  assert.equal((await d.instance('alpha')).ttl, 77, 'a request without ttl leaves it');
  await d.chat('alpha', { ttl: 78 });
  assert.equal((await d.instance('alpha')).ttl, 78, 'a later ttl replaces it');
  await d.settings({ ttl_update: 'ignore' });
  await d.chat('alpha', { ttl: 79 });
  assert.equal((await d.instance('alpha')).ttl, 78, 'unless ttl_update says ignore');
});

test('JIT off: 404 that says so, and only loaded models are listed', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha(), beta: beta() },
    settings: { jit: false } });
  const watch = await d.watch();
  const refused = await d.chat('alpha');
  assert.equal(refused.status, 404);
  assert.equal(refused.body.error.code, 'model_not_found');
  assert.match(refused.body.error.message, /not loaded/i);
  assert.match(refused.body.error.message, /jit/i);
  assert.deepEqual((await d.get('/v1/models')).body.data, []);
  await d.load('beta');
  assert.deepEqual((await d.get('/v1/models')).body.data.map((m) => m.id), ['beta']);
  assert.equal((await d.chat('beta')).status, 200);
  await d.settings({ jit: true });
  assert.deepEqual((await d.get('/v1/models')).body.data.map((m) => m.id).sort(),
    ['alpha', 'beta']);
  assert.equal((await d.chat('alpha')).status, 200, 'takes effect at once');
  assert.equal(watch.transitions('alpha').filter((e) => e.to === 'loading').length, 1);
});

test('fifty first requests at once cause one load', async (t) => {
  const d = await Daemon.start(t, { models: { big: slowToLoad() } });
  const watch = await d.watch();
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) =>
    d.chat('big', { max_tokens: 2, seed: i, stream: false })));
  assert.deepEqual([...new Set(answers.map((a) => a.status))], [200]);
  assert.equal(watch.transitions().filter((e) => e.to === 'loading').length, 1);
  const { body } = await d.get('/metrics');
  assert.match(body, /^doze_loads_total 1$/m);
});

test('more than max_waiting are told to come back', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() }, settings: { max_waiting: 3 } });
  const goOn = freeze(t, await spareOf(d)); // which is to load it
  const answers = Array.from({ length: 8 }, () => d.chat('alpha', { max_tokens: 1 }));
  const full = [];
  for (const answer of answers) answer.then((one) => full.push(one));
  await ask(() => full.length, (count) => count === 5, 'five are refused');
  for (const { status, headers } of full) {
    assert.equal(status, 429);
    assert.ok(Number(headers.get('retry-after')) >= 1);
  }
  goOn();
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  assert.deepEqual(statuses.sort(), [200, 200, 200, 429, 429, 429, 429, 429]);
});

test('names: letter case, publisher and close ones', async (t) => {
  const d = await Daemon.start(t, { models: { 'Alpha-Model': alpha(), beta: beta() } });
  for (const name of ['alpha-model', 'ALPHA-Model', 'test/alpha-model']) {
    const { status, body } = await d.chat(name, { max_tokens: 1 });
    assert.equal(status, 200, `${name}: ${JSON.stringify(body)}`);
  }
  assert.equal((await d.instances()).length, 1);
  const unknown = await d.chat('alpha-modle');
  assert.equal(unknown.status, 404);
  assert.equal(unknown.body.error.code, 'model_not_found');
  assert.match(unknown.body.error.message, /alpha-model/);
});

test('no name: the only loaded instance serves, else 400', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha(), beta: beta() } });
  const none = await d.chat(undefined);
  assert.equal(none.status, 400, JSON.stringify(none.body));
  await d.load('alpha');
  const only = await d.chat(undefined);
  assert.equal(only.status, 200, JSON.stringify(only.body));
  assert.match(only.body.choices[0].message.content, /^Alpha/);
  await d.load('beta');
  assert.equal((await d.chat(undefined)).status, 400);
});

test('while a model loads a stream that asked for it hears of the progress', async (t) => {
  const d = await Daemon.start(t, { models: { big: slowToLoad() } });
  const response = await d.stream('big', { max_tokens: 2,
    stream_options: { include_progress: true } });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^text\/event-stream/);
  const text = await response.text();
  assert.match(text, /^: loading \d+%$/m);
  assert.match(text, /data: \[DONE\]\n\n$/);
});

async function firstWords(response) {
  const { value } = await response.body.getReader().read();
  return Buffer.from(value).toString();
}

test('order 4: a stream that waits is told its place after five seconds, not before', async (t) => {
  const d = await Daemon.start(t, { models: { m: endless(), other: beta() } });
  await d.load('m', { parallel: 1 });
  await d.chat('m', { max_tokens: 2 }); // how long an answer takes is known from then on
  const first = await d.stream('m', {});
  const began = performance.now();
  const waiting = [d.stream('m', { max_tokens: 2 }), d.stream('m', { max_tokens: 2 })];
  const texts = [];
  for (const stream of waiting) {
    const response = await stream;
    const waited = performance.now() - began;
    assert.ok(waited >= 4990, `the headers come with the first word, after ${waited} ms`);
    texts.push(await firstWords(response));
  }
  assert.deepEqual(texts.map((text) => text.match(/^: place (\d) in line, about \d+ s\n\n$/)?.[1])
    .sort(), ['1', '2'], texts.join(''));
  await first.body.cancel();
});

test('order 4: so is one that waits for the place of another model, again and again', async (t) => {
  const d = await Daemon.start(t, { models: { m: endless(), other: beta() } });
  const first = await d.stream('m', {});
  const reader = (await d.stream('other', { max_tokens: 2 })).body.getReader();
  const word = ': place 1 in line\n\n'; // no answer of m has ended yet
  let text = '';
  while (text.length < 2 * word.length)
    text += Buffer.from((await reader.read()).value).toString();
  assert.equal(text, word + word);
  await reader.cancel();
  await first.body.cancel();
});

test('a cold stream that is refused has its true status, or says it after five seconds',
  async (t) => {
  const d = await Daemon.start(t, { models: { big: slowToLoad() } });
  const long = [{ role: 'user', content: 'a '.repeat(9000) }];
  const began = performance.now();
  const response = await d.stream('big', { messages: long });
  const waited = performance.now() - began, text = await response.text();
  if (response.status === 200) assert.ok(waited >= 4990, `${waited} ms`); // a slow load
  else assert.equal(response.status, 400);
  assert.match(text, /"code":"context_length_exceeded"/);
});

test('a model file that appears is found by itself; one that goes is no longer listed',
  async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const ids = async () => (await d.get('/api/v0/models')).body.data.map((m) => m.id).sort();
  d.addModel('late', beta());
  await ask(ids, (list) => list.join() === 'alpha,late');
  assert.equal((await d.chat('late')).status, 200);
  d.removeModel('late');
  d.removeModel('alpha');
  await ask(ids, (list) => !list.includes('alpha'));
  assert.equal((await d.chat('late')).status, 200, 'what is loaded lives on');
});

test('a model file that appears is found on SIGHUP', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const missing = await d.chat('late');
  assert.equal(missing.status, 404);
  d.addModel('late', beta());
  d.kill('SIGHUP');
  await ask(() => d.get('/api/v0/models'), ({ body }) => body.data.some((m) => m.id === 'late'));
  assert.equal((await d.chat('late')).status, 200);
});
