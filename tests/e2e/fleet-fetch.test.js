// SPDX-License-Identifier: MIT
// A node gets the files of a model from another node's disk: docs/fleet.md.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { ask } from './lib/ask.js';
import { Daemon } from './lib/daemon.js';
import { Etcd, missing as skip } from './lib/etcd.js';
import { splitInto } from './lib/gguf.js';
import { Hub, sha256 } from './lib/hub.js';
import { adapter, seeing, spoken } from './lib/models.js';

const KEY = 'a key of the fleet';
const TEXT = 'It has come a long way.';
const FILE = 'test/m/m.gguf';
const bytes = fs.readFileSync(spoken(TEXT));
const sum = sha256(bytes);

const fleet = async (d) => (await d.get('/api/v1/fleet')).body;
const answeredBy = (answer) => answer.headers.get('x-doze-node');

const node = (t, etcd, name, { settings, ...more } = {}) => Daemon.start(t,
  { settings: { ...settings, fleet: { etcd: etcd.url, node: name, key: KEY } }, ...more });

// A node that only has the file and no memory; what it does with a request is `answers`' next.
class Peer {
  asked = []; // ranges
  sums = []; // of the files that were asked for

  // files: those of the model; the one file, if it has no others.
  static async start(t, etcd, name, answers, { size = bytes.length, files } = {}) {
    const peer = new Peer();
    peer.answers = answers;
    peer.files = new Map((files ?? [{ bytes }]).map((file) => [sha256(file.bytes), file.bytes]));
    const server = http.createServer((q, a) => peer.#answer(q, a)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => { server.closeAllConnections(); server.close(); });
    const url = `http://127.0.0.1:${server.address().port}`;
    const proof = crypto.createHmac('sha256', KEY).update(`doze node\0${name}\0${url}\0`)
      .digest('hex');
    await etcd.put(`/doze/nodes/${name}`, { url, proof, memory_limit_bytes: 1 });
    await etcd.put(`/doze/models/${name}`, { models: [
      { key: 'm', type: 'llm', size_bytes: size, sha256: sum, ...files
        ? { files: files.map((f) => ({ path: `test/m/${f.name}`, size_bytes: f.bytes.length,
          sha256: sha256(f.bytes) })) }
        : { path: FILE } }] });
    return peer;
  }

  #answer(q, a) {
    if (q.method === 'POST') { // a request that no other node can answer
      a.writeHead(507, { 'content-type': 'application/json' });
      a.end('{"error":{"message":"The model does not fit."}}');
      return;
    }
    const { range } = q.headers;
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')[1]);
    const wanted = /^\/api\/v1\/fleet\/files\/([0-9a-f]{64})$/.exec(q.url)[1];
    assert.ok(this.files.has(wanted), q.url);
    assert.match(q.headers['x-doze-pass'], /^a \d+ [0-9a-f]{64}$/);
    this.asked.push(from);
    this.sums.push(wanted);
    (this.answers.shift() ?? send)(a, from, this.files.get(wanted));
  }
}

const head = (a, from, { length }) => a.writeHead(from ? 206 : 200,
  from ? { 'content-range': `bytes ${from}-${length - 1}/${length}` } : {});
const send = (a, from, what) => {
  head(a, from, what);
  a.end(what.subarray(from));
};
const half = Math.floor(bytes.length / 2);
const diesAfter = (end) => (a, from, what) => {
  head(a, from, what);
  a.write(what.subarray(from, end), () => a.socket.end()); // a reset could lose what was sent
};
const sendSpoilt = (a, from, what) => {
  const spoilt = Buffer.from(what);
  spoilt[Math.floor(what.length / 2)] ^= 1;
  send(a, from, spoilt);
};

const knows = (d, ...names) => ask(() => fleet(d), ({ nodes }) =>
  names.every((name) => nodes.some((n) => n.node === name && n.models.length === 1)), 'knows it');
const partsOf = (d) => fs.readdirSync(path.join(d.modelsDir, 'test/m')).sort();

// tmpfs of older kernels has no attributes, and then no node knows its files' checksums.
const keepsAttributes = (folder) => spawnSync('python3',
  ['-c', 'import os,sys; os.setxattr(sys.argv[1], "user.doze.test", b"1")', folder]).status === 0;

test('the node with room gets the file from the one that has it, once for all', { skip },
  async (t) => {
    const etcd = await Etcd.start(t);
    const hub = await Hub.start(t, { 'people/Speaker-GGUF': { 'speaker.gguf': bytes } });
    const full = { settings: { memory_limit: 100000000 } }; // they load nothing
    const [a, b, c] = await Promise.all([node(t, etcd, 'a'),
      node(t, etcd, 'b', { ...full, env: { ...hub.env, HF_TOKEN: '' } }),
      node(t, etcd, 'c', full)]);
    if (!keepsAttributes(b.folder)) return t.skip('no extended attributes here');
    await b.post('/api/v1/models/download', { model: 'people/Speaker-GGUF' });
    await ask(() => fleet(c), ({ nodes }) => nodes.length === 3 && nodes[1].models[0]?.sha256);
    await knows(a, 'b');
    const { body: { fleet: why } } = await c.get('/api/v1/explain?model=speaker');
    assert.deepEqual([why.node, why.rule], ['a', 'fetch'], why.sentence);
    const answers = await Promise.all([a, c, a, c].map((d) => d.chat('speaker')));
    for (const answer of answers) {
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(answer.body.choices[0].message.content, TEXT);
      assert.equal(answeredBy(answer), 'a');
    }
    const own = path.join(a.modelsDir, 'people/Speaker-GGUF/speaker.gguf');
    assert.equal(sha256(fs.readFileSync(own)), sum);
    assert.deepEqual(fs.readdirSync(path.dirname(own)), ['speaker.gguf']);
    assert.equal(a.log.match(/has come from 'b'/g).length, 1);
    await ask(() => fleet(c), ({ nodes }) => nodes[0].models[0]?.sha256 === sum,
      'a has the file and knows its checksum');
    const stranger = await b.get(`/api/v1/fleet/files/${sum}`);
    assert.equal(stranger.status, 401);
    assert.match(stranger.body.error.message, /for the nodes of this server's fleet/);
  });

test('a model with adapters is not fetched, and is another one than without', { skip },
  async (t) => {
    const etcd = await Etcd.start(t);
    const hub = await Hub.start(t, { 'people/Speaker-GGUF': { 'speaker.gguf': bytes } });
    const [a, b] = await Promise.all([node(t, etcd, 'a'),
      node(t, etcd, 'b', { settings: { memory_limit: 100000000 },
        env: { ...hub.env, HF_TOKEN: '' } })]);
    if (!keepsAttributes(b.folder)) return t.skip('no extended attributes here');
    await b.post('/api/v1/models/download', { model: 'people/Speaker-GGUF' });
    const published = async () =>
      JSON.parse((await etcd.keys())['/doze/models/b'] ?? '{"models":[]}').models[0];
    const withPath = await ask(published, (model) => model?.path, 'others may fetch it');
    assert.equal(withPath.adapters, undefined);

    const lora = adapter(spoken(TEXT));
    const adapters = (scale) => ({ models: { speaker: { adapters: [{ path: lora, scale }] } } });
    await b.patch('/api/v1/settings', adapters(0.5));
    const first = await ask(published, (model) => model.adapters, 'others see that it has some');
    assert.equal(first.path, undefined);
    await b.patch('/api/v1/settings', adapters(1));
    await ask(published, (model) => model.adapters !== first.adapters, 'others see the change');
    const explained = async () => (await a.get('/api/v1/explain?model=speaker')).body.fleet;
    const why = await ask(explained, (it) => /adapters/.test(it?.sentence), 'a knows of them');
    assert.match(why.sentence, /\bb: .* Its settings name adapters, .* set the same adapters\.$/);
    assert.equal(answeredBy(await a.chat('speaker')), 'b', 'though a has more room');
    assert.equal(fs.existsSync(path.join(a.modelsDir, 'people')), false, 'nothing was fetched');
  });

test('a node that dies in the middle: the rest comes from another', { skip }, async (t) => {
  const etcd = await Etcd.start(t);
  const a = await node(t, etcd, 'a');
  const more = half + Math.floor(half / 2);
  const deaths = [diesAfter(half), diesAfter(more)];
  const dies = (...answer) => deaths.shift()(...answer);
  const peers = [await Peer.start(t, etcd, 'p', [dies]), await Peer.start(t, etcd, 'q', [dies])];
  await knows(a, 'p', 'q');
  const answer = await a.chat('m');
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.body.choices[0].message.content, TEXT);
  assert.deepEqual(peers.flatMap((p) => p.asked).sort((x, y) => x - y), [0, half, more]);
  assert.ok(peers.every((p) => p.asked.length > 0), 'the other is asked for the rest');
  assert.deepEqual(partsOf(a), ['m.gguf']);
});

test('wrong bytes never become a model, and are not fetched again at once', { skip }, async (t) => {
  const etcd = await Etcd.start(t);
  const a = await node(t, etcd, 'a');
  const peer = await Peer.start(t, etcd, 'p', [sendSpoilt, sendSpoilt]);
  await knows(a, 'p');
  const answer = await a.chat('m');
  assert.equal(answer.status, 503, JSON.stringify(answer.body));
  assert.match(answer.body.error.message, /m\.gguf could not be fetched .*with a wrong checksum/);
  assert.equal(answer.headers.get('retry-after'), '60');
  assert.deepEqual(partsOf(a).filter((name) => name.endsWith('.gguf')), []);
  assert.equal(peer.asked.length, 2);
  assert.equal((await a.chat('m')).status, 503);
  assert.equal(peer.asked.length, 2);
});

test('a disk that runs full is said, and what is there stays for later', { skip }, async (t) => {
  const etcd = await Etcd.start(t);
  const limit = bytes.length - 1000; // of a file, instead of the disk
  const a = await node(t, etcd, 'a',
    { wrap: ['env', '--ignore-signal=XFSZ', 'prlimit', `--fsize=${limit}`] });
  await Peer.start(t, etcd, 'p', []);
  await knows(a, 'p');
  const answer = await a.chat('m');
  assert.equal(answer.status, 507, JSON.stringify(answer.body));
  assert.match(answer.body.error.message, /The disk is full/);
  assert.deepEqual(partsOf(a).filter((name) => name.endsWith('.gguf')), []);
  assert.ok(fs.statSync(path.join(a.modelsDir, `${FILE}.peer.part`)).size > limit / 2);
});

test('a file that is larger than the disk is not asked for', { skip }, async (t) => {
  const etcd = await Etcd.start(t);
  const a = await node(t, etcd, 'a', { settings: { memory_limit: 4e15 } });
  const peer = await Peer.start(t, etcd, 'p', [], { size: 1e15 });
  await knows(a, 'p');
  assert.ok((await fleet(a)).nodes[0].disk_free_bytes < 1e15);
  const answer = await a.chat('m');
  assert.equal(answer.status, 507, JSON.stringify(answer.body)); // what the peer says
  assert.equal(peer.asked.length, 0);
});

// Two parts and a projector.
function partsOfModel(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-e2e-parts-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const [file, projector] = seeing();
  return [...splitInto(file, folder, 'm', 2).map((part) =>
    ({ name: path.basename(part), bytes: fs.readFileSync(part) })),
  { name: 'mmproj-m-f16.gguf', bytes: fs.readFileSync(projector) }];
}
const isWhole = (d, files, folder) => files.every((f) =>
  sha256(fs.readFileSync(path.join(d.modelsDir, folder, f.name))) === sha256(f.bytes));
const namesOf = (files) => files.map((f) => f.name).sort();
const ggufs = (d) => partsOf(d).filter((name) => name.endsWith('.gguf'));

test('a model of several parts comes with its projector', { skip }, async (t) => {
  const etcd = await Etcd.start(t);
  const files = partsOfModel(t);
  const hub = await Hub.start(t,
    { 'people/M-GGUF': Object.fromEntries(files.map((f) => [f.name, f.bytes])) });
  const [a, b] = await Promise.all([node(t, etcd, 'a'), node(t, etcd, 'b',
    { settings: { memory_limit: 100000000 }, env: { ...hub.env, HF_TOKEN: '' } })]);
  if (!keepsAttributes(b.folder)) return t.skip('no extended attributes here');
  await b.post('/api/v1/models/download', { model: 'people/M-GGUF' });
  await knows(a, 'b');
  const answer = await a.chat('m', { max_tokens: 3 });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answeredBy(answer), 'a');
  assert.deepEqual(fs.readdirSync(path.join(a.modelsDir, 'people/M-GGUF')).sort(), namesOf(files));
  assert.ok(isWhole(a, files, 'people/M-GGUF'));
  const { body: { models } } = await a.get('/api/v1/models');
  assert.deepEqual(models.map((m) => [m.key, m.capabilities.vision]), [['m', true]]);
});

test('half of the files are no model, and the rest comes later', { skip }, async (t) => {
  const etcd = await Etcd.start(t);
  const a = await node(t, etcd, 'a');
  const files = partsOfModel(t);
  const [first, second, third] = files.map((f) => sha256(f.bytes));
  const middle = Math.floor(files[1].bytes.length / 2);
  const peer = await Peer.start(t, etcd, 'p',
    [send, diesAfter(middle), send, sendSpoilt, sendSpoilt], { files });
  await knows(a, 'p');
  const answer = await a.chat('m');
  assert.equal(answer.status, 503, JSON.stringify(answer.body));
  assert.match(answer.body.error.message, /could not be fetched .*with a wrong checksum/);
  assert.deepEqual(peer.sums, [first, second, second, third, third]);
  assert.deepEqual(peer.asked, [0, 0, middle, 0, 0]);
  assert.deepEqual(ggufs(a), []);
  assert.deepEqual((await a.get('/api/v1/models')).body.models, []);
  await a.stop();
  await a.launch(); // it has forgotten the failure, not the files
  await knows(a, 'p');
  peer.sums = [];
  assert.equal((await a.chat('m', { max_tokens: 3 })).status, 200);
  assert.deepEqual(peer.sums, [third]);
  assert.deepEqual(partsOf(a).filter((name) => !name.endsWith('.wrong')), namesOf(files));
  assert.ok(isWhole(a, files, 'test/m'));
});

test('a file that has the name of one of a model stays, and the model does not come', { skip },
  async (t) => {
    const etcd = await Etcd.start(t);
    const a = await node(t, etcd, 'a');
    const files = partsOfModel(t);
    const other = path.join(a.modelsDir, 'test/m/mmproj-m-f16.gguf');
    fs.mkdirSync(path.dirname(other), { recursive: true });
    fs.writeFileSync(other, 'mine');
    await Peer.start(t, etcd, 'p', [], { files });
    await knows(a, 'p');
    const answer = await a.chat('m');
    assert.equal(answer.status, 503, JSON.stringify(answer.body));
    assert.match(answer.body.error.message, /another file at .*mmproj-m-f16\.gguf; move it away/);
    assert.deepEqual(ggufs(a), ['mmproj-m-f16.gguf']);
    assert.equal(fs.readFileSync(other, 'utf8'), 'mine');
  });
