/* SPDX-License-Identifier: MIT */
// Parked workers (lifecycle.md, Parked workers): an instance that leaves by its ttl or for another
// one leaves its worker behind, which takes up its next load.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { run } from './lib/cli.js';
import { Daemon } from './lib/daemon.js';
import { spoken } from './lib/models.js';
import { sanitized } from './lib/programs.js';
import { atRest, gone, isAlive, statusField, until, wakeUpsIn } from './lib/process.js';

const PATIENCE_MS = 30000;
const models = () => ({ alpha: spoken('I am alpha.'), beta: spoken('I am beta.') });
const settings = { parked_workers: 'on' };
// A busy machine may stall for lack of memory, which would end them.
const env = { MEMORY_PRESSURE_WATCH: '/dev/null' };
const start = (t, more = {}) => Daemon.start(t,
  { models: models(), env, ...more, settings: { ...settings, ...more.settings } });

const parkedEvent = (watch, model, to, options) => watch.first(
  (e) => e.name === 'parked' && e.model === model && e.to === to,
  { what: `${model} is ${to}`, ...options });

// The workers that are parked, as /api/v1/models lists them.
async function parked(d) {
  const { body } = await d.get('/api/v1/models');
  return body.models.flatMap((m) => (m.parked_workers ?? []).map((p) => ({ ...p, key: m.key })));
}

// Load the model, have it leave by its ttl, and return the pid of the worker that is parked.
async function park(d, watch, model = 'alpha', more = {}) {
  const from = watch.length;
  assert.equal((await d.chat(model, { ttl: 0, ...more })).status, 200);
  const { pid } = await parkedEvent(watch, model, 'parked', { from });
  await watch.reaches(model, 'absent', { from });
  return pid;
}

test('after its ttl a worker is parked, and takes up the next load', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  const pid = await park(d, watch);
  assert.deepEqual(await d.instances(), []); // not as loaded
  const [shown, ...others] = await parked(d);
  assert.deepEqual(others, []);
  assert.equal(shown.pid, pid);
  assert.equal(shown.key, 'alpha');
  assert.ok(shown.memory_bytes > 0);
  assert.equal(Date.parse(shown.expires_at) - Date.parse(shown.parked_at), 3600000);
  const answer = await d.chat('alpha');
  assert.equal(answer.body.choices[0].message.content, 'I am alpha.');
  const woken = await parkedEvent(watch, 'alpha', 'woken');
  assert.equal(woken.pid, pid);
  assert.equal((await d.instance('alpha')).pid, pid);
  assert.deepEqual(await parked(d), []);
});

test('it is parked and woken again and again, with the same text and its prompts', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  const messages = [{ role: 'user', content: 'A long story. '.repeat(60) }];
  const pid = await park(d, watch, 'alpha', { messages });
  for (let i = 0; i < 3; i++) {
    const from = watch.length;
    const { headers, body } = await d.chat('alpha', { messages, ttl: 0 });
    assert.equal(body.choices[0].message.content, 'I am alpha.');
    // What was slow to read once, as on a machine that stalls, is processed again.
    const slow = i > 0 && /reason=state/.test(headers.get('x-doze-cache'));
    assert.ok(slow || body.usage.prompt_tokens_details.cached_tokens > 60,
      JSON.stringify(body.usage));
    assert.equal((await parkedEvent(watch, 'alpha', 'parked', { from })).pid, pid);
    await watch.reaches('alpha', 'absent', { from });
  }
});

test('two models that evict one another keep their workers', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  const pids = { alpha: new Set(), beta: new Set() };
  for (let i = 0; i < 3; i++) {
    for (const model of ['alpha', 'beta']) {
      assert.equal((await d.chat(model)).body.choices[0].message.content, `I am ${model}.`);
      pids[model].add((await d.instance(model)).pid);
    }
  }
  assert.equal(pids.alpha.size, 1);
  assert.equal(pids.beta.size, 1);
  const left = watch.transitions('alpha').filter((e) => e.to === 'unloading');
  assert.ok(left.length >= 2 && left.every((e) => e.reason === 'evicted_by:beta'));
});

test('requests that come while it parks are served by it', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  await park(d, watch);
  for (let i = 0; i < 10; i++) {
    const answers = await Promise.all([d.chat('alpha', { ttl: 0 }), d.chat('alpha', { ttl: 0 })]);
    for (const { status } of answers) assert.equal(status, 200);
  }
});

test('a parked worker sleeps', async (t) => {
  const d = await start(t, { settings: { standby: false } });
  const pid = await park(d, await d.watch());
  await atRest(() => [pid], PATIENCE_MS);
  assert.deepEqual(await wakeUpsIn([pid], 2000), [0]);
});

test('with the setting off the worker ends, and those that are parked do', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  const pid = await park(d, watch);
  await d.settings({ parked_workers: 'off' });
  assert.equal((await parkedEvent(watch, 'alpha', 'given_up')).reason, 'switched_off');
  await gone(pid);
  const from = watch.length;
  await d.chat('alpha', { ttl: 0 });
  await watch.reaches('alpha', 'absent', { from });
  assert.deepEqual(await parked(d), []);
  assert.equal(watch.all.filter((e) => e.name === 'parked').length, 2);
});

test('after parked_seconds it is given up', async (t) => {
  const d = await start(t, { settings: { parked_seconds: 0.5 } });
  const watch = await d.watch();
  const pid = await park(d, watch);
  const end = await parkedEvent(watch, 'alpha', 'given_up');
  assert.equal(end.reason, 'expired');
  assert.equal(end.pid, pid);
  // Without the setting it is an hour.
  assert.ok(end.parked_seconds >= 0.5 && end.parked_seconds < 30, String(end.parked_seconds));
  await gone(pid);
});

test('a stall for lack of memory takes it, before any instance', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-psi-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const fifo = path.join(folder, 'memory.pressure');
  execFileSync('mkfifo', [fifo]);
  const d = await start(t, { env: { MEMORY_PRESSURE_WATCH: fifo },
    settings: { evict_on_pressure: false } }); // of instances
  const watch = await d.watch();
  const pid = await park(d, watch);
  await d.chat('beta');
  fs.writeFileSync(fifo, 'x');
  assert.equal((await parkedEvent(watch, 'alpha', 'given_up')).reason, 'memory_pressure');
  await gone(pid);
  assert.equal((await d.instances()).length, 1);
});

test('a load that needs the memory has it, once the worker is gone', async (t) => {
  const d = await start(t, { settings: { auto_evict: 'fit' } });
  const watch = await d.watch();
  await d.settings({ memory_limit: 1e6 });
  const refused = await d.chat('beta'); // which says what it takes
  assert.equal(refused.status, 507);
  const needed = Number(/needs about ([\d.]+) MB/.exec(refused.body.error.message)[1]) * 1e6;
  await d.settings({ memory_limit: null });
  const pid = await park(d, watch);
  const [{ memory_bytes: held }] = await parked(d);
  await d.settings({ memory_limit: Math.ceil(Math.max(needed, held) + 1e6) });
  assert.ok(isAlive(pid), 'it fits by itself');
  const answer = await d.chat('beta');
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const end = await parkedEvent(watch, 'alpha', 'given_up');
  assert.equal(end.reason, 'memory');
  assert.ok(!isAlive(pid));
});

test('a file that was replaced makes it useless', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  const pid = await park(d, watch);
  const file = path.join(d.modelsDir, 'test/alpha/alpha.gguf');
  const other = `${file}.new`;
  fs.copyFileSync(spoken('I am another.'), other);
  fs.renameSync(other, file);
  assert.equal((await parkedEvent(watch, 'alpha', 'given_up')).reason, 'file_changed');
  await gone(pid);
  const answer = await d.chat('alpha');
  assert.equal(answer.body.choices[0].message.content, 'I am another.');
});

test('other load settings have a worker of their own', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  const pid = await park(d, watch);
  await d.load('alpha', { parallel: 2 });
  const instance = await d.instance('alpha');
  assert.equal(instance.config.parallel, 2);
  assert.notEqual(instance.pid, pid);
  assert.ok(isAlive(pid));
});

test('one that dies is told of, and missed by nobody', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  const pid = await park(d, watch);
  process.kill(pid, 'SIGKILL');
  assert.equal((await parkedEvent(watch, 'alpha', 'given_up')).reason, 'worker_died');
  assert.equal((await d.chat('alpha')).status, 200);
});

test('one that dies when it is woken is replaced, and the request served', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  const pid = await park(d, watch);
  process.kill(pid, 'SIGSTOP');
  const asked = d.chat('alpha');
  await parkedEvent(watch, 'alpha', 'woken');
  process.kill(pid, 'SIGKILL');
  const answer = await asked;
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.notEqual((await d.instance('alpha')).pid, pid);
});

test('a load with another context length gets it from the same worker', async (t) => {
  const d = await start(t);
  const first = await d.chat('alpha', { ttl: 600 });
  const { pid, config } = await d.instance('alpha');
  await d.load('alpha', { context_length: 128 });
  const loaded = await d.instance('alpha');
  assert.notEqual(config.context_length, 128);
  assert.equal(loaded.config.context_length, 128);
  assert.deepEqual([loaded.pid, loaded.origin], [pid, 'explicit']);
  const again = await d.chat('alpha');
  assert.deepEqual(again.body.choices[0].message, first.body.choices[0].message);
  const messages = [{ role: 'user', content: 'word '.repeat(400) }];
  const long = await d.chat('alpha', { messages });
  assert.equal(long.status, 400, 'the new length counts');
});

test('an unload by hand parks nothing, and one of a parked model ends its worker', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  await d.load('alpha');
  assert.equal((await d.unload('alpha')).status, 200);
  assert.deepEqual(await parked(d), []);
  const pid = await park(d, watch);
  assert.equal((await d.unload('alpha')).status, 200);
  assert.ok(!isAlive(pid));
  assert.equal((await parkedEvent(watch, 'alpha', 'given_up')).reason, 'user');
  assert.equal((await d.unload('alpha')).status, 404);
  const again = await park(d, watch);
  assert.equal((await run(d, ['unload', '--all'])).code, 0);
  assert.ok(!isAlive(again));
  const last = await park(d, watch);
  assert.equal((await run(d, ['unload', 'alph'])).out, 'Model "alpha" unloaded.\n');
  assert.ok(!isAlive(last));
});

test('doze ps shows it as parked, and the metrics count it', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  await park(d, watch);
  const { out } = await run(d, ['ps']);
  assert.match(out, /alpha\s+alpha\s+PARKED/);
  assert.deepEqual(JSON.parse((await run(d, ['ps', '--json'])).out), []); // of what is loaded
  const metrics = await (await d.fetch('/metrics')).text();
  assert.match(metrics, /^doze_parked_workers 1$/m);
  assert.match(metrics, /^doze_parked_total 1$/m);
  await d.chat('alpha');
  const later = await (await d.fetch('/metrics')).text();
  assert.match(later, /^doze_parked_workers 0$/m);
  assert.match(later, /^doze_parked_woken_total 1$/m);
});

test('the history and the fleet say what it holds, until it is gone', async (t) => {
  const d = await start(t);
  await park(d, await d.watch());
  const [{ memory_bytes: bytes }] = await parked(d);
  const newest = async () => (await d.get('/api/v1/history')).body.memory.at(-1);
  const held = async () => (await d.get('/api/v1/fleet')).body.nodes[0].parked_memory_bytes;
  const sample = await ask(newest, (s) => s.parked.length === 1, 'it is in a sample');
  assert.deepEqual(sample.parked, [{ model: 'alpha', bytes }]);
  assert.deepEqual(sample.instances, []);
  assert.equal(await ask(held, (n) => n > 0, 'the node says so'), bytes);
  assert.deepEqual((await d.get('/api/v1/fleet')).body.nodes[0].parked, ['alpha']);
  await d.unload('alpha');
  await ask(newest, (s) => s.parked.length === 0, 'a sample without it');
  await ask(held, (n) => n === 0, 'the node has none');
});

test('the server ends its parked workers', async (t) => {
  const d = await start(t);
  const pid = await park(d, await d.watch());
  await d.stop();
  assert.ok(!isAlive(pid));
});

test('a server that is killed leaves none behind', async (t) => {
  const d = await start(t);
  const pid = await park(d, await d.watch());
  d.kill('SIGKILL');
  await gone(pid);
});

test('a parked worker gives its context back', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  await d.chat('alpha');
  const { pid } = await d.instance('alpha');
  const before = statusField(pid, 'RssAnon');
  await d.chat('alpha', { ttl: 0 });
  await parkedEvent(watch, 'alpha', 'parked');
  await until(() => sanitized || statusField(pid, 'RssAnon') < before / 2, PATIENCE_MS,
    `less than half of ${before} kB`);
});
