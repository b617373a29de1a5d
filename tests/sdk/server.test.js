/* SPDX-License-Identifier: MIT */
// What LM Studio's clients ask of the server itself: who may come in, how it is found, started,
// stopped, followed; and that nobody ever waits for an answer that does not come.
// Alone: opens and closes ports that every server of ours would like to have.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { ask } from '../e2e/lib/ask.js';
import { freePort } from '../e2e/lib/etcd.js';
import { seeing, spoken } from '../e2e/lib/models.js';
import { poller } from '../e2e/lib/poller.js';
import { connect, generations, latest, Raw, start } from './lib/clients.js';

const hello = () => spoken('Hello from the model.');
const namespaces = ['llm', 'embedding', 'decision', 'system', 'diagnostics', 'files', 'repository',
  'plugins', 'runtime'];
const home = (daemon) => path.join(daemon.folder, '.lmstudio/.internal');
const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));
const sdkPort = (daemon) => Number(/find this server on port (\d+)/.exec(daemon.log)?.[1] ?? 0);

// Every endpoint name that the protocol has, of whatever kind, and some that it has not.
const endpoints = ['loadModel', 'getOrLoad', 'listLoaded', 'getModelInfo', 'getLoadConfig',
  'getBasePredictionConfig', 'getInstanceProcessingState', 'unloadModel', 'estimateModelUsage',
  'predict', 'completeRawText', 'tokenize', 'countTokens', 'applyPromptTemplate',
  'preloadDraftModel', 'embedString', 'listDownloadedModels', 'listDownloadedModelVariants',
  'version', 'info', 'startHttpServer', 'stopHttpServer', 'getExperimentFlags',
  'setExperimentFlag', 'alive', 'streamLogs', 'listEngines', 'getEngineSelections',
  'selectEngine', 'removeEngine', 'surveyHardware', 'searchRuntimeExtensions',
  'downloadRuntimeExtension', 'uploadFileBase64', 'getLocalFileAbsolutePath',
  'getDocumentParsingLibrary', 'retrieve', 'parseDocument', 'lmLinkStatus', 'lmLinkUp',
  'fuzzyFindStaffPicks', 'createDownloadPlan', 'createArtifactDownloadPlan', 'searchModels',
  'getModelDownloadOptions', 'downloadModel', 'getAuthenticationStatus', 'isAuthenticated',
  'getModelCatalog', 'pushArtifact', 'login', 'registerDevelopmentPlugin', 'startToolUseSession',
  '', 'no such endpoint', 'toString', '\u0000'];
const parameters = [undefined, {}, null, 7, 'text', [], { modelKey: 'none', identifier: 'none' },
  { specifier: { type: 'query', query: {} }, inputString: 'x', throwIfNotFound: true },
  { modelSpecifier: { type: 'instanceReference', instanceReference: 'none' }, inputString: 7 }];

for (const namespace of namespaces) {
  test(`every endpoint of ${namespace} is answered, known or not`, async (t) => {
    const daemon = await start(t, { models: { hello: hello() }, settings: { sdk_port: false } });
    const raw = await Raw.open(daemon, namespace);
    let id = 0;
    const answers = [];
    for (const endpoint of endpoints) {
      for (const parameter of parameters) {
        answers.push(raw.call(++id, endpoint, parameter));
        const channelId = ++id;
        raw.send({ type: 'channelCreate', endpoint, channelId, creationParameter: parameter });
        const open = { system: 'alive', diagnostics: 'streamLogs' }[namespace] === endpoint;
        if (endpoint === 'alive' && open) continue; // says nothing as long as the server lives
        if (open) raw.send({ type: 'channelSend', channelId, message: { type: 'stop' } });
        answers.push(raw.ended(channelId));
      }
      await Promise.all(answers.splice(0));
    }
    for (const message of raw.all) {
      if (message.type !== 'rpcError' && message.type !== 'channelError') continue;
      assert.equal(typeof message.error.title, 'string', JSON.stringify(message));
    }
  });
}

test('messages that make no sense do no harm', async (t) => {
  const daemon = await start(t);
  const raw = await Raw.open(daemon, 'system');
  for (const text of ['', '{', '[]', '7', '"x"', '{"type":"rpcCall"}', '{"type":7}', '{}',
    '{"type":"rpcCall","endpoint":"version","callId":"1"}', '{"type":"channelSend"}',
    '{"type":"channelSend","channelId":99,"message":null,"ackId":3}',
    '['.repeat(100000), '{"type":"signalSubscribe","endpoint":"x","subscribeId":5}',
    '{"type":"writableSignalSubscribe","endpoint":"x","subscribeId":6}']) raw.ws.send(text);
  assert.equal((await raw.first((m) => m.subscribeId === 5)).type, 'signalError');
  assert.equal((await raw.first((m) => m.subscribeId === 6)).type, 'writableSignalError');
  assert.deepEqual(await raw.first((m) => m.type === 'channelAck'),
    { type: 'channelAck', channelId: 99, ackId: 3 });
  raw.send({ type: 'keepAlive' });
  await raw.first((m) => m.type === 'keepAliveAck');
  assert.equal((await raw.call(1, 'version')).type, 'rpcResult');
});

// LOG_BUDGET_LINES in LOG_BUDGET_SPAN_MS (supervisor/log_budget.h), for all clients together.
test('a flood of communicationWarning does not fill the log', async (t) => {
  const daemon = await start(t);
  const raw = await Raw.open(daemon, 'system');
  raw.deaf = true; // that the log has its warnings is no complaint about an answer
  const begin = performance.now();
  for (let i = 0; i < 2000; i++) raw.send({ type: 'communicationWarning', warning: `flood ${i}` });
  raw.send({ type: 'keepAlive' });
  await raw.first((m) => m.type === 'keepAliveAck');
  const spans = 1 + Math.floor((performance.now() - begin) / 10000);
  raw.ws.terminate();
  await daemon.stop();
  const lines = daemon.log.match(/an LM Studio client says: flood/g).length;
  assert.ok(lines >= 150 && lines <= 150 * spans, `${lines} lines`);
  assert.match(daemon.log, /LM Studio clients say more; further lines are left out/);
});

test('a busy id is not given away', async (t) => {
  const daemon = await start(t);
  const raw = await Raw.open(daemon, 'diagnostics');
  raw.send({ type: 'channelCreate', endpoint: 'streamLogs', channelId: 1 });
  raw.send({ type: 'channelCreate', endpoint: 'streamLogs', channelId: 1 });
  await raw.first((m) => m.type === 'communicationWarning');
  raw.send({ type: 'channelSend', channelId: 1, message: { type: 'stop' } });
  assert.equal((await raw.ended(1)).type, 'channelClose');
});

for (const generation of generations) {
  test(`the API key is asked for (SDK ${generation.name})`, async (t) => {
    const key = 'sk-lm-abcdefgh:12345678901234567890';
    const daemon = await start(t, { settings: { api_key: key } });
    const stranger = new generation.LMStudioClient({ baseUrl: `ws://127.0.0.1:${daemon.port}`,
      logger: { info() {}, warn() {}, error() {}, debug() {} } });
    await assert.rejects(stranger.system.getLMStudioVersion(), /passkey|authenticate/i);
    await stranger[Symbol.asyncDispose]();
    const token = generation.newer ? { apiToken: key }
      : { clientIdentifier: 'abcdefgh', clientPasskey: '12345678901234567890' };
    const friend = connect(daemon, generation, token);
    assert.ok((await friend.system.getLMStudioVersion()).version);
  });

  test(`a key opens what it is for, until it is revoked (SDK ${generation.name})`, async (t) => {
    const daemon = await start(t, {
      models: { hello: hello(), other: spoken('Another model speaks.') } });
    const create = async (body, key) => (await daemon.post('/api/v1/keys', body,
      { headers: key ? { authorization: `Bearer ${key}` } : {} })).body;
    const admin = await create({ name: 'me', permissions: ['admin'] });
    const app = await create({ name: 'app', models: ['hello'] }, admin.key);
    const halves = /^sk-lm-(.{8}):(.{20})$/.exec(app.key);
    const client = connect(daemon, generation, generation.newer ? { apiToken: app.key }
      : { clientIdentifier: halves[1], clientPasskey: halves[2] });
    const model = await client.llm.model('hello', { verbose: false });
    assert.match((await model.respond('How are you?')).content, /Hello/);
    await assert.rejects(client.llm.model('other', { verbose: false }), /not for the model 'o/);
    await assert.rejects(client.llm.load('hello', { verbose: false }), /permission 'models'/);
    await daemon.fetch(`/api/v1/keys/${app.id}`,
      { method: 'DELETE', headers: { authorization: `Bearer ${admin.key}` } });
    await assert.rejects(model.respond('And now?'), /needs an API key/);
  });

  test(`following the log (SDK ${generation.name})`, async (t) => {
    const daemon = await start(t, { models: { hello: hello() } });
    const client = connect(daemon, generation);
    const seen = [];
    const stop = (client.diagnostics.unstable_streamLogs ?? client.diagnostics.streamLogs)
      .call(client.diagnostics, (event) => seen.push(event.data));
    const model = await client.llm.model('hello', { verbose: false });
    const wanted = generation.newer ? 'llm.prediction.output' : 'llm.prediction.input';
    while (!seen.some((e) => e.type === wanted)) { // the first may come before the stream is open
      await model.respond('How are you?');
    }
    const input = seen.find((e) => e.type === 'llm.prediction.input');
    assert.match(input.input, /How are you\?/);
    assert.equal(input.modelIdentifier, 'hello');
    assert.equal(input.modelPath, 'test/hello/hello.gguf');
    stop();
    client.deaf = !generation.newer; // it does not know the other events, and says so
    if (!generation.newer) return;
    const output = seen.find((e) => e.type === 'llm.prediction.output');
    assert.equal(output.output, 'Hello from the model.');
    assert.equal(output.stats.stopReason, 'eosFound');
  });
}

test('no identity, no service', async (t) => {
  const daemon = await start(t, { settings: { api_key: 'secret' } });
  const raw = await Raw.open(daemon, 'llm', { passkey: 'wrong' });
  assert.equal(raw.verdict.success, false);
  assert.match(raw.verdict.error, /passkey/);
  assert.equal((await raw.closed).code, 1008);
  const ws = new WebSocket(`ws://127.0.0.1:${daemon.port}/llm`);
  await new Promise((resolve) => { ws.on('open', resolve); });
  ws.send(JSON.stringify({ authVersion: 1, clientPasskey: 'x'.repeat(70000) }));
  await new Promise((resolve) => { ws.on('close', resolve); });
});

test('a page of another origin is kept out', async (t) => {
  const daemon = await start(t);
  await assert.rejects(Raw.open(daemon, 'llm', { headers: { Origin: 'http://evil.example' } }),
    /403/);
  await Raw.open(daemon, 'llm', { headers: { Origin: `http://127.0.0.1:${daemon.port}` } });
});

test('plain HTTP on a namespace says what is spoken there', async (t) => {
  const daemon = await start(t);
  const answer = await daemon.get('/llm');
  assert.equal(answer.status, 426);
  assert.equal(answer.headers.get('upgrade'), 'websocket');
  assert.equal((await daemon.get('/nothing')).status, 404);
});

test('clients without an address find the server, until the setting says no', async (t) => {
  const daemon = await start(t);
  const port = sdkPort(daemon);
  if (!port) { t.skip('another server has all of the ports'); return; }
  const greeting = await (await fetch(`http://127.0.0.1:${port}/lmstudio-greeting`)).json();
  assert.equal(greeting.lmstudio, true);
  const client = new latest.LMStudioClient({ baseUrl: `ws://127.0.0.1:${port}` });
  assert.ok((await client.system.getLMStudioVersion()).version);
  await client[Symbol.asyncDispose]();
  await daemon.settings({ sdk_port: false });
  await assert.rejects(fetch(`http://127.0.0.1:${port}/lmstudio-greeting`));
});

test("the command line's files are there while the server is", async (t) => {
  const daemon = await start(t);
  assert.deepEqual(read(path.join(home(daemon), 'http-server.json')),
    { port: sdkPort(daemon) || daemon.port, pid: daemon.pid });
  assert.deepEqual(read(path.join(home(daemon), 'http-server-config.json')),
    { port: daemon.port, networkInterface: '127.0.0.1' });
  const key = path.join(home(daemon), 'lms-key-2');
  assert.ok(fs.readFileSync(key, 'utf8').length > 16);
  assert.equal(fs.statSync(key).mode & 0o777, 0o600);
  await daemon.settings({ api_key: 'secret' });
  const raw = await Raw.open(daemon, 'system',
    { passkey: `baked-in${fs.readFileSync(key, 'utf8')}` });
  assert.equal(raw.verdict.success, true);
  raw.ws.terminate();
  await daemon.stop();
  assert.equal(fs.existsSync(path.join(daemon.folder, '.lmstudio')), false);
});

test('a second server of the user hides the first one only when that is gone', async (t) => {
  const first = await start(t, {});
  const env = { HOME: first.folder };
  const probe = path.join(home(first), 'http-server.json');
  const written = read(probe);
  const second = await start(t, { env });
  assert.deepEqual(read(probe), written);
  await second.stop();
  assert.deepEqual(read(probe), written);
  first.kill('SIGKILL');
  await first.exited;
  const third = await start(t, { env });
  assert.equal(read(probe).pid, third.pid);
});

test('LM Studio itself is left alone', async (t) => {
  const daemon = await start(t);
  await daemon.stop();
  fs.mkdirSync(home(daemon), { recursive: true });
  fs.writeFileSync(path.join(home(daemon), 'app-install-location.json'), '{}');
  await daemon.launch();
  assert.deepEqual(fs.readdirSync(home(daemon)), ['app-install-location.json']);
});

test('the files are not written where they are not wanted', async (t) => {
  const daemon = await start(t, { settings: { lmstudio_compat: false } });
  assert.equal(fs.existsSync(path.join(daemon.folder, '.lmstudio')), false);
  await daemon.settings({ lmstudio_compat: true });
  assert.equal(fs.existsSync(home(daemon)), true);
});

test('the HTTP server is stopped and started by its clients', async (t) => {
  const daemon = await start(t, { args: ['--port', String(await freePort())] });
  const port = sdkPort(daemon);
  if (!port) { t.skip('another server has all of the ports'); return; }
  const client = new latest.LMStudioClient({ baseUrl: `ws://127.0.0.1:${port}` });
  await client.system.startHttpServer({ port: daemon.port, cors: false });
  assert.equal((await daemon.get('/health')).status, 200);
  await client.system.stopHttpServer();
  await assert.rejects(daemon.get('/health'));
  await client.system.startHttpServer({ port: daemon.port, cors: false });
  assert.equal((await daemon.get('/health')).status, 200);
  await client[Symbol.asyncDispose]();
});

test('a port that is opened to more machines, or closed, keeps its clients', async (t) => {
  const daemon = await start(t, { args: ['--port', String(await freePort())] });
  const port = sdkPort(daemon);
  if (!port) { t.skip('another server has all of the ports'); return; }
  const raw = await Raw.open(daemon, 'system');
  const other = await Raw.open({ port, clients: daemon.clients }, 'system');
  const started = await raw.call(1, 'startHttpServer',
    { port: daemon.port, networkInterface: '0.0.0.0', cors: false });
  assert.equal(started.type, 'rpcResult');
  assert.equal((await fetch(`http://127.0.0.2:${daemon.port}/health`)).status, 200);
  assert.equal((await raw.call(2, 'version')).type, 'rpcResult');
  await daemon.settings({ sdk_port: false });
  await assert.rejects(fetch(`http://127.0.0.1:${port}/health`));
  assert.equal((await other.call(1, 'version')).type, 'rpcResult');
});

test('a path cannot forge lines of the log', async (t) => {
  const daemon = await start(t);
  const raw = await Raw.open(daemon, 'diagnostics');
  raw.send({ type: 'channelCreate', endpoint: 'streamLogs', channelId: 1 });
  raw.send({ type: 'rpcCall', endpoint: 'no such', callId: 2 });
  await raw.first((m) => m.callId === 2); // what was sent before has been read, too
  await daemon.get('/odd%ff%0a%1b%5b2J');
  await raw.first((m) => JSON.stringify(m).includes('GET to /odd???[2J'));
});

test('the server leaves when a client asks it to', async (t) => {
  const daemon = await start(t, { models: { hello: hello() } });
  const client = connect(daemon);
  await client.llm.model('hello', { verbose: false });
  await client.system.requestShutdown();
  assert.deepEqual(await daemon.exited, { code: 0, signal: null });
});

test('a word for the log', async (t) => {
  const daemon = await start(t);
  const raw = await Raw.open(daemon, 'system');
  assert.deepEqual(await raw.call(1, 'notify', { title: 'Good night' }),
    { type: 'rpcResult', callId: 1 });
  await ask(() => daemon.log, (log) => /Good night/.test(log)); // it comes by another way
  daemon.log = '';
});

test('engines', async (t) => {
  const daemon = await start(t);
  const raw = await Raw.open(daemon, 'runtime');
  const [engine] = (await raw.call(1, 'listEngines')).result;
  assert.match(engine.name, /^llama\.cpp-linux/);
  const { result } = await raw.call(2, 'getEngineSelections',
    { json: null, meta: { values: ['undefined'] } });
  assert.deepEqual(result, { json: [['GGUF', { name: engine.name, version: engine.version }]],
    meta: { values: ['map'] } });
});

test('files: texts are read out to the model, images are refused in a sentence', async (t) => {
  const daemon = await start(t, { models: { hello: hello() } });
  const client = connect(daemon);
  const model = await client.llm.model('hello', { verbose: false });
  const note = await client.files.prepareFileBase64('note.txt',
    Buffer.from('The secret word is grün.').toString('base64'));
  const raw = await Raw.open(daemon, 'llm');
  const { result } = await raw.call(1, 'applyPromptTemplate', {
    specifier: { type: 'query', query: {} }, predictionConfigStack: { layers: [] }, opts: {},
    history: { messages: [{ role: 'user', content: [{ type: 'file', name: note.name,
      identifier: note.identifier, sizeBytes: note.sizeBytes, fileType: note.type },
    { type: 'text', text: 'What is it?' }] }] } });
  assert.match(result.formatted, /note\.txt:\nThe secret word is grün\.[^]*What is it\?/);
  const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0]).toString('base64');
  const image = await client.files.prepareImageBase64('x.png', png);
  await assert.rejects(async () => {
    await model.respond([{ role: 'user', content: 'What is this?', images: [image] }]);
  }, /text only|image/);
  await assert.rejects(client.files.prepareFileBase64('x', 'no base64!'), /base64/);
});

test('images: a model with a projector sees what a client has prepared', async (t) => {
  const daemon = await start(t, { models: { see: seeing() } });
  const client = connect(daemon);
  const [listed] = await client.system.listDownloadedModels();
  assert.equal(listed.vision, true);
  const model = await client.llm.model('see', { verbose: false });
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJ'
    + 'RU5ErkJggg==';
  const image = await client.files.prepareImageBase64('dot.png', png);
  const { content, stats } = await model.respond(
    [{ role: 'user', content: 'What is this?', images: [image] }],
    { maxTokens: 5, temperature: 0 });
  assert.match(content, /\S/);
  assert.ok(stats.promptTokensCount > 64, `${stats.promptTokensCount}`);
});

// 15 MB; it names a model that is not there.
function largeMessage() {
  const said = { role: 'user', content: [{ type: 'text', text: 'a few words' }] };
  return JSON.stringify({ type: 'channelCreate', endpoint: 'predict', channelId: 1,
    creationParameter: { modelSpecifier: { type: 'query', query: { identifier: 'nobody' } },
      history: { messages: Array(15e6 / JSON.stringify(said).length | 0).fill(said) },
      predictionConfigStack: { layers: [] } } });
}

// The share of its time for which somebody else waited.
async function shareWaited(t, daemon, longestWait) {
  const raw = await Raw.open(daemon, 'llm');
  await longestWait();
  const began = performance.now();
  raw.ws.send(largeMessage());
  raw.send({ type: 'rpcCall', endpoint: 'listLoaded', callId: 2 });
  const listed = raw.first((m) => m.callId === 2);
  const { type } = await raw.ended(1);
  const took = performance.now() - began, waited = await longestWait();
  assert.equal(type, 'channelError');
  await listed;
  const order = raw.all.map((m) => m.channelId ?? m.callId).filter(Boolean);
  assert.deepEqual(order, [1, 2]);
  t.diagnostic(`took ${Math.round(took)} ms, others waited ${Math.round(waited)} ms`);
  return waited / took;
}

test('a large message does not hold up others, and none overtakes it', async (t) => {
  const daemon = await start(t, { models: { m: hello() } });
  const longestWait = poller(t, daemon.url);
  const shares = [];
  // A machine that stands still makes others wait, too, but hardly three times in a row.
  while (shares.length < 3 && !(shares.at(-1) < 0.5))
    shares.push(await shareWaited(t, daemon, longestWait));
  assert.ok(shares.at(-1) < 0.5, `others waited for these shares of its time: ${shares}`);
});
