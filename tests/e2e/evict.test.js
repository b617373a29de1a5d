/* SPDX-License-Identifier: MIT */
// Auto-evict (docs/lifecycle.md): who makes room for whom, and that nobody is cut or starved.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { Daemon } from './lib/daemon.js';
import { embedding, endless, seeing, spoken } from './lib/models.js';
import { freeze } from './lib/process.js';
import { Stream } from './lib/stream.js';

const models = () => ({
  alpha: spoken('Alpha speaking. All is well.'),
  beta: spoken('Beta is here, as you asked.'),
  gamma: spoken('Gamma was the third to come.'),
});

const loaded = async (d) => (await d.instances()).map((i) => i.id).sort();

// Loads the model by a request and freezes its worker: the answers that it is asked for then last
// until the function that this gives is called, however slow the test is.
async function frozen(t, d, model) {
  assert.equal((await d.chat(model, { max_tokens: 1 })).status, 200);
  return freeze(t, (await d.instance(model)).pid);
}

const runs = (d, model, running, waiting = 0) => ask(() => d.instance(model),
  (i) => i.running === running && i.waiting === waiting, `${model}: ${running}, ${waiting} wait`);
const isQueued = (d, model) => ask(() => d.instance(model), (i) => i?.state === 'queued',
  `${model} waits for a place`);

test('on: at most one jit instance; its place is free before the next load starts', async (t) => {
  const d = await Daemon.start(t, { models: models() });
  const watch = await d.watch();
  for (const id of ['alpha', 'beta', 'gamma', 'alpha']) {
    assert.equal((await d.chat(id)).status, 200);
    assert.deepEqual(await loaded(d), [id]);
  }
  const evicted = watch.transitions('alpha').find((e) => e.to === 'unloading');
  assert.equal(evicted.reason, 'evicted_by:beta');
  const resident = new Set();
  for (const event of watch.transitions()) {
    if (event.to === 'absent') resident.delete(event.id);
    else resident.add(event.id);
    assert.ok(resident.size <= 1, `two at once at ${JSON.stringify(event)}`);
  }
});

test('on: after five evictions between types per_type is suggested, once', async (t) => {
  const d = await Daemon.start(t, { models: { talks: spoken('Hello.'), vectors: embedding() } });
  const watch = await d.watch();
  const embed = () => d.post('/v1/embeddings', { model: 'vectors', input: 'one' });
  for (let i = 0; i < 4; i++) {
    assert.equal((await d.chat('talks')).status, 200);
    assert.equal((await embed()).status, 200);
  }
  const hints = watch.transitions().filter((e) => e.hint);
  assert.equal(hints.length, 1);
  assert.match(hints[0].hint, /doze settings set auto_evict per_type/);
  const evictions = watch.transitions().filter((e) => e.to === 'unloading');
  assert.equal(evictions.indexOf(hints[0]), 4);
  assert.equal(d.log.split(hints[0].hint).length, 2, 'once in the log');
  await d.settings({ auto_evict: 'per_type' });
  await d.chat('talks');
  await embed();
  const before = watch.length;
  await d.chat('talks');
  assert.ok(!watch.all.slice(before).some((e) => e.to === 'unloading'));
});

test('off: both stay', async (t) => {
  const d = await Daemon.start(t, { models: models(), settings: { auto_evict: 'off' } });
  await d.chat('alpha');
  await d.chat('beta');
  assert.deepEqual(await loaded(d), ['alpha', 'beta']);
});

test('switched on while two are there: the next load leaves one', async (t) => {
  const d = await Daemon.start(t, { models: models(), settings: { auto_evict: 'off' } });
  await d.chat('alpha');
  await d.chat('beta');
  await d.settings({ auto_evict: 'on' });
  await d.chat('gamma');
  assert.deepEqual(await loaded(d), ['gamma']);
});

test('an explicit instance stays beside jit ones and evicts nothing', async (t) => {
  const d = await Daemon.start(t, { models: models() });
  await d.chat('alpha');
  await d.load('beta');
  assert.deepEqual(await loaded(d), ['alpha', 'beta']);
  await d.chat('gamma');
  assert.deepEqual(await loaded(d), ['beta', 'gamma']);
  assert.equal((await d.instance('beta')).origin, 'explicit');
});

test('an explicit load of what is there by jit promotes it', async (t) => {
  const d = await Daemon.start(t, { models: models() });
  const watch = await d.watch();
  await d.chat('alpha', { ttl: 50 });
  const result = await d.load('alpha', { ttl: 900 });
  assert.equal(result.instance_id, 'alpha');
  const instance = await d.instance('alpha');
  assert.equal(instance.origin, 'explicit');
  assert.equal(instance.ttl, 900);
  await d.chat('beta');
  assert.deepEqual(await loaded(d), ['alpha', 'beta']);
  assert.equal(watch.transitions('alpha').filter((e) => e.to === 'loading').length, 1);
});

// Fewer requests at a time cost nobody the model, nor an answer.
test('an explicit load changes in place how many are answered at a time', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  const thaw = await frozen(t, d, 'slow');
  const { pid } = await d.instance('slow');
  const chats = [1, 2].map(() => d.chat('slow', { max_tokens: 20 }));
  await runs(d, 'slow', 2);
  await d.load('slow', { parallel: 1 });
  const { origin, config } = await d.instance('slow');
  assert.deepEqual([origin, config.parallel], ['explicit', 1]);
  chats.push(d.chat('slow', { max_tokens: 20 }));
  await runs(d, 'slow', 2, 1);
  thaw();
  for (const { status } of await Promise.all(chats)) assert.equal(status, 200);
  assert.equal((await d.instance('slow')).pid, pid);
  assert.deepEqual(watch.transitions('slow').filter((e) => e.to === 'unloading'), []);
});

test('fit: both stay while they fit; with a small budget the idle one goes', async (t) => {
  const d = await Daemon.start(t, { models: models(), settings: { auto_evict: 'fit' } });
  await d.chat('alpha');
  await d.chat('beta');
  assert.deepEqual(await loaded(d), ['alpha', 'beta']);
  const bytes = (await d.instances()).reduce((sum, i) => sum + i.memory_bytes, 0);
  const watch = await d.watch();
  await d.settings({ memory_limit: bytes - 1 });
  const gone = await watch.first((e) => e.name === 'instance' && e.to === 'unloading');
  assert.equal(gone.reason, 'memory_pressure');
});

test('a busy victim is drained, not cut', async (t) => {
  const d = await Daemon.start(t, { models: { ...models(), slow: endless() },
    settings: { switch_window_ms: 50 } });
  const watch = await d.watch();
  const thaw = await frozen(t, d, 'slow');
  const answer = d.stream('slow', { max_tokens: 150 });
  await runs(d, 'slow', 1);
  const other = d.chat('alpha');
  await watch.reaches('slow', 'draining');
  thaw();
  const long = await new Stream(await answer).ended;
  assert.equal((await other).status, 200);
  assert.equal(long.finish, 'length');
  assert.ok(long.done);
  const order = watch.transitions().map((e) => `${e.id} ${e.to}`);
  assert.ok(order.indexOf('slow absent') < order.indexOf('alpha loading'), order.join(', '));
});

test('fair hand-over: a steady load on one model does not starve another', async (t) => {
  const d = await Daemon.start(t, { models: models(), settings: { switch_window_ms: 200 } });
  const watch = await d.watch();
  await d.chat('alpha');
  let going = true, served = 0;
  const steady = Array.from({ length: 4 }, async () => {
    while (going) {
      assert.equal((await d.chat('alpha')).status, 200);
      served++;
    }
  });
  await watch.reaches('alpha', 'busy', { from: watch.length });
  const arrived = Date.now();
  const { status, body } = await d.chat('beta');
  const waited = Date.now() - arrived;
  assert.equal(status, 200);
  assert.match(body.choices[0].message.content, /^Beta/);
  const turn = await watch.reaches('beta', 'loading');
  await watch.reaches('alpha', 'loading', { after: turn });
  going = false;
  await Promise.all(steady);
  assert.ok(served > 4);
  assert.ok(waited < 30000, `beta waited ${waited} ms`);
  const events = watch.transitions();
  const gate =
    events.find((e) => e.id === 'alpha' && (e.to === 'draining' || e.to === 'unloading'));
  assert.equal(gate.reason, 'evicted_by:beta');
  // What came for alpha after the gate was closed waited for its turn and was served then.
  assert.deepEqual(events.filter((e) => e.to === 'loading').map((e) => e.id).slice(0, 3),
    ['alpha', 'beta', 'alpha']);
});

test('within the batch window requests for the victim are still let in', async (t) => {
  const d = await Daemon.start(t, { models: { ...models(), slow: endless() },
    settings: { switch_window_ms: 60000 } });
  const watch = await d.watch();
  const thaw = await frozen(t, d, 'slow');
  const first = d.chat('slow', { max_tokens: 20 });
  await runs(d, 'slow', 1);
  const other = d.chat('alpha');
  await isQueued(d, 'alpha');
  const second = d.chat('slow', { max_tokens: 5 });
  await runs(d, 'slow', 2); // let in, though alpha waits
  thaw();
  for (const { body } of [await first, await second])
    assert.equal(body.choices[0].finish_reason, 'length');
  assert.equal((await other).status, 200);
  assert.ok(!watch.transitions('slow').some((e) => e.to === 'draining'));
});

test('waiters of different models are served in order of arrival', async (t) => {
  const d = await Daemon.start(t, { models: { ...models(), slow: endless() },
    settings: { switch_window_ms: 0 } });
  const watch = await d.watch();
  const thaw = await frozen(t, d, 'slow');
  const long = d.chat('slow', { max_tokens: 5 });
  await runs(d, 'slow', 1);
  const waiters = [];
  for (const id of ['gamma', 'alpha', 'beta']) {
    waiters.push(d.chat(id));
    await isQueued(d, id);
  }
  thaw();
  for (const { status, body } of await Promise.all([long, ...waiters]))
    assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(watch.transitions().filter((e) => e.to === 'loading').map((e) => e.id),
    ['slow', 'gamma', 'alpha', 'beta']);
});

for (const parallel of [1, 4]) {
  test(`only running answers drain: 40 are queued, ${parallel} at a time`, async (t) => {
    const d = await Daemon.start(t, { models: { ...models(), slow: endless() },
      settings: { switch_window_ms: 0, models: { slow: { parallel } } } });
    const watch = await d.watch();
    const thaw = await frozen(t, d, 'slow');
    let ended = 0;
    const crowd = Array.from({ length: 40 + parallel }, async () => {
      const { body } = await d.chat('slow', { max_tokens: 20 });
      ended++;
      return body.choices[0].finish_reason;
    });
    await runs(d, 'slow', parallel, 40);
    const beta = d.chat('beta');
    await watch.reaches('slow', 'draining');
    assert.equal(ended, 0);
    thaw();
    assert.equal((await beta).status, 200);
    t.diagnostic(`${ended} of ${crowd.length} answers ended before`);
    assert.ok(ended <= parallel, `${ended} answers ended before`);
    const finished = await Promise.all(crowd); // what was queued is served afterwards
    assert.deepEqual(new Set(finished), new Set(['length']));
  });
}

const said = [{ role: 'user', content: 'Hi' }];
// What the model's worker would refuse unread.
const hopeless = [
  ['/v1/chat/completions', { messages: said, top_p: 2 }],
  ['/v1/chat/completions', { messages: said, stop: Array(65).fill('.') }],
  ['/v1/chat/completions', { messages: said, tool_choice: 'perhaps', tools: [] }],
  ['/v1/chat/completions', { messages: said, grammar: `root ::= ${'('.repeat(999)}` }],
  ['/v1/chat/completions', { messages: said, grammar: 'root ::= (((' }],
  ['/v1/completions', { prompt: 'Hi', grammar: 'no grammar at all' }],
  ...[{ type: 'bogus' }, { $ref: '#/$defs/none' }, { enum: [] },
    { type: 'string', pattern: `^${'a'.repeat(5000)}$` }]
    .map((schema) => ['/v1/chat/completions', { messages: said,
      response_format: { type: 'json_schema', json_schema: { name: 's', schema } } }]),
  ['/v1/completions', { prompt: 'Hi', logit_bias: { many: 1 } }],
  ['/v1/chat/completions', { messages: said, continue_final_message: true }],
  ['/v1/messages/count_tokens', { model: 'vectors', messages: said }],
  ['/v1/completions', { prompt: 'Hi', logit_bias: { 999999: 1 } }],
  ['/v1/completions', { prompt: [1, 999999] }],
  ['/v1/completions', { prompt: 'a', suffix: 'b' }],
  ['/v1/chat/completions', { messages: said, chat_template_kwargs: { enable_thinking: 'no' } }],
  ...[{ type: 'str' }, { type: 'object', properties: { x: { $ref: '#/$defs/none' } } }]
    .map((parameters) => ['/v1/chat/completions', { messages: said,
      tools: [{ type: 'function', function: { name: 'f', strict: true, parameters } }] }]),
  ['/v1/completions', { prompt: 'x'.repeat(8e6) }],
  ['/v1/completions', { prompt: Array(2e5).fill(1) }],
  ['/v1/chat/completions', { messages: [...said, { role: 'user', content: 'x'.repeat(8e6) }] }],
];

test('a request that no model can answer costs nobody its place', async (t) => {
  const d = await Daemon.start(t, { models: { ...models(), vectors: embedding() } });
  assert.equal((await d.chat('alpha')).status, 200);
  const watch = await d.watch();
  for (const [path, body] of hopeless) {
    const answer = await d.post(path, { model: 'beta', ...body });
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
  }
  assert.deepEqual(watch.transitions(), []);
  assert.deepEqual(await loaded(d), ['alpha']);
});

test('a picture that is none costs nobody its place', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: models().alpha, sees: seeing() } });
  assert.equal((await d.chat('alpha')).status, 200);
  const watch = await d.watch();
  for (const url of ['data:image/png;base64,AAAA', 'http://127.0.0.1/a.png', 'data:image/png,x']) {
    const content = [{ type: 'text', text: 'What?' }, { type: 'image_url', image_url: { url } }];
    const answer = await d.post('/v1/chat/completions',
      { model: 'sees', messages: [{ role: 'user', content }] });
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
  }
  assert.deepEqual(watch.transitions(), []);
  assert.deepEqual(await loaded(d), ['alpha']);
});
