/* SPDX-License-Identifier: MIT */
// What all streams have, in every dialect.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { spoken } from './lib/models.js';

const messages = [{ role: 'user', content: 'Hello?' }];
const chat = { model: 'm', messages, stream: true };
const prompt = { model: 'm', prompt: 'Hello?', stream: true };
const input = { model: 'm', input: 'Hello?', stream: true };

const SSE = 'text/event-stream', LINES = 'application/x-ndjson';

const streams = [
  ['POST', '/v1/chat/completions', SSE, chat],
  ['POST', '/v1/completions', SSE, prompt],
  ['POST', '/v1/responses', SSE, input],
  ['POST', '/v1/messages', SSE, { ...chat, max_tokens: 4 }],
  ['POST', '/api/v0/chat/completions', SSE, chat],
  ['POST', '/api/v0/completions', SSE, prompt],
  ['POST', '/api/v1/chat', SSE, input],
  ['POST', '/api/chat', LINES, chat],
  ['POST', '/api/generate', LINES, prompt],
  ['POST', '/api/v1/models/load', SSE, { model: 'm', identifier: 'other' }],
  ['GET', '/api/v1/events', SSE],
  ['GET', '/api/v1/log', SSE],
];

test('streams tell proxies to pass them on at once', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hello.') } });
  for (const [method, path, type, body] of streams) {
    const abort = new AbortController();
    const { status, headers } = await d.fetch(path, { method, signal: abort.signal,
      headers: { accept: SSE, 'content-type': 'application/json' }, body: JSON.stringify(body) });
    abort.abort();
    assert.equal(status, 200, path);
    assert.equal(headers.get('content-type'), type, path);
    assert.equal(headers.get('x-accel-buffering'), 'no', path);
    assert.equal(headers.get('cache-control'), 'no-cache', path);
  }
});

test('an answer in one piece may be kept by a proxy', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hello.') } });
  const { status, headers } = await d.chat('m');
  assert.equal(status, 200);
  assert.equal(headers.get('x-accel-buffering'), null);
});
