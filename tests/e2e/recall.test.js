/* SPDX-License-Identifier: MIT */
// Evicting forgets nothing: the processed prompt of a model that left is there when it comes back.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { random, spoken } from './lib/models.js';
import { assertSame, judged } from './lib/same.js';

const messages = [{ role: 'system', content: 'You are terse. '.repeat(80) },
  { role: 'user', content: 'Tell me something.' }];
const cached = ({ body }) => body.usage.prompt_tokens_details?.cached_tokens ?? 0;
const more = { ...judged, messages, max_tokens: 16 };

const start = (t) => Daemon.start(t, { models: { r: random('--seed', '11'),
  other: spoken('Somebody else speaking.') } });

test('within one instance the prompt is processed once, and the answer is the same', async (t) => {
  const d = await start(t);
  const first = await d.chat('r', more);
  const second = await d.chat('r', more);
  assert.equal(cached(first), 0);
  assert.ok(cached(second) > first.body.usage.prompt_tokens * 0.9, `${cached(second)}`);
  assertSame(second, first);
});

for (const [how, leave] of [
  ['evicted for another model', (d) => d.chat('other')],
  ['unloaded by hand', (d) => d.unload('r')],
  ['the daemon was restarted', async (d) => { await d.stop(); await d.launch(); }],
]) {
  test(`back after it was ${how}: the prompt is still known`, async (t) => {
    const d = await start(t);
    const first = await d.chat('r', more);
    await leave(d);
    const back = await d.chat('r', more);
    assert.equal(back.status, 200);
    assert.ok(cached(back) > first.body.usage.prompt_tokens * 0.9, `${cached(back)} cached`);
    assertSame(back, first);
  });
}

test('another file under the same name is not given the old one\'s memory', async (t) => {
  const d = await start(t);
  await d.chat('r', more);
  await d.unload('r');
  await d.stop();
  d.removeModel('r');
  d.addModel('r', random('--seed', '12'));
  await d.launch();
  const fresh = await d.chat('r', more);
  assert.equal(cached(fresh), 0);
});
