// SPDX-License-Identifier: MIT
// Alone: kills nodes and waits until their leases end
// Requests that another node of the fleet answers: docs/fleet.md.
import test from 'node:test';
import assert from 'node:assert/strict';
import { ask } from './lib/ask.js';
import { Daemon } from './lib/daemon.js';
import { Etcd, missing as skip } from './lib/etcd.js';
import { endless, spoken } from './lib/models.js';
import { readEvents } from './lib/sse.js';
import { Stream, speaking } from './lib/stream.js';

const fleet = async (d) => (await d.get('/api/v1/fleet')).body;
const answeredBy = (answer) => answer.headers.get('x-doze-node');

// Nodes a, b, …, each with the models given, that know each other's models.
async function nodes(t, models, settings = {}) {
  const etcd = await Etcd.start(t);
  const names = models.map((_, i) => 'abcdef'[i]);
  const list = await Promise.all(models.map((own, i) => Daemon.start(t, { models: own,
    settings: { ...settings,
      fleet: { etcd: etcd.url, node: names[i], key: 'a key of the fleet' } } })));
  for (const d of list) {
    await ask(() => fleet(d), (answer) => answer.nodes.length === models.length
      && answer.nodes.every((n, i) => n.models.length === Object.keys(models[i]).length),
    'knows all models');
  }
  return Object.assign(list, { etcd });
}

const sees = (d, name, model, state = /idle|busy/) => ask(() => fleet(d), (answer) => answer.nodes
  .some((n) => n.node === name && n.resident.some((r) => r.model === model && state.test(r.state))),
`sees ${model} on ${name}`);

const messages = [{ role: 'user', content: 'Hello.' }];
const requests = (model, stream) => ({
  '/v1/chat/completions': { model, messages, stream, max_tokens: 8 },
  '/v1/completions': { model, prompt: 'Hello', stream, max_tokens: 8 },
  '/v1/messages': { model, messages, stream, max_tokens: 8 },
  '/v1/responses': { model, input: 'Hello', stream, max_output_tokens: 8, store: false },
  '/api/chat': { model, messages, stream, options: { num_predict: 8 } },
  '/api/generate': { model, prompt: 'Hello', stream, options: { num_predict: 8 } },
  '/api/v0/chat/completions': { model, messages, stream, max_tokens: 8 },
  '/api/v1/chat': { model, input: 'Hello', stream, max_output_tokens: 8, store: false },
});

// What differs from one answer to the next: ids, times and speeds.
const DIFFERS = ['id', 'item_id', 'created', 'created_at', 'completed_at', 'model_instance_id',
  'response_id', 'generation_time', 'tokens_per_second', '\\w*time_to_first_token\\w*',
  '\\w*duration\\w*', '\\w+_ms', '\\w*_seconds'].join('|');
const timeless = (text) =>
  text.replace(new RegExp(`"(${DIFFERS})":\\s*("[^"]*"|[\\d.e-]+)`, 'g'), '"$1":0');

test('the node that has the model answers, in every dialect, with the same bytes', { skip },
  async (t) => {
    const [a, b] = await nodes(t, [{}, { m: spoken('It is so.') }]);
    for (const stream of [false, true]) {
      for (const [path, body] of Object.entries(requests('m', stream))) {
        await b.post(path, body); // the first one processes the prompt
        const [own, other] = [await b.fetch(path, json(body)), await a.fetch(path, json(body))];
        const what = `${path} stream ${stream}`;
        assert.equal(other.status, 200, `${what}: ${await other.clone().text()}`);
        assert.equal(answeredBy(own), 'b', what);
        assert.equal(answeredBy(other), 'b', what);
        const [ownText, text] = [await own.text(), await other.text()];
        assert.equal(timeless(text), timeless(ownText), what);
        assert.equal(other.headers.get('content-type'), own.headers.get('content-type'), what);
        assert.equal(other.headers.has('content-length'), own.headers.has('content-length'), what);
        for (const name of ['x-request-id', 'cache-control', 'x-doze-cache']) {
          assert.equal(other.headers.get(name)?.length, own.headers.get(name)?.length,
            `${what} ${name}`);
        }
      }
    }
    assert.equal((await a.instances()).length, 0);
  });

const json = (body) => ({ method: 'POST', headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body) });

test('errors of the other node come back as they are; unknown models are this node\'s', { skip },
  async (t) => {
    const [a] = await nodes(t, [{}, { m: spoken('Hi.') }]);
    const bad = await a.chat('m', { messages: [{ role: 'user', content: 'x' }], max_tokens: 1,
      temperature: 'hot' });
    assert.equal(bad.status, 400);
    const unknown = await a.chat('nobody-has-it');
    assert.equal(unknown.status, 404);
    assert.equal(answeredBy(unknown), 'a');
  });

test('a client that leaves: the other node stops too', { skip }, async (t) => {
  const [a, b] = await nodes(t, [{}, { e: endless('10M') }]);
  const leave = new AbortController();
  const stream = await speaking(a, 'e', {}, { signal: leave.signal });
  assert.equal(stream.status, 200);
  await ask(() => b.instance('e'), (i) => i?.state === 'busy');
  leave.abort();
  await ask(() => b.instance('e'), (i) => i?.state === 'idle', 'b is idle');
});
