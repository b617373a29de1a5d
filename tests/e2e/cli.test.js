/* SPDX-License-Identifier: MIT */
// The command line against a real daemon.
import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { Command, run } from './lib/cli.js';
import { Daemon } from './lib/daemon.js';
import { freePort } from './lib/etcd.js';
import { broken, embedding, endless, slowToLoad, spoken } from './lib/models.js';
import { gone } from './lib/process.js';
import { doze } from './lib/programs.js';
import { speaking } from './lib/stream.js';

const text = 'Alpha speaking. All is well.';
const start = (t, { models, ...more } = {}) => Daemon.start(t, { models: { alpha: spoken(text),
  beta: spoken('Beta is here, as you asked.'), ...models }, ...more });

// Nobody else answers at its port when it has stopped.
const startAtOwnPort = async (t) => start(t, { args: ['--port', String(await freePort())] });

function succeeded(result) {
  assert.equal(result.code, 0, `${result.out}${result.err}`);
  return result;
}

// The command ends when the instance is told to leave, not when it has left.
const allGone = (d) => ask(() => d.instances(), (list) => list.length === 0);

test('ls: tables, filters, JSON, broken files with the reason', async (t) => {
  const d = await start(t, { models: { embed: embedding(), bad: broken('truncated') } });
  const { out } = succeeded(await run(d, ['ls']));
  for (const key of ['alpha', 'beta', 'embed']) assert.match(out, new RegExp(`\\b${key}\\b`));
  const only = succeeded(await run(d, ['ls', '--embedding', '-q']));
  assert.equal(only.out.trim(), 'embed');
  const list = JSON.parse(succeeded(await run(d, ['ls', '--json'])).out);
  assert.ok(Array.isArray(list) && list.length >= 3);
});

test('load, ps, unload', async (t) => {
  const d = await start(t);
  const load = succeeded(await run(d, ['load', 'alpha', '--ttl', '300', '--context-length', '512',
    '--parallel', '2', '--identifier', 'mine']));
  assert.match(load.out + load.err, /mine/);
  const ps = succeeded(await run(d, ['ps'])).out;
  const [head, row] = ps.trim().split('\n');
  for (const column of ['IDENTIFIER', 'MODEL', 'STATUS', 'SIZE', 'CONTEXT', 'PARALLEL', 'TTL'])
    assert.match(head, new RegExp(`\\b${column}\\b`));
  assert.match(row, /^mine\s+alpha\s+IDLE\s+.*\b512\s+2\s+(4m\d\ds|5m) \/ 5m/);
  const [instance] = JSON.parse(succeeded(await run(d, ['ps', '--json'])).out);
  assert.equal(instance.identifier ?? instance.id, 'mine');
  succeeded(await run(d, ['unload', 'mine']));
  await allGone(d);
});

test('unload without a name, and --all', async (t) => {
  const d = await start(t);
  await d.load('alpha');
  succeeded(await run(d, ['unload']));
  await allGone(d);
  await d.load('alpha');
  await d.load('beta');
  const which = await run(d, ['unload']);
  assert.equal(which.code, 2, which.err);
  assert.match(which.err, /alpha.*beta|--all/s);
  succeeded(await run(d, ['unload', '--all']));
  await allGone(d);
});

test('a part of a name is enough for unload and explain', async (t) => {
  const d = await start(t);
  await d.load('alpha');
  await d.load('beta');
  assert.match(succeeded(await run(d, ['explain', 'ALP'])).out, /'alpha' would serve it/);
  const both = await run(d, ['unload', 'a']);
  assert.equal(both.code, 1, 'two have an a');
  assert.equal((await d.instances()).length, 2);
  assert.equal(succeeded(await run(d, ['unload', 'lph'])).out, 'Model "alpha" unloaded.\n');
  await ask(() => d.instances(), (list) => list.length === 1 && list[0].id === 'beta');
});

test('load --json prints the server\'s answer; a bar on a terminal', async (t) => {
  const d = await start(t, { models: { big: slowToLoad() } });
  const json = JSON.parse(succeeded(await run(d, ['load', 'alpha', '--json'])).out);
  assert.equal(json.instance_id, 'alpha');
  const terminal = succeeded(await run(d, ['-qec', `${doze} load big`, '/dev/null'],
    { program: 'script' }));
  assert.match(terminal.out, /\d+ ?%/);
  assert.equal((await d.instances()).length, 2);
});

test('load: --estimate-only, --exact, --gpu as a share', async (t) => {
  const d = await start(t);
  const estimate = succeeded(await run(d, ['load', 'alp', '--estimate-only', '-c', '512']));
  assert.match(estimate.out, /^Model: alpha\nContext Length: 512\n/);
  assert.match(estimate.out, /GPU Memory: +0 B\n.*Total Memory: [\d.]+ MB$/m);
  const args = ['load', 'alpha', '--estimate-only', '--json'];
  const json = JSON.parse(succeeded(await run(d, args)).out);
  assert.equal(json.fits, true);
  assert.deepEqual(await d.instances(), []);
  const exact = await run(d, ['load', 'alph', '--exact']);
  assert.equal(exact.code, 1);
  assert.match(exact.err, /did you mean 'alpha'/);
  succeeded(await run(d, ['load', 'alpha', '--exact', '--gpu', '0.5']));
  assert.equal((await run(d, ['load', 'alpha', '--gpu', '1.5'])).code, 2);
  assert.equal((await run(d, ['load', '--gpu', '0.5'])).code, 2);
});

test('ls: --detailed, --variants, a part of a name', async (t) => {
  const d = await start(t);
  const detailed = succeeded(await run(d, ['ls', '--detailed'])).out;
  assert.match(detailed, /^alpha\n {2}.* by test\n {2}llama, .*context 8192\n {2}.*alpha\.gguf$/m);
  const variants = succeeded(await run(d, ['ls', '--variants'])).out;
  assert.match(variants, /^MODEL +VARIANT +SIZE$/m);
  assert.match(variants, /^alpha +\S+ +[\d.]+ [KM]B$/m);
  assert.equal(succeeded(await run(d, ['ls', 'BET', '-q'])).out, 'beta\n');
  assert.match(succeeded(await run(d, ['ls', 'omega'])).err, /No model matches/);
});

test('ps --watch shows the list again until Ctrl-C', async (t) => {
  const d = await start(t);
  const ps = new Command(d, ['ps', '--watch']);
  await ps.shows(/No models are currently loaded/);
  await d.load('alpha');
  await ps.shows(/alpha +alpha +IDLE/);
  ps.child.kill('SIGINT');
  await ps.ended;
  assert.equal(ps.code, 0);
});

test('server status: --verbose, --quiet, --log-level', async (t) => {
  const d = await startAtOwnPort(t);
  await d.load('alpha');
  const verbose = succeeded(await run(d, ['server', 'status', '--verbose'])).out;
  assert.match(verbose, new RegExp(`running on port ${d.port}[^]*Address: http[^]*alpha`));
  assert.equal(succeeded(await run(d, ['server', 'status', '--quiet'])).out, '');
  assert.equal(JSON.parse((await run(d, ['server', 'status', '--json', '--quiet'])).out).port,
    d.port);
  assert.equal((await run(d, ['server', 'status', '-q', '-v'])).code, 2);
  assert.equal((await run(d, ['server', 'status', '--log-level', 'loud'])).code, 2);
  await d.stop();
  const off = await run(d, ['server', 'status', '--log-level', 'warn']);
  assert.deepEqual([off.code, off.out, off.err], [3, '', '']);
});

test('daemon and runtime, as lms has them', async (t) => {
  const d = await startAtOwnPort(t);
  assert.deepEqual(JSON.parse(succeeded(await run(d, ['daemon', 'status', '--json'])).out),
    { status: 'running', pid: d.pid, isDaemon: true, version: JSON.parse(
      (await run(d, ['version', '--json'])).out).version });
  assert.match(succeeded(await run(d, ['daemon', 'up'])).out, new RegExp(`pid ${d.pid}`));
  assert.match((await run(d, ['daemon', 'update'])).err, /does not update itself/);
  const engine = succeeded(await run(d, ['runtime', 'ls'])).out;
  const [, release] = /llama\.cpp-linux-\S+ +(\S+) .*GGUF/.exec(engine);
  assert.notEqual(release, JSON.parse((await run(d, ['version', '--json'])).out).version,
    'of llama.cpp, not of doze');
  assert.match(release, /^\d+(\.\d+)+$/);
  assert.match(succeeded(await run(d, ['runtime', 'survey'])).out, /^CPU: .*\nRAM: [\d.]+ GB/m);
  assert.equal((await run(d, ['runtime', 'select', 'mlx'])).code, 1);
  assert.equal(succeeded(await run(d, ['runtime', 'select', 'llama.cpp'])).code, 0);
  assert.match((await run(d, ['runtime', 'get', 'x'])).err, /one engine/);
  assert.match((await run(d, ['login'])).err, /needs LM Studio/);
  assert.match((await run(d, ['log', 'stream', '-s', 'runtime'])).err, /--source server/);
  await d.stop();
  const off = await run(d, ['daemon', 'status', '--json']);
  assert.deepEqual([off.code, JSON.parse(off.out)], [3, { status: 'not-running' }]);
  const up = JSON.parse(succeeded(await run(d, ['daemon', 'up', '--json'])).out);
  t.after(() => { try { process.kill(up.pid, 'SIGKILL'); } catch { /* it is gone */ } });
  assert.equal(up.status, 'running');
  succeeded(await run(d, ['daemon', 'down']));
  await gone(up.pid);
});

test('where there are no models, every command says how to get one', async (t) => {
  const d = await Daemon.start(t);
  const hint = /There are no models yet; `doze get <owner\/repo>` downloads one/;
  for (const args of [['ls'], ['load'], ['load', 'x'], ['run', 'x', 'Hello'],
    ['chat', '-p', 'Hi', 'x'], ['show', 'x'], ['rm', 'x', '-y'], ['explain', 'x']]) {
    const { out, err } = await run(d, args);
    assert.match(out + err, hint, args.join(' '));
  }
  const { status, body } = await d.chat('x');
  assert.equal(status, 404);
  assert.match(body.error.message, hint);
});

test('a part of the name of an embedding model: what it is, not that it is none', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: spoken('Hi.'), 'nomic-small': embedding() } });
  const { code, err } = await run(d, ['run', 'nomic', 'Hello']);
  assert.equal(code, 1);
  assert.match(err, /'nomic-small' is an embedding model; choose a language model/);
});

test('unknown model: close names, exit 1; usage errors: exit 2', async (t) => {
  const d = await start(t);
  const unknown = await run(d, ['load', 'alfa', '-y']);
  assert.equal(unknown.code, 1, unknown.out);
  assert.match(unknown.err, /^doze: .*alpha/);
  for (const args of [['load', '--frobnicate'], ['lode', 'alpha'], ['load', 'alpha', '--ttl', 'x'],
    ['settings', 'set', 'jit']]) {
    const result = await run(d, args);
    assert.equal(result.code, 2, `${args}: ${result.out}${result.err}`);
    assert.match(result.err, /^doze: /);
  }
  assert.match((await run(d, ['lode'])).err, /load/);
});

test('no server: how to start it, exit 3', async (t) => {
  const d = await startAtOwnPort(t);
  await d.stop();
  for (const args of [['ps'], ['ls'], ['load', 'alpha'], ['unload', 'x'], ['chat', '-p', 'x'],
    ['settings'], ['log', 'stream']]) {
    const result = await run(d, args);
    assert.equal(result.code, 3, `${args}: ${result.err}`);
    assert.match(result.err, /doze server start/);
  }
  assert.equal((await run(d, ['server', 'status'])).code, 3);
});

test('chat: a prompt, a pipe, both, statistics', async (t) => {
  const d = await start(t);
  assert.equal(succeeded(await run(d, ['chat', 'alpha', '-p', 'Hello'])).out, `${text}\n`);
  assert.equal(succeeded(await run(d, ['chat', 'alpha'], { input: 'Hello' })).out, `${text}\n`);
  const both = succeeded(await run(d, ['chat', 'alpha', '-p', 'Say', '--stats'], { input: 'x' }));
  assert.ok(both.out.startsWith(text));
  assert.match(both.out + both.err, /tok/);
  await run(d, ['chat', 'alpha', '--ttl', '77', '-p', 'x']);
  assert.equal((await d.instance('alpha')).ttl, 77);
});

test('run: a question behind the model, a pipe, and a conversation on a terminal', async (t) => {
  const d = await start(t);
  assert.equal(succeeded(await run(d, ['run', 'alp', 'Hello', 'there'])).out, `${text}\n`);
  assert.equal(succeeded(await run(d, ['run', 'alpha'], { input: 'Hello' })).out, `${text}\n`);
  const talk = succeeded(await run(d, ['-qec', `${doze} run alp`, '/dev/null'], { program: 'script',
    input: 'Hello\n/set temperature 0\nAgain\n/bye\n', env: { TERM: 'xterm' } }));
  assert.match(talk.out, /alpha> /);
  assert.equal(talk.out.split(text).length, 3, talk.out);
  assert.match(fs.readFileSync(path.join(d.folder, '.local/state/doze/chat_history'), 'utf8'),
    /Again/);
});

test('run loads the model where JIT loading is off; chat says why not', async (t) => {
  const d = await start(t, { settings: { jit: false } });
  const chat = await run(d, ['chat', 'alpha', '-p', 'Hello']);
  assert.equal(chat.code, 1);
  assert.match(chat.err, /JIT loading is off/);
  assert.equal(succeeded(await run(d, ['run', 'alp', 'Hello', '--ttl', '70'])).out, `${text}\n`);
  assert.equal((await d.instance('alpha')).ttl, 70);
});

test('no memory: the sentence has the sizes, the setting, and what to do', async (t) => {
  const d = await start(t, { settings: { memory_limit: 50000000 } });
  const { code, err } = await run(d, ['load', 'alpha']);
  assert.equal(code, 1);
  assert.match(err, /needs about [\d.]+ MB and 50\.00 MB are free below memory_limit; raise it, /);
  assert.doesNotMatch(err, /unload another/);
});

test('show: facts, memory, files, kept prompts, settings and their origin', async (t) => {
  const d = await start(t, { settings: { load: { parallel: 2, context_length: 2048 },
    models: { alpha: { ttl: 90, context_length: 1024 } } } });
  await d.chat('alpha');
  const { out } = succeeded(await run(d, ['show', 'alp']));
  for (const line of [/^key +alpha$/m, /^architecture +llama, /m, /^context +8,192 tokens$/m,
    /^licence +\S/m, /^memory +[\d.]+ MB with 4,096 tokens$/m, /^ +[\d.]+ MB with 8,192 tokens$/m,
    /^files +.*\/test\/alpha\/alpha\.gguf$/m, /ttl 1m30s \(from models\)/,
    /context_length 1024 \(from models\)/, /parallel 2 \(from load\)/,
    /^loaded +alpha: IDLE, [\d.]+ MB$/m]) assert.match(out, line);
  assert.doesNotMatch(out, /2048/);
  const json = JSON.parse(succeeded(await run(d, ['show', 'alpha', '--json'])).out);
  assert.equal(json.key, 'alpha');
  assert.equal(json.estimate.fits, true);
  assert.equal(json.files.length, 1);
  await run(d, ['settings', 'set', 'default_ttl', 'none']);
  assert.match((await run(d, ['show', 'beta'])).out, /ttl none \(from default_ttl\)/);
  const none = await run(d, ['show', 'omega']);
  assert.equal(none.code, 1);
  assert.match(none.err, /There is no model 'omega'; `doze ls` lists the models/);
});

test('chat stopped by Ctrl-C: the server stops too', async (t) => {
  const d = await start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  const chat = new Command(d, ['chat', 'slow', '-p', 'x']);
  await chat.shows(/tick/);
  chat.child.kill('SIGINT');
  await chat.ended;
  assert.notEqual(chat.code, 0);
  await watch.reaches('slow', 'idle');
});

test('chat into a pipe that is closed ends quietly', async (t) => {
  const d = await start(t, { models: { slow: endless() } });
  const watch = await d.watch();
  const result = succeeded(await run(d, ['-c', `"${doze}" chat slow -p x | head -c 20`],
    { program: 'sh' }));
  assert.equal(result.out.length, 20);
  assert.equal(result.err, '');
  await watch.reaches('slow', 'idle');
});

test('load stopped by Ctrl-C: the load is called off', async (t) => {
  const d = await start(t, { models: { big: slowToLoad() } });
  const watch = await d.watch();
  for (let after; ;) {
    const load = new Command(d, ['load', 'big']);
    const begun = await watch.reaches('big', 'loading', { after });
    load.child.kill('SIGINT');
    await load.ended;
    if (load.code === 0) await d.unload('big'); // it was through before: once more
    after = await watch.reaches('big', 'absent', { after: begun });
    if (load.code !== 0) return;
  }
});

test('settings: all, one, set, bad values', async (t) => {
  const d = await start(t, { settings: { parked_workers: 'auto' } }); // all are their defaults
  const { body: initial } = await d.get('/api/v1/settings');
  const table = succeeded(await run(d, ['settings'])).out.trim().split('\n').slice(1);
  assert.equal(table.length, Object.keys(initial).length);
  // The command line knows every setting: value with its unit, and what it means.
  for (const line of table) assert.match(line, /^\w+ +\S+.*  \w+/, line);
  assert.match(table.join('\n'), /default_ttl +1h +Idle time/);
  assert.match(succeeded(await run(d, ['settings', 'get', 'jit'])).out, /^true$/m);
  succeeded(await run(d, ['settings', 'set', 'auto_evict', 'fit']));
  succeeded(await run(d, ['settings', 'set', 'default_ttl', 'null']));
  const { body } = await d.get('/api/v1/settings');
  assert.equal(body.auto_evict, 'fit');
  assert.equal(body.default_ttl, null);
  assert.deepEqual(JSON.parse((await run(d, ['settings', '--json'])).out), body);
  for (const [key, value, out] of [['default_ttl', '10m', '600'], ['jit', 'off', 'false'],
    ['memory_limit', '8GB', '8000000000'], ['max_ttl', '-1', 'null'], ['hang_seconds', '2m', '120'],
    ['switch_window_ms', '2s', '2000'], ['api_key', 'none', 'null']])
    assert.equal(succeeded(await run(d, ['settings', 'set', key, value])).out, `${out}\n`);
  for (const key of Object.keys(body)) succeeded(await run(d, ['settings', 'unset', key]));
  assert.deepEqual((await d.get('/api/v1/settings')).body, initial);
  assert.equal((await run(d, ['settings', 'get', 'models'])).out, 'Nothing is set in models.\n');
  const members = '{"alpha": {"context_length": 64, "parallel": 1}}';
  assert.equal(succeeded(await run(d, ['settings', 'set', 'models', members])).out,
    'MEMBER                  VALUE\nalpha context_length    64\nalpha parallel          1\n');
  const one = await run(d, ['settings', 'get', 'models', '--json']);
  assert.equal(JSON.parse(one.out).alpha.context_length, 64);
  assert.match((await run(d, ['settings', 'set', 'default_tt', '3'])).err,
    /did you mean 'default_ttl'/);
  const bad = await run(d, ['settings', 'set', 'auto_evict', 'maybe']);
  assert.equal(bad.code, 1);
  assert.match(bad.err, /"fit"/);
  assert.equal((await run(d, ['settings', 'get', 'nonsense'])).code, 1);
});

test('server start, status, stop: in the background, with a state folder of its own', async (t) => {
  const d = await start(t); // lends its folders and HOME
  const { modelsDir, folder } = d;
  const state = path.join(folder, 'second');
  const own = { folder, port: '' };
  const started = succeeded(await run(own, ['server', 'start', '--port', String(await freePort()),
    '--state-dir', state, '--json', '--', '--models-dir', modelsDir]));
  const { port, pid } = JSON.parse(started.out);
  t.after(() => { try { process.kill(pid, 'SIGKILL'); } catch { /* it is gone */ } });
  const there = { folder, port };
  const status = JSON.parse(succeeded(await run(there, ['server', 'status', '--json'])).out);
  assert.equal(status.running, true);
  assert.equal(status.port, port);
  assert.equal(succeeded(await run(there, ['chat', 'alpha', '-p', 'x'])).out, `${text}\n`);
  assert.match(fs.readFileSync(path.join(state, 'doze.log'), 'utf8'), /listening/);
  succeeded(await run(there, ['server', 'stop']));
  await gone(pid);
  assert.equal((await run(there, ['server', 'status'])).code, 3);
});

test('model folders that do not exist at the start: made, or noticed when they are made',
  async (t) => {
  const d = await start(t); // lends its folder
  const home = path.join(d.folder, 'home');
  fs.mkdirSync(home);
  const own = { folder: home, port: '' };
  const { port, pid } = JSON.parse(succeeded(await run(own, ['server', 'start', '--port', '0',
    '--json'], { env: { XDG_DATA_HOME: '', XDG_STATE_HOME: '', HF_HOME: '', HF_HUB_CACHE: undefined,
    DOZE_STATE_DIR: '', DOZE_MODELS_DIR: '' } })).out);
  t.after(() => { try { process.kill(pid, 'SIGKILL'); } catch { /* it is gone */ } });
  const there = { folder: home, port };
  const keys = () => run(there, ['ls', '-q']).then(({ out }) => out.trim());
  const doze = path.join(home, '.local/share/doze/models');
  assert.ok(fs.statSync(doze).isDirectory());
  fs.symlinkSync(spoken(text), path.join(doze, 'first.gguf'));
  await ask(keys, (out) => out === 'first');
  const hub = path.join(home, '.cache/huggingface/hub/models--me--second/snapshots/1');
  fs.mkdirSync(hub, { recursive: true });
  fs.symlinkSync(spoken('Beta is here, as you asked.'), path.join(hub, 'second.gguf'));
  await ask(keys, (out) => out.includes('second'));
  succeeded(await run(there, ['server', 'stop']));

  const missing = await Daemon.start(t, { args: ['--models-dir', path.join(d.folder, 'nowhere')] });
  assert.match(missing.log, /The models folder \S*nowhere does not exist/);
});

test('log stream: prompts, answers, figures; server lines', async (t) => {
  const d = await start(t);
  const log = new Command(d, ['log', 'stream', '--stats', '--json']);
  const server = new Command(d, ['log', 'stream', '--source', 'server']);
  // Both are listening once something they must show has come.
  await Promise.all([log, server].map((c) => listening(d, c)));
  await d.chat('alpha', { messages: [{ role: 'user', content: 'open sesame' }] });
  await log.shows(/"type":"output"[^\n]*All is well[^\n]*\n[^\n]*"type":"stats"[^\n]*\n$/);
  assert.match(log.out, /"type":"input"[^\n]*open sesame/);
  for (const line of log.out.trim().split('\n')) JSON.parse(line);
  for (const command of [log, server]) {
    command.child.kill('SIGINT');
    await command.ended;
  }
});

// Make the daemon say something until the command shows it: then the command is connected.
async function listening(d, command) {
  let heard = false;
  const first = command.shows(/./s).finally(() => { heard = true; });
  while (!heard) {
    await d.chat('beta', { ttl: 0, max_tokens: 1 });
  }
  await first;
}

test('ps while it works: GENERATING or BUSY, and the TTL stands still', async (t) => {
  const d = await start(t, { models: { slow: endless() } });
  const abort = new AbortController();
  await speaking(d, 'slow', { ttl: 60 }, { signal: abort.signal });
  const { out } = succeeded(await run(d, ['ps']));
  assert.match(out, /slow\s+slow\s+(GENERATING|BUSY|PROCESSING)/i);
  abort.abort();
});

test('called as lms it does the same, word for word', async (t) => {
  const d = await start(t);
  const lms = path.join(d.folder, 'lms');
  fs.symlinkSync(doze, lms);
  const as = { program: lms };
  succeeded(await run(d, ['load', 'alpha', '--ttl', '3600'], as));
  assert.equal((await d.instance('alpha')).ttl, 3600);
  assert.match(succeeded(await run(d, ['ps'], as)).out, /alpha/);
  assert.match(succeeded(await run(d, ['ls'], as)).out, /beta/);
  assert.match(succeeded(await run(d, ['status'], as)).out, /\d/);
  assert.match(succeeded(await run(d, ['server', 'status'], as)).out, new RegExp(d.port));
  succeeded(await run(d, ['unload', '--all'], as));
  await allGone(d);
  assert.match((await run(d, ['nonsense'], as)).err, /`lms help`/);
});

test('completion of bash: commands, options, keys and values', async (t) => {
  const d = await start(t);
  const file = new URL('../../completions/doze.bash', import.meta.url).pathname;
  const complete = (...words) => {
    const script = `source ${file}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _doze
      echo "\${COMPREPLY[*]}"`;
    const { stdout } = spawnSync('bash', ['-c', script, 'bash', doze, ...words], { encoding: 'utf8',
      env: { ...process.env, DOZE_PORT: String(d.port) } });
    return stdout.trim();
  };
  assert.equal(complete('se'), 'serve settings server');
  assert.equal(complete('load', 'a'), 'alpha');
  assert.equal(complete('settings', 'set', 'auto'), 'auto_evict');
  assert.equal(complete('settings', '--json', 'set', 'auto_evict', ''), 'on off fit per_type');
  assert.equal(complete('log', ''), 'stream --events');
  assert.equal(complete('log', '--events', '--since', '1'), '1h 12h 1d');
  assert.equal(complete('--port', '5', 'prompts', 'clear', '-'),
    '--yes --json --host --port --help');
});

test('help and version', () => {
  for (const args of [['--help'], ['help'], ['load', '--help'], ['serve', '--help'], ['version'],
    ['--version']]) {
    const { status, stdout } = spawnSync(doze, args, { encoding: 'utf8' });
    assert.equal(status, 0, `${args}`);
    assert.match(stdout, /doze|serve|\d\.\d/i);
  }
});
