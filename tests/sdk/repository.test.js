/* SPDX-License-Identifier: MIT */
// `client.repository` of LM Studio's SDK: search the hub, choose, download, load.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Hub } from '../e2e/lib/hub.js';
import { spoken } from '../e2e/lib/models.js';
import { connect, generations, latest, Raw, start } from './lib/clients.js';

const REPO = 'people/Speaker-GGUF';

async function withHub(t, files) {
  const hub = await Hub.start(t, { [REPO]: files ?? {
    'speaker-q4_k_m.gguf': spoken('Hello there.'), 'speaker-q8_0.gguf': crypto.randomBytes(500),
    'mmproj-speaker-f16.gguf': crypto.randomBytes(70) } });
  return { hub, daemon: await start(t, { env: hub.env }) };
}

for (const generation of generations) {
  test(`${generation.name}: search, options, download, load`, async (t) => {
    const { daemon } = await withHub(t);
    const client = connect(daemon, generation);
    const [found] = await client.repository.searchModels({ searchTerm: 'speaker' });
    assert.equal(found.name, REPO);
    const options = await found.getDownloadOptions();
    assert.deepEqual(options.map((o) => [o.name, o.quantization, o.isRecommended()]),
      [['speaker-q4_k_m.gguf', 'Q4_K_M', true], ['speaker-q8_0.gguf', 'Q8_0', false]]);
    let finalizing = 0;
    const key = await options[0].download({ onStartFinalizing: () => { finalizing++; } });
    assert.equal(key, 'speaker');
    assert.equal(finalizing, 1);
    const model = await client.llm.model(key);
    const { content } = await model.respond('Hi');
    assert.equal(content.trim(), 'Hello there.');
    assert.equal(await options[0].download(), 'speaker', 'what is there already is there');
  });
}

// A download that is under way, on a plain socket.
async function underWay(t) {
  const { daemon, hub } = await withHub(t, { 'm-q8_0.gguf': crypto.randomBytes(1000000) });
  hub.always = { bytesPerSecond: 200000 };
  const raw = await Raw.open(daemon, 'repository');
  raw.send({ type: 'channelCreate', endpoint: 'downloadModel', channelId: 1,
    creationParameter: { downloadIdentifier: `${REPO}@Q8_0` } });
  const { message } = await raw.first((m) => m.message?.update?.downloadedBytes > 0);
  assert.deepEqual(Object.keys(message.update),
    ['downloadedBytes', 'totalBytes', 'speedBytesPerSecond']);
  assert.equal(message.update.totalBytes, 1000000);
  return { daemon, hub, raw, watch: await daemon.watch() };
}

test('a client that leaves does not end its download', async (t) => {
  const { daemon, hub, raw, watch } = await underWay(t);
  raw.ws.terminate();
  await raw.closed;
  hub.always = {};
  await watch.first((e) => e.name === 'download' && e.status === 'completed');
  assert.ok(fs.existsSync(path.join(daemon.modelsDir, REPO, 'm-q8_0.gguf')));
});

test('a cancel ends a download and deletes what it fetched', async (t) => {
  const { daemon, raw, watch } = await underWay(t);
  raw.send({ type: 'channelSend', channelId: 1, message: { type: 'cancel' } });
  assert.equal((await raw.ended(1)).type, 'channelClose');
  await watch.first((e) => e.name === 'download' && e.status === 'removed');
  assert.deepEqual((await daemon.get('/api/v1/downloads')).body.downloads, []);
  assert.ok(!fs.existsSync(path.join(daemon.modelsDir, REPO)));
});

test('what the hub refuses is an error that can be read', async (t) => {
  const { daemon } = await withHub(t);
  const raw = await Raw.open(daemon, 'repository');
  const options = await raw.call(1, 'getModelDownloadOptions',
    { modelSearchResultIdentifier: { type: 'hf', identifier: 'no/thing' } });
  assert.equal(options.type, 'rpcError');
  assert.match(options.error.title, /no repository no\/thing/);
  raw.send({ type: 'channelCreate', endpoint: 'downloadModel', channelId: 2,
    creationParameter: { downloadIdentifier: 'words' } });
  const end = await raw.ended(2);
  assert.equal(end.type, 'channelError');
  assert.match(end.error.title, /Name a repository/);
});

// ---- what `lms get` does, through the SDK that it is written with ----

const source = { type: 'huggingface', user: 'people', repo: 'Speaker-GGUF' };
const chosen = (planner) => planner.getPlan().nodes.at(-1);

test('lms get: a plan, another quantization, the download', async (t) => {
  const { daemon } = await withHub(t);
  const client = connect(daemon, latest);
  const planner = client.repository.createModelDownloadPlanner({ source });
  await planner.untilReady();
  const plan = planner.getPlan();
  assert.equal(plan.downloadAction, 'startNewDownload');
  assert.equal(plan.downloadSizeBytes, fs.statSync(spoken('Hello there.')).size);
  const [node] = plan.nodes;
  assert.equal(node.selected.quantName, 'Q4_K_M');
  assert.deepEqual(node.downloadOptions.map((o) => [o.quantName, o.availability]),
    [['Q4_K_M', 'notDownloaded'], ['Q8_0', 'notDownloaded']]);
  await planner.selectModelDownloadOption({ nodeIndex: 0, downloadOptionIndex: 1 });
  assert.equal(chosen(planner).selected.quantName, 'Q8_0');
  assert.equal(planner.getPlan().downloadSizeBytes, 500);
  await planner.selectModelDownloadOption({ nodeIndex: 0, downloadOptionIndex: 0 });
  let finalizing = 0;
  await planner.download({ onStartFinalizing: () => { finalizing++; } });
  assert.equal(finalizing, 1);
  const model = await client.llm.model('speaker');
  assert.equal((await model.respond('Hi')).content.trim(), 'Hello there.');
  const again = client.repository.createModelDownloadPlanner({ source });
  await again.untilReady();
  assert.equal(again.getPlan().downloadAction, 'none');
  assert.equal(chosen(again).state, 'satisfied');
  assert.equal(chosen(again).alreadyOwned.modelKey, 'speaker');
  again[Symbol.dispose]();
});

test('lms get: a preference decides, and one that is not there is said', async (t) => {
  const { daemon } = await withHub(t);
  const client = connect(daemon, latest);
  const plan = (quantName) => client.repository.createModelDownloadPlanner({ source,
    resolutionPreference: [{ type: 'quantName', quantName }] });
  const good = plan('q8_0');
  await good.untilReady();
  assert.equal(chosen(good).selected.quantName, 'Q8_0');
  good[Symbol.dispose]?.();
  await assert.rejects(plan('q3_k').untilReady(), /people\/Speaker-GGUF has no q3_k/);
  const nowhere = client.repository.createModelDownloadPlanner({
    source: { ...source, repo: 'nothing' } });
  await assert.rejects(nowhere.untilReady(), /no repository people\/nothing/);
});

test('lms get: words find names as LM Studio writes them, which can be got', async (t) => {
  const { daemon } = await withHub(t);
  const client = connect(daemon, latest);
  const found = await client.repository.unstable.fuzzyFindStaffPicks({ searchTerm: 'speaker' });
  const [{ owner, name }] = found;
  assert.deepEqual([owner, name], ['people', 'speaker-gguf']);
  const planner = client.repository.createArtifactDownloadPlanner({ owner, name });
  await planner.untilReady();
  assert.deepEqual(planner.getPlan().nodes.map((node) => node.type), ['artifact', 'model']);
  await planner.download({});
  assert.ok(fs.existsSync(path.join(daemon.modelsDir, REPO, 'speaker-q4_k_m.gguf')));
});

test('lms get: a plan that is cancelled downloads nothing', async (t) => {
  const { daemon } = await withHub(t);
  const client = connect(daemon, latest);
  const leave = new AbortController();
  const planner = client.repository.createModelDownloadPlanner({ source, signal: leave.signal });
  await planner.untilReady();
  leave.abort();
  await client.system.listDownloadedModels();
  assert.deepEqual((await daemon.get('/api/v1/downloads')).body.downloads, []);
});
