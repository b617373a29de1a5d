/* SPDX-License-Identifier: MIT */
// Explicit load and unload, identifiers, what can be seen.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { Daemon } from './lib/daemon.js';
import { endless, random, slowToLoad, spoken } from './lib/models.js';
import { assertSame, judged } from './lib/same.js';
import { readEvents } from './lib/sse.js';
import { speaking } from './lib/stream.js';

const alpha = () => spoken('Alpha speaking. All is well.');

test('load: the answer, the echoed config, the list', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const result = await d.load('alpha', { context_length: 512, echo_load_config: true });
  assert.equal(result.type, 'llm');
  assert.equal(result.instance_id, 'alpha');
  assert.equal(result.status, 'loaded');
  assert.ok(result.load_time_seconds > 0);
  assert.equal(result.load_config.context_length, 512);
  const { body } = await d.get('/api/v1/models');
  const model = body.models.find((m) => m.key === 'alpha');
  assert.equal(model.format, 'gguf');
  assert.equal(model.architecture, 'llama');
  assert.equal(model.publisher, 'test');
  assert.equal(model.max_context_length, 8192);
  assert.equal(model.loaded_instances.length, 1);
  assert.equal(model.loaded_instances[0].config.context_length, 512);
  assert.equal(model.loaded_instances[0].origin, 'explicit');
});

test('load: the rope, in either spelling, changes what the model says', async (t) => {
  const d = await Daemon.start(t, { models: { dice: random() } });
  const say = async (settings) => {
    const { instance_id: id } = await d.load('dice', settings);
    const content = 'The quick brown fox jumps over the lazy dog. '.repeat(4);
    return d.chat(id, { ...judged, messages: [{ role: 'user', content }], max_tokens: 16 });
  };
  const textOf = ({ body }) => body.choices[0].message.content;
  const plain = await say({});
  for (const [snake, camel, value] of [['rope_frequency_base', 'ropeFrequencyBase', 50],
    ['rope_frequency_scale', 'ropeFrequencyScale', 0.1]]) {
    const other = await say({ [snake]: value });
    assert.notEqual(textOf(other), textOf(plain), snake);
    assertSame(await say({ [camel]: value }), other, camel);
  }
  const refused = await d.post('/api/v1/models/load', { model: 'dice', ropeFrequencyScale: 2 });
  assert.equal(refused.status, 400);
  assert.match(refused.body.error.message, /ropeFrequencyScale/);
});

test('identifiers: own, key:2, taken', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  assert.equal((await d.load('alpha')).instance_id, 'alpha');
  assert.equal((await d.load('alpha')).instance_id, 'alpha:2');
  assert.equal((await d.load('alpha', { identifier: 'mine' })).instance_id, 'mine');
  const taken = await d.post('/api/v1/models/load', { model: 'alpha', identifier: 'mine' });
  assert.equal(taken.status, 409);
  assert.equal(taken.body.error.code, 'identifier_in_use');
  const { body } = await d.chat('mine');
  assert.equal(body.model, 'mine');
  assert.equal((await d.unload('alpha:2')).body.instance_id, 'alpha:2');
  assert.equal((await d.chat('alpha')).status, 200);
});

test('with several instances of a model the least busy one serves', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  await d.load('slow', { parallel: 1 });
  await d.load('slow', { parallel: 1, identifier: 'second' });
  const abort = new AbortController();
  await speaking(d, 'slow', {}, { signal: abort.signal });
  await speaking(d, 'slow', {}, { signal: abort.signal });
  assert.deepEqual((await d.instances()).map((i) => i.running), [1, 1]);
  abort.abort();
  await Promise.all(['slow', 'second'].map((id) =>
    watch.first((e) => e.id === id && e.from === 'busy' && e.to === 'idle')));
});

test('unload: what is not loaded is 404 and says where to look', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const none = await d.unload('alpha');
  assert.equal(none.status, 404);
  await d.load('alpha');
  const typo = await d.unload('alhpa');
  assert.equal(typo.status, 404);
  assert.equal(typo.body.error.code, 'model_not_found');
  assert.match(typo.body.error.message, /alhpa.*doze ps/);
});

test('unload while streaming: error event at once; not streamed: 503', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  const stream = await speaking(d, 'slow');
  const waiting = d.chat('slow');
  await ask(() => d.instance('slow'), ({ running }) => running === 2, 'both run');
  const started = Date.now();
  assert.equal((await d.unload('slow')).status, 200);
  await stream.ended;
  const { status, body } = await waiting;
  assert.ok(Date.now() - started < 10000);
  assert.equal(status, 503, JSON.stringify(body));
  assert.equal(body.error.code, 'model_unloaded');
  assert.equal(stream.error?.code, 'model_unloaded', JSON.stringify(stream.chunks.at(-1)));
  const leaving = await watch.reaches('slow', 'unloading');
  assert.equal(leaving.reason, 'user');
  await watch.reaches('slow', 'absent');
});

test('a load can be followed as a stream', async (t) => {
  const d = await Daemon.start(t, { models: { big: slowToLoad() } });
  const response = await d.fetch('/api/v1/models/load', {
    method: 'POST', body: JSON.stringify({ model: 'big' }),
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' } });
  const events = [];
  for await (const event of readEvents(response)) if (event.event) events.push(event);
  const last = events.at(-1);
  assert.equal(last.event, 'result');
  assert.equal(JSON.parse(last.data).instance_id, 'big');
  const progress = events.slice(0, -1).map((e) => JSON.parse(e.data).progress);
  assert.ok(progress.every((p, i) => p >= 0 && p <= 1 && p >= (progress[i - 1] ?? 0)),
    `${progress}`);
});

test('loading an unknown model or with bad fields says what is wrong', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const unknown = await d.post('/api/v1/models/load', { model: 'alfa' });
  assert.equal(unknown.status, 404);
  assert.match(unknown.body.error.message, /alpha/);
  for (const [field, value] of [['context_length', 'x'], ['parallel', 0], ['ttl', -3],
    ['context_length', 99999999], ['identifier', 7]]) {
    const answer = await d.post('/api/v1/models/load', { model: 'alpha', [field]: value });
    assert.equal(answer.status, 400, `${field}: ${JSON.stringify(answer.body)}`);
    assert.match(answer.body.error.message, new RegExp(field));
  }
  assert.deepEqual(await d.instances(), []);
});

test('events: snapshot first, numbers without gaps, replay after Last-Event-ID', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  assert.equal(watch.all[0].name, 'snapshot');
  await d.chat('alpha');
  await watch.reaches('alpha', 'idle');
  await d.unload('alpha');
  await watch.reaches('alpha', 'absent');
  const seen = watch.transitions();
  const numbers = seen.map((e) => e.seq);
  assert.deepEqual(numbers, numbers.map((_, i) => numbers[0] + i));
  for (const event of seen) assert.ok(Math.abs(event.at - Date.now()) < 60000);
  const later = await d.watch({ 'Last-Event-ID': watch.ids[numbers[1]] }); // ids[0]: the snapshot's
  await later.reaches('alpha', 'absent');
  assert.deepEqual(later.transitions().map((e) => e.seq), numbers.slice(2));
  const all = await d.watch({ 'Last-Event-ID': '0' });
  await all.reaches('alpha', 'absent');
  assert.deepEqual(all.transitions().map((e) => e.seq), numbers);
});

test('events: the id of an earlier run gets a snapshot, not what came after it', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const load = async () => {
    const watch = await d.watch();
    await d.chat('alpha');
    await watch.reaches('alpha', 'idle');
    return watch.ids;
  };
  const [, old] = await load();
  await d.stop();
  await d.launch();
  await load(); // the new run has passed the number of the old id
  const later = await d.watch({ 'Last-Event-ID': old });
  const [first] = later.all.length ? later.all : [await later.first(() => true)];
  assert.equal(first.name, 'snapshot');
  assert.equal(first.instances[0].id, 'alpha');
});

test('metrics count loads, unloads by reason and requests', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha(), beta: spoken('Beta it is.') } });
  const watch = await d.watch();
  await d.chat('alpha');
  await d.chat('beta');
  await d.unload('beta');
  await watch.reaches('beta', 'absent');
  const { body } = await d.get('/metrics');
  assert.match(body, /^doze_loads_total 2$/m);
  assert.match(body, /^doze_unloads_total\{reason="evicted_by"\} 1$/m);
  assert.match(body, /^doze_unloads_total\{reason="user"\} 1$/m);
  assert.match(body, /^doze_requests_total\{op="chat"\} 2$/m);
  for (const line of body.trim().split('\n'))
    assert.match(line, /^(# (HELP|TYPE) doze_\w+ .+|doze_\w+(\{[^}]*\})? [-+.\de]+)$/);
});

test('small answers: health, greeting, status, front page', async (t) => {
  const d = await Daemon.start(t);
  assert.equal((await d.get('/health')).body.status, 'ok');
  assert.equal((await d.get('/health')).body.pid, d.pid);
  assert.deepEqual((await d.get('/lmstudio-greeting')).body, { lmstudio: true });
  assert.equal((await d.get('/lms-status')).body.package, 'daemon'); // or `lms` passes by
  const page = await d.fetch('/');
  assert.match(page.headers.get('content-type'), /^text\/html/);
  assert.match(await page.text(), /doze/);
});

test('the log has the number of models when it changes, not for each look', async (t) => {
  const d = await Daemon.start(t);
  const counts = () => d.log.match(/\d+ models? on disk.*/g) ?? [];
  await ask(() => d.log, (log) => log.includes('no models yet; `doze get'), 'how to get one');
  d.addModel('alpha', alpha());
  for (let look = 0; look < 3; look++) await d.post('/api/v1/models/scan');
  d.addModel('beta', spoken('Beta.'));
  await d.post('/api/v1/models/scan');
  await ask(counts, (lines) => lines.at(-1)?.startsWith('2 '), 'two models in the log');
  assert.deepEqual(counts(), ['1 model on disk', '2 models on disk']);
});
