/* SPDX-License-Identifier: MIT */
// As a service: sockets that systemd passes, what it is told, leaving when idle, reading again.
// Waits: for servers that leave when they are idle.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { chatBody } from './lib/daemon.js';
import { Launched } from './lib/launched.js';
import { spoken } from './lib/models.js';
import { says } from './lib/says.js';
import { Watch } from './lib/watch.js';
import { workersOf } from './lib/workers.js';

// One request on a connection of its own, closed afterwards.
function ask(url, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, method: body ? 'POST' : 'GET',
      headers: { 'content-type': 'application/json', connection: 'close' } }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => { text += chunk; });
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
    });
    request.on('error', reject);
    request.end(body && JSON.stringify(body));
  });
}

const chat = (d, more) => ask(`${d.url}/v1/chat/completions`, chatBody('m', more));
const patch = (d, change) => fetch(`${d.url}/api/v1/settings`, { method: 'PATCH',
  headers: { 'content-type': 'application/json', connection: 'close' },
  body: JSON.stringify(change) });
const model = () => spoken('Hello there.');

test('the first connection starts the server, on every socket, and is answered', async (t) => {
  const d = await Launched.start(t, { sockets: 3, args: ['--port', '1'] });
  assert.equal(d.count('start'), 0);
  for (const port of d.ports)
    assert.equal((await ask(`http://127.0.0.1:${port}/health`)).status, 200);
  assert.equal(d.count('start'), 1);
  await d.news('READY=1');
});

test('a worker gets neither the sockets nor the address for news', async (t) => {
  const d = await Launched.start(t, { models: { m: model() } });
  assert.equal((await chat(d)).status, 200);
  const { start: pid } = await d.says((f) => f.start);
  const inodes = (of) => fs.readdirSync(`/proc/${of}/fd`).map((fd) => {
    try { return fs.readlinkSync(`/proc/${of}/fd/${fd}`); } catch { return ''; }
  });
  const listening = inodes(pid).filter((name) => name.startsWith('socket:'));
  const passed = fs.readlinkSync(`/proc/${pid}/fd/3`);
  assert.ok(listening.includes(passed));
  const workers = workersOf(pid);
  assert.ok(workers.length > 0);
  for (const worker of workers) {
    assert.ok(!inodes(worker).includes(passed));
    assert.doesNotMatch(fs.readFileSync(`/proc/${worker}/environ`, 'utf8'), /NOTIFY|LISTEN_/);
  }
});

test('the status says what is loaded, and that the server stops', async (t) => {
  const d = await Launched.start(t, { models: { m: model() } });
  d.tell('start');
  const ready = await d.news('READY=1');
  assert.match(ready.news, /^STATUS=No model is loaded$/m);
  await chat(d);
  await d.news('STATUS=1 model, 0 requests running, 0 waiting');
  d.tell('SIGTERM');
  await d.news('STOPPING=1');
  assert.equal((await d.says((f) => 'exit' in f)).exit, 0);
});

test('a start that fails says why', async (t) => {
  const d = await Launched.start(t, { env: { WATCHDOG_USEC: 'soon' } });
  d.tell('start');
  assert.match((await d.says((f) => f.news)).news, /^STATUS=WATCHDOG_USEC must be a number/);
  assert.equal((await d.says((f) => 'exit' in f)).exit, 1);
});

const isSign = (fact) => fact.news === 'WATCHDOG=1';

test('the watchdog hears of the server twice in its period, and only if it wants to', async (t) => {
  const d = await Launched.start(t, { env: { WATCHDOG_USEC: '200000' } });
  const begin = performance.now();
  d.tell('start');
  await d.says(() => d.facts.filter(isSign).length >= 5);
  const took = performance.now() - begin, signs = d.facts.filter(isSign).length;
  assert.ok(took >= 95 * signs, `${signs} signs in ${took} ms, with 100 ms between two`);
  const quiet = await Launched.start(t, { models: { m: model() } });
  await chat(quiet);
  await quiet.news('STATUS=1 model, 0 requests running, 0 waiting');
  assert.ok(!quiet.facts.some(isSign));
});

test('reload: settings and models are read again, between RELOADING and READY', async (t) => {
  const d = await Launched.start(t, { models: { m: model() } });
  d.tell('start');
  await d.news('READY=1');
  const from = d.facts.length;
  fs.writeFileSync(path.join(d.stateDir, 'settings.json'), '{"max_ttl": 77}');
  fs.symlinkSync(model(), path.join(d.modelsDir, 'late.gguf'));
  d.tell('SIGHUP');
  const begun = await d.says((f) => f.news?.startsWith('RELOADING=1'), from);
  assert.match(begun.news, /^MONOTONIC_USEC=\d+$/m);
  await d.news('READY=1', from);
  assert.equal(JSON.parse((await ask(`${d.url}/api/v1/settings`)).text).max_ttl, 77);
  assert.match((await ask(`${d.url}/v1/models`)).text, /"late"/);
});

test('reload: a settings file with a mistake changes nothing, and the log says so', async (t) => {
  const d = await Launched.start(t);
  d.tell('start');
  await d.news('READY=1');
  const from = d.facts.length;
  const file = path.join(d.stateDir, 'settings.json');
  fs.writeFileSync(file, '{"max_ttl": 77, "jit": "perhaps"}');
  d.tell('SIGHUP');
  await d.news('READY=1', from);
  assert.equal(JSON.parse((await ask(`${d.url}/api/v1/settings`)).text).max_ttl, null);
  await says(d, /The settings stay as they were: .*jit/);
  assert.match(fs.readFileSync(file, 'utf8'), /perhaps/, 'it is left to be mended');
});

test('idle exit: not while a model is loaded or somebody is connected', async (t) => {
  const d = await Launched.start(t, { models: { m: model() }, args: ['--exit-when-idle', '1s'] });
  const watch = await Watch.open(d.url);
  await chat(d, { ttl: 2 }); // leaves 2 s later, with `watch` connected
  await watch.reaches('m', 'absent');
  assert.equal(d.count('exit'), 0);
  const alone = performance.now();
  watch.close();
  assert.equal((await d.says((f) => 'exit' in f)).exit, 0);
  assert.ok(performance.now() - alone >= 990, 'a second of nothing to do');
  await says(d, /nobody connected for 1s; the next connection starts the server again/);
});

test('idle exit: the next connection finds settings, pins and history again', async (t) => {
  const d = await Launched.start(t, { models: { m: model() }, args: ['--exit-when-idle', '1s'] });
  const stays = net.connect(d.ports[0], '127.0.0.1'); // else it may leave before the load
  assert.equal((await patch(d, { max_ttl: 77 })).status, 200);
  const load = { model: 'm', identifier: 'mine', keep: true, ttl: 1 };
  assert.equal((await ask(`${d.url}/api/v1/models/load`, load)).status, 200);
  stays.destroy();
  await d.says((f) => 'exit' in f); // a second after its ttl
  assert.equal(d.count('start'), 1);
  assert.equal(JSON.parse((await ask(`${d.url}/api/v1/settings`)).text).max_ttl, 77);
  assert.equal(d.count('start'), 2);
  await d.news('STATUS=1 model, 0 requests running, 0 waiting',
    d.facts.findIndex((f) => 'exit' in f)); // the pinned instance is loaded again
  const history = (await ask(`${d.url}/api/v1/history`)).text;
  assert.match(history, /"mine".*"ttl"/s);
});

test('idle exit: no connection is lost, whenever it comes', async (t) => {
  const d = await Launched.start(t, { args: ['--exit-when-idle', '1s'] });
  // Each client connects a little later after the first sign that the server leaves.
  for (let i = 0; i < 5; i++) {
    const from = d.facts.length; // before: it may leave as soon as it has answered
    assert.equal((await ask(`${d.url}/health`)).status, 200);
    await d.news('STOPPING=1', from);
    const many = Array.from({ length: 1 + 5 * i }, () => ask(`${d.url}/health`));
    for (const { status } of await Promise.all(many)) assert.equal(status, 200);
  }
  assert.equal(d.facts.filter((f) => 'exit' in f && f.exit !== 0).length, 0);
});
