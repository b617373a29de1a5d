/* SPDX-License-Identifier: MIT */
// POST /v1/rerank, in the shape that Jina's and Cohere's clients know.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { embedding, reranker, spoken } from './lib/models.js';

const documents = ['dogs bark', { text: 'the cat purrs' }, 'fish swim', 'a cat'];
const query = 'the cat';

test('documents come back with their scores, the best first', async (t) => {
  const d = await Daemon.start(t, { models: { r: reranker() } });
  const { status, body } = await d.post('/v1/rerank', { model: 'r', query, documents });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.model, 'r');
  const scores = body.results.map((r) => r.relevance_score);
  assert.deepEqual(scores, scores.toSorted((a, b) => b - a));
  assert.ok(scores.every((s) => s > 0 && s < 1) && new Set(scores).size === 4, `${scores}`);
  assert.deepEqual(body.results.map((r) => r.index).toSorted(), [0, 1, 2, 3]);
  assert.ok(body.usage.prompt_tokens > 8 && body.usage.total_tokens === body.usage.prompt_tokens);

  const turned = await d.post('/rerank', { model: 'r', query, documents: documents.toReversed(),
    top_n: 2, return_documents: true });
  assert.deepEqual(turned.body.results.map((r) => 3 - r.index),
    body.results.slice(0, 2).map((r) => r.index), 'the order of the documents does not count');
  const [best] = turned.body.results;
  const given = documents[3 - best.index];
  assert.deepEqual(best.document, { text: given.text ?? given });
  for (const path of ['/v1/reranking', '/v2/rerank']) {
    const again = await d.post(path, { model: 'r', query, documents });
    assert.deepEqual(again.body.results.map((r) => r.index), body.results.map((r) => r.index),
      path);
    again.body.results.forEach((r, i) =>
      assert.ok(Math.abs(r.relevance_score - scores[i]) < 1e-3, `${path}: ${r.relevance_score}`));
  }
});

test('a model that cannot rank is refused, and nothing is loaded for it', async (t) => {
  const d = await Daemon.start(t, { models: { r: reranker(), e: embedding(), m: spoken('Hi.') } });
  for (const [model, words] of [['e', /embedding model; choose a reranker/],
    ['m', /language model; choose a reranker/]]) {
    const { status, body } = await d.post('/v1/rerank', { model, query, documents });
    assert.equal(status, 400);
    assert.match(body.error.message, words);
    assert.equal(body.error.param, 'model');
  }
  const vectors = await d.post('/v1/embeddings', { model: 'r', input: 'x' });
  assert.equal(vectors.status, 400);
  assert.match(vectors.body.error.message, /is a reranker; choose an embedding model/);
  assert.deepEqual(await d.instances(), []);
});

test('listings say which model is a reranker', async (t) => {
  const d = await Daemon.start(t, { models: { r: reranker(), e: embedding() } });
  const { body: v0 } = await d.get('/api/v0/models');
  assert.deepEqual(v0.data.map((m) => [m.id, m.type, m.capabilities]),
    [['e', 'embeddings', []], ['r', 'embeddings', ['rerank']]]);
  const { body: v1 } = await d.get('/api/v1/models');
  assert.deepEqual(v1.models.map((m) => [m.key, m.type, m.capabilities]),
    [['e', 'embedding', undefined], ['r', 'embedding', { rerank: true }]]);
});
