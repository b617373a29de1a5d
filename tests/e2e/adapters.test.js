/* SPDX-License-Identifier: MIT */
// LoRA adapters (docs/loading.md): what a model says with them, and which loads are refused.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { run } from './lib/cli.js';
import { Daemon, chatBody } from './lib/daemon.js';
import { adapter, embedding, merged, random, spoken } from './lib/models.js';

// In f32 the merged weights are the same numbers, but for their last bits, which change the
// logarithm of a token's probability by 0.001. With an adapter of this seed each token of the
// texts is 0.19 and more ahead of the next best: no last bit decides.
const plain = () => random('--type', 'f32', '--seed', '5');
const lora = () => adapter(plain(), '--seed', '29');
const greedy = { temperature: 0, max_tokens: 24 };
const textOf = ({ status, body }) => {
  assert.equal(status, 200, JSON.stringify(body));
  return body.choices[0].message.content;
};
const with_ = (file, scale) =>
  ({ adapters: [{ path: file, ...(scale === undefined ? {} : { scale }) }] });

// Loads the model like this; it is unloaded before.
async function loadAgain(d, model, load) {
  const watch = await d.watch();
  if (await d.instance(model)) {
    await d.unload(model);
    await watch.reaches(model, 'absent');
  }
  await d.load(model, load);
}

// What it says then.
async function says(d, model, load, chat = {}) {
  await loadAgain(d, model, load);
  return d.chat(model, { ...greedy, ...chat });
}

// Few tokens: later ones of this model are near ties, which the pieces of a long prompt decide.
const long = { messages: [{ role: 'user', content: 'It was said before. '.repeat(120) }],
  max_tokens: 8 };

test('a model says with an adapter what the merged model says; with scale 0 what it said without',
  async (t) => {
    const d = await Daemon.start(t, { models: { m: plain(), both: merged(plain(), lora(), 0.5) },
      settings: { prompt_store: 'off' } });
    const [without, whole] = [textOf(await says(d, 'm', {})), textOf(await says(d, 'both', {}))];
    assert.notEqual(without, whole);
    assert.equal(textOf(await says(d, 'm', with_(lora(), 0))), without);
    assert.equal(textOf(await says(d, 'm', with_(lora(), 0.5))), whole);
    assert.notEqual(textOf(await says(d, 'm', with_(lora()))), whole, 'the scale is 1 if not said');

    // The context has grown meanwhile: another one, to which the adapter has to be applied, too.
    const grown = textOf(await says(d, 'both', {}, long));
    await says(d, 'm', with_(lora(), 0.5));
    assert.equal(textOf(await d.chat('m', { ...greedy, ...long })), grown);
    assert.equal(textOf(await d.chat('m', greedy)), whole);
  });

test('two halves of an adapter are one, and its opposite takes it back', async (t) => {
  const d = await Daemon.start(t, { models: { m: plain() }, settings: { prompt_store: 'off' } });
  const each = (...scales) => ({ adapters: scales.map((scale) => ({ path: lora(), scale })) });
  const without = textOf(await says(d, 'm', {}));
  const once = textOf(await says(d, 'm', each(0.5)));
  assert.equal(textOf(await says(d, 'm', each(0.25, 0.25))), once);
  assert.equal(textOf(await says(d, 'm', each(0.5, -0.5))), without);
});

test('the repacked copy of a 4-bit model has the adapter, too', async (t) => {
  const model = random('--type', 'q4_0', '--seed', '5');
  const d = await Daemon.start(t, { models: { m: model }, settings: { prompt_store: 'off' } });
  const load = with_(adapter(model), 0.5);
  const without = textOf(await says(d, 'm', { repack: 'first' }));
  const wanted = textOf(await says(d, 'm', { ...load, repack: 'first' }));
  assert.notEqual(wanted, without);
  await says(d, 'm', { ...load, repack: 'background' });
  await ask(async () => (await d.instance('m')).repack, (repack) => repack === 'done');
  assert.equal(textOf(await d.chat('m', greedy)), wanted);
});

test('the adapter is the model\'s, not that of the draft model beside it', async (t) => {
  const d = await Daemon.start(t, { models: { m: plain(), small: random('--layers', '1') },
    settings: { prompt_store: 'off' } });
  const load = with_(lora(), 0.5);
  const alone = textOf(await says(d, 'm', load));
  await loadAgain(d, 'm', { ...load, draft_model: 'small' });
  const { status, body } = await d.post('/api/v0/chat/completions',
    { ...chatBody('m'), ...greedy });
  assert.equal(textOf({ status, body }), alone);
  assert.ok(body.stats.total_draft_tokens_count > 0, JSON.stringify(body.stats));
});

test('a model for embeddings has adapters, too', async (t) => {
  const d = await Daemon.start(t, { models: { e: embedding() } });
  const vector = async (load) => {
    await loadAgain(d, 'e', load);
    const { body } = await d.post('/v1/embeddings', { model: 'e', input: 'the cat' });
    return body.data[0].embedding;
  };
  const file = adapter(embedding());
  const without = await vector({});
  assert.deepEqual(await vector(with_(file, 0)), without);
  assert.notDeepEqual(await vector(with_(file)), without);
});

// ---- where it is shown, and who can ask for it ----

test('the command line loads with adapters, and listings show them', async (t) => {
  const d = await Daemon.start(t, { models: { m: plain() } });
  const beside = path.join(d.modelsDir, 'test/m/my-lora.gguf');
  fs.copyFileSync(lora(), beside);
  const done = await run(d, ['load', 'm', '--adapter', 'my-lora.gguf=0.5', '--adapter', lora()]);
  assert.equal(done.code, 0, done.err);
  const wanted = [{ path: 'my-lora.gguf', scale: 0.5 }, { path: lora(), scale: 1 }];
  const { out } = await run(d, ['ps', '--json']);
  assert.deepEqual(JSON.parse(out)[0].adapters, wanted);
  assert.deepEqual((await d.instance('m')).config.adapters, wanted);
  assert.equal((await d.get('/api/v1/models')).body.models.length, 1, 'an adapter is no model');

  const echoed = await d.load('m', { identifier: 'second', echo_load_config: true,
    adapters: [{ path: beside }] });
  assert.deepEqual(echoed.load_config.adapters, [{ path: beside, scale: 1 }]);
  const bare = await d.load('m', { identifier: 'third', echo_load_config: true });
  assert.equal(bare.load_config.adapters, undefined);
});

test('an estimate counts the adapters', async (t) => {
  const d = await Daemon.start(t, { models: { m: plain() } });
  const total = async (more) =>
    (await d.post('/api/v1/models/estimate', { model: 'm', ...more })).body.total_bytes;
  assert.equal(await total(with_(lora())) - await total({}), fs.statSync(lora()).size);
  const refused = await d.post('/api/v1/models/estimate',
    { model: 'm', ...with_('/nowhere.gguf') });
  assert.equal(refused.status, 400);
});

test('the settings of a model have adapters; a load may name others or none', async (t) => {
  const d = await Daemon.start(t, { models: { m: plain() }, settings: { prompt_store: 'off' } });
  const without = textOf(await says(d, 'm', {}));
  await d.unload('m');
  await d.settings({ models: { m: with_(lora(), 0.5) } });
  const saved = JSON.parse(fs.readFileSync(d.settingsFile)).models.m;
  assert.deepEqual(saved, with_(lora(), 0.5));
  const adapted = textOf(await d.chat('m', greedy)); // loads it
  assert.notEqual(adapted, without);
  await d.settings({ models: { m: { threads: 1 } } }); // which leaves them as they are
  assert.equal(textOf(await says(d, 'm', { threads: null })), adapted);
  assert.equal(textOf(await says(d, 'm', { adapters: [] })), without);
  await d.settings({ models: { m: { adapters: null } } });
  assert.equal(textOf(await says(d, 'm', {})), without);

  const all = await d.patch('/api/v1/settings', { load: with_(lora()) });
  assert.equal(all.status, 400);
  assert.match(all.body.error.message, /made for one model/);
});

test('a pinned instance has its adapters again after a restart', async (t) => {
  const d = await Daemon.start(t, { models: { m: plain() } });
  const before = textOf(await says(d, 'm', { ...with_(lora(), 0.5), keep: true }));
  await d.stop();
  await d.launch();
  const watch = await d.watch();
  await watch.reaches('m', 'idle');
  assert.deepEqual((await d.instance('m')).config.adapters, with_(lora(), 0.5).adapters);
  assert.equal(textOf(await d.chat('m', greedy)), before);
});

// ---- lifecycle and prompts ----

test('evicted and back, a model has its adapter', async (t) => {
  const d = await Daemon.start(t, { models: { m: plain(), other: spoken('Something else.') },
    settings: { models: { m: with_(lora(), 0.5) } } });
  const watch = await d.watch();
  const first = textOf(await d.chat('m', greedy));
  await d.chat('other');
  await watch.reaches('m', 'absent');
  const back = await d.chat('m', greedy);
  assert.equal(textOf(back), first);
  assert.ok(back.body.usage.prompt_tokens_details.cached_tokens > 0, 'from the store');
});

test('prompts are shared only between loads with the same adapters and scales', async (t) => {
  const d = await Daemon.start(t, { models: { m: plain() } });
  const cached = async (load) => {
    const { body } = await says(d, 'm', load, long);
    return body.usage.prompt_tokens_details.cached_tokens > 0;
  };
  const half = with_(lora(), 0.5);
  assert.equal(await cached({}), false);
  assert.equal(await cached(half), false);
  assert.equal(await cached(with_(lora(), 0.25)), false);
  assert.equal(await cached(half), true);
  assert.equal(await cached({}), true, 'what was kept before is still there');
  assert.equal(await cached({ adapters: [...half.adapters, ...half.adapters] }), false);
});

test('a file that changed is another adapter', async (t) => {
  const d = await Daemon.start(t, { models: { m: plain() } });
  const file = path.join(d.folder, 'lora.gguf');
  fs.copyFileSync(lora(), file);
  const first = await says(d, 'm', with_(file), long);
  fs.copyFileSync(adapter(plain(), '--seed', '9'), file);
  const second = await says(d, 'm', with_(file), long);
  assert.notEqual(textOf(second), textOf(first));
  assert.equal(second.body.usage.prompt_tokens_details.cached_tokens, 0);
  fs.writeFileSync(file, 'no longer one');
  await d.unload('m');
  const third = await d.post('/api/v1/models/load', { model: 'm', ...with_(file) });
  assert.equal(third.status, 400);
  assert.match(third.body.error.message, /not a GGUF file/);
});

test('what cannot be applied is refused in a sentence, and costs nobody his place', async (t) => {
  const d = await Daemon.start(t, { models: { m: plain(), other: spoken('Still here.') } });
  await d.chat('other');
  const { pid } = await d.instance('other');
  const cases = [
    [with_('nowhere.gguf'), /There is no adapter 'nowhere\.gguf'/],
    [with_(plain()), /holds no adapter; its general\.type is 'model'/],
    [with_(adapter(plain(), '--arch', 'qwen2')),
      /is for models of the architecture 'qwen2', but 'm' is 'llama'/],
    [with_(adapter(plain(), '--invoked')), /aLoRA/],
    [with_(d.folder), /not a regular file/],
    [with_(lora(), 101), /not a number from -100 to 100/],
    [with_(lora(), 'half'), /not a number from -100 to 100/],
    [{ adapters: Array(9).fill({ path: lora() }) }, /up to 8/],
    [{ adapters: lora() }, /list of up to 8 objects/],
    [{ adapters: [{ path: lora(), sclae: 1 }] }, /other fields/],
    [{ adapters: [{ path: 'a\u0000b' }] }, /not the name of a file/],
  ];
  for (const [load, sentence] of cases) {
    const { status, body } = await d.post('/api/v1/models/load', { model: 'm', ...load });
    assert.equal(status, 400, JSON.stringify(body));
    assert.match(body.error.message, sentence);
    assert.equal(body.error.param, 'adapters');
  }
  assert.equal((await d.instance('other')).pid, pid);
});

test('only who may load models learns which files there are', async (t) => {
  const d = await Daemon.start(t, { models: { m: plain() } });
  const create = async (permissions, headers) =>
    (await d.post('/api/v1/keys', { name: permissions[0], permissions }, { headers })).body.key;
  const bearer = (key) => ({ authorization: `Bearer ${key}` });
  const admin = bearer(await create(['admin']));
  const asks = async (permission, load) => {
    const headers = bearer(await create([permission], admin));
    return (await d.post('/api/v1/models/estimate', { model: 'm', ...load }, { headers })).status;
  };
  assert.equal(await asks('inference', {}), 200);
  assert.equal(await asks('inference', with_('/etc/passwd')), 403);
  assert.equal(await asks('models', with_('/etc/passwd')), 403, 'it may not estimate');
  const headers = admin;
  const both = await d.post('/api/v1/models/estimate', { model: 'm', ...with_(lora()) },
    { headers });
  assert.equal(both.status, 200);
});

test('an adapter for a model of another shape is refused before the load', async (t) => {
  const d = await Daemon.start(t, { models: { m: plain(), other: spoken('Still here.') } });
  await d.chat('other');
  const { pid } = await d.instance('other');
  const wide = adapter(random('--type', 'f32', '--embd', '256'));
  const { status, body } = await d.post('/api/v1/models/load', { model: 'm', ...with_(wide) });
  assert.equal(status, 400, JSON.stringify(body));
  assert.match(body.error.message, /cannot be used: it is for a model of another shape: .*rows/);
  assert.equal((await d.instance('other')).pid, pid);
  assert.ok(textOf(await says(d, 'm', {})));
});

test('an adapter that only the worker finds wrong is 400, too', async (t) => {
  const d = await Daemon.start(t, { models: { m: random('--type', 'f32', '--layers', '1') } });
  const deep = adapter(random('--type', 'f32', '--layers', '2'));
  const { status, body } = await d.post('/api/v1/models/load', { model: 'm', ...with_(deep) });
  assert.equal(status, 400, JSON.stringify(body));
  assert.equal(body.error.param, 'adapters');
  assert.match(body.error.message, /adapter '.*' cannot be applied to this model: .*blk\.1/);
});
