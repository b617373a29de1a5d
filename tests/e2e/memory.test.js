/* SPDX-License-Identifier: MIT */
// Large bodies, one and of many clients: the daemon's memory is bounded, and others are served
// meanwhile.
// Alone: measures memory and time.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import { Daemon, chatBody } from './lib/daemon.js';
import { poller } from './lib/poller.js';
import { endless } from './lib/models.js';
import { statusField } from './lib/process.js';
import { sanitized } from './lib/programs.js';
import { Stream } from './lib/stream.js';

const MB = 1 << 20;
const CLIENTS = 8;
const LONGEST_MS = 1000;

// The least of three tries, or the first that is good enough: a delay that the server causes comes
// each time, a stall of the machine does not.
async function leastOf(goodEnough, measure) {
  let least = Infinity;
  for (let i = 0; i < 3 && least >= goodEnough; i++) least = Math.min(least, await measure());
  return least;
}

// The status of a POST whose client keeps sending, whatever it hears.
function send(d, body) {
  return new Promise((resolve) => {
    const request = http.request(`${d.url}/v1/chat/completions`, { method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length } });
    request.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
      response.on('error', () => resolve(response.statusCode));
    });
    request.on('error', () => resolve(0)); // refused while it was sending
    request.end(body);
  });
}

// Others, until told to stop: the longest wait, and every status that a small request got.
async function serveOthers(d, isOver) {
  const seen = new Set();
  let longest = 0;
  while (!isOver()) {
    const began = performance.now();
    assert.equal((await d.get('/health')).status, 200);
    longest = Math.max(longest, performance.now() - began);
    seen.add((await d.chat('nobody')).status);
  }
  return { seen, longest };
}

const values = (size) => `{"model":"nobody","messages":[${'1,'.repeat(size / 2)}1]}`;
const text = (size) => JSON.stringify(chatBody('nobody', { pad: 'x'.repeat(size) }));

for (const [name, size, make, limit, statuses] of [
  ['refused by the limit', 60 * MB, text, 16 * MB, [0, 413]],
  ['within a raised limit', 60 * MB, text, 64 * MB, [404, 429, 0]],
  ['of as many values as fit', 15 * MB, values, 16 * MB, [400, 413, 429, 0]]]) {
  test(`${CLIENTS} large bodies, ${name}: memory stays bounded`, async (t) => {
    const d = await Daemon.start(t, { settings: { body_limit: limit } });
    const body = Buffer.from(make(size));
    const longestWait = await leastOf(sanitized ? Infinity : LONGEST_MS, async () => {
      let over = false;
      const others = serveOthers(d, () => over);
      const got = await Promise.all(Array.from({ length: CLIENTS }, () => send(d, body)));
      over = true;
      const { seen, longest } = await others;
      for (const status of got) assert.ok(statuses.includes(status), `status ${status}`);
      assert.deepEqual([...seen], [404]); // there is no such model: never 429
      t.diagnostic(`longest wait ${Math.round(longest)} ms, ${got}`);
      return longest;
    });
    const peak = statusField(d.pid, 'VmHWM') / 1024;
    t.diagnostic(`peak ${Math.round(peak)} MB`);
    if (sanitized) return;
    assert.ok(peak < 200, `${peak} MB`);
    assert.ok(longestWait < LONGEST_MS, `${longestWait} ms`);
  });
}

const WAITERS = 40;

// Sends request after request. Each waits for the model's only place, or is refused.
async function fillLine(d, body) {
  const refused = [];
  for (let sent = 1; sent <= WAITERS; sent++) {
    send(d, body).then((status) => refused.push(status));
    while ((await d.instances())[0].waiting + refused.length < sent);
  }
  return refused;
}

const parts = (part) => ({ messages: [{ role: 'user', content: part }] });
const PART = { type: 'text', text: 'a' };

for (const [name, make] of [
  ['with a long text', (size) => parts('a word '.repeat(size / 7))],
  ['with many values', (size) => parts(Array.from({ length: size / 27 }, () => PART))]]) {
  test(`${WAITERS} requests ${name} wait for a busy model: memory stays bounded`, async (t) => {
    const body = Buffer.from(JSON.stringify(chatBody('m', make(14 * MB))));
    const wait = await leastOf(sanitized ? Infinity : LONGEST_MS, async () => {
      const d = await Daemon.start(t, { models: { m: endless() } });
      await d.load('m', { parallel: 1 });
      const stream = new Stream(await d.stream('m'));
      await stream.reached(1);
      const longestWait = poller(t, d.url);
      let over = false;
      const others = serveOthers(d, () => over);
      const refused = await fillLine(d, body);
      over = true;
      const { seen } = await others;
      const peak = statusField(d.pid, 'VmHWM') / 1024, longest = await longestWait();
      t.diagnostic(`peak ${Math.round(peak)} MB, longest wait ${Math.round(longest)} ms, ${
        WAITERS - refused.length} wait`);
      assert.deepEqual([...seen], [404]); // a small request is never 429
      for (const status of refused) assert.ok([0, 429].includes(status), `status ${status}`);
      assert.ok(WAITERS - refused.length >= 3, 'large ones may wait, too');
      assert.ok(sanitized || peak < 200, `${peak} MB`);
      d.kill('SIGKILL'); // they would wait for ever
      await d.exited;
      return longest;
    });
    assert.ok(sanitized || wait < LONGEST_MS, `${wait} ms`);
  });
}

// A client that sends all but the end of a body of 16 MB, and then nothing.
async function sendAllBut(t, d, end) {
  const socket = net.connect(d.port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.resume();
  socket.write('POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n' +
    `Content-Length: ${16 * MB}\r\n\r\n`);
  await new Promise((resolve) => { socket.write(Buffer.alloc(16 * MB - end, ' '), resolve); });
}

test('bodies that stop before their end keep others out for a moment only', async (t) => {
  const d = await Daemon.start(t);
  for (let i = 0; i < 4; i++) await sendAllBut(t, d, MB / 10);
  const body = Buffer.from(text(MB)), statuses = [], began = performance.now();
  do statuses.push(await send(d, body)); while (statuses.at(-1) !== 404);
  const took = performance.now() - began;
  t.diagnostic(`${statuses.length - 1} were refused, within ${Math.round(took)} ms`);
  for (const status of statuses) assert.ok([0, 404, 429].includes(status), `status ${status}`);
  // They give way after 2 s; by themselves they would be given up after 30.
  assert.ok(took < 20000, `${took} ms`);
});

const many = (item) => Array.from({ length: Math.floor((15 * MB) / (item.length + 1)) },
  () => item).join(',');
const message = '{"role":"user","content":"a few words"}';
const user = '"messages":[{"role":"user","content":"a"}]';
const names = Array.from({ length: 80000 }, (_, i) => `name of tool ${i}`);
const deferred = names.map((name) => `{"name":"${name}","defer_loading":true,"input_schema":{}}`);
const references = names.map((name) => `{"type":"tool_reference","tool_name":"not ${name}"}`);

const shapes = [
  ['/v1/chat/completions', `"messages":[${many(message)}]`],
  ['/v1/chat/completions', `"messages":[{"role":"user","content":[${
    many('{"type":"text","text":"abc"}')}]}]`],
  ['/v1/chat/completions', `${user},"tools":[${
    many('{"type":"function","function":{"name":"f","parameters":{}}}')}]`],
  ['/v1/chat/completions', `${user},"pad":"${'x'.repeat(15 * MB)}"`],
  ['/v1/messages', `"max_tokens":1,"messages":[${many(message)}]`],
  ['/v1/messages', `"max_tokens":1,"tools":[${deferred}],"messages":[{"role":"user","content":[${
    references}]}]`],
  ['/v1/responses', `"input":[${many(message)}]`],
  ['/api/chat', `"messages":[${many(message)}]`],
];

test('a large body of any shape does not hold up others', async (t) => {
  const d = await Daemon.start(t);
  const longestWait = poller(t, d.url);
  let waited = 0, worked = 0;
  for (const [path, fields] of shapes) {
    const body = `{"model":"nobody",${fields}}`;
    let best = { share: Infinity };
    await leastOf(0.5, async () => {
      await longestWait();
      const began = performance.now();
      const { status } = await fetch(d.url + path, { method: 'POST', body,
        headers: { 'content-type': 'application/json' } });
      const took = performance.now() - began, wait = await longestWait();
      assert.ok(status === 404 || status === 413, `${path}: status ${status}`);
      t.diagnostic(`${path} ${fields.slice(0, 40)}: ${Math.round(took)} ms, others waited ${
        Math.round(wait)} ms`);
      if (wait / took < best.share) best = { share: wait / took, wait, took };
      return wait / took;
    });
    waited += best.wait;
    worked += best.took;
  }
  assert.ok(waited < worked / 2, `others waited ${waited} of ${worked} ms`);
});
