/* SPDX-License-Identifier: MIT */
// LM Studio's SDK in the two generations people have, and a plain WebSocket beside it.
import assert from 'node:assert/strict';
import { LMStudioClient as Newer, tool as newerTool } from '@lmstudio/sdk';
import { LMStudioClient as Older, tool as olderTool } from 'lmstudio-sdk-1';
import { WebSocket } from 'ws';
import { Daemon } from '../../e2e/lib/daemon.js';
import { isAlive } from '../../e2e/lib/process.js';

export const generations = [
  { name: '2.0.0', LMStudioClient: Newer, tool: newerTool, newer: true },
  { name: '1.5.0', LMStudioClient: Older, tool: olderTool, newer: false },
];
export const [latest] = generations;

// A daemon whose clients are gone before it is: hooks of a test run in the order they were made.
export async function start(t, options) {
  const clients = [];
  t.after(async () => {
    const alive = isAlive(daemon.pid);
    for (const client of clients) await client[Symbol.asyncDispose]();
    for (const client of clients) checkSilence(client, daemon, alive);
  });
  const daemon = await Daemon.start(t, options);
  daemon.clients = clients;
  return daemon;
}

// One warning of the client means that an answer of ours had a wrong shape. That the connection of
// a daemon that ended went is none.
function checkSilence({ lines, deaf }, daemon, alive) {
  if (deaf) return;
  const complaints = [...lines.warn, ...lines.error];
  const gone = /WebSocket connection closed/;
  assert.deepEqual(complaints.filter((l) => alive || !gone.test(l)), []);
  assert.doesNotMatch(daemon.log, /an LM Studio client says/);
}

export function connect(daemon, generation = latest, options = {}) {
  const lines = { info: [], warn: [], error: [], debug: [] };
  const logger = Object.fromEntries(Object.keys(lines).map(
    (level) => [level, (...words) => lines[level].push(words.join(' '))]));
  const client = new generation.LMStudioClient(
    { baseUrl: `ws://127.0.0.1:${daemon.port}`, logger, ...options });
  client.lines = lines;
  daemon.clients.push(client);
  return client;
}

// What a plain socket sees: messages by arrival, each to be waited for.
export class Raw {
  #waiting = new Set();
  all = [];
  lines = { warn: [], error: [] };

  [Symbol.asyncDispose]() { this.ws.terminate(); }

  static async open(daemon, namespace, { passkey = 'p', headers } = {}) {
    const raw = new Raw();
    raw.ws = new WebSocket(`ws://127.0.0.1:${daemon.port}/${namespace}`, { headers });
    raw.closed = new Promise((resolve) => {
      raw.ws.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    raw.ws.on('message', (data) => raw.#take(JSON.parse(data)));
    daemon.clients.push(raw);
    await new Promise((resolve, reject) => {
      raw.ws.on('open', resolve);
      raw.ws.on('error', reject);
    });
    raw.send({ authVersion: 1, clientIdentifier: 'raw', clientPasskey: passkey });
    raw.verdict = await raw.first((m) => m.success !== undefined);
    return raw;
  }

  send(message) { this.ws.send(JSON.stringify(message)); }

  #take(message) {
    this.all.push(message);
    for (const check of this.#waiting) check();
  }

  // The first message that fits; rejects after `within` ms.
  first(fits, within = 60000) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(limit);
        this.#waiting.delete(check);
        settle(value);
      };
      const limit = setTimeout(() => end(reject,
        new Error(`no message ${fits}; last: ${JSON.stringify(this.all.slice(-5))}`)), within);
      const check = () => {
        const found = this.all.find(fits);
        if (found) end(resolve, found);
      };
      this.#waiting.add(check);
      check();
    });
  }

  // The answer of a call.
  async call(callId, endpoint, parameter, within) {
    this.send({ type: 'rpcCall', endpoint, callId, parameter });
    return this.first((m) => m.callId === callId, within);
  }

  // The end of a channel.
  ended(channelId, within) {
    return this.first((m) => m.channelId === channelId &&
      (m.type === 'channelClose' || m.type === 'channelError'), within);
  }

  messages(channelId) {
    return this.all.filter((m) => m.channelId === channelId && m.type === 'channelSend')
      .map((m) => m.message);
  }
}
