/* SPDX-License-Identifier: MIT */
// Idle TTL (docs/lifecycle.md): idle instances leave on time, never early, never with work.
// Alone: measures milliseconds.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { endless, spoken } from './lib/models.js';
import { Stream } from './lib/stream.js';

const alpha = () => spoken('Alpha speaking. All is well.');

const LATE_MS = 50;
// Times are whole milliseconds of the wall clock, read just after the decision.
const ROUNDING_MS = 2;

// Leaves by its ttl (ms), never early. Resolves when it is gone, with what was late.
async function leaves(watch, id, ttl, from) {
  const leaving = await watch.reaches(id, 'unloading', { from });
  const idle = watch.transitions(id).filter((e) => e.to === 'idle' && e.seq < leaving.seq).at(-1);
  assert.equal(leaving.reason, 'ttl');
  const idleFor = leaving.due - idle.at, late = leaving.at - leaving.due;
  const due = `due ${idleFor} ms after it became idle, with a ttl of ${ttl} ms`;
  assert.ok(idleFor <= ttl + ROUNDING_MS, due);
  assert.ok(late >= 0, `unloaded ${-late} ms before it was due`);
  await watch.reaches(id, 'absent', { from });
  if (idleFor <= ttl - LATE_MS) return due; // the clock was read so late
  return late > LATE_MS ? `unloaded ${late} ms after it was due` : null;
}

// The instance leaves by its ttl (ms): due when it has been idle that long, and not much later. A
// machine that stalls is asked again: again() makes the instance idle once more.
async function leavesOnTime(watch, id, ttl, again) {
  let late = await leaves(watch, id, ttl, 0);
  for (let i = 1; late && i < 5; i++) {
    const from = watch.length;
    await again();
    late = await leaves(watch, id, ttl, from);
  }
  assert.equal(late, null);
}

test('the ttl expires on time, and the worker is gone afterwards', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  const ask = () => d.chat('alpha', { ttl: 0.8 });
  await ask();
  await leavesOnTime(watch, 'alpha', 800, ask);
  const end = await watch.reaches('alpha', 'absent');
  assert.equal(end.from, 'unloading');
  assert.deepEqual(await d.instances(), []);
});

test('a request restarts the idle clock', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  const ask = async () => {
    await d.chat('alpha', { ttl: 1 });
    for (let i = 0; i < 5; i++) await d.chat('alpha', { ttl: 1 });
  };
  await ask();
  await leavesOnTime(watch, 'alpha', 1000, ask);
});

test('ttl 0 unloads as soon as the instance is idle', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  const ask = () => d.chat('alpha', { ttl: 0 });
  const { body } = await ask();
  assert.equal(body.choices[0].message.content, 'Alpha speaking. All is well.');
  await leavesOnTime(watch, 'alpha', 0, ask);
});

test('a stream that lasts longer than its ttl is not cut', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  const started = await new Stream(await d.stream('slow', { ttl: 0.2, max_tokens: 120 })).ended;
  assert.equal(started.error, null);
  assert.equal(started.finish, 'length');
  assert.ok(started.done);
  const busy = await watch.reaches('slow', 'busy');
  const idle = await watch.reaches('slow', 'idle');
  assert.ok(idle.at - busy.at > 200, `the stream lasted ${idle.at - busy.at} ms only`);
  await leavesOnTime(watch, 'slow', 200, () => d.chat('slow', { ttl: 0.2, max_tokens: 1 }));
});

test('a request that arrives while its instance leaves gets a fresh load', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  for (let round = 0; round < 5; round++) {
    const from = watch.length;
    const leaving = watch.reaches('alpha', 'unloading', { from });
    await d.chat('alpha', { ttl: 0 });
    await leaving;
    const { status } = await d.chat('alpha', { ttl: 0 });
    assert.equal(status, 200);
  }
});

const none = [['-1', -1], ['null', null]];
for (const [name, value] of none) {
  test(`ttl ${name} means none`, async (t) => {
    const d = await Daemon.start(t, { models: { alpha: alpha() } });
    await d.chat('alpha', { ttl: value });
    const instance = await d.instance('alpha');
    assert.equal(instance.ttl, null);
    assert.equal(instance.idle_expires_at, null);
  });
}

test('anything else is refused, on every endpoint, and loads nothing', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  const bodies = {
    '/v1/chat/completions': { messages: [{ role: 'user', content: 'x' }] },
    '/v1/completions': { prompt: 'x' },
    '/v1/embeddings': { input: 'x' },
    '/api/v0/chat/completions': { messages: [{ role: 'user', content: 'x' }] },
    '/api/v0/completions': { prompt: 'x' },
    '/api/v0/embeddings': { input: 'x' },
  };
  for (const [where, body] of Object.entries(bodies)) {
    for (const ttl of ['60', -2, true, [], 4e9, {}]) {
      const answer = await d.post(where, { model: 'alpha', ttl, ...body });
      assert.equal(answer.status, 400, `${where} ${JSON.stringify(ttl)}`);
      assert.equal(answer.body.error.type, 'invalid_request_error');
      assert.equal(answer.body.error.param, 'ttl');
    }
  }
  assert.deepEqual(watch.transitions(), []);
});

test('keep_alive is a synonym; ttl wins', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  for (const [fields, ttl] of [[{ keep_alive: 90 }, 90], [{ keep_alive: '5m' }, 300],
    [{ keep_alive: '-1' }, null], [{ keep_alive: '2h', ttl: 7 }, 7]]) {
    assert.equal((await d.chat('alpha', fields)).status, 200, JSON.stringify(fields));
    assert.equal((await d.instance('alpha')).ttl, ttl, JSON.stringify(fields));
  }
  assert.equal((await d.chat('alpha', { keep_alive: 'soon' })).status, 400);
});

test('explicit instances have no ttl unless given one, and a request changes nothing',
  async (t) => {
  const d =
    await Daemon.start(t, { models: { alpha: alpha(), beta: spoken('Beta it is, then.') } });
  const watch = await d.watch();
  await d.load('alpha');
  assert.equal((await d.instance('alpha')).ttl, null);
  await d.chat('alpha', { ttl: 0 });
  assert.equal((await d.instance('alpha')).ttl, null);
  const load = () => d.load('beta', { ttl: 0.5 });
  await load();
  await leavesOnTime(watch, 'beta', 500, load);
  assert.ok(await d.instance('alpha'));
});

test('default_ttl: changed at run time, and switched off', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() }, settings: { default_ttl: null } });
  const watch = await d.watch();
  await d.chat('alpha');
  assert.equal((await d.instance('alpha')).ttl, null);
  await d.unload('alpha');
  await watch.reaches('alpha', 'absent');
  await d.settings({ default_ttl: 12 });
  await d.chat('alpha');
  assert.equal((await d.instance('alpha')).ttl, 12);
});

test('polling and listing neither wake a model nor keep it', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  const ask = () => d.chat('alpha', { ttl: 5 });
  await ask();
  const leaving = watch.reaches('alpha', 'unloading');
  let asked = 0, left = false;
  leaving.then(() => { left = true; }, () => { left = true; });
  while (!left) {
    await d.get(asked++ % 2 ? '/api/v0/models' : '/v1/models');
  }
  assert.ok(asked >= 2); // more on a machine that has the time
  assert.equal(watch.transitions('alpha').filter((e) => e.to === 'loading').length, 1);
  await leavesOnTime(watch, 'alpha', 5000, ask);
});

test('ttl and origin of a loaded instance can be changed', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  await d.chat('alpha');
  assert.equal((await d.patch('/api/v1/instances/alpha', { origin: 'explicit', ttl: null })).status,
    200);
  assert.equal((await d.instance('alpha')).origin, 'explicit');
  assert.equal((await d.instance('alpha')).ttl, null);
  await d.patch('/api/v1/instances/alpha', { ttl: 0 });
  const leaving = await watch.reaches('alpha', 'unloading');
  assert.equal(leaving.reason, 'ttl');
});
