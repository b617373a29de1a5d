/* SPDX-License-Identifier: MIT */
// The prompt store (docs/prompt-store.md): its settings, its listing, and what it survives.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { run } from './lib/cli.js';
import { Daemon } from './lib/daemon.js';
import { random } from './lib/models.js';
import { gone } from './lib/process.js';
import { assertSame, judged } from './lib/same.js';
import { says } from './lib/says.js';

const messages = [{ role: 'system', content: 'You are terse. '.repeat(60) },
  { role: 'user', content: 'Tell me something.' }];
const more = { ...judged, messages, max_tokens: 16 };
const cached = ({ body }) => body.usage.prompt_tokens_details.cached_tokens;
const known = (answer) => cached(answer) > answer.body.usage.prompt_tokens * 0.9;

const start = (t, settings) => Daemon.start(t, { models: { r: random('--seed', '11') }, settings });
const listed = async (d) => (await d.get('/api/v1/prompts')).body;

async function askAndUnload(d) {
  const watch = await d.watch();
  const answer = await d.chat('r', more);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  await d.unload('r');
  await watch.reaches('r', 'absent');
  return answer;
}

function* filesBelow(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(full);
    else yield full;
  }
}

test('back after its ttl, with where it came from', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  const first = await d.chat('r', { ...more, ttl: 0 });
  await watch.reaches('r', 'absent');
  const back = await d.post('/api/v0/chat/completions', { model: 'r', ...more });
  const { body } = back;
  assertSame(back, first);
  assert.equal(body.stats.prompt_cache.source, 'disk');
  assert.equal(body.stats.prompt_cache.tokens, body.usage.prompt_tokens_details.cached_tokens);
  const metrics = await (await d.fetch('/metrics')).text();
  assert.match(metrics, /doze_prompt_hits_total\{source="disk"\} 1/);
});

test('ps shows what a loaded model has in store, and the hits', async (t) => {
  const d = await start(t);
  await askAndUnload(d);
  assert.ok(known(await d.chat('r', more)));
  const shown = () => run(d, ['ps']);
  const { out } = await ask(shown, ({ out }) => / hit/.test(out), 'the hit in ps');
  assert.match(out, /PROMPTS\n/);
  assert.match(out, /\s1 \([\d.]+ [KMG]?B\), 1 hit\n/);
});

test('ps without a hit says nothing of hits: the table is to fit into 80 columns', async (t) => {
  const d = await start(t);
  assert.equal((await d.chat('r', { ...more, ttl: 600 })).status, 200);
  await d.chat('r', { max_tokens: 1, messages: [{ role: 'user', content: 'Something else.' }] });
  await ask(() => run(d, ['ps']), ({ out }) => /\s\d \([\d.]+ [KMG]?B\)\n/.test(out));
});

test('listed and cleared, over HTTP and on the command line', async (t) => {
  const d = await start(t);
  await askAndUnload(d);
  const list = await ask(() => listed(d), (l) => l.entries === 1, 'an entry on disk');
  assert.equal(list.prompt_store, 'on');
  assert.equal(list.models[0].model, 'r');
  assert.ok(list.models[0].tokens > 500 && list.bytes > 1000);
  const shown = await run(d, ['prompts', 'ls']);
  assert.match(shown.out, /^r +1 +\d+/m);
  const nobody = await d.json('DELETE', '/api/v1/prompts/nobody');
  assert.equal(nobody.status, 404);
  assert.match(nobody.body.error.message, /no model 'nobody'/);
  const nope = await run(d, ['prompts', 'clear', 'nope']);
  assert.equal(nope.code, 1, 'what is not there was not cleared');
  assert.match(nope.err, /no model 'nope'/);
  const cleared = await run(d, ['prompts', 'clear', 'r']);
  assert.equal(cleared.code, 0);
  assert.match(cleared.out, /Deleted 1 processed prompt,/);
  assert.equal((await listed(d)).entries, 0);
  assert.equal((await run(d, ['prompts', 'clear', 'r'])).code, 0, 'none is left of it');
  assert.equal(cached(await d.chat('r', more)), 0);
});

test('what a loaded model has in memory is cleared, too, and not saved later', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  const first = await d.chat('r', more);
  assert.equal((await d.json('DELETE', '/api/v1/prompts/r')).status, 200);
  const again = await d.chat('r', more);
  assert.equal(cached(again), 0, 'the slot serves no other prompt');
  assertSame(again, first);
  assert.equal((await d.json('DELETE', '/api/v1/prompts')).status, 200);
  await d.unload('r');
  await watch.reaches('r', 'absent');
  assert.equal((await listed(d)).entries, 0);
});

test('cleared while a worker that leaves saves: nothing appears later', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  assert.equal((await d.chat('r', more)).status, 200);
  const { pid } = await d.instance('r');
  process.kill(pid, 'SIGSTOP'); // it saves when it goes on
  const unloaded = d.unload('r');
  await watch.reaches('r', 'unloading');
  assert.equal((await d.json('DELETE', '/api/v1/prompts/r')).status, 200);
  process.kill(pid, 'SIGCONT');
  await unloaded;
  await watch.reaches('r', 'absent');
  assert.equal((await listed(d)).entries, 0);
  assert.ok(!/cannot be kept/.test(d.log), d.log);
});

test('cleared while a worker leaves: what it has saved in the last moment goes, too', async (t) => {
  const d = await start(t);
  const watch = await d.watch();
  await askAndUnload(d);
  await ask(() => listed(d), (l) => l.entries === 1, 'an entry on disk');
  const [file] = [...filesBelow(path.join(d.stateDir, 'prompts'))];
  const bytes = fs.readFileSync(file);
  assert.equal((await d.chat('r', more)).status, 200);
  const { pid } = await d.instance('r');
  process.kill(pid, 'SIGSTOP');
  const from = watch.length;
  const unloaded = d.unload('r');
  await watch.reaches('r', 'unloading', { from });
  assert.equal((await d.json('DELETE', '/api/v1/prompts')).status, 200);
  fs.writeFileSync(file, bytes); // as if it had been renamed before FORGET was read
  process.kill(pid, 'SIGKILL');
  await unloaded;
  await watch.reaches('r', 'absent', { from });
  assert.equal((await listed(d)).entries, 0);
});

test('files are for their owner only', async (t) => {
  const d = await start(t);
  await askAndUnload(d);
  const files = [...filesBelow(path.join(d.stateDir, 'prompts'))];
  assert.equal(files.length, 1);
  assert.equal(fs.statSync(files[0]).mode & 0o777, 0o600);
  assert.equal(fs.statSync(path.dirname(files[0])).mode & 0o777, 0o700);
});

for (const mode of ['off', 'memory']) {
  test(`with prompt_store ${mode} nothing is written`, async (t) => {
    const d = await start(t, { prompt_store: mode });
    const first = await askAndUnload(d);
    const back = await d.chat('r', more);
    assert.equal(cached(back), 0);
    assertSame(back, first);
    assert.ok(!fs.existsSync(path.join(d.stateDir, 'prompts')));
  });
}

test('the budget holds', async (t) => {
  const d = await start(t, { prompt_store_bytes: 1000 });
  await askAndUnload(d);
  await ask(() => listed(d), (l) => l.entries === 0, 'an empty store');
});

test('a daemon and a worker that were killed leave what an idle worker has saved', async (t) => {
  const d = await start(t);
  const first = await d.chat('r', more);
  const { pid } = await d.instance('r');
  await ask(() => listed(d), (l) => l.entries === 1, 'an entry on disk');
  d.kill('SIGKILL');
  await d.exited;
  await gone(pid);
  await d.launch();
  const back = await d.chat('r', more);
  assert.ok(known(back), `${cached(back)} cached`);
  assertSame(back, first);
});

test('damaged files are a miss, and the answer is the same', async (t) => {
  const d = await start(t);
  const first = await askAndUnload(d);
  for (const file of filesBelow(path.join(d.stateDir, 'prompts'))) {
    const bytes = fs.readFileSync(file);
    bytes[bytes.length >> 1] ^= 1;
    fs.writeFileSync(file, bytes);
  }
  const back = await d.chat('r', more);
  assert.equal(cached(back), 0);
  assertSame(back, first);
});

test('a store that cannot be written costs one warning and nothing else', async (t) => {
  const d = await start(t);
  fs.writeFileSync(path.join(d.stateDir, 'prompts'), 'in the way');
  const first = await askAndUnload(d);
  const back = await askAndUnload(d);
  assertSame(back, first);
  await says(d, /warn .*prompt cannot be kept/);
});
