/* SPDX-License-Identifier: MIT */
// Workers that die, files that are broken: the daemon says so and lives on.
// Waits: for workers that hang, loads that stall, a machine that sleeps.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { Daemon } from './lib/daemon.js';
import { broken, endless, random, slowToLoad, spoken } from './lib/models.js';
import { childrenOf, gone, programOf, until } from './lib/process.js';
import { speaking } from './lib/stream.js';

const SLEEP_MS = 16000; // the daemon takes more than 15 s for sleep

const alpha = () => spoken('Alpha speaking. All is well.');

// The pid of the daemon's only worker, another than `not`; there may be none yet. Between fork and
// exec it is still the daemon.
const worker = async (d, not) => (await ask(() => childrenOf(d.pid).filter((pid) => pid !== not &&
  programOf(pid) === 'doze-engine'), (pids) => pids.length === 1))[0];

// Sends a signal to the workers of `loads` loads of `big` for one request. A load takes some
// hundred milliseconds; null if one had ended before the signal.
async function caught(t, signal, { loads = 1, settings } = {}) {
  const d = await Daemon.start(t, { models: { big: slowToLoad() }, settings });
  const watch = await d.watch();
  const answer = d.chat('big', { max_tokens: 2 });
  let pid, end;
  for (; loads > 0; loads--) {
    pid = await worker(d, pid);
    process.kill(pid, signal);
    end = await watch.first((e) => e.from === 'loading', { after: end });
    if (end.to !== 'busy') continue;
    if (signal !== 'SIGKILL') process.kill(pid, 'SIGKILL');
    await answer;
    return null;
  }
  return { d, watch, pid, answer: await answer };
}

async function whileLoading(...more) {
  for (;;) {
    const result = await caught(...more);
    if (result) return result;
  }
}

test('a worker killed while streaming: error event, no clean end, the next request works',
  async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  await d.chat('slow', { max_tokens: 1 }); // a worker that dies at its first use has a back-off
  const stream = await speaking(d, 'slow');
  const { pid } = await watch.reaches('slow', 'busy');
  process.kill(pid, 'SIGKILL');
  await stream.ended;
  assert.ok(stream.error, JSON.stringify(stream.chunks.at(-1)));
  assert.match(stream.error.message, /\w+ .*\./);
  assert.ok(!stream.done || stream.error, 'never a clean end');
  assert.equal(stream.finish, null);
  const end = await watch.reaches('slow', 'absent');
  assert.equal(end.reason, 'worker_died');
  const again = await d.chat('slow', { max_tokens: 2 });
  assert.equal(again.status, 200, JSON.stringify(again.body));
  const generations = watch.transitions('slow').filter((e) => e.to === 'loading')
    .map((e) => e.generation);
  assert.equal(generations.length, 2);
  assert.ok(generations[1] > generations[0]);
});

test('a worker killed under an answer that is not streamed: 502', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  const answer = d.chat('slow');
  const { pid } = await watch.reaches('slow', 'busy');
  process.kill(pid, 'SIGKILL');
  const { status, body } = await answer;
  assert.equal(status, 502);
  assert.equal(body.error.code, 'worker_died');
});

test('a worker killed while loading: who waits gets another one', async (t) => {
  const { watch, answer: { status, body } } = await whileLoading(t, 'SIGKILL');
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(watch.transitions('big').filter((e) => e.to === 'loading').length, 2);
});

test('failure: a load that ends two workers is no error to try again, and names the file',
  async (t) => {
  const { answer: { status, headers, body } } = await whileLoading(t, 'SIGKILL', { loads: 2 });
  assert.equal(status, 500, JSON.stringify(body));
  assert.equal(body.error.code, 'model_load_failed');
  assert.equal(headers.get('x-should-retry'), 'false');
  assert.match(body.error.message, /while loading 'big\.gguf'.*`doze log --events`/);
});

test('an idle worker that is killed is noticed', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  await d.chat('alpha');
  const { pid } = await watch.reaches('alpha', 'idle');
  process.kill(pid, 'SIGKILL');
  const end = await watch.reaches('alpha', 'absent');
  assert.equal(end.reason, 'worker_died');
  assert.equal((await d.chat('alpha')).status, 200);
});

test('failure: an explicit instance whose idle worker dies is loaded again as it was',
  async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  await d.load('alpha', { identifier: 'mine', context_length: 512, ttl: 900 });
  process.kill((await d.instance('mine')).pid, 'SIGKILL');
  await watch.reaches('mine', 'absent');
  const { status, body } = await d.chat('mine');
  assert.equal(status, 200, JSON.stringify(body));
  const again = await d.instance('mine');
  assert.equal(again.id, 'mine');
  assert.equal(again.origin, 'explicit');
  assert.equal(again.config.context_length, 512);
  assert.equal(again.ttl, 900);
});

test('failure: a kept instance whose worker dies is loaded again without a request', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  await d.load('alpha', { identifier: 'mine', keep: true });
  assert.equal((await d.chat('mine')).status, 200);
  process.kill((await d.instance('mine')).pid, 'SIGKILL');
  let after;
  for (const to of ['absent', 'loading', 'idle'])
    after = await watch.reaches('mine', to, { after });
  assert.equal((await d.instance('mine')).origin, 'explicit');
});

const kinds = ['truncated', 'magic', 'version', 'huge-counts', 'huge-string', 'bad-type', 'empty',
  'garbage-tensors'];

test('broken files are listed with the reason and refused', async (t) => {
  const models = Object.fromEntries(kinds.map((kind) => [`bad-${kind}`, broken(kind)]));
  const d = await Daemon.start(t, { models: { ...models, alpha: alpha() } });
  const watch = await d.watch();
  const { body } = await d.get('/api/v1/models');
  for (const kind of kinds) {
    const model = body.models.find((m) => m.key.includes(kind));
    assert.ok(model, `${kind} is listed`);
    assert.match(model.problem ?? '', /\w+ \w+/, kind);
    const { status, body: refused } = await d.chat(model.key);
    assert.ok(status >= 400 && status !== 502, `${kind}: ${status}`);
    assert.match(refused.error.message, /\w+ \w+/);
  }
  assert.deepEqual(watch.transitions().filter((e) => e.to === 'idle' || e.to === 'busy'), []);
  assert.equal((await d.chat('alpha')).status, 200);
  assert.deepEqual((await d.get('/v1/models')).body.data.map((m) => m.id), ['alpha']);
});

test('what is wrong with a file is in the log once, however often it is seen', async (t) => {
  const [first, second] = kinds;
  const d = await Daemon.start(t, { models: { [`bad-${first}`]: broken(first), alpha: alpha() } });
  const scan = async () => assert.equal((await d.post('/api/v1/models/scan', {})).status, 200);
  await scan();
  d.addModel(`bad-${second}`, broken(second));
  await scan();
  await scan();
  await d.stop();
  const told = d.log.match(/model .* cannot be loaded/g);
  assert.equal(told.length, 2, told.join('\n'));
});

test('a file that fails only when loaded: the cause, then back-off with Retry-After', async (t) => {
  const d = await Daemon.start(t, { models: { bad: broken('missing-layer') } });
  const watch = await d.watch();
  const first = await d.chat('bad');
  assert.equal(first.status, 500, JSON.stringify(first.body));
  assert.equal(first.body.error.code, 'model_load_failed');
  assert.equal(first.headers.get('x-should-retry'), 'false');
  assert.match(first.body.error.message, /blk\.2|tensor/i);
  const again = await d.chat('bad');
  assert.equal(again.status, 503);
  assert.ok(Number(again.headers.get('retry-after')) >= 1);
  assert.match(again.body.error.message, /blk\.2|tensor/i);
  assert.equal(watch.transitions('bad').filter((e) => e.to === 'loading').length, 1);
  await watch.reaches('bad', 'absent');
  const explicit = await d.post('/api/v1/models/load', { model: 'bad' });
  assert.equal(explicit.status, 500, 'an explicit load ignores the back-off');
  assert.match((await d.get('/metrics')).body, /^doze_load_failures_total 2$/m);
});

test('an identifier whose load failed may be asked for again at once', async (t) => {
  const d = await Daemon.start(t, { models: { bad: broken('missing-layer'), alpha: alpha() } });
  const named = (model) => d.post('/api/v1/models/load', { model, identifier: 'mine' });
  for (let n = 0; n < 4; n++) assert.equal((await named('bad')).status, 500);
  assert.equal((await named('alpha')).status, 200);
  assert.equal((await named('bad')).body.error.code, 'identifier_in_use');
});

test('everyone who waits for a load that fails is told the cause', async (t) => {
  const d = await Daemon.start(t, { models: { bad: broken('missing-layer') } });
  const answers = await Promise.all(Array.from({ length: 10 }, () => d.chat('bad')));
  for (const answer of answers) {
    assert.ok([500, 503].includes(answer.status));
    assert.match(answer.body.error.message, /blk\.2|tensor/i);
  }
});

test('a model that needs more memory than allowed: 507 with the figures', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() },
    settings: { memory_limit: 1 << 20 } });
  const { status, body } = await d.chat('alpha');
  assert.equal(status, 507, JSON.stringify(body));
  assert.equal(body.error.code, 'insufficient_memory');
  assert.match(body.error.message, /\d.*\d/);
  const forced = await d.load('alpha', { force: true });
  assert.equal(forced.instance_id, 'alpha');
});

test('what the estimate says fits loads, and what it says does not is refused', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha(), beta: spoken('Beta speaking.') } });
  const fits = async (model) => (await d.post('/api/v1/models/estimate', { model })).body.fits;
  const load = async (model) => (await d.post('/api/v1/models/load', { model })).status;
  const NEED = 60e6; // about 58.2 MB are planned for one of these
  await d.chat('alpha');
  await d.settings({ memory_limit: NEED });
  assert.equal(await fits('beta'), true); // alpha, idle and loaded by a request, would go
  assert.equal(await load('beta'), 200);
  assert.deepEqual((await d.instances()).map((i) => i.id), ['beta']);
  assert.equal(await fits('alpha'), false); // beta stays
  assert.equal(await load('alpha'), 507);
  await d.settings({ memory_limit: 2 * NEED });
  assert.equal(await fits('alpha'), true);
  assert.equal(await load('alpha'), 200);
});

test('the estimate of 4-bit weights has all of them, repacked or not', async (t) => {
  const file = random('--type', 'q4_0', '--layers', '4', '--embd', '512', '--ff', '2048');
  const d = await Daemon.start(t, { models: { m: file } });
  const { size } = fs.statSync(file);
  for (const repack of ['never', 'background', 'first']) {
    const { body } = await d.post('/api/v1/models/estimate', { model: 'm', repack });
    assert.ok(Math.abs(body.model_bytes / size - 1) < 0.03, `${body.model_bytes} of ${size}`);
  }
});

test('the estimate says what a load is admitted with, and if a full context fits', async (t) => {
  const d = await Daemon.start(t, { models: { m: random('--context', '32768', '--layers', '4') } });
  const estimate = async () =>
    (await d.post('/api/v1/models/estimate', { model: 'm', context_length: 32768 })).body;
  const free = await estimate();
  assert.ok(free.fits && free.full_context_fits);
  assert.ok(free.load_bytes < free.total_bytes + 60e6);
  await d.settings({ memory_limit: free.load_bytes - 1 });
  assert.equal((await estimate()).fits, false);
  const { status, body } = await d.post('/api/v1/models/load', { model: 'm' });
  assert.equal(status, 507, JSON.stringify(body));
  await d.settings({ memory_limit: free.load_bytes });
  const now = await estimate();
  assert.equal(now.load_bytes, free.load_bytes);
  assert.equal(now.fits, true);
  assert.equal(now.full_context_fits, false);
  assert.equal((await d.post('/api/v1/models/load', { model: 'm' })).status, 200);
});

test('a model that needs more memory than there may be evicts nothing', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha(), slow: endless('50M') } });
  await d.chat('alpha');
  const before = await d.instance('alpha');
  await d.settings({ memory_limit: before.memory_bytes + 20e6 }); // it may still grow a little
  const watch = await d.watch();
  for (const ask of [() => d.chat('slow'),
    () => d.post('/api/v1/models/load', { model: 'slow' })]) {
    const { status, body } = await ask();
    assert.equal(status, 507, JSON.stringify(body));
  }
  const after = await d.instance('alpha');
  assert.equal(after.pid, before.pid);
  assert.deepEqual(watch.transitions('alpha'), []);
});

test('failure: an unload of all also ends what waits to be loaded again', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() }, settings: { jit: false } });
  const watch = await d.watch();
  await d.load('alpha');
  process.kill((await d.instance('alpha')).pid, 'SIGKILL');
  await watch.reaches('alpha', 'absent');
  const { status, body } = await d.post('/api/v1/models/unload', { all: true });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal((await d.chat('alpha')).status, 404, 'nothing is to be loaded again');
});

test('a worker that dies at its first use counts as a failed load', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  const stream = await speaking(d, 'slow');
  const { pid } = await watch.reaches('slow', 'busy');
  process.kill(pid, 'SIGKILL');
  await stream.ended;
  await watch.reaches('slow', 'absent');
  const next = await d.chat('slow', { max_tokens: 2 });
  assert.equal(next.status, 503);
  assert.match(next.body.error.message, /at its first use/);
  assert.ok(Number(next.headers.get('retry-after')) >= 1);
});

test('a worker that hangs while it has work is killed and its requests are answered', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  await d.chat('slow', { max_tokens: 1 });
  const watch = await d.watch();
  const stream = await speaking(d, 'slow');
  const { pid } = await watch.reaches('slow', 'busy');
  process.kill(pid, 'SIGSTOP');
  await d.settings({ hang_seconds: 1 });
  await stream.ended;
  await d.settings({ hang_seconds: 60 }); // others may be slow for a second
  assert.equal(stream.error?.code, 'worker_died', JSON.stringify(stream.chunks.at(-1)));
  assert.equal((await watch.reaches('slow', 'absent')).reason, 'worker_died');
  await gone(pid);
  assert.equal((await d.chat('slow', { max_tokens: 2 })).status, 200);
});

test('a machine that slept for longer than hang_seconds goes on where it was', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() },
    settings: { hang_seconds: 10 } });
  const stream = await speaking(d, 'slow');
  const { pid } = await d.instance('slow');
  for (const stopped of [d.pid, pid]) process.kill(stopped, 'SIGSTOP');
  const began = performance.now();
  await until(() => performance.now() - began > SLEEP_MS, 2 * SLEEP_MS, 'it is late');
  const before = stream.text.length;
  for (const stopped of [d.pid, pid]) process.kill(stopped, 'SIGCONT');
  await stream.reached(before + 200);
  assert.equal((await d.instance('slow')).pid, pid);
});

test('a load without progress is failed and its worker killed', async (t) => {
  const { d, watch, pid, answer: { status, body } } = await whileLoading(t, 'SIGSTOP',
    { settings: { load_stall_seconds: 3 } });
  assert.equal(status, 500, JSON.stringify(body));
  assert.equal(body.error.code, 'model_load_failed');
  const again = await d.chat('big');
  assert.equal(again.status, 503, JSON.stringify(again.body));
  assert.match(again.body.error.message, /no progress/);
  await watch.reaches('big', 'absent');
  await gone(pid);
});

test('a worker that does not leave when told is killed after its grace', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  await d.chat('alpha');
  const { pid } = await watch.reaches('alpha', 'idle');
  process.kill(pid, 'SIGSTOP');
  d.unload('alpha');
  await watch.reaches('alpha', 'unloading');
  const again = d.chat('alpha'); // waits for the place
  await watch.reaches('alpha', 'absent');
  await gone(pid);
  assert.equal((await again).status, 200);
});

test('settings that cannot be written are refused with the cause and not applied', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  fs.renameSync(d.stateDir, `${d.stateDir}-away`);
  const { status, body } = await d.patch('/api/v1/settings', { default_ttl: 5 });
  fs.renameSync(`${d.stateDir}-away`, d.stateDir);
  if (status === 200) { // the folder was made again
    assert.equal((await d.get('/api/v1/settings')).body.default_ttl, 5);
  } else {
    assert.equal(status, 500);
    assert.match(body.error.message, /settings|write/i);
    assert.equal((await d.get('/api/v1/settings')).body.default_ttl, 3600);
  }
  assert.equal((await d.chat('alpha')).status, 200);
});

test('after SIGKILL of the daemon no worker is left', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless(), alpha: alpha() },
    settings: { auto_evict: 'off' } });
  await speaking(d, 'slow');
  await d.chat('alpha');
  const pids = (await d.instances()).map((i) => i.pid);
  assert.equal(pids.length, 2);
  assert.ok(pids.every((pid) => fs.existsSync(`/proc/${pid}`)));
  d.kill('SIGKILL');
  await Promise.all(pids.map((pid) => gone(pid)));
});

test('after an unload the worker is gone, and it is said what came back', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const watch = await d.watch();
  await d.chat('alpha');
  const { pid } = await watch.reaches('alpha', 'idle');
  assert.equal((await d.unload('alpha')).status, 200);
  const left = await watch.reaches('alpha', 'absent');
  assert.equal(left.from, 'unloading');
  assert.ok(!fs.existsSync(`/proc/${pid}`), 'gone when the event says so');
  assert.ok(left.memory_bytes > 1e6, JSON.stringify(left));
});
