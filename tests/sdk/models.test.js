/* SPDX-License-Identifier: MIT */
// Loading, listing, unloading by LM Studio's SDK, and what HTTP clients see of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { broken, embedding, slowToLoad, spoken } from '../e2e/lib/models.js';
import { freeze } from '../e2e/lib/process.js';
import { spareOf } from '../e2e/lib/workers.js';
import { connect, generations, Raw, start } from './lib/clients.js';

const hello = () => spoken('Hello from the model.');

for (const generation of generations) {
  const named = (title) => `${title} (SDK ${generation.name})`;

  test(named('what is on disk, and who serves it'), async (t) => {
    const daemon = await start(t, { models: { hello: hello(), vectors: embedding() } });
    const client = connect(daemon, generation);
    const found = await client.system.listDownloadedModels();
    assert.deepEqual(found.map((m) => [m.type, m.modelKey, m.path]), [
      ['llm', 'hello', 'test/hello/hello.gguf'],
      ['embedding', 'vectors', 'test/vectors/vectors.gguf']]);
    assert.equal(found[0].format, 'gguf');
    assert.match((await client.system.getLMStudioVersion()).version, /^\d+\.\d+\.\d+$/);
    if (!generation.newer) return;
    assert.deepEqual(await client.system.getInfo(),
      { pid: daemon.pid, isDaemon: true,
        version: (await client.system.getLMStudioVersion()).version });
    const variants = await client.system.listDownloadedModelVariants?.('hello');
    if (variants) assert.deepEqual(variants.map((m) => m.modelKey), ['hello']);
  });

  test(named('a load with a ttl is seen by HTTP clients, and expires'), async (t) => {
    const daemon = await start(t, { models: { hello: hello() } });
    const client = connect(daemon, generation);
    const watch = await daemon.watch();
    const steps = [];
    const model = await client.llm.load('hello', {
      identifier: 'mine', ttl: 60, verbose: false,
      config: { contextLength: 256, maxParallelPredictions: 2 },
      onProgress: (p) => steps.push(p),
    });
    assert.equal(model.identifier, 'mine');
    assert.equal(steps.at(-1), 1);
    const shown = await daemon.instance('mine');
    assert.equal(shown.ttl, 60);
    assert.equal(shown.origin, 'explicit');
    assert.equal(shown.config.context_length, 256);
    assert.equal(await model.getContextLength(), 256);
    const info = await client.llm.listLoaded();
    assert.equal(info.length, 1);
    await daemon.patch('/api/v1/instances/mine', { ttl: 1 });
    const left = await watch.reaches('mine', 'unloading');
    assert.equal(left.reason, 'ttl');
    await watch.reaches('mine', 'absent');
    await assert.rejects(model.getModelInfo().then((i) => { if (!i) throw new Error('unloaded'); }),
      /unloaded/);
    await assert.rejects(async () => { await model.respond('Hello?'); }, /already been unloaded/);
    assert.deepEqual(await client.llm.listLoaded(), []);
  });

  test(named('get-or-load: loads, then finds; the ttl of what is there stays'), async (t) => {
    const daemon = await start(t, { models: { hello: hello() } });
    const client = connect(daemon, generation);
    const first =
      await client.llm.model('hello', { ttl: 300, verbose: false, config: { contextLength: 512 } });
    const second = await client.llm.model('hello', { ttl: 60, verbose: false });
    assert.equal(first.identifier, 'hello');
    const [a, b] = [await first.getModelInfo(), await second.getModelInfo()];
    assert.equal(a.instanceReference, b.instanceReference);
    const shown = await daemon.instance('hello');
    assert.equal(shown.ttl, 300);
    assert.equal(shown.origin, 'jit');
    assert.equal(shown.config.context_length, 512);
    const any = await client.llm.model();
    assert.equal(any.identifier, 'hello');
    await first.unload();
    await assert.rejects(client.llm.model(), /No loaded model/);
  });

  test(named('unloading gives everything back before it is answered'), async (t) => {
    const daemon = await start(t, { models: { hello: hello() } });
    const client = connect(daemon, generation);
    for (let i = 0; i < 3; i++) {
      const model = await client.llm.load('hello', { identifier: 'again', verbose: false });
      await model.unload();
      assert.deepEqual(await daemon.instances(), []);
    }
    await assert.rejects(client.llm.unload('again'), /again/);
  });

  test(named('errors that tell what to do'), async (t) => {
    const daemon = await start(t,
      { models: { hello: hello(), vectors: embedding(), bad: broken('truncated') } });
    const client = connect(daemon, generation);
    await assert.rejects(client.llm.load('nothing', { verbose: false }), /nothing/);
    await assert.rejects(client.llm.model('nothing', { verbose: false }), /nothing/);
    await assert.rejects(client.llm.load('vectors', { verbose: false }), /wrong domain|embedding/i);
    await assert.rejects(client.embedding.load('hello', { verbose: false }), /wrong domain|llm/i);
    await assert.rejects(client.llm.load('bad', { verbose: false }),
      /cannot be loaded|damaged|bad/);
    await client.llm.load('hello', { identifier: 'taken', verbose: false });
    await assert.rejects(client.llm.load('hello', { identifier: 'taken', verbose: false }),
      /already exists/);
  });

  test(named('an aborted load is given up'), async (t) => {
    const daemon = await start(t, { models: { slow: slowToLoad() } });
    const client = connect(daemon, generation);
    const watch = await daemon.watch();
    const abort = new AbortController();
    const goOn = freeze(t, await spareOf(daemon));
    const load = client.llm.load('slow', { signal: abort.signal, verbose: false });
    await watch.reaches('slow', 'loading');
    abort.abort();
    await assert.rejects(load);
    goOn();
    await watch.first((e) => e.id === 'slow' && (e.to === 'idle' || e.to === 'absent'));
  });

  test(named('embeddings'), async (t) => {
    const daemon = await start(t, { models: { vectors: embedding() } });
    const client = connect(daemon, generation);
    const model = await client.embedding.model('vectors', { verbose: false });
    const one = await model.embed('hello');
    const two = await model.embed(['hello', 'world']);
    assert.deepEqual(two[0].embedding, one.embedding);
    const http = await daemon.post('/v1/embeddings', { model: 'vectors', input: 'hello' });
    http.body.data[0].embedding.forEach((n, i) =>
      assert.ok(Math.abs(n - one.embedding[i]) < 1e-5));
    const marks = 2; // LM Studio does not count those of an embedding model
    assert.equal((await model.tokenize('hello')).length, await model.countTokens('hello') + marks);
    assert.ok(await model.getContextLength() > 0);
    assert.deepEqual((await client.embedding.listLoaded()).map((m) => m.identifier), ['vectors']);
    assert.deepEqual(await client.llm.listLoaded(), []);
    await model.unload();
  });
}

test('get-or-load makes room and says for whom', async (t) => {
  const daemon = await start(t, { models: { hello: hello(), other: spoken('Another.') } });
  await daemon.chat('hello', { max_tokens: 2 });
  const raw = await Raw.open(daemon, 'llm');
  raw.send({ type: 'channelCreate', endpoint: 'getOrLoad', channelId: 7,
    creationParameter: { identifier: 'other', loadTtlMs: 60000,
      loadConfigStack: { layers: [] } } });
  assert.equal((await raw.ended(7)).type, 'channelClose');
  const kinds = raw.messages(7).map((m) => m.type);
  assert.deepEqual(kinds.filter((k) => k !== 'loadProgress'),
    ['unloadingOtherJITModel', 'startLoading', 'loadSuccess']);
  assert.equal(raw.messages(7)[0].info.identifier, 'hello');
  assert.equal(raw.messages(7).at(-1).info.ttlMs, 60000);
  assert.deepEqual((await daemon.instances()).map((i) => i.id), ['other']);
  const client = connect(daemon);
  await client.llm.model('hello', { verbose: true });
  assert.match(client.lines.info.join('\n'), /other/);
});

test('what a load would take is measured, and nothing is loaded for it', async (t) => {
  const daemon = await start(t, { models: { hello: hello(), bad: broken('truncated') } });
  const client = connect(daemon);
  const small = await client.llm.estimateResourcesUsage('hello', { contextLength: 256 });
  const large = await client.llm.estimateResourcesUsage('hello', { contextLength: 2048 });
  assert.equal(small.passesGuardrails, true);
  assert.equal(small.memory.modelBytes, large.memory.modelBytes);
  assert.ok(large.memory.contextBytes > small.memory.contextBytes);
  assert.equal(small.memory.totalBytes, small.memory.modelBytes + small.memory.contextBytes);
  assert.deepEqual(await daemon.instances(), []);
  await assert.rejects(client.llm.estimateResourcesUsage('bad', {}), /bad|measured|loaded/);
});

test('load settings go in and come back', async (t) => {
  const daemon = await start(t, { models: { hello: hello() } });
  const client = connect(daemon);
  const model = await client.llm.load('hello', { verbose: false, config: {
    contextLength: 300, evalBatchSize: 128, flashAttention: true, tryMmap: false, seed: 7,
    maxParallelPredictions: 3, llamaKCacheQuantizationType: 'q8_0',
    llamaVCacheQuantizationType: 'q8_0',
    ropeFrequencyBase: 20000, ropeFrequencyScale: 0.5 } });
  const config = await model.getLoadConfig();
  for (const [name, value] of Object.entries({ contextLength: 300, evalBatchSize: 128,
    flashAttention: true, tryMmap: false, seed: 7, maxParallelPredictions: 3,
    llamaKCacheQuantizationType: 'q8_0', llamaVCacheQuantizationType: 'q8_0',
    ropeFrequencyBase: 20000, ropeFrequencyScale: 0.5 })) {
    assert.deepEqual(config[name], value, name);
  }
});
