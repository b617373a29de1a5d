/* SPDX-License-Identifier: MIT */
// Settings, what survives a restart, and how the daemon ends.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { Daemon, chatBody } from './lib/daemon.js';
import { endless, spoken } from './lib/models.js';
import { freeze, gone, isAlive } from './lib/process.js';
import { doze } from './lib/programs.js';
import { says } from './lib/says.js';
import { Stream, speaking } from './lib/stream.js';

const alpha = () => spoken('Alpha speaking. All is well.');

test('the whole is shown; a change is partial and answers the whole', async (t) => {
  const d = await Daemon.start(t);
  const { body } = await d.get('/api/v1/settings');
  assert.equal(body.jit, true);
  assert.equal(body.default_ttl, 3600);
  assert.equal(body.auto_evict, 'on');
  assert.equal(body.ttl_update, 'set');
  assert.equal(body.switch_window_ms, 1000);
  assert.equal(body.cors, false);
  const changed = await d.settings({ default_ttl: 60, auto_evict: 'off' });
  assert.deepEqual(changed, { ...body, default_ttl: 60, auto_evict: 'off' });
});

test('what is shown can be sent back: the key stays, the stars are none', async (t) => {
  const d =
    await Daemon.start(t, { settings: { api_key: 'sesame', models: { a: { parallel: 2 } } } });
  const as = (key) => ({ headers: { authorization: `Bearer ${key}` } });
  const shown = (await d.get('/api/v1/settings', as('sesame'))).body;
  assert.match(shown.api_key, /^\*+$/);
  const answer = await d.json('PATCH', '/api/v1/settings', shown, as('sesame'));
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.deepEqual(answer.body, shown);
  assert.equal((await d.get('/api/v1/models', as('sesame'))).status, 200);
  assert.equal((await d.get('/api/v1/models', as(shown.api_key))).status, 401);
  assert.equal(JSON.parse(fs.readFileSync(d.settingsFile, 'utf8')).api_key, 'sesame');
});

test('a bad change is refused with the name and changes nothing', async (t) => {
  const d = await Daemon.start(t);
  const before = (await d.get('/api/v1/settings')).body;
  for (const [name, value] of [['jit', 'yes'], ['default_ttl', -5], ['auto_evict', 'maybe'],
    ['switch_window_ms', 'soon'], ['cors', 1], ['nonsense', 1], ['memory_limit', -1]]) {
    const { status, body } = await d.patch('/api/v1/settings', { max_waiting: 7, [name]: value });
    assert.equal(status, 400, name);
    assert.equal(body.error.param, name);
  }
  assert.deepEqual((await d.get('/api/v1/settings')).body, before);
});

test('settings survive a restart', async (t) => {
  const d = await Daemon.start(t);
  const before = await d.settings({ default_ttl: null, auto_evict: 'fit', switch_window_ms: 5,
    jit: false });
  await d.stop();
  await d.launch();
  assert.deepEqual((await d.get('/api/v1/settings')).body, before);
});

test('settings survive SIGKILL right after the answer', async (t) => {
  const d = await Daemon.start(t);
  const before = await d.settings({ default_ttl: 4321 });
  d.kill('SIGKILL');
  await d.exited;
  await d.launch();
  assert.deepEqual((await d.get('/api/v1/settings')).body, before);
});

test('changes at the same time all count', async (t) => {
  const d = await Daemon.start(t);
  const names = ['max_waiting', 'default_ttl', 'switch_window_ms', 'load_stall_seconds'];
  await Promise.all([...Array(20).keys()].map((i) => d.settings({ [names[i % 4]]: 10 + i })));
  const { body } = await d.get('/api/v1/settings');
  for (const name of names) {
    assert.ok(body[name] >= 10 && body[name] < 30, `${name}: ${body[name]}`);
  }
  await d.stop();
  await d.launch();
  assert.deepEqual((await d.get('/api/v1/settings')).body, body);
});

test('a change that cannot be written is refused and does not hold', async (t) => {
  const d = await Daemon.start(t);
  const before = (await d.get('/api/v1/settings')).body;
  fs.mkdirSync(`${d.settingsFile}.tmp`); // in the way of the temporary file
  const { status, body } = await d.patch('/api/v1/settings', { default_ttl: 7 });
  assert.equal(status, 500);
  assert.equal(body.error.code, 'io_error');
  assert.deepEqual((await d.get('/api/v1/settings')).body, before);
  fs.rmdirSync(`${d.settingsFile}.tmp`);
  assert.equal((await d.settings({ default_ttl: 7 })).default_ttl, 7);
});

for (const [name, bytes] of [['half a file', '{"jit": fal'], ['no object', '[1]'],
  ['nothing', ''], ['noise', '\0\x01\xff'], ['a bad value', '{"jit": 7}']]) {
  test(`a corrupt settings file (${name}) is set aside, defaults are used`, async (t) => {
    const d = await Daemon.start(t, { settings: { parked_workers: 'auto' } }); // the default
    const defaults = (await d.get('/api/v1/settings')).body;
    await d.stop();
    fs.writeFileSync(d.settingsFile, bytes);
    d.log = '';
    await d.launch();
    assert.deepEqual((await d.get('/api/v1/settings')).body, defaults);
    await says(d, /warn.*settings/i);
    const aside = fs.readdirSync(d.stateDir).filter((f) => f.startsWith('settings.json.'));
    assert.equal(aside.length, 1);
    assert.equal(fs.readFileSync(path.join(d.stateDir, aside[0]), 'utf8'),
      Buffer.from(bytes).toString('utf8'));
    await d.settings({ default_ttl: 1 });
  });
}

for (const [name, damage] of [['cut', (text) => text.slice(0, text.length / 2)],
  ['of another version', (text) => text.replace('max_waiting', 'most_waiting')],
  ['gone', () => undefined],
  ['with stars for the key', (text) => text.replace('sesame', '********')]]) {
  test(`a settings file that is ${name} does not open the server`, async (t) => {
    const d = await Daemon.start(t, { settings: { api_key: 'sesame', max_waiting: 7 } });
    await d.stop();
    const text = damage(fs.readFileSync(d.settingsFile, 'utf8'));
    fs.rmSync(d.settingsFile);
    if (text !== undefined) fs.writeFileSync(d.settingsFile, text);
    for (let start = 0; start < 2; start++) {
      await d.launch();
      assert.equal((await d.get('/api/v1/models')).status, 401);
      const headers = { authorization: 'Bearer sesame' };
      assert.equal((await d.get('/api/v1/models', { headers })).status, 200);
      await d.stop();
    }
  });
}

test('if no file says whether a key was set, only this machine is served', async (t) => {
  const d = await Daemon.start(t);
  await d.stop();
  fs.writeFileSync(d.settingsFile, '{"api_key": "ses');
  d.args = ['--host', '0.0.0.0'];
  await d.launch();
  assert.match(d.url, /127\.0\.0\.1/);
  await says(d, /do not say whether an API key was set/);
  await d.settings({ api_key: null });
  await d.stop();
  d.log = '';
  await d.launch();
  assert.match(d.url, /0\.0\.0\.0/);
  await says(d, /Every machine that reaches 0\.0\.0\.0 can use this server/);
});

test('a second daemon on a state folder says who holds it and touches nothing', async (t) => {
  const d = await Daemon.start(t, { settings: { max_waiting: 7 } });
  fs.writeFileSync(d.settingsFile, '{');
  // The first one closes its history when it has rested.
  const files = () => fs.readdirSync(d.stateDir).filter((f) => !f.startsWith('history.db')).sort();
  const before = files();
  const second = spawnSync(doze, ['serve', '--port', '0', '--models-dir', d.modelsDir,
    '--state-dir', d.stateDir], { encoding: 'utf8', timeout: 30000,
    env: { ...process.env, HOME: d.folder } });
  assert.equal(second.status, 1);
  assert.match(second.stderr, new RegExp(`Another doze \\(process ${d.pid}\\) uses`));
  assert.deepEqual(files(), before);
  assert.equal(fs.readFileSync(d.settingsFile, 'utf8'), '{');
  assert.equal((await d.get('/health')).status, 200);
});

test('an alias is a name of a model', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  assert.equal((await d.chat('gpt-4o')).status, 404);
  assert.equal((await d.chat('claude-opus-5-5')).status, 404);
  await d.settings({ model_aliases: { 'gpt-*': 'alpha', local: 'loaded' } });
  const answer = await d.chat('gpt-4o');
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal((await d.chat('local')).status, 200);
  assert.equal((await d.chat('claude-opus-5-5')).status, 200, 'the only loaded model');
  const shown = await d.settings({ model_aliases: { 'gpt-*': null } });
  assert.deepEqual(shown.model_aliases, { local: 'loaded' });
  assert.equal((await d.chat('gpt-4o')).status, 404);
});

test('load settings of a model hold for JIT and explicit loads alike', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() },
    settings: { auto_evict: 'off', load: { parallel: 2 },
      models: { alpha: { context_length: 768 } } } });
  await d.chat('alpha');
  const jit = await d.instance('alpha');
  assert.equal(jit.config.context_length, 768);
  assert.equal(jit.config.parallel, 2);
  await d.load('alpha', { identifier: 'other', parallel: 1 });
  const explicit = await d.instance('other');
  assert.equal(explicit.config.context_length, 768);
  assert.equal(explicit.config.parallel, 1);
});

test('instances marked keep are there again after a restart', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha(), beta: spoken('Beta it is.') } });
  await d.load('alpha', { keep: true, ttl: 500, identifier: 'mine', context_length: 512 });
  await d.load('beta');
  await d.stop();
  await d.launch();
  const watch = await d.watch();
  const instances = (await d.instances()).filter((i) => i.state !== 'loading');
  if (!instances.some((i) => i.id === 'mine')) await watch.reaches('mine', 'idle');
  const [mine, ...others] = await d.instances();
  assert.deepEqual(others, []);
  assert.equal(mine.id, 'mine');
  assert.equal(mine.key, 'alpha');
  assert.equal(mine.origin, 'explicit');
  assert.equal(mine.ttl, 500);
  assert.equal(mine.config.context_length, 512);
  await d.unload('mine');
  await watch.reaches('mine', 'absent');
  await d.stop();
  await d.launch();
  assert.deepEqual(await d.instances(), [], 'unloaded by hand: no longer kept');
});

test('a kept instance is on disk before its load is answered, or the answer says why not',
  async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  const kept = path.join(d.stateDir, 'kept.json');
  const load = () => d.post('/api/v1/models/load',
    { model: 'alpha', identifier: 'mine', keep: true });
  fs.mkdirSync(`${kept}.tmp`); // nothing can be written there
  const refused = await load();
  assert.equal(refused.status, 200);
  assert.equal(refused.body.status, 'loaded');
  assert.match(refused.body.warning, /^It is loaded, but will not be loaded again .*kept\.json/);
  await says(d, /pinned instances are not saved/);
  assert.equal(d.log.match(/pinned instances are not saved/g).length, 1);
  await d.unload('mine');
  fs.rmdirSync(`${kept}.tmp`);
  const written = await load();
  assert.equal('warning' in written.body, false);
  assert.equal(JSON.parse(fs.readFileSync(kept, 'utf8'))[0].identifier, 'mine');
});

test('a kept instance named by another name of its model stays one wish', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha() } });
  await d.stop();
  const kept = path.join(d.stateDir, 'kept.json');
  fs.writeFileSync(kept, JSON.stringify([{ model: 'ALPHA' }]));
  await d.launch();
  const watch = await d.watch();
  if ((await d.instance('ALPHA'))?.state !== 'idle') await watch.reaches('ALPHA', 'idle');
  await d.stop();
  assert.deepEqual(JSON.parse(fs.readFileSync(kept, 'utf8')),
    [{ model: 'alpha', identifier: 'ALPHA' }]);
});

test('a kept instance whose worker died is there again after a restart', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha(), beta: spoken('Beta it is.') } });
  const watch = await d.watch();
  await d.load('alpha', { keep: true });
  const { pid } = await d.instance('alpha');
  process.kill(pid, 'SIGKILL');
  await watch.reaches('alpha', 'absent');
  await d.load('beta', { keep: true }); // rewrites the list
  await d.stop();
  await d.launch();
  const again = await d.watch();
  for (const id of ['alpha', 'beta']) {
    if ((await d.instance(id))?.state !== 'idle') await again.reaches(id, 'idle');
  }
});

// An answer of the model 'slow' that lasts until goOn() is called, however slow the machine is.
async function answering(t, d, watch) {
  await d.load('slow');
  const { pid } = await d.instance('slow');
  const goOn = freeze(t, pid);
  const answer = d.stream('slow', { max_tokens: 60 });
  await watch.reaches('slow', 'busy');
  return { pid, answer, goOn };
}

test('SIGTERM lets a running answer finish, then everything is gone', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless('10M') } });
  const watch = await d.watch();
  const { pid, answer, goOn } = await answering(t, d, watch);
  d.kill('SIGTERM');
  assert.equal((await watch.reaches('slow', 'draining')).reason, 'shutdown');
  goOn();
  const stream = await new Stream(await answer).ended;
  assert.equal(stream.finish, 'length', JSON.stringify(stream.error));
  assert.ok(stream.done);
  assert.deepEqual(await d.exited, { code: 0, signal: null });
  assert.ok(!isAlive(pid));
  await watch.reaches('slow', 'absent');
});

test('a second SIGTERM ends at once', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  const stream = await speaking(d, 'slow');
  const { pid } = await watch.reaches('slow', 'busy');
  d.kill('SIGTERM');
  await watch.reaches('slow', 'draining');
  const started = performance.now();
  d.kill('SIGTERM');
  assert.deepEqual(await d.exited, { code: 0, signal: null });
  assert.ok(performance.now() - started < 9000, 'an answer has 10 s to finish');
  await stream.ended;
  assert.equal(stream.finish, null);
  await gone(pid);
});

test('during the shutdown new requests are refused, and listeners do not hold it up', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless('10M'), alpha: alpha() } });
  const watch = await d.watch();
  const agent = new http.Agent({ keepAlive: true }); // a connection from before the shutdown
  assert.equal(await statusOf(d, agent), 200);
  const { answer, goOn } = await answering(t, d, watch);
  d.kill('SIGTERM');
  await watch.reaches('slow', 'draining');
  const late = await statusOf(d, agent).catch((cause) => cause.code);
  assert.ok([503, 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(late), `${late}`);
  goOn();
  const stream = await new Stream(await answer).ended;
  assert.equal(stream.finish, 'length');
  assert.deepEqual(await d.exited, { code: 0, signal: null });
  agent.destroy();
});

// The status of a chat with alpha over a connection of the agent.
function statusOf(d, agent) {
  return new Promise((resolve, reject) => {
    const request = http.request(`${d.url}/v1/chat/completions`, { agent, method: 'POST' },
      (response) => response.resume().on('end', () => resolve(response.statusCode)));
    request.on('error', reject);
    request.end(JSON.stringify(chatBody('alpha')));
  });
}

test('a port that is taken: one sentence, exit 1', async (t) => {
  const d = await Daemon.start(t);
  const second = await Daemon.start(t, { args: ['--port', String(d.port)] })
    .then(() => null, (e) => e.message);
  assert.match(second, /\(1\)/);
  assert.match(second, new RegExp(`${d.port}`));
});

test('a state folder that cannot be made: one sentence, exit 1', async (t) => {
  for (const state of ['/proc/nope', `${import.meta.filename}/sub`]) {
    const end = await Daemon.start(t, { args: ['--state-dir', state] })
      .then(() => null, (e) => e.message);
    assert.match(end, /\(1\)/);
    assert.match(end, /The folder '(\/proc\/nope|.*settings\.test\.js)' cannot be made: /);
  }
});
