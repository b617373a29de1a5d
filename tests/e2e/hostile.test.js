/* SPDX-License-Identifier: MIT */
// Clients that send what costs the server much and them little, again and again: its memory stays
// bounded, others are served, and no worker dies. DOZE_ATTACK_SECONDS=<number> makes each attack
// longer.
// Alone: measures memory and time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import test from 'node:test';
import zlib from 'node:zlib';
import { Daemon, chatBody } from './lib/daemon.js';
import { endless, spoken } from './lib/models.js';
import { poller } from './lib/poller.js';
import { statusField } from './lib/process.js';
import { sanitized } from './lib/programs.js';
import { frame, message, MORE, PING, RawSocket, TEXT } from './lib/raw-websocket.js';

const LASTS_MS = 1000 * Number(process.env.DOZE_ATTACK_SECONDS ?? 2);
const MB = 1 << 20;
const SOCKETS = 20;
const PEAK_MB = 200;
const WAIT_MS = 1000;
const TRIES = 4; // a machine that stalls makes others wait, too, but not each time

const repeat = (bytes, times) => Buffer.concat(Array.from({ length: times }, () => bytes));
const call = (endpoint, callId) => message({ type: 'rpcCall', endpoint, callId, parameter: {} });
const together = (count, attack) => Promise.all(Array.from({ length: count }, attack));

// What a socket sends over and over.
const floods = {
  'pings whose answers nobody reads': ['llm', false,
    () => repeat(frame(PING, Buffer.alloc(5)), 5000)],
  'calls whose answers nobody reads': ['system', false,
    () => Buffer.concat(Array.from({ length: 500 }, (_, i) => call('listDownloadedModels', i)))],
  'pings': ['llm', true, () => repeat(frame(PING, Buffer.alloc(125)), 1000)],
  'empty fragments': ['llm', true,
    () => Buffer.concat([frame(TEXT, Buffer.from('a'), { last: false }),
      repeat(frame(MORE, Buffer.alloc(0), { last: false }), 5000)])],
};

// Bodies that are sent on a connection of their own.
const bodies = {
  'a body that inflates a thousandfold': ['Content-Encoding: gzip\r\n',
    () => zlib.gzipSync(JSON.stringify(chatBody('nobody', { pad: 'x'.repeat(15 * MB) })))],
  'brackets without end': ['', () => Buffer.from(`{"model":"s","messages":${'['.repeat(MB)}`)],
  'sixteen answers to a long text': ['', () => Buffer.from(JSON.stringify(chatBody('s',
    { n: 16, max_tokens: 1, messages: [{ role: 'user', content: 'a '.repeat(MB / 4) }] })))],
};

async function flood(t, d, isOver, [namespace, reads, make]) {
  const bytes = make();
  await together(SOCKETS, async () => {
    const raw = await RawSocket.open(t, d, namespace, { reads });
    raw.socket.setTimeout(LASTS_MS, () => raw.socket.destroy()); // the server reads it no longer
    while (!isOver() && !raw.socket.destroyed) await raw.send(bytes);
    raw.socket.destroy();
  });
}

// Resolves when the server has answered and closed.
function post(d, fields, body) {
  return new Promise((resolve) => {
    const socket = net.connect(d.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.once('close', resolve);
    socket.resume();
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
      `${fields}Content-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
  });
}

async function sendAgain(d, isOver, [fields, make]) {
  const body = make();
  await together(SOCKETS, async () => { while (!isOver()) await post(d, fields, body); });
}

const attacks = [
  ...Object.entries(floods).map(([name, row]) => [name, (t, d, over) => flood(t, d, over, row)]),
  ...Object.entries(bodies).map(([name, row]) => [name, (t, d, over) => sendAgain(d, over, row)]),
];

test('others are served beside each attack, within bounds', async (t) => {
  const d = await Daemon.start(t, { models: { m: endless('5M'), s: spoken('Hello.') } });
  await d.load('m');
  const { pid } = await d.instance('m');
  const longestWait = poller(t, d.url);
  const share = Math.max(1, os.loadavg()[0] / os.availableParallelism()); // others compute, too
  const once = async (name, attack) => {
    fs.writeFileSync(`/proc/${d.pid}/clear_refs`, '5'); // resets the peak
    await longestWait();
    const end = performance.now() + LASTS_MS;
    await attack(t, d, () => performance.now() > end);
    const wait = await longestWait(), peak = statusField(d.pid, 'VmHWM') / 1024;
    t.diagnostic(`${name}: peak ${Math.round(peak)} MB, longest wait ${Math.round(wait)} ms`);
    assert.equal((await d.chat('s')).status, 200, name);
    assert.equal((await d.instance('m')).pid, pid, name);
    assert.ok(sanitized || peak < PEAK_MB, `${name}: ${peak} MB`);
    return sanitized || wait < WAIT_MS * share;
  };
  for (const [name, attack] of attacks) {
    let inTime = false;
    for (let tries = 0; !inTime && tries < TRIES; tries++) inTime = await once(name, attack);
    assert.ok(inTime, `${name}: others wait for more than ${WAIT_MS * share} ms each time`);
  }
});
