/* SPDX-License-Identifier: MIT */
// Idle costs nothing: memory and wake-ups of a daemon nobody talks to.
// Alone: measures memory and wake-ups.
// Not sanitized: what is measured is not theirs, and the rest is in every other test.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { spoken } from './lib/models.js';
import {
  atRest, childrenOf, connections, hasOpen, residentBytes, until, wakeUpsIn,
} from './lib/process.js';

const WINDOW_MS = 5000;
const PATIENCE_MS = 60000;
const RESIDENT_MAX = 6 << 20;
// What a start or work leaves to be done once, each thing seen to be done: our connections are
// closed, the history's file is closed (10 s after its last entry), a spare worker is there and has
// spoken (that is the one thing seen only by its stillness).
async function settled(d, workers) {
  d.closeWatches();
  await until(() => connections(d.port) === 0, PATIENCE_MS, 'the clients have left');
  await until(() => !hasOpen(d.pid, 'history.db'), PATIENCE_MS, 'the history is closed');
  await until(() => childrenOf(d.pid).length === workers + 1, PATIENCE_MS,
    'a spare worker is there');
  await atRest(() => childrenOf(d.pid), PATIENCE_MS);
}

// From then on nothing at all: not in most windows, but in the very next one.
async function assertQuiet(...pids) {
  const counts = await wakeUpsIn(pids, WINDOW_MS);
  assert.deepEqual(counts, pids.map(() => 0), `wake-ups in ${WINDOW_MS} ms`);
}

test('a fresh daemon: at most 6 MB, no wake-ups in 5 s', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hello there.') } });
  const bytes = residentBytes(d.pid);
  assert.ok(bytes <= RESIDENT_MAX, `${(bytes / 1048576).toFixed(1)} MB`);
  await settled(d, 0);
  await assertQuiet(d.pid, ...childrenOf(d.pid));
});

test('an idle instance does not wake anybody either', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hello there.') } });
  const watch = await d.watch();
  await d.chat('m', { messages: [{ role: 'user', content: 'A long story. '.repeat(60) }] });
  await watch.reaches('m', 'idle');
  await until(() => saved(d), PATIENCE_MS, 'the prompt is saved'); // 2 s after the answer
  await settled(d, 1);
  await assertQuiet(d.pid, ...childrenOf(d.pid));
});

// Is there a whole file in the prompt store?
function saved(d) {
  const folder = path.join(d.stateDir, 'prompts', 'm');
  return fs.existsSync(folder) && fs.readdirSync(folder).some((name) => name.endsWith('.prompt'));
}

test('after loads and unloads the daemon is as small as before', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hello there.') },
    settings: { standby: false } });
  const watch = await d.watch();
  const round = async () => {
    const from = watch.length;
    await d.chat('m', { ttl: 0 });
    await watch.reaches('m', 'absent', { from });
  };
  for (let i = 0; i < 20; i++) await round(); // threads, buffers and the database are there now
  const before = residentBytes(d.pid);
  for (let i = 0; i < 40; i++) await round();
  const grown = residentBytes(d.pid) - before;
  assert.ok(grown < 2 << 20, `${grown} bytes more`);
  assert.deepEqual(childrenOf(d.pid), []);
});
