/* SPDX-License-Identifier: MIT */
// X-Doze-Cache: how much of a prompt was processed already, where that was, and why not more.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { random } from './lib/models.js';

const words = (n, word = 'word') => Array.from({ length: n }, (_, i) => `${word}${i}`).join(' ');
const system = words(30);

// The header's parts, and usage.
async function ask(d, user, more = {}) {
  const answer = await d.post('/v1/chat/completions', { model: 'm', temperature: 0, max_tokens: 2,
    messages: [{ role: 'system', content: system }, { role: 'user', content: user }], ...more });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const [source, ...rest] = answer.headers.get('x-doze-cache').split('; ');
  return { source, ...Object.fromEntries(rest.map((part) => part.split('='))),
    usage: answer.body.usage };
}

test('the header says where the beginning of a prompt was, and why not more of it', async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  const first = await ask(d, 'Hello there.');
  assert.deepEqual([first.source, first.tokens, first.reason], ['none', '0', 'new']);
  const { prompt_tokens: count, prompt_tokens_details: details } = first.usage;
  assert.deepEqual(details, { cached_tokens: 0, cache_write_tokens: count });

  const again = await ask(d, 'Hello there.');
  assert.equal(again.source, 'slot');
  assert.equal(again.reason, undefined, 'there is no more to have');
  assert.equal(Number(again.tokens), again.usage.prompt_tokens_details.cached_tokens);
  assert.equal(again.usage.prompt_tokens_details.cache_write_tokens, count - again.tokens);

  const other = await ask(d, 'Goodbye.');
  assert.equal(other.source, 'slot');
  assert.equal(other.reason, 'differs');
  assert.ok(other.at - other.tokens < 4 && other.at > 100, `at the first token: ${other.at}`);

  const off = await ask(d, 'Hello there.', { cache_prompt: false });
  assert.deepEqual([off.source, off.tokens, off.reason], ['none', '0', 'off']);
  assert.equal(off.usage.prompt_tokens_details.cache_write_tokens, 0);
});

test('a conversation that comes back after an unload is on disk, or was evicted', async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  const unload = () => d.post('/api/v1/models/unload', { instance_id: 'm' });
  await ask(d, 'Hello there.');
  await unload();
  const back = await ask(d, 'Hello there.');
  assert.equal(back.source, 'disk');
  assert.ok(Number(back.tokens) > 100);

  await unload();
  // Now the worker knows the files.
  await ask(d, 'x', { messages: [{ role: 'user', content: words(40, 'else') }] });
  const folder = path.join(d.stateDir, 'prompts', 'm');
  for (const file of fs.readdirSync(folder)) fs.unlinkSync(path.join(folder, file));
  const gone = await ask(d, 'Hello there.');
  assert.deepEqual([gone.source, gone.reason], ['none', 'evicted']);
});

test('a stream has the header too, and what is no conversation has none', async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  const body = { model: 'm', prompt: 'Hello', max_tokens: 2 };
  const stream = await fetch(`${d.url}/v1/completions`, { method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...body, stream: true }) });
  await stream.text();
  assert.match(stream.headers.get('x-doze-cache'), /^none; tokens=0; reason=new$/);
  const refused = await d.post('/v1/completions', { ...body, max_tokens: 'x' });
  assert.equal(refused.status, 400);
  assert.equal(refused.headers.get('x-doze-cache'), null);
});
