// SPDX-License-Identifier: MIT
// Alone: a lender that stops may refuse what it is sent before it says that it takes memory back.
// A model that is larger than each machine, over two of them: docs/fleet.md.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { ask } from './lib/ask.js';
import { Daemon } from './lib/daemon.js';
import { Etcd, freePort, missing as skip } from './lib/etcd.js';
import { modelFile } from './lib/models.js';
import { until } from './lib/process.js';
import { sanitized } from './lib/programs.js';
import { speaking } from './lib/stream.js';

const MB = 1 << 20;
const KEY = 'a key of the fleet';

const shape = ['--size', '150M', '--type', 'q8_0', '--layers', '12', '--context', '4096'];
const large = () => modelFile('random', '--seed', '5', ...shape);
const talker = () => modelFile('spoken', '--loop', '--text', 'tick tock goes the clock. ',
  '--type', 'q8_0', '--size', '200M', '--context', '4096');

const load = { context_length: 1024, parallel: 1, threads: 1, repack: 'never' };
const greedy = { max_tokens: 24, temperature: 0 };
const fleet = async (d) => (await d.get('/api/v1/fleet')).body;

// Nodes a, b, … that know each other. own: of each, its models and its part of the setting fleet.
async function nodes(t, own) {
  const etcd = await Etcd.start(t);
  const ports = await Promise.all(own.map(freePort)); // a node that comes back has its port
  const list = await Promise.all(own.map(({ models = {}, memory_limit = 0, ...more }, i) =>
    Daemon.start(t, { models, args: ['--port', String(ports[i])],
      settings: { memory_limit, load,
        fleet: { etcd: etcd.url, node: 'abcdef'[i], key: KEY, ...more } } })));
  for (const d of list) await knows(d, list.length);
  return Object.assign(list, { etcd });
}

const knows = (d, count) => ask(() => fleet(d), (f) => f.nodes.length === count, `sees ${count}`);
const lends = (d, name, bytes) => ask(() => fleet(d), (f) => f.nodes.some((n) =>
  n.node === name && n.lend_free_bytes === bytes), `${name} lends ${bytes}`);

const workers = (d) => fs.readFileSync(`/proc/${d.pid}/task/${d.pid}/children`, 'utf8').trim()
  .split(' ').filter(Boolean).map(Number);

// What the servers and their workers listen on.
function listening(list) {
  const { stdout } = spawnSync('ss', ['-Hltnp'], { encoding: 'utf8' });
  const pids = list.flatMap((d) => [d.pid, ...workers(d)]);
  return stdout.split('\n').filter((line) => pids.some((pid) => line.includes(`pid=${pid},`)))
    .map((line) => line.split(/\s+/)[3]).sort();
}

async function refusal(d, model) {
  const answer = await d.chat(model, greedy);
  assert.ok(answer.status >= 400, `${answer.status}`);
  return answer.body.error.message;
}

test('a model that fits no node runs over two, and says what one says', { skip }, async (t) => {
  const alone = await Daemon.start(t, { models: { m: large() }, settings: { load } });
  const expected = await alone.chat('m', greedy);
  assert.equal(expected.status, 200, JSON.stringify(expected.body));
  await alone.stop();
  const [a, b] = await nodes(t, [
    { models: { m: large() }, memory_limit: 180 * MB },
    { memory_limit: 300 * MB, lend_memory: 290 * MB }]);
  await lends(a, 'b', 290 * MB);
  const before = listening([a, b]);
  assert.ok(before.length >= 2);
  const answer = await a.chat('m', greedy);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.body.choices[0].message.content, expected.body.choices[0].message.content);
  const [instance] = await a.instances();
  assert.equal(instance.device, 'memory of b');
  assert.ok(sanitized || instance.memory_bytes <= 180 * MB, `${instance.memory_bytes}`);
  assert.ok(instance.device_memory_bytes > 40 * MB, `${instance.device_memory_bytes}`);
  assert.deepEqual(listening([a, b]), before, 'nothing more listens than before');
  await a.unload(instance.id);
  await lends(a, 'b', 290 * MB);
});

test('a model that fits no node is refused unless memory is lent', { skip }, async (t) => {
  const [a, b] = await nodes(t, [
    { models: { m: large() }, memory_limit: 180 * MB }, { memory_limit: 300 * MB }]);
  assert.match(await refusal(a, 'm'), /no node of the fleet lends enough \(fleet\.lend_memory\)/);
  await b.settings({ fleet: { lend_memory: 20 * MB } }); // too little
  await lends(a, 'b', 20 * MB);
  assert.match(await refusal(a, 'm'), /no node of the fleet lends enough/);
  await b.settings({ fleet: { lend_memory: 290 * MB } });
  await lends(a, 'b', 290 * MB);
  const { body: { fleet: where } } = await b.get('/api/v1/explain?model=m');
  assert.deepEqual([where.node, where.rule], ['a', 'borrow']);
  assert.match(where.sentence, /^a: it has the file, and b lends it the memory that it lacks; /);
  const answer = await b.chat('m', greedy); // whichever node is asked
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.headers.get('x-doze-node'), 'a');
});

test('what is lent counts as used until it is given back', { skip }, async (t) => {
  const [a, b] = await nodes(t, [
    { models: { m: large() }, memory_limit: 180 * MB },
    { models: { m: large() }, memory_limit: 300 * MB, lend_memory: 290 * MB }]);
  await lends(a, 'b', 290 * MB);
  await a.load('m');
  await ask(() => fleet(a), (f) => f.nodes[1].lend_free_bytes < 150 * MB, 'less is left');
  assert.ok((await fleet(a)).nodes[1].memory_free_bytes < 150 * MB);
  const own = await b.post('/api/v1/models/load', { model: 'm' });
  assert.equal(own.status, 507, JSON.stringify(own.body));
  await a.unload('m');
  await lends(a, 'b', 290 * MB);
  await ask(() => b.post('/api/v1/models/load', { model: 'm' }), (r) => r.status === 200,
    'b has its memory again');
});

test('when the lender is killed the answer ends with a clear error, and the next is refused or '
  + 'placed again', { skip }, async (t) => {
  const [a, b, c] = await nodes(t, [
    { models: { m: talker() }, memory_limit: 180 * MB },
    { memory_limit: 300 * MB, lend_memory: 290 * MB }, { memory_limit: 300 * MB }]);
  await lends(a, 'b', 290 * MB);
  const stream = await speaking(a, 'm', { max_tokens: 800 });
  b.kill('SIGKILL');
  await stream.ended;
  assert.match(stream.error?.message ?? '', /'b', which lends memory to this model, was lost/);
  await ask(() => a.instances(), (list) => list.length === 0, 'its instance has left');
  await knows(a, 2);
  assert.match(await refusal(a, 'm'), /no node of the fleet lends enough|a moment ago/);
  await c.settings({ fleet: { lend_memory: 290 * MB } });
  await lends(a, 'c', 290 * MB);
  await ask(() => a.chat('m', greedy), (r) => r.status === 200, 'c lends now');
  assert.equal((await a.instance('m')).device, 'memory of c');
});

test('a lender that is frozen or stops ends the answer, too', { skip }, async (t) => {
  const [a, b] = await nodes(t, [
    { models: { m: talker() }, memory_limit: 180 * MB },
    { memory_limit: 300 * MB, lend_memory: 290 * MB }]);
  await lends(a, 'b', 290 * MB);
  const stream = await speaking(a, 'm', { max_tokens: 800 });
  b.kill('SIGSTOP');
  for (const pid of workers(b)) process.kill(pid, 'SIGSTOP');
  await stream.ended;
  assert.match(stream.error?.message ?? '', /'b', which lends memory to this model, has left/);
  b.kill('SIGCONT');
  await lends(a, 'b', 290 * MB);
  const second = await speaking(a, 'm', { max_tokens: 800 });
  await b.stop();
  await second.ended;
  // It stops taking bytes first, and whichever the borrower learns first ends the answer.
  assert.match(second.error?.message ?? '',
    /'b', which lends memory to this model, (took .* back|does not take what it is sent)/);
});

test('when the borrower is killed the lender has its memory again', { skip }, async (t) => {
  const [a, b] = await nodes(t, [
    { models: { m: talker() }, memory_limit: 180 * MB },
    { memory_limit: 300 * MB, lend_memory: 290 * MB }]);
  await lends(b, 'b', 290 * MB);
  await speaking(a, 'm', { max_tokens: 800 });
  a.kill('SIGKILL');
  await lends(b, 'b', 290 * MB);
  await until(() => workers(b).length <= 1, 30000, 'only a spare worker is left');
});

test('memory is lent to nodes that have the fleet key, and to nobody else', { skip }, async (t) => {
  const [a, b] = await nodes(t, [{ key: 'another key', models: { m: large() },
    memory_limit: 180 * MB }, { lend_memory: 290 * MB }]);
  const wish = { bytes: MB, engine: '', number: '0'.repeat(32) };
  const stranger = await b.post('/api/v1/fleet/memory', wish);
  assert.equal(stranger.status, 403, JSON.stringify(stranger.body));
  const forged = await b.post('/api/v1/fleet/memory', wish,
    { headers: { 'x-doze-pass': `a ${Date.now()} ${'0'.repeat(64)}` } });
  assert.equal(forged.status, 401);
  const bytes = await b.fetch(`/api/v1/fleet/memory/${'0'.repeat(32)}`, { method: 'POST',
    body: 'bytes' });
  assert.equal(bytes.status, 403);
  assert.match(await refusal(a, 'm'), /no node of the fleet lends enough/);
});
