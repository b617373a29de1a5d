/* SPDX-License-Identifier: MIT */
// Getting models from a hub: names, plans, transfers that go wrong, and what is left of them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { Hub, sha256 } from './lib/hub.js';
import { spoken } from './lib/models.js';

const REPO = 'people/Speaker-GGUF';
const FILE = 'speaker-q4_k_m.gguf';
const model = () => spoken('Hello there.');

async function start(t, { repos, ...more } = {}) {
  const hub = await Hub.start(t, repos ?? { [REPO]: { [FILE]: model() } });
  const d = await Daemon.start(t, { ...more, env: { ...hub.env, HF_TOKEN: '', ...more.env } });
  return { hub, d };
}

const download = (d, body) => d.post('/api/v1/models/download', body);
const placeOf = (d, repo = REPO, file = FILE) => path.join(d.modelsDir, repo, file);

const status = async (d, id) => (await d.get(`/api/v1/models/download/status/${id}`)).body;

// The first of these that the events tell of a download, or that it is already.
async function reaches(d, id, fits) {
  const watch = await d.watch();
  const now = await status(d, id);
  return fits(now) ? now : watch.first((e) => e.name === 'download' && e.job_id === id && fits(e));
}

const ended = (d, id) =>
  reaches(d, id, (job) => ['completed', 'failed', 'paused'].includes(job.status));
const begun = (d, id) => reaches(d, id, (job) => job.downloaded_bytes > 0);

async function get(d, body) {
  const answer = await download(d, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return ended(d, answer.body.job_id);
}

// A file of this many bytes that is no model.
const noise = (size) => crypto.randomBytes(size);

test('a downloaded model answers', async (t) => {
  const { d } = await start(t);
  const answer = await download(d, { model: REPO });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.body.status, 'downloading');
  assert.equal(answer.body.total_size_bytes, fs.statSync(model()).size);
  assert.match(answer.body.started_at, /^20\d\d-.*Z$/);
  const end = await ended(d, answer.body.job_id);
  assert.equal(end.status, 'completed', JSON.stringify(end));
  assert.equal(end.downloaded_bytes, end.total_size_bytes);
  assert.deepEqual(fs.readdirSync(path.dirname(placeOf(d))), [FILE]);
  const chat = await d.chat('speaker');
  assert.equal(chat.body.choices[0].message.content.trim(), 'Hello there.');
});

test('what is there already is not fetched', async (t) => {
  const { d, hub } = await start(t);
  await get(d, { model: REPO });
  const before = hub.requests.filter((r) => r.port === 'content').length;
  const again = await download(d, { model: `${REPO}@q4_k_m` });
  assert.equal(again.body.status, 'already_downloaded');
  assert.equal(again.body.job_id, undefined);
  assert.equal(hub.requests.filter((r) => r.port === 'content').length, before);
});

test('the quantization that is named, else Q4_K_M, else Q8_0', async (t) => {
  const files = { 'm-Q8_0.gguf': noise(300), 'm-Q2_K.gguf': noise(100),
    'm-Q4_K_M.gguf': noise(200) };
  const { 'm-Q4_K_M.gguf': _, ...rest } = files;
  const { d } = await start(t, { repos: { 'a/all': files, 'a/rest': rest } });
  const plan = async (body) => (await download(d, { dry_run: true, ...body })).body;
  assert.equal((await plan({ model: 'a/all' })).quantization, 'Q4_K_M');
  assert.equal((await plan({ model: 'a/rest' })).quantization, 'Q8_0');
  assert.equal((await plan({ model: 'a/all@q2_k' })).total_size_bytes, 100);
  assert.equal((await plan({ model: 'a/all', quantization: 'Q8_0' })).total_size_bytes, 300);
  assert.equal((await plan({ model: 'hf.co/a/all:Q2_K' })).total_size_bytes, 100);
  assert.equal((await plan({ model: 'a/all/m-Q8_0.gguf' })).quantization, 'Q8_0');
  assert.equal((await plan({ model: 'a/all' })).status, 'planned');
  const unknown = await download(d, { model: 'a/all@q5_0' });
  assert.equal(unknown.status, 404);
  assert.match(unknown.body.error.message, /Q8_0, Q2_K, Q4_K_M/);
  assert.deepEqual((await d.get('/api/v1/downloads')).body.downloads, []);
});

test('a split model and its projector come together, over pages of the list', async (t) => {
  const part = (i) => `big-Q4_K_M-0000${i}-of-00003.gguf`;
  const { d, hub } = await start(t, { repos: { 'a/big': { [part(2)]: noise(50),
    [part(1)]: noise(40), 'mmproj-big-F16.gguf': noise(9), [part(3)]: noise(60),
    'README.md': noise(5) } } });
  hub.pageSize = 2;
  const end = await get(d, { model: 'a/big' });
  assert.equal(end.status, 'completed', JSON.stringify(end));
  assert.equal(end.total_size_bytes, 159);
  assert.deepEqual(fs.readdirSync(path.join(d.modelsDir, 'a/big')).sort(),
    [part(1), part(2), part(3), 'mmproj-big-F16.gguf']);
});

test('a connection that is cut goes on where it was', async (t) => {
  const bytes = noise(300000);
  const { d, hub } = await start(t, { repos: { [REPO]: { [FILE]: bytes } } });
  hub.faults.push({ cutAfter: 100000 }, { cutAfter: 50000 });
  const end = await get(d, { model: REPO });
  assert.equal(end.status, 'completed', JSON.stringify(end));
  assert.equal(sha256(fs.readFileSync(placeOf(d))), sha256(bytes));
  const ranges = hub.requests.filter((r) => r.port === 'content').map((r) => r.range);
  assert.equal(ranges.length, 3);
  assert.equal(ranges[0], undefined);
  assert.match(ranges[2], /^bytes=1\d\d\d\d\d-$/);
});

test('a range that the host does not have (416): it begins again', async (t) => {
  const bytes = noise(200000);
  const { d, hub } = await start(t, { repos: { [REPO]: { [FILE]: bytes } } });
  hub.faults.push({ cutAfter: 100000 }, { status: 416 });
  const end = await get(d, { model: REPO });
  assert.equal(end.status, 'completed', JSON.stringify(end));
  assert.equal(sha256(fs.readFileSync(placeOf(d))), sha256(bytes));
  const ranges = hub.requests.filter((r) => r.port === 'content').map((r) => r.range);
  assert.match(ranges[1], /^bytes=1\d\d\d\d\d-$/);
  assert.equal(ranges[2], undefined);
});

test('a host that knows no ranges sends it all again', async (t) => {
  const bytes = noise(200000);
  const { d, hub } = await start(t, { repos: { [REPO]: { [FILE]: bytes } } });
  hub.faults.push({ cutAfter: 100000 }, { ignoreRange: true });
  const end = await get(d, { model: REPO });
  assert.equal(end.status, 'completed', JSON.stringify(end));
  assert.equal(sha256(fs.readFileSync(placeOf(d))), sha256(bytes));
});

// ---- a large file, over several connections ----

const LARGE = 257e6;
const PIECE = 4 << 20;
const PIECES_AHEAD = 8; // RANGE_PIECES of hub_ranges.h
const large = () => noise(LARGE);
const beginOf = (range) => Number(/^bytes=(\d+)-\d+$/.exec(range)[1]);
const rangesOf = (hub) => hub.requests.filter((r) => r.port === 'content').map((r) => r.range);

test('a large file comes in ranges over several connections, and is right', async (t) => {
  const { hub, d } = await start(t, { repos: { [REPO]: { [FILE]: large() } } });
  hub.faults = [{ bytesPerSecond: 8e6 }]; // the others wait for the first piece, in memory
  const end = await get(d, { model: REPO });
  assert.equal(end.status, 'completed', JSON.stringify(end));
  assert.equal(sha256(fs.readFileSync(placeOf(d))), sha256(hub.repos.get(REPO).get(FILE)));
  const begins = rangesOf(hub).map(beginOf);
  assert.deepEqual([...begins].sort((a, b) => a - b),
    Array.from({ length: Math.ceil(LARGE / PIECE) }, (_, i) => i * PIECE));
  assert.equal(hub.contentSockets.size, 4);
});

test('a large file over one connection, if the settings say so', async (t) => {
  const { hub, d } = await start(t, { repos: { [REPO]: { [FILE]: large() } } });
  await d.patch('/api/v1/settings', { download_connections: 1 });
  assert.equal((await get(d, { model: REPO })).status, 'completed');
  assert.deepEqual(rangesOf(hub), [undefined]);
});

test('a host that knows no ranges sends a large file in one', async (t) => {
  const { hub, d } = await start(t, { repos: { [REPO]: { [FILE]: large() } } });
  hub.always = { ignoreRange: true };
  const end = await get(d, { model: REPO });
  assert.equal(end.status, 'completed', JSON.stringify(end));
  assert.equal(rangesOf(hub).at(-1), undefined);
  assert.equal(sha256(fs.readFileSync(placeOf(d))), sha256(hub.repos.get(REPO).get(FILE)));
});

test('a range that is cut, and one of other bytes: the file goes on where it was', async (t) => {
  const { hub, d } = await start(t, { repos: { [REPO]: { [FILE]: large() } } });
  // Asked for only when the first piece is in the file: no more are asked for ahead of it.
  const first = Array(PIECES_AHEAD).fill({});
  hub.faults = [...first, { cutAfter: 1000 }, ...first, { shift: 5 }];
  const end = await get(d, { model: REPO });
  assert.equal(end.status, 'completed', JSON.stringify(end));
  assert.equal(sha256(fs.readFileSync(placeOf(d))), sha256(hub.repos.get(REPO).get(FILE)));
  const again = rangesOf(hub).filter((r) => r === 'bytes=0-4194303').length;
  assert.equal(again, 1); // what was there is not fetched again
});

test('a large download that is paused goes on where it was', async (t) => {
  const { hub, d } = await start(t, { repos: { [REPO]: { [FILE]: large() } } });
  hub.always = { bytesPerSecond: 20e6 };
  const { body } = await download(d, { model: REPO });
  await reaches(d, body.job_id, (job) => job.downloaded_bytes > 5e6);
  await d.patch(`/api/v1/downloads/${body.job_id}`, { status: 'paused' });
  await ended(d, body.job_id);
  const there = fs.statSync(`${placeOf(d)}.part`).size; // its end may still grow
  hub.always = {};
  hub.requests.length = 0;
  await d.patch(`/api/v1/downloads/${body.job_id}`, { status: 'downloading' });
  assert.equal((await ended(d, body.job_id)).status, 'completed');
  assert.ok(there > 0);
  for (const range of rangesOf(hub)) assert.ok(beginOf(range) >= there, `${range} ${there}`);
  assert.equal(sha256(fs.readFileSync(placeOf(d))), sha256(hub.repos.get(REPO).get(FILE)));
});

test('a busy hub is asked again when it says', async (t) => {
  const { d, hub } = await start(t);
  hub.faults.push({ status: 429, headers: { 'Retry-After': '1' } }, { status: 503 });
  const began = performance.now();
  assert.equal((await get(d, { model: REPO })).status, 'completed');
  assert.ok(performance.now() - began >= 999, 'Retry-After was not waited for');
});

test('one wrong byte: the file is fetched once more', async (t) => {
  const { d, hub } = await start(t);
  hub.faults.push({ wrongByteAt: 1000 });
  assert.equal((await get(d, { model: REPO })).status, 'completed');
  assert.equal(sha256(fs.readFileSync(placeOf(d))), sha256(fs.readFileSync(model())));
});

test('a wrong checksum twice fails, and no model appears', async (t) => {
  const { d, hub } = await start(t);
  hub.faults.push({ wrongByteAt: 1000 }, { wrongByteAt: 2000 });
  const end = await get(d, { model: REPO });
  assert.equal(end.status, 'failed');
  assert.match(end.error, /checksum/);
  assert.ok(!fs.existsSync(placeOf(d)));
  assert.ok(fs.existsSync(`${placeOf(d)}.part.wrong`), 'the damaged bytes are kept aside');
});

test('the token goes to the hub only', async (t) => {
  const { d, hub } = await start(t, { env: { HF_TOKEN: 'hf_good' } });
  hub.gated.add(REPO);
  assert.equal((await get(d, { model: REPO })).status, 'completed');
  const with_ = (port) => hub.requests.filter((r) => r.port === port)
    .map((r) => r.token ?? 'none');
  assert.deepEqual([...new Set(with_('api'))], ['Bearer hf_good']);
  assert.deepEqual([...new Set(with_('content'))], ['none']);
});

test('gated, unknown, and no such revision: a sentence with the next step', async (t) => {
  const { d, hub } = await start(t);
  const refused = async (body, status, pattern) => {
    const answer = await download(d, body);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.match(answer.body.error.message, pattern);
  };
  await refused({ model: 'nobody/nothing' }, 404, /no repository nobody\/nothing.*HF_TOKEN/);
  await refused({ model: REPO, revision: 'v9' }, 404, /revision 'v9'/);
  await refused({ model: 'words' }, 400, /search/);
  await refused({ model: '../etc/passwd' }, 400, /search/);
  hub.gated.add(REPO);
  const end = await get(d, { model: REPO });
  assert.equal(end.status, 'failed');
  assert.match(end.error, /gated: accept its terms/);
});

test('HF_HUB_OFFLINE is respected', async (t) => {
  const { d, hub } = await start(t, { env: { HF_HUB_OFFLINE: '1' } });
  const answer = await download(d, { model: REPO });
  assert.equal(answer.status, 400);
  assert.match(answer.body.error.message, /HF_HUB_OFFLINE/);
  assert.equal(hub.requests.length, 0);
});

test('two asks for one file are one job', async (t) => {
  const bytes = noise(400000);
  const { d, hub } = await start(t, { repos: { [REPO]: { [FILE]: bytes } } });
  hub.faults.push({ bytesPerSecond: 400000 });
  const [a, b] = await Promise.all([download(d, { model: REPO }),
    download(d, { model: `https://huggingface.co/${REPO}` })]);
  assert.equal(a.body.job_id, b.body.job_id);
  assert.equal((await ended(d, a.body.job_id)).status, 'completed');
  assert.equal(hub.requests.filter((r) => r.port === 'content').length, 1);
});

test('pause, resume, remove', async (t) => {
  const bytes = noise(2000000);
  const { d, hub } = await start(t, { repos: { [REPO]: { [FILE]: bytes } } });
  hub.faults.push({ bytesPerSecond: 500000 });
  const { body: { job_id: id } } = await download(d, { model: REPO });
  await begun(d, id);
  const change = (job, to) => d.patch(`/api/v1/downloads/${job}`, { status: to });
  assert.equal((await change(id, 'paused')).body.status, 'paused');
  assert.equal((await change('nothing', 'paused')).status, 404);
  assert.equal((await change(id, 'faster')).status, 400);
  const resumed = await change(id, 'downloading');
  assert.equal(resumed.body.status, 'downloading');
  assert.equal((await ended(d, id)).status, 'completed');
  assert.equal(sha256(fs.readFileSync(placeOf(d))), sha256(bytes));
  assert.match(hub.requests.findLast((r) => r.port === 'content').range, /^bytes=\d+-$/);
  assert.equal((await d.json('DELETE', `/api/v1/downloads/${id}`)).status, 200);
  assert.deepEqual((await d.get('/api/v1/downloads')).body.downloads, []);
  assert.ok(fs.existsSync(placeOf(d)), 'a whole file stays');
});

test('removing a download deletes what was fetched', async (t) => {
  const { d, hub } = await start(t, { repos: { [REPO]: { [FILE]: noise(2000000) } } });
  hub.faults.push({ bytesPerSecond: 200000 });
  const { body: { job_id: id } } = await download(d, { model: REPO });
  await begun(d, id);
  const watch = await d.watch();
  await d.json('DELETE', `/api/v1/downloads/${id}`);
  await watch.first((e) => e.name === 'download' && e.status === 'removed');
  assert.ok(!fs.existsSync(path.dirname(placeOf(d))));
  assert.equal((await d.get(`/api/v1/models/download/status/${id}`)).status, 404);
});

test('a file in the Hugging Face cache is linked, not fetched', async (t) => {
  const cache = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-hf-')); // as the models' folder
  t.after(() => fs.rmSync(cache, { recursive: true }));
  const { d, hub } = await start(t, { env: { HF_HUB_CACHE: cache } });
  const blobs = path.join(cache, `models--${REPO.replace('/', '--')}`, 'blobs');
  const blob = path.join(blobs, sha256(fs.readFileSync(model())));
  fs.mkdirSync(blobs, { recursive: true });
  fs.copyFileSync(model(), blob);
  assert.equal((await get(d, { model: REPO })).status, 'completed');
  assert.equal(hub.requests.filter((r) => r.port === 'content').length, 0);
  assert.equal(fs.statSync(placeOf(d)).ino, fs.statSync(blob).ino);
});

test('a search says what would be got, its size, and whether it fits', async (t) => {
  const { d } = await start(t, { repos: {
    'a/one-GGUF': { 'one-Q4_K_M.gguf': noise(500), 'one-Q8_0.gguf': noise(900) },
    'b/other-GGUF': { 'other-Q8_0.gguf': noise(70) } } });
  const { body } = await d.get('/api/v1/models/search?q=one');
  assert.deepEqual(body.results, [{ model: 'a/one-GGUF', downloads: 1000, likes: 10,
    quantization: 'Q4_K_M', quantizations: 'Q4_K_M, Q8_0', size_bytes: 500, fits: true }]);
  assert.equal((await d.get('/api/v1/models/search')).body.results.length, 2);
});

test('events tell of a download', async (t) => {
  const { d } = await start(t);
  const watch = await d.watch();
  const { body: { job_id: id } } = await download(d, { model: REPO });
  const event = await watch.first((e) => e.name === 'download' && e.status === 'completed');
  assert.equal(event.job_id, id);
});

test('a stopped daemon resumes its downloads, and the others stay as they were', async (t) => {
  const bytes = noise(1000000);
  const { d, hub } = await start(t, { repos: { [REPO]: { [FILE]: bytes } } });
  hub.faults.push({ bytesPerSecond: 200000 });
  const { body: { job_id: id } } = await download(d, { model: REPO });
  await begun(d, id);
  await d.stop();
  await d.launch();
  assert.equal((await ended(d, id)).status, 'completed');
  assert.equal(sha256(fs.readFileSync(placeOf(d))), sha256(bytes));
});

test('without room for it nothing is fetched', async (t) => {
  const mount = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-small-'));
  const tiny = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'none', mount]);
  t.after(() => {
    if (tiny.status === 0) spawnSync('umount', ['-l', mount]); // it may be looked at
    fs.rmdirSync(mount);
  });
  if (tiny.status !== 0) return t.skip('needs the right to mount a small file system');
  const { d, hub } = await start(t);
  fs.mkdirSync(path.join(d.modelsDir, 'people'));
  fs.symlinkSync(mount, path.join(d.modelsDir, REPO));
  const refused = await download(d, { model: REPO });
  assert.equal(refused.status, 507);
  assert.equal(refused.body.error.code, 'insufficient_storage');
  assert.match(refused.body.error.message, /1 GB to spare/);
  assert.equal(hub.requests.filter((r) => r.port === 'content').length, 0);
});

test('a disk that runs full pauses the download, which goes on when there is room', async (t) => {
  const bytes = noise(1000000);
  const { d } = await start(t, { repos: { [REPO]: { [FILE]: bytes } },
    wrap: ['prlimit', '--fsize=300000:unlimited'] });
  const paused = await get(d, { model: REPO });
  assert.equal(paused.status, 'paused');
  assert.match(paused.error, /disk is full.*make room, then resume/);
  assert.equal((await d.get('/health')).status, 200);
  assert.equal(spawnSync('prlimit', ['--pid', String(d.pid), '--fsize=unlimited']).status, 0);
  const resumed = await d.patch(`/api/v1/downloads/${paused.job_id}`, { status: 'downloading' });
  assert.equal(resumed.status, 200, JSON.stringify(resumed.body));
  assert.equal((await ended(d, paused.job_id)).status, 'completed');
  assert.equal(sha256(fs.readFileSync(placeOf(d))), sha256(bytes));
});

test('killed at 50 moments, a download resumes each time and ends right', async (t) => {
  const bytes = noise(4000000);
  const { d, hub } = await start(t, { repos: { [REPO]: { [FILE]: bytes } } });
  hub.always = { bytesPerSecond: 400000 };
  const { body: { job_id: id } } = await download(d, { model: REPO });
  for (let kills = 0; kills < 50; kills++) {
    await hub.sends(crypto.randomInt(0, 40000));
    d.kill('SIGKILL');
    await d.exited;
    await d.launch();
    assert.equal((await status(d, id)).status, 'downloading', `kill ${kills}`);
  }
  hub.always = {};
  const end = await ended(d, id);
  assert.equal(end.status, 'completed', JSON.stringify(end));
  assert.equal(sha256(fs.readFileSync(placeOf(d))), sha256(bytes));
  assert.deepEqual(fs.readdirSync(path.dirname(placeOf(d))), [FILE]);
  const begins = hub.requests.filter((r) => r.port === 'content')
    .map((r) => Number(/^bytes=(\d+)-$/.exec(r.range ?? 'bytes=0-')[1]));
  assert.deepEqual(begins, [...begins].sort((a, b) => a - b), 'what is there is not fetched again');
  assert.ok(begins.at(-1) > 0);
});
