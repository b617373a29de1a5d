/* SPDX-License-Identifier: MIT */
// Idle costs nothing: memory and wake-ups of a daemon nobody talks to.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { spoken } from './lib/models.js';
import { childrenOf, residentBytes, wakeUps } from './lib/process.js';
import { sanitized } from './lib/programs.js';

const WINDOW_MS = 5000;
const WINDOWS_MAX = 12;
const RESIDENT_MAX = 6 << 20;

// Wake-ups during a window of time. The window is what is measured; nothing is waited for.
function wakeUpsIn(pid, ms) {
  const before = wakeUps(pid);
  return new Promise((tell) => {
    setTimeout(() => tell(wakeUps(pid) - before), ms);
  });
}

// What follows a start or work once (prompts and history are saved, a connection ends) may fall into
// the first windows; what repeats would be in all of them.
async function quiet(...pids) {
  const seen = [];
  for (let i = 0; i < WINDOWS_MAX; i++) {
    const counts = await Promise.all(pids.map((pid) => wakeUpsIn(pid, WINDOW_MS)));
    if (counts.every((count) => count === 0)) return;
    seen.push(counts);
  }
  assert.fail(`wake-ups in windows of ${WINDOW_MS} ms: ${JSON.stringify(seen)}`);
}

test('a fresh daemon: at most 6 MB, no wake-ups in 5 s', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hello there.') } });
  if (!sanitized) {
    const bytes = residentBytes(d.pid);
    assert.ok(bytes <= RESIDENT_MAX, `${(bytes / 1048576).toFixed(1)} MB`);
  }
  await quiet(d.pid);
});

test('an idle instance does not wake anybody either', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hello there.') } });
  const watch = await d.watch();
  await d.chat('m');
  const { pid } = await watch.reaches('m', 'idle');
  d.closeWatches();
  await d.get('/health'); // the daemon has seen the watch go
  await quiet(d.pid, pid);
});

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
  assert.ok(grown < (sanitized ? 64 << 20 : 2 << 20), `${grown} bytes more`);
  assert.deepEqual(childrenOf(d.pid), []);
});
