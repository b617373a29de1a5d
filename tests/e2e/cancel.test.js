/* SPDX-License-Identifier: MIT */
// A client that goes away takes its work with it, in every state it can be in.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { Daemon } from './lib/daemon.js';
import { endless, slowToLoad, spoken } from './lib/models.js';
import { Stream, speaking } from './lib/stream.js';

const SOON_MS = 30000; // an endless answer or the long prompt would take minutes

const settle = (promise) => promise.then((value) => value, (cause) => cause);

test('while streaming', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  const abort = new AbortController();
  await speaking(d, 'slow', {}, { signal: abort.signal });
  const left = Date.now();
  abort.abort();
  const idle = await watch.reaches('slow', 'idle');
  assert.ok(idle.at - left < SOON_MS, `${idle.at - left} ms`);
  assert.equal((await d.chat('slow', { max_tokens: 3 })).status, 200, 'the worker is usable');
  assert.equal(watch.transitions('slow').filter((e) => e.to === 'loading').length, 1);
});

test('while it waits for an answer that is not streamed', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  const abort = new AbortController();
  const answer = settle(d.chat('slow', {}, { signal: abort.signal }));
  await watch.reaches('slow', 'busy');
  abort.abort();
  await answer;
  await watch.reaches('slow', 'idle', { patience: SOON_MS });
});

test('while its prompt is processed', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless('300M') } });
  const watch = await d.watch();
  await d.load('slow', { context_length: 16384, parallel: 1 });
  const abort = new AbortController();
  const answer = settle(d.stream('slow', { messages: [{ role: 'user',
    content: 'lorem ipsum '.repeat(800) }] }, { signal: abort.signal }));
  const busy = await watch.reaches('slow', 'busy');
  const left = Date.now();
  abort.abort();
  await answer;
  const idle = await watch.reaches('slow', 'idle', { after: busy });
  assert.ok(idle.at - left < SOON_MS, `${idle.at - left} ms`);
  const { body } = await d.get('/metrics');
  assert.match(body, /^doze_completion_tokens_total 0$/m);
});

test('while it is queued behind the parallel slots', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  await d.load('slow', { parallel: 1 });
  const first = new AbortController(), second = new AbortController();
  const speaker = await speaking(d, 'slow', {}, { signal: first.signal });
  const queued = settle(d.chat('slow', {}, { signal: second.signal }));
  await ask(() => d.instance('slow'), (i) => i.waiting === 1);
  second.abort();
  await queued;
  await ask(() => d.instance('slow'), (i) => i.waiting === 0 && i.running === 1);
  const length = speaker.text.length;
  await speaker.reached(length + 20); // the other one is not disturbed
  const busy = await watch.reaches('slow', 'busy');
  first.abort();
  await watch.reaches('slow', 'idle', { after: busy, patience: SOON_MS });
});

test('while it waits for a load: the load goes on, and the next try is served by it', async (t) => {
  const d = await Daemon.start(t, { models: { big: slowToLoad() } });
  const watch = await d.watch();
  const abort = new AbortController();
  const answer = settle(d.chat('big', { max_tokens: 2 }, { signal: abort.signal }));
  await watch.reaches('big', 'loading');
  abort.abort();
  await answer;
  assert.equal((await d.chat('big', { max_tokens: 2 })).status, 200);
  const next = watch.transitions('big').filter((e) => e.from === 'loading');
  assert.deepEqual(next.map((e) => e.to).filter((to) => to === 'unloading'), []);
  assert.equal(watch.transitions('big').filter((e) => e.to === 'loading').length, 1);
});

test('while it waits for a load that others wait for too: the load goes on', async (t) => {
  const d = await Daemon.start(t, { models: { big: slowToLoad() } });
  const watch = await d.watch();
  const abort = new AbortController();
  const leaver = settle(d.chat('big', { max_tokens: 2 }, { signal: abort.signal }));
  const stayer = d.chat('big', { max_tokens: 2 });
  await watch.reaches('big', 'loading');
  abort.abort();
  await leaver;
  assert.equal((await stayer).status, 200);
  assert.equal(watch.transitions('big').filter((e) => e.to === 'loading').length, 1);
});

test('while it waits for another model\'s place: nothing is evicted for it', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless(), alpha: spoken('Alpha speaking.') },
    settings: { switch_window_ms: 60000 } });
  const watch = await d.watch();
  const enough = new AbortController(), abort = new AbortController();
  const speaker = await speaking(d, 'slow', {}, { signal: enough.signal });
  const waiter = settle(d.stream('alpha', {}, { signal: abort.signal }));
  await ask(() => d.instance('alpha'), (i) => i?.state === 'queued' && i.waiting === 1);
  abort.abort();
  await waiter;
  await ask(async () => await d.instance('alpha') ?? 'gone', (i) => i === 'gone');
  await speaker.reached(speaker.text.length + 40);
  enough.abort();
  await watch.reaches('slow', 'idle');
  assert.equal((await d.chat('slow', { max_tokens: 2 })).status, 200);
  assert.deepEqual(watch.transitions().filter((e) => e.to === 'loading').map((e) => e.id),
    ['slow']);
});

test('a client that reads slowly holds up its own stream only', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless('20M') } });
  const lazy = new AbortController();
  await d.stream('slow', {}, { signal: lazy.signal }); // the body is never read
  const other = await new Stream(await d.stream('slow', { max_tokens: 200 })).ended;
  assert.equal(other.finish, 'length');
  lazy.abort();
});
