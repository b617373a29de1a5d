/* SPDX-License-Identifier: MIT */
// Draft models (docs/loading.md): which one a load gets, what is refused before it, what is seen.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { run } from './lib/cli.js';
import { Daemon, chatBody } from './lib/daemon.js';
import { broken, embedding, modelFile, random } from './lib/models.js';
import { engineSources } from './lib/programs.js';

const saying = (name, ...more) =>
  modelFile('spoken', '--loop', '--text', 'and so on, ', '--name', name, ...more);
// Whether guesses pay differs from machine to machine: a trial of them comes in any case.
const large = () => saying('large', '--size', '60M');
const small = () => saying('small');
const gpt2 = () => random('--vocab', path.join(engineSources, 'models/ggml-vocab-gpt-2.gguf'));
const greedy = { max_tokens: 60, temperature: 0 };
const load = (d, more) => d.post('/api/v1/models/load', { model: 'large', ...more });
const say = async (d, more = {}) => {
  const body = chatBody('large', { ...greedy, ...more });
  const answer = await d.post('/api/v0/chat/completions', body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return { text: answer.body.choices[0].message.content, stats: answer.body.stats };
};

test('a model with a draft model says the same in fewer steps, and says who guessed', async (t) => {
  const d = await Daemon.start(t, { models: { large: large(), small: small() } });
  const plain = await say(d);
  assert.equal(plain.stats.total_draft_tokens_count, undefined);
  await d.post('/api/v1/models/unload', { instance_id: 'large' });
  const loaded = await load(d, { draft_model: 'test/small', echo_load_config: true });
  assert.equal(loaded.status, 200, JSON.stringify(loaded.body));
  const drafted = await say(d);
  assert.equal(drafted.text, plain.text);
  assert.ok(drafted.stats.accepted_draft_tokens_count >= 12, JSON.stringify(drafted.stats));
  assert.equal(drafted.stats.draft_model, 'small');
  assert.equal((await d.instance('large')).draft_model, 'small');
  const metrics = await (await d.fetch('/metrics')).text();
  const count = (name) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(metrics)[1]);
  assert.equal(count('doze_drafted_tokens_total'), drafted.stats.total_draft_tokens_count);
  assert.equal(count('doze_accepted_tokens_total'), drafted.stats.accepted_draft_tokens_count);
});

test('what cannot be a draft model is refused before anything is loaded or evicted', async (t) => {
  const d = await Daemon.start(t, { models: {
    large: large(), other: random(), gpt: gpt2(), vectors: embedding(), bad: broken('truncated'),
  } });
  assert.equal((await d.chat('other', greedy)).status, 200);
  const watch = await d.watch();
  for (const [name, words] of [
    ['nothing', /no draft model 'nothing'/], ['/etc/passwd', /no draft model/],
    ['large', /its own draft model/], ['gpt', /another vocabulary than 'large'/],
    ['vectors', /embedding model/], ['bad', /draft model 'bad' cannot be loaded/],
  ]) {
    const refused = [await load(d, { draft_model: name }),
      await d.post('/v1/chat/completions', chatBody('large', { ...greedy, draft_model: name })),
      await d.post('/api/v1/models/estimate', { model: 'large', draft_model: name })];
    for (const { status, body } of refused) {
      assert.equal(status, 400, JSON.stringify(body));
      assert.match(body.error.message, words);
      assert.equal(body.error.param, 'draft_model');
    }
  }
  assert.deepEqual(watch.transitions(), []);
  assert.deepEqual((await d.instances()).map((i) => i.id), ['other']);
});

test('a request\'s draft model counts if the request loads the model', async (t) => {
  const d = await Daemon.start(t, { models: { large: large(), small: small() } });
  const first = await say(d, { draft_model: 'small' });
  assert.equal(first.stats.draft_model, 'small');
  const { pid } = await d.instance('large');
  assert.equal((await say(d)).text, first.text);
  const instance = await d.instance('large');
  assert.deepEqual([instance.pid, instance.draft_model], [pid, 'small']);
  await d.post('/api/v1/models/unload', { instance_id: 'large' });
  const plain = await say(d);
  assert.equal(plain.text, first.text);
  const without = await say(d, { draft_model: 'small' });
  assert.equal(without.stats.total_draft_tokens_count, undefined);
  assert.equal(without.text, first.text);
});

test('a draft model is named alike in every dialect', async (t) => {
  const d = await Daemon.start(t, { models: { large: large(), small: small() } });
  const messages = [{ role: 'user', content: 'Hi' }];
  for (const [path, question] of [['/api/v1/chat', { max_output_tokens: 4, input: 'Hi' }],
    ['/v1/responses', { max_output_tokens: 4, input: 'Hi' }],
    ['/v1/messages', { max_tokens: 4, messages }],
    ['/v1/completions', { max_tokens: 4, prompt: 'Hi' }]]) {
    const body = { model: 'large', ...question };
    const unknown = await d.post(path, { ...body, draft_model: 'nothing' });
    assert.equal(unknown.status, 400, JSON.stringify(unknown.body));
    assert.match(unknown.body.error.message, /no draft model 'nothing'/, path);
    const answer = await d.post(path, { ...body, draft_model: 'small' });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal((await d.instance('large')).draft_model, 'small', path);
    await d.post('/api/v1/models/unload', { instance_id: 'large' });
  }
});

test('a draft model set for all models is for those that it fits', async (t) => {
  const d = await Daemon.start(t, { models: { large: large(), small: small(), gpt: gpt2() },
    settings: { load: { draft_model: 'small' } } });
  assert.equal((await say(d)).stats.draft_model, 'small');
  for (const key of ['gpt', 'small']) {
    assert.equal((await d.chat(key, greedy)).status, 200);
    assert.equal((await d.instance(key)).draft_model, undefined);
  }
});

test('a model\'s own setting names its draft model, and one that is gone is named', async (t) => {
  const d = await Daemon.start(t, { models: { large: large(), small: small() } });
  await d.settings({ models: { large: { draft_model: 'small', draft_tokens: 5 } } });
  assert.equal((await say(d)).stats.draft_model, 'small');
  await d.post('/api/v1/models/unload', { instance_id: 'large' });
  await d.settings({ models: { large: { draft_model: 'gone' } } });
  const answer = await d.chat('large');
  assert.equal(answer.status, 400);
  assert.match(answer.body.error.message, /no draft model 'gone'/);
});

test('its memory is counted before the load and after it', async (t) => {
  const heavy = saying('heavy', '--size', '60M');
  const d = await Daemon.start(t, { models: { large: large(), small: heavy } });
  const estimate = async (more) =>
    (await d.post('/api/v1/models/estimate', { model: 'large', ...more })).body;
  const alone = await estimate({}), both = await estimate({ draft_model: 'small' });
  assert.ok(both.model_bytes - alone.model_bytes > 50e6, JSON.stringify([alone, both]));
  assert.ok(both.context_bytes > alone.context_bytes);
  await load(d, {});
  const before = (await d.instance('large')).memory_bytes;
  await d.settings({ memory_limit: before + 20e6 });
  await d.post('/api/v1/models/unload', { instance_id: 'large' });
  const refused = await load(d, { draft_model: 'small' });
  assert.equal(refused.status, 507, JSON.stringify(refused.body));
  await d.settings({ memory_limit: 0 });
  assert.equal((await load(d, { draft_model: 'small' })).status, 200);
  assert.ok((await d.instance('large')).memory_bytes - before > 50e6);
});

test('doze load --draft-model, and doze ps --json shows it', async (t) => {
  const d = await Daemon.start(t, { models: { large: large(), small: small() } });
  const loaded = await run(d, ['load', 'large', '--draft-model', 'small']);
  assert.equal(loaded.code, 0, loaded.err);
  const ps = await run(d, ['ps', '--json']);
  assert.match(ps.out, /"draftModel":"small"/);
  const refused = await run(d, ['load', 'large', '--identifier', 'x', '--draft-model', 'none']);
  assert.notEqual(refused.code, 0);
  assert.match(refused.err, /no draft model 'none'/);
});

test('it is there again after an eviction, and its conversation with it', async (t) => {
  const d = await Daemon.start(t, { models: { large: large(), small: small(), other: random() },
    settings: { models: { large: { draft_model: 'small' } }, auto_evict: 'on' } });
  const messages = [{ role: 'user', content: 'Tell me more of this, and so on.' }];
  const first = await say(d, { messages });
  assert.equal((await d.chat('other', greedy)).status, 200);
  messages.push({ role: 'assistant', content: first.text }, { role: 'user', content: 'More.' });
  const next = await say(d, { messages });
  assert.ok(next.stats.prompt_cache.tokens > 0, JSON.stringify(next.stats));
  assert.ok(next.stats.accepted_draft_tokens_count > 10, JSON.stringify(next.stats));
});
