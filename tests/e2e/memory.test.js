/* SPDX-License-Identifier: MIT */
// Large bodies of many clients: the daemon's memory is bounded, and others are served meanwhile.
// Alone: measures memory.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { Daemon, chatBody } from './lib/daemon.js';
import { statusField } from './lib/process.js';
import { sanitized } from './lib/programs.js';

const MB = 1 << 20;
const CLIENTS = 8;

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
    let over = false;
    const others = serveOthers(d, () => over);
    const got = await Promise.all(Array.from({ length: CLIENTS }, () => send(d, body)));
    over = true;
    const { seen, longest } = await others;
    for (const status of got) assert.ok(statuses.includes(status), `status ${status}`);
    assert.deepEqual([...seen], [404]); // there is no such model: never 429
    const peak = statusField(d.pid, 'VmHWM') / 1024;
    t.diagnostic(`peak ${Math.round(peak)} MB, longest wait ${Math.round(longest)} ms, ${got}`);
    if (sanitized) return;
    assert.ok(peak < 200, `${peak} MB`);
    assert.ok(longest < 1000, `${longest} ms`);
  });
}
