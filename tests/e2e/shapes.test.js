/* SPDX-License-Identifier: MIT */
// Models in other shapes than one file with attention in all layers: parts, recurrent and hybrid
// ones, the ways in which token vectors become one, and stretched positions.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, chatBody } from './lib/daemon.js';
import { splitInto, withNumber } from './lib/gguf.js';
import { embedding, modelFile, random, spoken } from './lib/models.js';
import { assertSame, judged } from './lib/same.js';

const greedy = { ...judged, max_tokens: 24 };
const story = [{ role: 'user', content: 'Once upon a time there was a machine. '.repeat(12) }];
const textOf = ({ status, body }) => {
  assert.equal(status, 200, JSON.stringify(body));
  return body.choices[0].message.content;
};
const folderOf = (d, name) => {
  const folder = path.join(d.modelsDir, 'test', name);
  fs.mkdirSync(folder, { recursive: true });
  return folder;
};

// ---- parts ----

test('a model in three parts is one model and says what the whole file says', async (t) => {
  const d = await Daemon.start(t, { models: { whole: random() } });
  splitInto(random(), folderOf(d, 'parts'), 'parts', 3);
  await d.post('/api/v1/models/scan');
  const { body } = await d.get('/v1/models');
  assert.deepEqual(body.data.map((m) => m.id).toSorted(), ['parts', 'whole']);
  assertSame(await d.chat('parts', { ...greedy, messages: story }),
    await d.chat('whole', { ...greedy, messages: story }));
  const again = await d.chat('parts', { ...greedy, messages: story });
  assert.ok(again.body.usage.prompt_tokens_details.cached_tokens > 0, 'it was evicted and is back');
});

test('a model with a part that is damaged is refused in a sentence', async (t) => {
  const d = await Daemon.start(t);
  const [, second] = splitInto(random(), folderOf(d, 'parts'), 'parts', 2);
  fs.truncateSync(second, 100);
  await d.post('/api/v1/models/scan');
  const { body } = await d.chat('parts', greedy);
  assert.equal(body.error.code, 'model_load_failed');
  assert.match(body.error.message, /Part 2 of 2: .* copy or download it again/);
});

// ---- recurrent and hybrid ----

for (const arch of ['mamba', 'jamba']) {
  const file = () => modelFile('random', '--arch', arch, '--type', 'f32');
  const next = (first) => [...story, { role: 'assistant', content: first },
    { role: 'user', content: 'Why?' }];

  test(`${arch}: a conversation goes on after an eviction as if it had stayed`, async (t) => {
    const d = await Daemon.start(t, { models: { state: file(), other: spoken('Hi.') } });
    const say = (messages) => d.chat('state', { ...greedy, messages });
    const first = await say(story);
    const stayed = await say(next(textOf(first)));
    await d.unload('state');
    assertSame(await say(story), first);
    assert.equal((await d.chat('other', greedy)).status, 200);
    const back = await say(next(textOf(first)));
    assertSame(back, stayed);
    assert.ok(back.body.usage.prompt_tokens_details.cached_tokens > 0, JSON.stringify(back.body));
  });

  test(`${arch}: answers at the same time are those of each alone`, async (t) => {
    const d = await Daemon.start(t, { models: { state: file() },
      settings: { load: { reproducible: false } } });
    const bodies = ['One', 'Two, and so on', 'Three little words'].map((content) =>
      ({ ...greedy, messages: [{ role: 'user', content }] }));
    const alone = [];
    for (const body of bodies) alone.push(await d.chat('state', body));
    const together = await Promise.all(bodies.map((body) => d.chat('state', body)));
    together.forEach((answer, i) => assertSame(answer, alone[i]));
  });
}

// ---- pooling ----

// What the file says: mean 1, cls 2, last 3.
test('token vectors become one as the file says: mean, cls or last', async (t) => {
  const d = await Daemon.start(t, { models: { mean: embedding() } });
  for (const [name, pooling] of [['cls', 2], ['last', 3]])
    withNumber(embedding(), path.join(folderOf(d, name), `${name}.gguf`), 'bert.pooling_type',
      pooling);
  await d.post('/api/v1/models/scan');
  const vectors = async (model, input) => {
    const { status, body } = await d.post('/v1/embeddings', { model, input });
    assert.equal(status, 200, JSON.stringify(body));
    return body.data.map((one) => one.embedding);
  };
  const all = {};
  for (const model of ['mean', 'cls', 'last'])
    [all[model]] = await vectors(model, ['the cat sat on the mat']);
  const same = (a, b) => a.every((x, i) => Math.abs(x - b[i]) < 1e-5);
  assert.ok(!same(all.mean, all.cls) && !same(all.mean, all.last) && !same(all.cls, all.last));
  for (const model of ['cls', 'last']) {
    const several = await vectors(model, ['a dog', 'the cat sat on the mat', 'fish']);
    assert.ok(same(several[1], all[model]), `${model}: alone and among others`);
  }
});

// ---- stretched positions ----

test('rope overrides count, in both spellings, and stretch the context', async (t) => {
  const d = await Daemon.start(t, { models: { m: random('--context', '1024') } });
  const say = async (load) => {
    await d.unload('m').catch(() => {});
    const loaded = await d.post('/api/v1/models/load', { model: 'm', ...load });
    assert.equal(loaded.status, 200, JSON.stringify(loaded.body));
    return d.chat('m', { ...greedy, messages: story });
  };
  const plain = await say({});
  assertSame(await say({ rope_frequency_base: 10000 }), plain, 'llama.cpp\'s own');
  const based = await say({ ropeFrequencyBase: 500 });
  assert.notEqual(textOf(based), textOf(plain));
  assertSame(await say({ rope_frequency_base: 500 }), based);
  const scaled = await say({ ropeFrequencyScale: 0.5, context_length: 2048 });
  assert.notEqual(textOf(scaled), textOf(plain));
  assert.notEqual(textOf(scaled), textOf(based));
  const { config } = await d.instance('m');
  assert.equal(config.context_length, 2048);
  const more = await d.post('/api/v1/models/load', { model: 'm', context_length: 2048 });
  assert.equal(more.status, 400, 'not unless it is stretched');
  assert.match(more.body.error.message, /1024 at most/);
});

// What was processed with other positions is of no use.
test('a prompt of other rope settings is processed again', async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  const cached = async (load) => {
    await d.unload('m').catch(() => {});
    await d.post('/api/v1/models/load', { model: 'm', ...load });
    const { body } = await d.post('/v1/chat/completions',
      { ...chatBody('m'), ...greedy, messages: story });
    return body.usage.prompt_tokens_details.cached_tokens;
  };
  assert.equal(await cached({}), 0);
  assert.equal(await cached({ rope_frequency_base: 500 }), 0);
  assert.ok(await cached({ rope_frequency_base: 500 }) > 0);
});
