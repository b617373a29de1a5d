/* SPDX-License-Identifier: MIT */
// What a worker, which a hostile model may take over, has of the daemon and of the machine.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { endless, spoken } from './lib/models.js';

const proc = (pid, file) => fs.readFileSync(`/proc/${pid}/${file}`, 'utf8');

async function loaded(t, more) {
  const d = await Daemon.start(t, { models: { m: spoken('Hello there.') }, ...more });
  const watch = await d.watch();
  assert.equal((await d.chat('m')).status, 200);
  const { pid } = await watch.reaches('m', 'idle');
  return { d, pid };
}

test('a worker does not get the keys in the environment of the daemon', async (t) => {
  const { pid } = await loaded(t, { env: { HF_TOKEN: 'hf_secret', OPENAI_API_KEY: 'sk-secret',
    DOZE_TEST_SECRET: 'secret' } });
  assert.doesNotMatch(proc(pid, 'environ'), /secret/);
});

test('the kernel ends a worker before the daemon, and it leaves no core file', async (t) => {
  const { pid } = await loaded(t);
  assert.equal(proc(pid, 'oom_score_adj').trim(), '500');
  assert.match(proc(pid, 'limits'), /Max core file size +0 +0 /);
});

test('a worker has none of root’s capabilities', async (t) => {
  const { pid } = await loaded(t);
  for (const set of ['CapEff', 'CapPrm', 'CapInh'])
    assert.match(proc(pid, 'status'), new RegExp(`^${set}:\\s+0+$`, 'm'));
});

test('a worker reads nothing of the daemon’s and prints into a pipe', async (t) => {
  const { pid } = await loaded(t);
  assert.equal(fs.readlinkSync(`/proc/${pid}/fd/0`), '/dev/null');
  assert.match(fs.readlinkSync(`/proc/${pid}/fd/1`), /^(socket|pipe):/);
  assert.match(fs.readlinkSync(`/proc/${pid}/fd/2`), /^(socket|pipe):/);
});

test('a worker without a prompt store writes no file', async (t) => {
  const { pid } = await loaded(t, { settings: { prompt_store: 'off' } });
  assert.match(proc(pid, 'limits'), /Max file size +0 +0 /);
});

test('stops, cancels and evictions log no warning', async (t) => {
  const { d } = await loaded(t, { models: { m: spoken('Hello there.'), long: endless() } });
  const watch = await d.watch();
  for (let i = 0; i < 3; i++) {
    const abort = new AbortController();
    const response = await d.stream('long', {}, { signal: abort.signal });
    await response.body.getReader().read();
    abort.abort();
    await d.chat('m');
    await watch.reaches('m', 'idle');
  }
  await d.stop();
  assert.doesNotMatch(d.log, / (warn|error) /);
});
