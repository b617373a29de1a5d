/* SPDX-License-Identifier: MIT */
// Engines for graphics cards (docs/gpu.md), on Mesa's llvmpipe: a Vulkan driver that needs no card.
// Alone: llvmpipe compiles and computes on all cores, for minutes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { run } from './lib/cli.js';
import { Daemon } from './lib/daemon.js';
import { engines, env, skip } from './lib/llvmpipe.js';
import { adapter, merged, random, spoken } from './lib/models.js';
import { build, sanitized } from './lib/programs.js';

// Reproducible: batches of few shapes, each of which is to be compiled. That may take a slow
// machine longer than a worker may be silent.
const patient = { hang_seconds: 600, load_stall_seconds: 600 };
const start = (t, { settings, ...more } = {}) => Daemon.start(t,
  { env, settings: { load: { reproducible: true }, ...patient, ...settings }, ...more });
const conversation = { temperature: 0, max_tokens: 4,
  messages: [{ role: 'user', content: 'Tell me something. '.repeat(20) }] };
const system = async (d) => (await d.get('/api/v1/system')).body;
const chosen = (d) => (wanted) =>
  ask(() => system(d), ({ chosen: is }) => is === wanted, `the engine ${wanted}`);

test('auto takes the engine that finds a device, and says so', { skip }, async (t) => {
  const d = await start(t);
  const answer = await system(d);
  assert.equal(answer.engine, 'auto');
  assert.equal(answer.chosen, 'vulkan');
  const vulkan = answer.engines.find(({ name }) => name === 'vulkan');
  assert.equal(vulkan.devices.length, 1);
  assert.match(vulkan.devices[0].description, /llvmpipe/);
  assert.equal(vulkan.devices[0].total_bytes, 2 ** 31);
  assert.match(d.log, /models are computed by vulkan on llvmpipe/);
  const { out } = await run(d, ['engine', 'ls']);
  assert.match(out, /vulkan +yes +✓ +llvmpipe.*\(2\.15 GB\)/);
  const shown = JSON.parse((await run(d, ['engine', 'ls', '--json'])).out);
  assert.deepEqual(shown.engines, answer.engines);
});

test('an answer computed by Vulkan; the setting is for the next load', { skip }, async (t) => {
  const d = await start(t, { models: { s: spoken('All is well.') } });
  const said = async () => (await d.chat('s')).body.choices[0].message.content;
  const usesVulkan = async () =>
    fs.readFileSync(`/proc/${(await d.instance('s')).pid}/maps`, 'utf8').includes('libggml-vulkan');
  assert.equal(await said(), 'All is well.');
  assert.ok(await usesVulkan());
  const { device, gpu_layers: layers, device_memory_bytes: bytes } = await d.instance('s');
  assert.match(device, /llvmpipe/);
  assert.equal(layers, 3, 'two and the output');
  const status = fs.readFileSync(`/proc/${(await d.instance('s')).pid}/status`, 'utf8');
  assert.match(status, /^Seccomp:\t2$/m);
  assert.match(d.log, /use a graphics card can read your files/);
  assert.ok(bytes > 1e6 && bytes < 2 ** 31, `${bytes}`);
  assert.match((await run(d, ['ps'])).out, /DEVICE\n.*llvmpipe.*\([\d.]+ [KMG]B\)\n/);
  assert.match(await (await d.fetch('/metrics')).text(),
    new RegExp(`doze_instance_device_memory_bytes\\{instance="s"\\} ${bytes}\n`));
  const { out } = await run(d, ['engine', 'use', 'cpu']);
  assert.match(out, /cpu +yes +✓/);
  assert.ok(await usesVulkan(), 'what is loaded stays');
  await d.unload('s');
  assert.equal(await said(), 'All is well.');
  assert.ok(!await usesVulkan());
});

test('layers: off, a share, and no more than there is memory for', { skip }, async (t) => {
  // A full context takes 2.1 GB, of which only the first 1,024 tokens are allocated.
  const large = random('--layers', '8', '--embd', '512', '--heads', '8', '--kv-heads', '8',
    '--ff', '512', '--context', '131072');
  const d = await start(t, { models: { large } });
  const placed = async (settings) => {
    const { instance_id: id } = await d.load('large', settings);
    const { device, gpu_layers: layers, device_memory_bytes: bytes } = await d.instance(id);
    await d.unload(id);
    return { device, layers, bytes };
  };
  assert.deepEqual(await placed({ gpu: 'off' }), { device: 'cpu', layers: 0, bytes: 0 });
  const half = await placed({ gpu: 0.5 });
  assert.equal(half.layers, 4);
  const whole = await placed({ context_length: 4096 });
  assert.equal(whole.layers, 9);
  assert.ok(whole.bytes > half.bytes && half.bytes > 0);
  const fitted = await placed({});
  assert.ok(fitted.layers > 0 && fitted.layers < 9, JSON.stringify(fitted));
  assert.match(fitted.device, /llvmpipe/);
  // An adapter of 235 MB takes the place of a layer with its cells.
  const path = adapter(large, '--rank', '1024');
  const adapted = await placed({ adapters: [{ path }] });
  assert.ok(adapted.layers > 0 && adapted.layers < fitted.layers, JSON.stringify(adapted));
  assert.ok(adapted.bytes > 100e6, 'most of the adapter is there, too');
  const refused = await d.post('/api/v1/models/load', { model: 'large', gpu: 'half' });
  assert.equal(refused.status, 400);
  assert.equal(refused.body.error.param, 'gpu');
});

test('a conversation comes back from the prompt store after its ttl', { skip }, async (t) => {
  const d = await start(t, { models: { r: random('--seed', '11') } });
  const watch = await d.watch();
  const first = await d.chat('r', { ...conversation, ttl: 0 });
  assert.equal(first.status, 200, JSON.stringify(first.body));
  await watch.reaches('r', 'absent');
  const { body } = await d.post('/api/v0/chat/completions', { model: 'r', ...conversation });
  assert.equal(body.choices[0].message.content, first.body.choices[0].message.content);
  assert.equal(body.stats.prompt_cache.source, 'disk');
});

test('fit: a card that is too small makes idle models leave', { skip }, async (t) => {
  const models = { r: random('--seed', '11'), s: spoken('All is well.'), u: spoken('You see.') };
  const d = await start(t, { models, settings: { auto_evict: 'fit' } });
  const watch = await d.watch();
  const first = await d.chat('r', conversation);
  await d.chat('s', { max_tokens: 1 });
  const bytes = (await d.instances()).map((i) => i.device_memory_bytes);
  assert.equal(bytes.length, 2, 'both fit');
  // A load wishes for what a full context takes, some 50 MB; the two have a fifth of that.
  await d.settings({ device_memory_limit: bytes[0] + bytes[1] + 1e6 });
  assert.equal((await d.chat('u', { max_tokens: 8 })).status, 200);
  const gone = watch.transitions().filter((e) => e.to === 'unloading');
  assert.deepEqual(gone.map((e) => e.reason), ['evicted_by:u', 'evicted_by:u']);
  assert.deepEqual((await d.instances()).map((i) => i.id), ['u']);
  const { body } = await d.post('/api/v0/chat/completions', { model: 'r', ...conversation });
  assert.equal(body.choices[0].message.content, first.body.choices[0].message.content);
  assert.equal(body.stats.prompt_cache.source, 'disk');
  await d.settings({ device_memory_limit: 1 });
  await d.chat('s', { max_tokens: 1 });
  const { device, device_memory_bytes: none } = await d.instance('s');
  assert.deepEqual({ device, none }, { device: 'cpu', none: 0 });
});

test('without a device: the CPU, one line in the log', { skip }, async (t) => {
  const models = { s: spoken('All is well.') };
  const none = { ...env, VK_ICD_FILENAMES: '/nowhere' };
  const d = await start(t, { models, env: none, settings: { engine: 'vulkan' } });
  assert.equal((await system(d)).chosen, 'cpu');
  assert.equal((await d.chat('s')).body.choices[0].message.content, 'All is well.');
  assert.equal(d.log.match(/Models are computed on the CPU/g).length, 1, d.log);
});

test('a driver that crashes ends its probe, not the server', { skip }, async (t) => {
  const models = { s: spoken('All is well.') };
  const folder = fs.mkdtempSync(path.join(build, 'engines-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.cpSync(path.join(engines, 'vulkan'), path.join(folder, 'vulkan'),
    { recursive: true, verbatimSymlinks: true });
  fs.writeFileSync(path.join(folder, 'vulkan/libggml-base.so'), 'no library');
  const d = await start(t, { models, env: { ...env, DOZE_ENGINES_DIR: folder } });
  const { engines: list, why } = await system(d);
  assert.match(list.find(({ name }) => name === 'vulkan').problem, /cannot be started/);
  assert.match(why, /vulkan: It cannot be started/);
  assert.equal((await d.chat('s')).body.choices[0].message.content, 'All is well.');
  assert.equal(d.log.match(/Models are computed on the CPU/g).length, 1, d.log);
});

test('an engine that is installed while the server runs is found', { skip }, async (t) => {
  const folder = fs.mkdtempSync(path.join(build, 'engines-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const d = await start(t, { env: { ...env, DOZE_ENGINES_DIR: folder } });
  const wanted = chosen(d);
  await wanted('cpu');
  fs.symlinkSync(path.join(engines, 'vulkan'), path.join(folder, 'vulkan'));
  assert.match((await system(d)).why, /^vulkan: It is being asked for its devices/);
  await wanted('vulkan');
  fs.rmSync(path.join(folder, 'vulkan'));
  await wanted('cpu');
});

test('install refuses what is not the pinned package', async (t) => {
  const folder = fs.mkdtempSync(path.join(build, 'engines-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'other.tgz');
  fs.writeFileSync(file, 'something');
  const to = { env: { DOZE_ENGINES_DIR: folder } };
  const refused = await run({ folder }, ['engine', 'install', 'vulkan', '--from', file], to);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /is not @node-llama-cpp\/linux-x64-vulkan@.* as pinned/);
  assert.deepEqual(fs.readdirSync(folder), ['other.tgz']);
  const none = await run({ folder }, ['engine', 'install', 'vulkan', '--from', `${file}x`], to);
  assert.match(none.err, /other\.tgzx cannot be read; name the package's file/);
  const unknown = await run({ folder }, ['engine', 'install', 'metal'], to);
  assert.match(unknown.err, /no engine 'metal'; there are vulkan and cuda/);
});

test('an adapter works on the device, too', { skip }, async (t) => {
  const model = random('--type', 'f32'), file = adapter(model);
  const d = await start(t, { models: { m: model, both: merged(model, file, 0.5) } });
  const says = async (name, load) => {
    await d.load(name, load);
    assert.ok((await d.instance(name)).gpu_layers > 0);
    return (await d.chat(name, conversation)).body.choices[0].message.content;
  };
  const adapted = await says('m', { adapters: [{ path: file, scale: 0.5 }] });
  assert.equal(adapted, await says('both', {}));
  await d.unload('m');
  assert.notEqual(adapted, await says('m', {}));
});
