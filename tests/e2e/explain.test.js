// SPDX-License-Identifier: MIT
// GET /api/v1/explain and `doze explain`: what would become of a request, and nothing happens.
import test from 'node:test';
import assert from 'node:assert/strict';
import { run } from './lib/cli.js';
import { Daemon } from './lib/daemon.js';
import { endless, spoken } from './lib/models.js';
import { speaking } from './lib/stream.js';

const ask = async (d, query) => (await d.get(`/api/v1/explain?${query}`)).body;

test('explain: a load, an idle instance, a victim; asking changes nothing', async (t) => {
  const d = await Daemon.start(t, { models: { a: spoken('Hi.'), b: spoken('Ho.') } });
  const cold = await ask(d, 'model=a');
  assert.equal(cold.outcome, 'loads');
  assert.match(cold.sentence,
    /'a' would be loaded at once, in (less than 0\.1|about \d*[1-9]\d*\.\d|about 0\.[1-9]) s\./);
  assert.deepEqual(await d.instances(), []);
  await d.chat('a', { max_tokens: 1 });
  assert.equal((await ask(d, 'model=a')).outcome, 'served');
  const other = await ask(d, 'model=b');
  assert.equal(other.outcome, 'waits');
  assert.deepEqual(other.evicts, ['a']);
  assert.match(other.sentence, /after 'a' has left/);
  assert.equal(other.instances[0].here, 'A request loaded it.');
  assert.match(other.instances[0].leaves,
    /Its ttl ends in 3\d{3} s; .* another model needs its place or memory is short\./);
  assert.deepEqual((await d.instances()).map((i) => [i.id, i.state]), [['a', 'idle']]);
});

test('explain: running answers that a waiter waits for', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless(), b: spoken('Ho.') } });
  const abort = new AbortController();
  await speaking(d, 'slow', {}, { signal: abort.signal });
  const busy = await ask(d, 'model=b');
  assert.equal(busy.outcome, 'waits');
  assert.equal(busy.waits_for, 1);
  assert.ok(busy.begins_in_seconds > 0.5, JSON.stringify(busy));
  assert.match(busy.sentence,
    /^'b' would be loaded after 'slow' has left; it waits for 1 running answer, and how long/);
  abort.abort();
});

test('explain: what the request would be refused for', async (t) => {
  const d = await Daemon.start(t, { models: { a: spoken('Hi.') }, settings: { jit: false } });
  const off = await ask(d, 'model=a');
  assert.equal(off.outcome, 'refused');
  assert.equal(off.code, 'model_not_found');
  assert.match(off.sentence, /JIT loading is off/);
  assert.equal((await ask(d, 'model=nope')).outcome, 'refused');
  const unknown = await run(d, ['explain', 'nope']);
  assert.equal(unknown.code, 1);
  assert.equal(unknown.out.split('\n')[0], "There is no model 'nope'; `doze ls` lists the models.");
  assert.equal((await ask(d, 'model=a&context_length=99999999')).error.param, 'context_length');
  assert.equal((await ask(d, '')).error.param, 'model');
});
