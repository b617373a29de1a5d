/* SPDX-License-Identifier: MIT */
// What `lms`, LM Studio's command line, asks of a server: for each command the calls that it makes,
// in its order, and every value that it prints. Its files and its key are the way in.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Chat } from '@lmstudio/sdk';
import { ask } from '../e2e/lib/ask.js';
import { freePort } from '../e2e/lib/etcd.js';
import { embedding, endless, spoken } from '../e2e/lib/models.js';
import { connect, latest, Raw, start } from './lib/clients.js';

const hello = () => spoken('Hello from the model.');
const models = () => ({ hello: hello(), vectors: embedding() });
const internal = (daemon, name) => path.join(daemon.folder, '.lmstudio/.internal', name);
const read = (daemon, name) => JSON.parse(fs.readFileSync(internal(daemon, name), 'utf8'));

const text = (v) => typeof v === 'string' && v.length > 0 && !/undefined|null|NaN/.test(v);
const whole = (v) => Number.isSafeInteger(v) && v >= 0;
const positive = (v) => Number.isSafeInteger(v) && v > 0;
const figure = (v) => typeof v === 'number' && Number.isFinite(v) && v >= 0;
const local = (v) => v === null; // printed as "Local"
const yes = (v) => typeof v === 'boolean';

// Each name of the table must be there and be what it says.
function check(value, table) {
  for (const [name, fits] of Object.entries(table)) {
    assert.ok(fits(value[name]), `${name} is ${JSON.stringify(value[name])} in ` +
      JSON.stringify(value));
  }
}

const onDisk = { type: text, modelKey: text, format: (v) => v === 'gguf', displayName: text,
  publisher: text, path: text, sizeBytes: positive, indexedModelIdentifier: text,
  deviceIdentifier: local, paramsString: text, architecture: text, maxContextLength: positive,
  quantization: (v) => text(v.name) && positive(v.bits) };
const ofLlms = { vision: yes, trainedForToolUse: yes };
const loaded = { ...onDisk, identifier: text, instanceReference: text, contextLength: positive,
  ttlMs: (v) => v === null || positive(v), lastUsedTime: (v) => v === null || positive(v) };

// The file, the probe, the key.
async function find(daemon) {
  const { port, pid } = read(daemon, 'http-server.json');
  assert.equal(pid, daemon.pid);
  const probe = await fetch(`http://127.0.0.1:${port}/lms-status`);
  assert.equal(probe.status, 200);
  const { package: name, version } = await probe.json();
  assert.equal(name, 'daemon'); // any other but "lmstudio" is passed by
  assert.match(version, /^\d+\.\d+\.\d+$/);
  return port;
}

async function enter(daemon) {
  const port = await find(daemon);
  const key = fs.readFileSync(internal(daemon, 'lms-key-2'), 'utf8').trim();
  return connect(daemon, latest, { baseUrl: `ws://127.0.0.1:${port}`, clientIdentifier: 'lms-cli',
    clientPasskey: `the baked-in half ${key}` });
}

// Most commands want to know first what machines there are.
async function enterAndLook(daemon) {
  const client = await enter(daemon);
  const link = await client.repository.lmLink.status();
  assert.deepEqual([link.peers, link.deviceIdentifier], [[], null]);
  assert.ok(text(link.deviceName));
  return client;
}

const listLoaded = async (client) =>
  (await Promise.all([client.llm.listLoaded(), client.embedding.listLoaded()])).flat();

const greets = async (port, host = '127.0.0.1') => {
  try {
    const answer = await fetch(`http://${host}:${port}/lmstudio-greeting`);
    return answer.status === 200 && (await answer.json()).lmstudio === true;
  } catch {
    return false;
  }
};

const load = (client, key, more = {}) => client.llm.load(key, { verbose: false, ttl: undefined,
  identifier: undefined, deviceIdentifier: null, config: {}, ...more });

test('lms ls', async (t) => {
  const daemon = await start(t, { models: models() });
  const client = await enterAndLook(daemon);
  await load(client, 'hello');
  await load(client, 'hello');
  const all = await client.system.listDownloadedModels();
  assert.deepEqual(all.map((m) => [m.type, m.modelKey]),
    [['llm', 'hello'], ['embedding', 'vectors']]);
  for (const model of all) check(model, { ...onDisk, ...(model.type === 'llm' ? ofLlms : {}) });
  assert.ok(all.every((m) => m.variants === undefined)); // else "(N variants)" is printed
  const infos = await Promise.all((await listLoaded(client)).map((m) => m.getModelInfo()));
  const marks = all.map((model) => infos.filter((i) =>
    i.modelKey === model.modelKey && i.deviceIdentifier === model.deviceIdentifier).length);
  assert.deepEqual(marks, [2, 0]);
  const [variant] = await client.system.listDownloadedModelVariants('vectors');
  check(variant, onDisk);
  await assert.rejects(client.system.listDownloadedModelVariants('none'), /none/);
});

test('lms ps', async (t) => {
  const daemon = await start(t, { models: models() });
  const client = await enterAndLook(daemon);
  assert.deepEqual(await listLoaded(client), []);
  await load(client, 'hello', { ttl: 300,
    config: { contextLength: 512, maxParallelPredictions: 2 } });
  await client.embedding.load('vectors', { verbose: false });
  const [model, vectors] = await listLoaded(client);
  const config = await model.getLoadConfig();
  assert.equal(config.maxParallelPredictions, 2);
  assert.equal(await model.getContextLength(), 512);
  const info = await model.getModelInfo();
  check(info, { ...loaded, ...ofLlms });
  const left = info.ttlMs - (Date.now() - info.lastUsedTime);
  assert.ok(left > 200000 && left <= 300000 && info.ttlMs === 300000, `${left}`);
  assert.deepEqual(await model.getInstanceProcessingState(), { status: 'idle', queued: 0 });

  await vectors.getLoadConfig();
  assert.ok(positive(await vectors.getContextLength()));
  const other = await vectors.getModelInfo();
  check(other, loaded);
  assert.equal(other.ttlMs, null);
  assert.deepEqual(await vectors.getInstanceProcessingState(), { status: 'idle', queued: 0 });
});

test('lms ps while a model works: its time does not run out', async (t) => {
  const daemon = await start(t, { models: { clock: endless() } });
  const client = await enterAndLook(daemon);
  const model = await load(client, 'clock', { ttl: 300 });
  const prediction = model.respond('What is the time?');
  const used = [];
  for await (const piece of prediction) {
    assert.ok(text(piece.content));
    used.push((await model.getModelInfo()).lastUsedTime);
    if (used.at(-1) - used[0] > 400) break;
  }
  const { status, queued } = await model.getInstanceProcessingState();
  assert.deepEqual([status, queued], ['generating', 1]);
  await prediction.cancel();
  assert.ok(used.at(-1) - used[0] > 400, `${used}`);
});

test('lms load', async (t) => {
  const daemon = await start(t, { models: models() });
  const client = await enterAndLook(daemon);
  const { modelKey } = (await client.system.listDownloadedModels())[0];
  const steps = [];
  const first = await load(client, modelKey, { ttl: 300, onProgress: (p) => steps.push(p),
    config: { contextLength: 1024, maxParallelPredictions: 2, gpu: { ratio: 1 } } });
  assert.equal(steps.at(-1), 1);
  assert.deepEqual(steps, [...steps].sort((a, b) => a - b));
  const info = await first.getModelInfo();
  check(info, { ...loaded, ...ofLlms });
  assert.equal(info.identifier, 'hello');
  assert.equal((await (await load(client, modelKey)).getModelInfo()).identifier, 'hello:2');
  const named = { identifier: 'mine' };
  assert.equal((await (await load(client, modelKey, named)).getModelInfo()).identifier, 'mine');
  await assert.rejects(load(client, modelKey, named), /mine.*already exists/);
  const vectors = await client.embedding.load('vectors', { verbose: false, deviceIdentifier: null,
    config: { contextLength: 256 } });
  check(await vectors.getModelInfo(), loaded);
});

test('lms load --estimate-only', async (t) => {
  const daemon = await start(t, { models: models() });
  const client = await enterAndLook(daemon);
  for (const [part, key] of [['llm', 'hello'], ['embedding', 'vectors']]) {
    const estimate = await client[part].estimateResourcesUsage(key,
      { contextLength: 256, gpu: { ratio: 1 } }, { deviceIdentifier: null });
    check(estimate, { passesGuardrails: yes });
    check(estimate.memory, { confidence: (v) => v === 'high' || v === 'low', totalBytes: positive,
      totalVramBytes: whole, modelBytes: positive, contextBytes: whole });
  }
  assert.deepEqual(await listLoaded(client), []);
});

test('lms unload', async (t) => {
  const daemon = await start(t, { models: models() });
  const client = await enterAndLook(daemon);
  await load(client, 'hello');
  await load(client, 'hello', { identifier: 'mine' });
  await client.embedding.load('vectors', { verbose: false });
  const all = await listLoaded(client);
  const infos = await Promise.all(all.map((m) => m.getModelInfo()));
  for (const info of infos) check(info, loaded);
  assert.deepEqual(all.map((m) => m.identifier).sort(), ['hello', 'mine', 'vectors']);
  await all.find((m) => m.identifier === 'mine').unload();
  assert.equal(await daemon.instance('mine'), undefined);
  for (const model of await listLoaded(client)) await model.unload(); // --all
  assert.deepEqual(await daemon.instances(), []);
});

// For a server whose port is closed and opened again.
const onOwnPort = async () => ({ args: ['--port', String(await freePort())] });

test('lms server status, stop, start', async (t) => {
  const daemon = await start(t, await onOwnPort());
  const port = () => read(daemon, 'http-server-config.json').port;
  const way = await find(daemon);
  if (way === daemon.port) { t.skip('another server has all of the ports'); return; }
  assert.equal(port(), daemon.port);
  assert.equal(await greets(port()), true);
  let client = await enter(daemon);
  await client.system.stopHttpServer();
  assert.equal(await greets(port()), false);
  assert.equal(port(), daemon.port); // kept for the next start
  assert.equal(await find(daemon), way); // the command line still finds it
  client = await enter(daemon);
  await client.system.startHttpServer({ port: port(), cors: false, networkInterface: '127.0.0.1' });
  assert.equal(await greets(port()), true);
  await client.system.startHttpServer({ port: port(), cors: false, networkInterface: '127.0.0.1' });
  await assert.rejects(client.system.startHttpServer({ port: port(), networkInterface: 'nowhere' }),
    /address/);
});

test('lms server start --port, --bind', async (t) => {
  const daemon = await start(t, await onOwnPort());
  const other = { port: await freePort() };
  if (await find(daemon) === daemon.port) { t.skip('another server has the ports'); return; }
  const config = () => read(daemon, 'http-server-config.json');
  const client = await enter(daemon);
  const begin = (port, networkInterface) =>
    client.system.startHttpServer({ port, cors: false, networkInterface });
  await begin(other.port, '127.0.0.1');
  assert.deepEqual(config(), { port: other.port, networkInterface: '127.0.0.1' });
  assert.equal(await greets(other.port), true);
  assert.equal(await greets(daemon.port), true); // nobody is shut out
  await begin(other.port, '0.0.0.0');
  assert.deepEqual(config(), { port: other.port, networkInterface: '0.0.0.0' });
  assert.equal(await greets(other.port, '127.0.0.2'), true);
  await begin(other.port, '127.0.0.1'); // what others can reach stays so
  assert.deepEqual(config(), { port: other.port, networkInterface: '0.0.0.0' });
  assert.equal(await greets(other.port, '127.0.0.2'), true);
  await client.system.stopHttpServer();
  assert.equal(await greets(other.port), false);
  await begin(config().port, '127.0.0.1');
  assert.equal(await greets(other.port), true);
  assert.equal(await greets(daemon.port), true);
});

test('lms status', async (t) => {
  const daemon = await start(t, { models: models() });
  const { port } = read(daemon, 'http-server-config.json');
  assert.equal(await greets(port), true);
  const client = await enter(daemon);
  await load(client, 'hello', { identifier: 'mine' });
  const all = await listLoaded(client);
  const files = await client.system.listDownloadedModels();
  const lines = all.map((m) => [m.identifier, files.find((f) => f.path === m.path)?.sizeBytes]);
  assert.deepEqual(lines.map(([name]) => name), ['mine']);
  assert.ok(positive(lines[0][1]), `${lines}`);
});

test('lms daemon status, up, down', async (t) => {
  const daemon = await start(t);
  const client = await enter(daemon);
  const info = await client.system.getInfo();
  check(info, { version: text });
  assert.deepEqual([info.pid, info.isDaemon], [daemon.pid, true]);
  await client.system.requestShutdown();
  assert.deepEqual(await daemon.exited, { code: 0, signal: null });
});

test('lms runtime ls', async (t) => {
  const daemon = await start(t);
  const client = await enter(daemon);
  const engines = await client.runtime.engine.list();
  const chosen = await client.runtime.engine.getSelections();
  assert.equal(engines.length, 1);
  check(engines[0], { name: text, version: (v) => /^\d+\.\d+\.\d+$/.test(v) });
  assert.deepEqual(engines[0].supportedModelFormatNames, ['GGUF']);
  assert.deepEqual([...chosen], [['GGUF', { name: engines[0].name, version: engines[0].version }]]);
});

test('lms log stream', async (t) => {
  const daemon = await start(t, { models: models() });
  const client = await enter(daemon);
  const seen = [];
  const stop = client.diagnostics.unstable_streamLogs((event) => seen.push(event));
  const model = await load(client, 'hello');
  const find = (type) => seen.find((e) => e.data.type === type);
  while (!find('llm.prediction.output')) {
    await model.respond('How are you?'); // the first may come before the stream is open
  }
  await model.unload();
  const [input, output] = [find('llm.prediction.input'), find('llm.prediction.output')];
  const server = await ask(() => find('server.log'), Boolean); // it comes on another socket
  await daemon.get('/v1/models?x=1');
  assert.equal(await greets(daemon.port), true); // the probe of a port is not logged
  await daemon.get('/nothing/there');
  const lines = () => seen.map((e) => e.data.content).filter((l) => /Received request/.test(l));
  await ask(() => lines().at(-1), (l) => l?.endsWith('Received request: GET to /nothing/there'));
  assert.match(lines().at(-2), /\]\[DEBUG\] Received request: GET to \/v1\/models$/);
  for (const event of [input, output]) check(event, { timestamp: positive });
  check(input.data, { modelIdentifier: text, modelPath: text, input: text });
  check(output.data, { modelIdentifier: text, output: text });
  check(output.data.stats, { stopReason: text, tokensPerSecond: figure, timeToFirstTokenSec: figure,
    totalTimeSec: figure, promptTokensCount: positive, predictedTokensCount: positive,
    totalTokensCount: positive, numGpuLayers: Number.isSafeInteger });
  assert.match(server.data.content,
    /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]\[(DEBUG|INFO|WARN|ERROR)\] \S/);
  stop();
});

test('lms chat -p', async (t) => {
  const daemon = await start(t, { models: models() });
  const client = await enter(daemon);
  await assert.rejects(client.llm.model(), /no|load/i); // nothing is loaded: it tells so
  await assert.rejects(client.llm.model('none', { verbose: false, ttl: 3600 }), /none/);
  const llm = await client.llm.model('hello', { verbose: false, ttl: 3600,
    signal: new AbortController().signal, onProgress() {} });
  const chat = Chat.empty();
  chat.append('system', 'Be brief.');
  chat.append('user', 'Who are you?\n\n');
  const prediction = llm.respond(chat, { signal: undefined });
  let words = '';
  for await (const piece of prediction) if (!piece.isStructural) words += piece.content;
  const { stats, content } = await prediction.result();
  assert.equal(words, 'Hello from the model.');
  assert.equal(content, words);
  check(stats, { stopReason: (v) => v === 'eosFound', tokensPerSecond: figure,
    timeToFirstTokenSec: figure, promptTokensCount: positive, predictedTokensCount: positive,
    totalTokensCount: (v) => v === stats.promptTokensCount + stats.predictedTokensCount });
  assert.equal((await (await client.llm.model()).getModelInfo()).ttlMs, 3600000);
});

test("the command line's key is asked for where LM Studio itself is installed, too", async (t) => {
  const daemon = await start(t, { settings: { api_key: 'secret' } });
  await daemon.stop();
  fs.mkdirSync(path.dirname(internal(daemon, 'x')), { recursive: true });
  fs.writeFileSync(internal(daemon, 'app-install-location.json'), '{}');
  const key = (words) => fs.writeFileSync(internal(daemon, 'lms-key-2'), words);
  await daemon.launch();
  const come = async (passkey) => {
    const raw = await Raw.open(daemon, 'system', { passkey });
    raw.ws.terminate();
    return raw.verdict.success;
  };
  assert.equal(await come('baked-in:'), false);
  key('a-key-of-some-length\n');
  assert.equal(await come('baked-in:a-key-of-some-length'), true);
  assert.equal(await come('baked-in:'), false);
  assert.equal(await come('length'), false);
  key('short');
  assert.equal(await come('baked-in:short'), false); // that is no secret
});
