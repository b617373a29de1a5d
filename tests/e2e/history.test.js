/* SPDX-License-Identifier: MIT */
// What happened is kept on disk: GET /api/v1/history and `doze log --events`.
// Waits: until the file is closed, and then for wake-ups that do not come.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { run } from './lib/cli.js';
import { Daemon } from './lib/daemon.js';
import { broken, spoken } from './lib/models.js';
import { wakeUps } from './lib/process.js';
import { speaking } from './lib/stream.js';

const start = (t, more = {}) => Daemon.start(t, { ...more,
  models: { alpha: spoken('Alpha is here.'), beta: spoken('Beta is here.'), ...more.models } });

const file = (d) => path.join(d.stateDir, 'history.db');

async function history(d, query = '') {
  const answer = await d.get(`/api/v1/history${query}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

const steps = (events) => events.map((e) => `${e.id} ${e.from} ${e.to} ${e.reason}`);

// A request that loads an instance which leaves at once.
async function comeAndGo(d, model) {
  const watch = await d.watch();
  await d.chat(model, { ttl: 0 });
  await watch.reaches(model, 'absent');
  return watch;
}

test('the history is what the events stream told', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  await d.chat('alpha');
  await d.chat('beta', { ttl: 0 }); // evicts alpha
  await watch.reaches('beta', 'absent');
  const { events, from, until, truncated } = await history(d);
  const told = watch.transitions();
  assert.deepEqual(steps(events), steps(told));
  assert.deepEqual(events.map((e) => e.seq), told.map((e) => e.seq));
  assert.deepEqual(events.map((e) => e.at), told.map((e) => e.at));
  assert.ok(events.every((e) => e.run === 1 && e.origin === 'jit' && e.generation >= 1));
  assert.ok(steps(events).includes('alpha idle unloading evicted_by:beta'));
  const loaded = events.find((e) => e.from === 'loading');
  assert.ok(loaded.memory_bytes > 0 && loaded.load_time_seconds > 0);
  assert.equal(events[0].memory_bytes, undefined);
  assert.equal(until - from, 86400000);
  assert.equal(truncated, false);
});

test('memory is sampled when instances come and go', async (t) => {
  const d = await start(t);
  await comeAndGo(d, 'alpha');
  const { memory } = await history(d);
  const residents = memory.map((m) => m.instances.map((i) => i.id).join());
  assert.ok(residents.includes('alpha'));
  for (const m of memory) assert.ok(m.total_bytes >= m.available_bytes && m.available_bytes > 0);
  const held = memory.flatMap((m) => m.instances).map((i) => i.bytes);
  assert.ok(held.every((bytes) => bytes > 0));
});

test('it outlives the run, also one that was killed', async (t) => {
  const d = await start(t);
  await comeAndGo(d, 'alpha');
  await history(d); // it is on disk now
  d.kill('SIGKILL');
  await d.exited;
  await d.launch();
  const first = (await history(d)).events;
  assert.equal(first.at(-1).to, 'absent');
  await d.chat('beta');
  await d.stop(); // beta leaves with it
  await d.launch();
  const { events } = await history(d);
  assert.deepEqual(events.slice(0, first.length), first);
  assert.ok(steps(events).includes('beta idle unloading shutdown'));
  assert.deepEqual([...new Set(events.map((e) => e.run))], [1, 2]);
  assert.equal(events.find((e) => e.run === 2).seq, 1);
});

test('a span and a limit choose; nonsense is refused', async (t) => {
  const d = await start(t);
  await comeAndGo(d, 'alpha');
  const all = (await history(d, '?since=1h')).events;
  const last = await history(d, '?since=1h&limit=2');
  assert.deepEqual(last.events, all.slice(-2));
  assert.equal(last.truncated, true);
  const [one] = all;
  const exact = await history(d, `?since=${one.at}&until=${one.at}`);
  assert.ok(exact.events.some((e) => e.seq === one.seq));
  assert.deepEqual(exact.events.filter((e) => e.at !== one.at), []);
  for (const [query, param] of [['since=yesterday', 'since'], ['until=-5', 'until'],
    ['limit=0', 'limit'], ['since=1h&until=2h', 'since']]) {
    const { status, body } = await d.get(`/api/v1/history?${query}`);
    assert.equal(status, 400);
    assert.equal(body.error.param, param);
  }
});

test('with an API key it is not for everybody', async (t) => {
  const d = await start(t, { settings: { api_key: 'secret' } });
  assert.equal((await d.get('/api/v1/history')).status, 401);
  const headers = { authorization: 'Bearer secret' };
  assert.equal((await d.get('/api/v1/history', { headers })).status, 200);
});

test('a failed load says why', async (t) => {
  const d = await start(t, { models: { bad: broken('missing-layer') } });
  const { status, body } = await d.chat('bad');
  assert.ok(status >= 500);
  const failed = (await history(d)).events.find((e) => e.reason === 'load_failed');
  assert.equal(failed.id, 'bad');
  assert.ok(body.error.message.includes(failed.error), `${body.error.message} / ${failed.error}`);
});

test('log --events: aligned, newest last, of all runs', async (t) => {
  const d = await start(t);
  await comeAndGo(d, 'alpha');
  await d.stop();
  await d.launch();
  await comeAndGo(d, 'beta');
  const { code, out, err } = await run(d, ['log', '--events', '--since', '1h']);
  assert.equal(code, 0, err);
  const lines = out.trimEnd().split('\n');
  assert.match(lines[0], /^TIME +INSTANCE +CHANGE +REASON$/);
  assert.match(lines[1],
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} +alpha +absent → loading +request$/);
  assert.match(lines.at(-1), /^\S+ \S+ +beta +unloading → absent +exited$/);
  assert.ok(lines.some((line) => /alpha +idle → unloading +ttl$/.test(line)));
  assert.doesNotMatch(out, /idle → busy/);
  const all = (await run(d, ['log', '--events', '--all'])).out;
  assert.match(all, /busy → idle/);
  const newest = (await run(d, ['log', '--events', '-n', '2'])).out.trimEnd().split('\n');
  assert.deepEqual(newest.slice(1), lines.slice(-2));
  const json = (await run(d, ['log', '--events', '--json'])).out.trimEnd().split('\n');
  assert.equal(json.length, lines.length - 1);
  assert.equal(JSON.parse(json.at(-1)).id, 'beta');
});

test('log --events: what a killed server took along is lost, before anything else happens',
  async (t) => {
  const d = await start(t);
  await d.load('alpha');
  await history(d); // it is on disk now
  d.kill('SIGKILL');
  await d.exited;
  await d.launch();
  const { out } = await run(d, ['log', '--events']);
  assert.match(out.trimEnd().split('\n').at(-1),
    /^ +alpha +idle → lost +the server ended without unloading it$/);
});

test('a damaged file is set aside, and the daemon says so', async (t) => {
  const d = await start(t);
  await comeAndGo(d, 'alpha');
  await d.stop();
  const bytes = fs.readFileSync(file(d));
  fs.writeFileSync(file(d), bytes.subarray(100)); // no head, no database
  await d.launch();
  await comeAndGo(d, 'beta');
  const { events } = await history(d);
  assert.ok(events.every((e) => e.id === 'beta'));
  assert.match(d.log, /history\.db is damaged; it was moved to .*history\.db\.corrupt/);
  assert.equal(fs.statSync(`${file(d)}.corrupt`).size, bytes.length - 100);
});

test('where it cannot be written: one warning, and models are served', async (t) => {
  const d = await start(t);
  await d.stop();
  fs.mkdirSync(file(d)); // nobody can write into this
  await d.launch();
  for (let i = 0; i < 3; i++) {
    await comeAndGo(d, 'alpha');
    const { status, body } = await d.get('/api/v1/history'); // has it written, too
    assert.equal(status, 500);
    assert.match(body.error.message, /history\.db cannot be used/);
  }
  assert.equal((await d.chat('alpha')).status, 200);
  await d.stop();
  assert.equal(d.log.match(/the history cannot be written/g).length, 1);
});

test('many ask while a model works', async (t) => {
  const d = await start(t, { models: { talker: spoken('on and on. ', '--loop') } });
  const abort = new AbortController();
  await speaking(d, 'talker', {}, { signal: abort.signal });
  const answers = await Promise.all(Array.from({ length: 20 }, () => history(d)));
  for (const { events } of answers) assert.ok(events.some((e) => e.to === 'busy'));
  abort.abort();
});

// Resolves when the write-ahead log is gone: all is written and the file is closed.
function closed(d) {
  const log = `${file(d)}-wal`;
  return new Promise((resolve) => {
    const watcher = fs.watch(d.stateDir, () => look());
    const look = () => {
      if (fs.existsSync(log)) return;
      watcher.close();
      resolve();
    };
    look();
  });
}

test('when all is written nothing wakes the daemon', async (t) => {
  const d = await start(t);
  await comeAndGo(d, 'alpha');
  await history(d);
  assert.ok(fs.existsSync(`${file(d)}-wal`));
  d.closeWatches();
  await closed(d);
  await d.get('/health'); // the daemon has done all that belongs to it
  const before = wakeUps(d.pid);
  // The window is what is measured; nothing is waited for.
  const woken = await new Promise((tell) => {
    setTimeout(() => tell(wakeUps(d.pid) - before), 5000);
  });
  // The client's kept-alive connections may end in the window.
  assert.ok(woken <= 5, `${woken} wake-ups`);
  assert.equal((fs.statSync(file(d)).mode & 0o777).toString(8), '600');
});
