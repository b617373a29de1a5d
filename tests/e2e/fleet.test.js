// SPDX-License-Identifier: MIT
// Waits: until the leases of nodes end, 10 s each.
// Several daemons and a real etcd: docs/fleet.md.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { ask } from './lib/ask.js';
import { run } from './lib/cli.js';
import { Daemon } from './lib/daemon.js';
import { Etcd, missing as skip } from './lib/etcd.js';
import { Hub, sha256 } from './lib/hub.js';
import { spoken } from './lib/models.js';
import { childrenOf } from './lib/process.js';

const SOON_MS = 7000; // sooner than a lease ends

const fleet = async (d) => (await d.get('/api/v1/fleet')).body;
const names = (answer) => answer.nodes.map((n) => n.node);
const sees = (d, expected) => ask(() => fleet(d),
  (answer) => names(answer).join() === expected.join(), `sees ${expected}`);

const node = (t, etcd, name, more = {}, options = {}) =>
  Daemon.start(t, { models: { [`of-${name}`]: spoken('Hi.') },
    settings: { fleet: { etcd: etcd.url, node: name, ...more } }, ...options });

async function three(t) {
  const etcd = await Etcd.start(t);
  const nodes = await Promise.all(['a', 'b', 'c'].map((name) => node(t, etcd, name)));
  for (const d of nodes) await sees(d, ['a', 'b', 'c']);
  return { etcd, nodes };
}

const count = (log, pattern) => log.match(new RegExp(pattern, 'g'))?.length ?? 0;

test('three nodes see each other, their models and what is loaded where', { skip }, async (t) => {
  const { etcd, nodes: [a, b, c] } = await three(t);
  const answer = await ask(() => fleet(c),
    ({ nodes }) => nodes.every((n) => n.models.length === 1));
  assert.equal(answer.node, 'c');
  assert.equal(answer.etcd.reached, true);
  assert.equal(answer.etcd.url, etcd.url);
  assert.ok(Math.abs(Date.now() - answer.etcd.since) < 60000);
  assert.equal(answer.etcd.problem, null);
  const [first] = answer.nodes;
  assert.equal(first.url, a.url);
  assert.equal(first.version, '0.1.0');
  assert.ok(first.memory_limit_bytes >= first.memory_free_bytes && first.memory_free_bytes > 0);
  assert.ok(first.cores >= 1);
  assert.equal(first.same_key, null);
  assert.equal(first.models[0].key, 'of-a');
  assert.ok(first.models[0].size_bytes > 1000);
  assert.deepEqual(first.resident, []);

  await b.chat('of-b', { max_tokens: 2 });
  const loaded = await ask(() => fleet(a),
    ({ nodes }) => nodes[1].resident[0]?.state === 'idle', 'a sees the model of b');
  const [resident] = loaded.nodes[1].resident;
  assert.equal(resident.model, 'of-b');
  assert.equal(resident.id, 'of-b');
  assert.equal(resident.ttl, 3600);
  assert.ok(resident.idle_expires_at > Date.now());
  assert.ok(resident.context_length > 0 && resident.memory_bytes > 0);
  await b.unload('of-b');
  await ask(() => fleet(a), ({ nodes }) => nodes[1].resident.length === 0, 'a sees it go');
  assert.deepEqual(Object.keys(await etcd.keys()).sort(),
    ['a', 'b', 'c'].flatMap((n) => [`/doze/models/${n}`, `/doze/nodes/${n}`]).sort());
});

const targetOf = (link) => {
  try { return fs.readlinkSync(link); } catch { return ''; } // it has just been closed
};

// Inodes of the TCP sockets that a process has.
function connectionsOf(pid) {
  const tcp = fs.readFileSync('/proc/self/net/tcp', 'utf8').split('\n').slice(1)
    .map((line) => line.trim().split(/\s+/)[9]);
  return fs.readdirSync(`/proc/${pid}/fd`)
    .map((fd) => /^socket:\[(\d+)\]/.exec(targetOf(`/proc/${pid}/fd/${fd}`))?.[1])
    .filter((inode) => inode && tcp.includes(inode));
}

test('a worker has none of the connections to etcd and other nodes', { skip }, async (t) => {
  const { nodes: [a, b] } = await three(t);
  await b.load('of-b');
  await ask(() => fleet(a), ({ nodes }) => nodes[1].resident[0]?.state === 'idle');
  assert.equal((await a.chat('of-b', { max_tokens: 2 })).status, 200);
  await a.load('of-a');
  assert.ok(connectionsOf(a.pid).length >= 3);
  for (const pid of childrenOf(a.pid)) assert.deepEqual(connectionsOf(pid), []);
});

test('a node that is killed vanishes within 10 s, one that stops at once', { skip }, async (t) => {
  const { nodes: [a, b, c] } = await three(t);
  const killed = Date.now();
  b.kill('SIGKILL');
  await sees(a, ['a', 'c']);
  const took = Date.now() - killed;
  t.diagnostic(`vanished after ${took} ms`);
  assert.ok(took < 20000, `${took} ms`); // and what the machine stalls
  const stopped = Date.now();
  await c.stop();
  await sees(a, ['a']);
  assert.ok(Date.now() - stopped < SOON_MS);
});

test('etcd stopped: 10 s later each is alone and says so once; both pass', { skip }, async (t) => {
  const { etcd, nodes } = await three(t);
  const [a] = nodes;
  await etcd.stop('SIGKILL'); // a polite stop may take as long as the table lasts
  const unreached = await ask(() => fleet(a), ({ etcd: e }) => !e.reached, 'a notices');
  assert.ok(unreached.etcd.valid_until > Date.now());
  assert.match(unreached.etcd.problem, /127\.0\.0\.1/);
  assert.deepEqual(names(unreached), ['a', 'b', 'c']); // the last table, for a while
  for (const d of nodes) await ask(() => fleet(d), ({ nodes: n }) => n.length === 1, 'alone');
  assert.equal((await a.chat('of-a', { max_tokens: 2 })).status, 200);
  assert.equal((await fleet(a)).etcd.valid_until, null);
  await etcd.launch();
  for (const d of nodes) await sees(d, ['a', 'b', 'c']);
  await ask(() => fleet(nodes[1]), ({ nodes: n }) => n[0].resident[0]?.model === 'of-a');
  for (const d of nodes) {
    await ask(() => count(d.log, 'fleet: .* is one of'), (n) => n === 2);
    assert.equal(count(d.log, 'serves alone and keeps trying'), 1, d.log);
  }
});

test('frozen and thawed: a node is gone and back, as is etcd', { skip }, async (t) => {
  const { etcd, nodes: [a, b] } = await three(t);
  b.kill('SIGSTOP');
  await sees(a, ['a', 'c']);
  b.kill('SIGCONT');
  await sees(a, ['a', 'b', 'c']);
  await sees(b, ['a', 'b', 'c']);
  etcd.child.kill('SIGSTOP'); // its connections stay open
  await sees(a, ['a']);
  assert.equal((await fleet(a)).etcd.reached, false);
  etcd.child.kill('SIGCONT');
  await sees(a, ['a', 'b', 'c']);
  await sees(b, ['a', 'b', 'c']);
});

test('a daemon that is killed and started again is back at once', { skip }, async (t) => {
  const etcd = await Etcd.start(t);
  const a = await node(t, etcd, 'a');
  const b = await node(t, etcd, 'b', { url: 'http://b.example:1234' });
  await sees(a, ['a', 'b']);
  const before = (await fleet(a)).nodes[1].boot_id;
  b.kill('SIGKILL');
  await b.exited;
  const begun = Date.now();
  await b.launch();
  await ask(() => fleet(a), ({ nodes }) => nodes[1]?.boot_id !== before, 'another run of b');
  assert.ok(Date.now() - begun < SOON_MS);
  assert.equal(count(b.log, 'has the node name'), 0);
});

test('the fleet is switched on and off by a setting; its key is shown as stars', { skip },
  async (t) => {
    const etcd = await Etcd.start(t);
    const a = await node(t, etcd, 'a', { key: 'open sesame' });
    const d = await Daemon.start(t, { models: { m: spoken('Hi.') } });
    const off = await fleet(d);
    assert.equal(off.etcd, null);
    assert.equal(off.nodes.length, 1);
    assert.equal(off.nodes[0].node, off.node);
    assert.equal(off.nodes[0].models[0].key, 'm');
    const named = etcd.url.replace('127.0.0.1', 'localhost'); // looked up by a thread
    const shown = await d.settings({ fleet: { etcd: ['http://127.0.0.1:1', named], node: 'd',
      key: 'open sesame' } });
    assert.equal(shown.fleet.key, '********');
    await sees(a, ['a', 'd']); // by the second URL
    assert.equal((await fleet(d)).etcd.url, named);
    const keys = JSON.stringify(await etcd.keys());
    assert.doesNotMatch(keys, /sesame/);
    await ask(() => fleet(a), ({ nodes }) => nodes.every((n) => n.same_key === true));
    await d.settings({ fleet: { key: 'another' } });
    await ask(() => fleet(a), ({ nodes }) => nodes[1]?.same_key === false, 'another key is seen');
    const left = Date.now();
    await d.settings({ fleet: null });
    assert.equal((await fleet(d)).etcd, null);
    await sees(a, ['a']);
    assert.ok(Date.now() - left < SOON_MS, 'it gives its lease back');
    const refused = await d.patch('/api/v1/settings', { fleet: { etcd: 'nonsense' } });
    assert.equal(refused.status, 400);
    assert.match(refused.body.error.message, /must be a URL such as/);
  });

test('two daemons with one name: the second one says so', { skip }, async (t) => {
  const etcd = await Etcd.start(t);
  const a = await node(t, etcd, 'a');
  await ask(() => etcd.keys(), (keys) => '/doze/nodes/a' in keys);
  const again = await node(t, etcd, 'a');
  const answer = await ask(() => fleet(again), ({ etcd: e }) => e.name_taken_by, 'it is told');
  assert.equal(answer.etcd.name_taken_by, a.url);
  await ask(() => again.log, (log) => count(log, `${a.url} has the node name 'a'`) === 1);
  assert.equal((await fleet(a)).nodes[0].url, a.url);
  await again.settings({ fleet: { node: 'b' } });
  await sees(a, ['a', 'b']);
});

// tmpfs of older kernels has no attributes.
const keepsAttributes = (folder) => spawnSync('python3',
  ['-c', 'import os,sys; os.setxattr(sys.argv[1], "user.doze.test", b"1")', folder]).status === 0;

test('the checksum of a model is known where nobody has to read it', async (t) => {
  const model = spoken('Hi.');
  const sum = sha256(fs.readFileSync(model));
  const hub = await Hub.start(t, { 'people/Speaker-GGUF': { 'got.gguf': model } });
  const d = await Daemon.start(t, { models: { own: model }, env: { ...hub.env, HF_TOKEN: '' } });
  const cache = path.join(d.modelsDir, 'models--people--Cached');
  fs.mkdirSync(path.join(cache, 'blobs'), { recursive: true });
  fs.mkdirSync(path.join(cache, 'snapshots/1'), { recursive: true });
  fs.copyFileSync(model, path.join(cache, 'blobs', sum));
  fs.symlinkSync(`../../blobs/${sum}`, path.join(cache, 'snapshots/1/cached.gguf'));
  await d.post('/api/v1/models/download', { model: 'people/Speaker-GGUF' });
  const { nodes: [{ models }] } = await ask(() => fleet(d),
    ({ nodes: [n] }) => n.models.length === 3, 'all three models');
  const known = Object.fromEntries(models.map((m) => [m.key, m.sha256]));
  const kept = keepsAttributes(d.folder) ? sum : null;
  assert.deepEqual(known, { cached: sum, got: kept, own: null });
});

test('doze fleet: a table for people, JSON for programs', { skip }, async (t) => {
  const { nodes: [a, b] } = await three(t);
  await b.load('of-b');
  await ask(() => fleet(a), ({ nodes }) => nodes[1].resident[0]?.state === 'idle');
  const table = await run(a, ['fleet']);
  assert.equal(table.code, 0, table.err);
  assert.match(table.out, /^NODE\s+URL\s+/);
  assert.match(table.out, new RegExp(`^a \\*\\s+${a.url}\\s`, 'm'));
  assert.match(table.out, new RegExp(`^b\\s+${b.url}\\s.*of-b`, 'm'));
  assert.match(table.out, /^etcd at http:\/\/127\.0\.0\.1:\d+ has answered for \d+s\.$/m);
  const json = await run(a, ['fleet', '--json']);
  assert.deepEqual(names(JSON.parse(json.out)), ['a', 'b', 'c']);
});

test('doze fleet right after the setting: etcd has not answered yet', async (t) => {
  const etcd = { url: 'http://10.0.0.1:2379', reached: false, problem: null };
  const server = http.createServer((q, a) => {
    a.writeHead(200, { 'content-type': 'application/json' });
    a.end(JSON.stringify({ node: 'a', etcd: { ...etcd, since: Date.now() }, nodes: [] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  const at = { folder: '/nowhere', port: server.address().port };
  const says = async () => (await run(at, ['fleet'])).out;
  assert.match(await says(), /^etcd at http:\/\/10\.0\.0\.1:2379 has not answered yet\.$/m);
  etcd.problem = 'refused';
  assert.match(await says(), /^etcd at .* has not answered for \d+s: refused$/m);
});

test('doze fleet without a fleet says how to make one', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hi.') } });
  const table = await run(d, ['fleet']);
  assert.equal(table.code, 0);
  assert.match(table.out, /settings set fleet/);
  assert.equal(JSON.parse((await run(d, ['fleet', '--json'])).out).etcd, null);
});
