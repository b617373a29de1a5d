/* SPDX-License-Identifier: MIT */
// Many clients at once: everybody gets the right answer, whole, and nothing of anybody else's.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { Daemon } from './lib/daemon.js';
import { random, spoken } from './lib/models.js';
import { connections, freeze, residentBytes, until } from './lib/process.js';
import { sanitized } from './lib/programs.js';
import { Stream } from './lib/stream.js';

const PATIENCE_MS = 30000;
const texts = {
  alpha: 'Alpha speaking. All is well, and this sentence is somewhat longer than the others.',
  beta: 'Beta is here: as you asked, with a colon.',
  gamma: 'Gamma — déjà vu, 日本語, 🎉🎉 — was the third to come.',
};
const models = () => Object.fromEntries(Object.entries(texts).map(([id, t]) => [id, spoken(t)]));

test('two hundred streams over three models', async (t) => {
  const d = await Daemon.start(t, { models: models(), settings: { auto_evict: 'off' } });
  const ids = Array.from({ length: 200 }, (_, i) => Object.keys(texts)[i % 3]);
  const streams = await Promise.all(ids.map(async (id) => new Stream(await d.stream(id))));
  await Promise.all(streams.map((s) => s.ended));
  for (const [i, stream] of streams.entries()) {
    assert.equal(stream.text, texts[ids[i]]);
    assert.equal(stream.finish, 'stop');
    assert.ok(stream.done);
  }
  assert.equal(new Set(streams.map((s) => s.chunks[0].id)).size, 200, 'each has its own id');
});

test('the same models taking turns: still the right answers, and fair', async (t) => {
  const d = await Daemon.start(t, { models: { ...models(), first: spoken('Hello.') },
    settings: { switch_window_ms: 10 } });
  assert.equal((await d.chat('first')).status, 200);
  const thaw = freeze(t, (await d.instance('first')).pid);
  const first = d.chat('first'); // keeps the place until all others wait for it
  await ask(() => d.instance('first'), (i) => i.running === 1);
  const answers = Array.from({ length: 60 }, async (_, i) => {
    const id = Object.keys(texts)[i % 3];
    return [id, await d.chat(id)];
  });
  for (const id of Object.keys(texts))
    await ask(() => d.instance(id), (i) => i?.waiting === 20, `20 wait for ${id}`);
  thaw();
  assert.equal((await first).status, 200);
  for (const [id, { status, body }] of await Promise.all(answers)) {
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.choices[0].message.content, texts[id]);
  }
  const loads = Number(/^doze_loads_total (\d+)$/m.exec((await d.get('/metrics')).body)[1]);
  assert.ok(loads < 30, `${loads} loads for 60 requests that came at once`);
});

test('parallel conversations do not leak into one another', async (t) => {
  const d = await Daemon.start(t, { models: { r: random('--seed', '4') } });
  const scored = async (content) => (await d.chat('r', { temperature: 0, max_tokens: 1,
    logprobs: true, top_logprobs: 1,
    messages: [{ role: 'user', content }] })).body.choices[0].logprobs.content[0];
  const prompts = Array.from({ length: 24 }, (_, i) => `${i} `.repeat(1 + (i * 37) % 50));
  const together = await Promise.all(prompts.map(scored));
  for (const [i, prompt] of prompts.entries()) {
    const alone = await scored(prompt);
    // A batch of another shape changes the last bits only.
    assert.ok(Math.abs(alone.logprob - together[i].logprob) < 0.05,
      `${prompt}: ${alone.logprob} alone, ${together[i].logprob} in company`);
  }
});

test('a thousand listeners that come and go leave nothing behind', async (t) => {
  const d = await Daemon.start(t, { models: models() });
  const visit = async () => {
    const abort = new AbortController();
    const response = await d.fetch('/api/v1/events', { signal: abort.signal });
    assert.equal(response.status, 200);
    abort.abort();
  };
  // Those whose leaving the daemon has not noticed yet are there beside the next ones.
  const visits = async (count, atOnce) => {
    for (let i = 0; i < count; i += atOnce)
      await Promise.all(Array.from({ length: atOnce }, visit));
    await until(() => connections(d.port) <= 8, PATIENCE_MS, 'their connections are closed');
  };
  await visits(600, 200);
  const before = residentBytes(d.pid);
  await visits(1000, 50);
  const grown = residentBytes(d.pid) - before;
  assert.ok(grown < (sanitized ? 64 << 20 : 1 << 20), `${grown} bytes more`);
  assert.equal((await d.chat('alpha')).status, 200);
});
