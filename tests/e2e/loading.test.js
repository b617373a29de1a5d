/* SPDX-License-Identifier: MIT */
// What makes loads fast and keeps instances small (docs/loading.md): the spare worker, files read
// ahead, contexts that grow.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { Command } from './lib/cli.js';
import { Daemon } from './lib/daemon.js';
import { broken, endless, random, spoken } from './lib/models.js';
import { freeze, gone, isAlive, startOf, statusField } from './lib/process.js';
import { sanitized } from './lib/programs.js';
import { speaking } from './lib/stream.js';
import { spareOf, workersOf } from './lib/workers.js';

const workers = (d) => workersOf(d.pid);
const alpha = () => spoken('Alpha speaking. All is well.');

// ---- the spare worker ----

test('a spare worker waits, is nobody\'s instance, and becomes the next instance', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  const pid = await spareOf(d);
  assert.deepEqual(await d.instances(), []);
  await ask(() => statusField(pid, 'VmRSS'), (kib) => kib > 5000, 'its libraries are loaded');
  const started = startOf(pid);
  if (!sanitized)
    assert.ok(statusField(pid, 'RssAnon') < 12 << 10, 'at most 12 MB of its own');
  assert.equal((await d.chat('alpha')).status, 200);
  assert.equal((await d.instance('alpha')).pid, pid);
  assert.equal(startOf(pid), started);
  const next = (await ask(() => workers(d), (pids) => pids.length === 2)).find((p) => p !== pid);
  assert.ok(next);
  await watch.reaches('alpha', 'idle');
  assert.deepEqual(watch.transitions().map((e) => e.to), ['loading', 'busy', 'idle']);
});

test('the death of a spare is no event; the next load starts a worker of its own', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  const pid = await spareOf(d);
  process.kill(pid, 'SIGKILL');
  await gone(pid);
  assert.equal((await d.chat('alpha')).status, 200);
  assert.notEqual((await d.instance('alpha')).pid, pid);
  await watch.reaches('alpha', 'idle');
  assert.deepEqual(watch.transitions().map((e) => e.to), ['loading', 'busy', 'idle']);
});

test('switched off there is none; switched on there is one again', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const pid = await spareOf(d);
  await d.settings({ standby: false });
  await gone(pid);
  assert.equal((await d.chat('alpha')).status, 200);
  assert.deepEqual(workers(d), [(await d.instance('alpha')).pid]);
  await d.settings({ standby: true });
  await ask(() => workers(d), (pids) => pids.length === 2);
});

test('the spare leaves with the server', async (t) => {
  const d = await Daemon.start(t, {});
  const pid = await spareOf(d);
  await d.stop();
  assert.ok(!isAlive(pid));
});

test('a server that is killed takes the spare with it', async (t) => {
  const d = await Daemon.start(t, {});
  const pid = await spareOf(d);
  d.kill('SIGKILL');
  await gone(pid);
});

// ---- reading ahead ----

const forget = (file) => execFileSync('dd', [
  'of=' + file, 'oflag=nocache', 'conv=notrunc,fdatasync',
  'count=0', 'status=none']);
const residentPages = (file) =>
  Number(execFileSync('fincore', ['-n', '-o', 'PAGES', file], { encoding: 'utf8' }));

test('the next model is read ahead while the one before it still speaks', async (t) => {
  const file = random('--size', '60M', '--seed', '77');
  const d = await Daemon.start(t, { models: { old: endless(), next: file },
    settings: { switch_window_ms: 0 } });
  const watch = await d.watch();
  const stream = await speaking(d, 'old');
  forget(file);
  const cold = residentPages(file);
  const answer = d.chat('next', { max_tokens: 1 });
  await watch.reaches('old', 'draining');
  if (cold < 1000) { // else the file system keeps it: nothing can be seen
    await ask(() => residentPages(file), (pages) => pages >= 60 * 256 - 1000, 'it has been read');
  }
  assert.equal(watch.transitions('next').length, 0, 'its load has not begun');
  assert.ok(!stream.finish);
  await d.unload('old');
  assert.equal((await answer).status, 200);
});

const prefetch = (d, model) => d.post('/api/v1/models/prefetch', { model });

// The server has what was sent before: it takes a connection in one round of its loop, and what
// came over it in the next.
const taken = async (d) => { for (let i = 0; i < 3; i++) await d.get('/health'); };

test('prefetch: the file is read, nothing is loaded, and nobody has to leave', async (t) => {
  const file = random('--size', '60M', '--seed', '78');
  const d = await Daemon.start(t, { models: { old: spoken('Old.'), next: file } });
  await d.chat('old', { max_tokens: 1 });
  forget(file);
  const { status, body } = await prefetch(d, 'next');
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body, { model: 'next', status: 'prefetched',
    size_bytes: fs.statSync(file).size });
  assert.ok(residentPages(file) >= 60 * 256 - 1000, 'it has been read');
  assert.deepEqual((await d.instances()).map((i) => [i.id, i.state]), [['old', 'idle']]);
  assert.equal((await prefetch(d, 'old')).body.status, 'loaded');
});

test('prefetch: one model at a time, in the order of the calls; who leaves frees the turn',
  async (t) => {
  const files = [79, 80, 81].map((seed) => random('--size', '60M', '--seed', String(seed)));
  const d = await Daemon.start(t, { models: { a: files[0], b: files[1], c: files[2],
    alpha: alpha() } });
  files.forEach(forget);
  const watch = await d.watch();
  const goOn = freeze(t, await spareOf(d)); // nothing is read while a model is loaded
  const loads = d.chat('alpha');
  await watch.reaches('alpha', 'loading');
  const leaver = new AbortController();
  const order = [];
  const left = d.json('POST', '/api/v1/models/prefetch', { model: 'a' },
    { signal: leaver.signal }).catch(() => order.push('left'));
  await taken(d);
  const rest = [];
  for (const model of ['b', 'c', 'b']) {
    rest.push(prefetch(d, model).then(({ body }) => {
      order.push(body.model);
      assert.equal(body.status, 'prefetched');
    }));
    await taken(d);
  }
  leaver.abort();
  await left;
  goOn();
  await Promise.all([loads, ...rest]);
  assert.deepEqual(order, ['left', 'b', 'c', 'b']);
});

test('prefetch: a load comes first, and what it loads need not be read again', async (t) => {
  const d = await Daemon.start(t, { models: { old: endless(), next: spoken('Next.') },
    settings: { switch_window_ms: 0 } });
  const watch = await d.watch();
  await speaking(d, 'old');
  const answer = d.chat('next', { max_tokens: 1 });
  await watch.reaches('old', 'draining');
  const asked = prefetch(d, 'next');
  await d.unload('old');
  assert.equal((await answer).status, 200);
  assert.equal((await asked).body.status, 'loaded');
});

test('prefetch: what cannot be read ahead is said', async (t) => {
  const d = await Daemon.start(t, { models: { whole: spoken('Hi.'), bad: broken('magic') } });
  assert.equal((await prefetch(d, 'nothing')).status, 404);
  assert.equal((await prefetch(d, '')).status, 400);
  const bad = await prefetch(d, 'bad');
  assert.ok(bad.status >= 400 && bad.body.error.message, JSON.stringify(bad));
  assert.deepEqual(await d.instances(), []);
});

test('doze load --prefetch', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const doze = async (...args) => (await new Command(d, args).ended).out;
  assert.match(await doze('load', '--prefetch', 'alp'),
    /^alpha \(.* MB\) is in memory; its next load reads nothing/);
  const mixed = await new Command(d, ['load', '--prefetch', '--ttl', '5m', 'alpha']).ended;
  assert.equal(mixed.code, 2, mixed.err);
  assert.deepEqual(await d.instances(), []);
  await d.load('alpha');
  assert.match(await doze('load', '--prefetch', 'alpha'), /^alpha is loaded already\./);
});

// ---- the context ----

const story = (times) => 'Once upon a time a machine slept most of the day. '.repeat(times);
const long = (layers) => random('--seed', '5', '--context', '16384', '--layers', layers,
  '--embd', '256', '--heads', '4', '--kv-heads', '4');

test('an instance has the model\'s own context length and takes memory as it is used',
  async (t) => {
  const d = await Daemon.start(t, { models: { long: long('4') } });
  await d.chat('long', { max_tokens: 1 });
  const before = await d.instance('long');
  assert.equal(before.config.context_length, 16384);
  const { status, body } = await d.post('/v1/completions',
    { model: 'long', prompt: story(150), max_tokens: 4, temperature: 0 });
  assert.equal(status, 200, JSON.stringify(body));
  assert.ok(body.usage.prompt_tokens > 5000);
  const after = await d.instance('long');
  // 5,000 tokens x 4 layers x (256 + 256) values x 2 bytes
  assert.ok(after.memory_bytes > before.memory_bytes + (15 << 20),
    `${before.memory_bytes} -> ${after.memory_bytes}`);
});

test('what does not fit the memory limit is refused alone, with the numbers', async (t) => {
  const d = await Daemon.start(t, { models: { long: long('32') } });
  await d.chat('long', { max_tokens: 1 });
  const { memory_bytes: taken } = await d.instance('long');
  await d.unload('long');
  // 32 kB per token
  await d.settings({ memory_limit: taken + (60 << 20), load: { context_length: 16384 } });
  const ask = (prompt, max_tokens) => d.post('/v1/completions',
    { model: 'long', prompt, max_tokens, temperature: 0 });
  assert.equal((await ask(story(1), 4)).status, 200);
  const running = ask(story(1), 60);
  const prompts = await Promise.all([1, 2, 3].map((n) => ask(`${n}${story(100)}`, 1)));
  for (const { status, body } of prompts) {
    assert.equal(status, 507);
    assert.equal(body.error.code, 'insufficient_memory');
    assert.match(body.error.message, /room for \d+ tokens, but only \d+ fit/);
    assert.match(body.error.message, /more are needed, .* are free, memory_limit is /);
  }
  const { status, body } = await running;
  assert.equal(status, 200);
  assert.equal(body.usage.completion_tokens, 60);
});

const sum = (instances) => instances.reduce((bytes, i) => bytes + i.memory_bytes, 0);

test('three models that grow at once keep within memory_limit together', async (t) => {
  const d = await Daemon.start(t, { models: { long: long('32') },
    settings: { load: { context_length: 16384 } } });
  const names = ['x', 'y', 'z'];
  for (const name of names) await d.load('long', { identifier: name });
  const limit = sum(await d.instances()) + (60 << 20);
  await d.settings({ memory_limit: limit });
  const ask = (model) => d.post('/v1/completions',
    { model, prompt: `${model}${story(40)}`, max_tokens: 1, temperature: 0 });
  const answers = await Promise.all(names.map(ask));
  const statuses = answers.map((a) => a.status).sort();
  assert.deepEqual([statuses[0], statuses[2]], [200, 507], JSON.stringify(statuses));
  const refused = answers.find((a) => a.status === 507);
  assert.equal(refused.body.error.code, 'insufficient_memory');
  if (!sanitized) assert.ok(sum(await d.instances()) <= limit * 1.03);
});

test('for a conversation that needs room an idle jit model leaves', async (t) => {
  const d = await Daemon.start(t, { models: { long: long('32'), alpha: alpha() },
    settings: { auto_evict: 'fit', load: { context_length: 16384 } } });
  const watch = await d.watch();
  await d.load('long');
  await d.chat('alpha');
  // 1,024 tokens more than at the start, 35 kB each
  await d.settings({ memory_limit: sum(await d.instances()) + 33e6 });
  const { status, body } = await d.post('/v1/completions',
    { model: 'long', prompt: story(40), max_tokens: 1, temperature: 0 });
  assert.equal(status, 200, JSON.stringify(body));
  const left = await watch.reaches('alpha', 'unloading');
  assert.equal(left.reason, 'evicted_by:long');
});

test('a memory_limit that is lowered later reaches the models', async (t) => {
  const d = await Daemon.start(t, { models: { long: long('32') },
    settings: { load: { context_length: 16384 } } });
  const prompt = { model: 'long', prompt: story(40), max_tokens: 1, temperature: 0 };
  await d.load('long');
  const small = (await d.instance('long')).memory_bytes;
  assert.equal((await d.post('/v1/completions', prompt)).status, 200);
  const grown = (await d.instance('long')).memory_bytes;
  assert.ok(grown > small + (30 << 20), `${small} -> ${grown}`);
  await d.settings({ memory_limit: small + (10 << 20) });
  if (!sanitized)
    await ask(async () => (await d.instance('long')).memory_bytes, (now) => now < grown - 15e6);
  assert.equal((await d.post('/v1/completions', prompt)).status, 507);
  await d.settings({ memory_limit: null });
  assert.equal((await d.post('/v1/completions', prompt)).status, 200);
});

// ---- repacking ----

test('4-bit weights are repacked once the first answer was served; the setting says never',
  async (t) => {
  const model = () => spoken('Alpha speaking. All is well.', '--type', 'q4_0', '--embd', '256',
    '--heads', '4', '--ff', '512');
  const d = await Daemon.start(t, { models: { alpha: model() } });
  await d.load('alpha');
  assert.equal((await d.instance('alpha')).repack, 'waiting');
  const first = await d.chat('alpha');
  assert.equal(first.status, 200);
  await ask(async () => (await d.instance('alpha')).repack, (repack) => repack === 'done');
  const second = await d.chat('alpha');
  assert.equal(second.body.choices[0].message.content, first.body.choices[0].message.content);
  await d.unload('alpha');
  await d.settings({ load: { repack: 'never' } });
  assert.equal((await d.chat('alpha')).status, 200);
  assert.equal((await d.instance('alpha')).repack, undefined);
  const refused = await d.patch('/api/v1/settings', { load: { repack: 'later' } });
  assert.equal(refused.status, 400);
});
