/* SPDX-License-Identifier: MIT */
// Memory pressure (lifecycle.md, Memory): a FIFO takes the place of the kernel's file, as the
// service manager's MEMORY_PRESSURE_WATCH may have it. Each write is a stall.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { spoken } from './lib/models.js';
import { childrenOf, until } from './lib/process.js';
import { says } from './lib/says.js';
import { spareOf } from './lib/workers.js';

const models = () => ({ alpha: spoken('I am alpha.'), beta: spoken('I am beta.') });

// {d, stall}: a daemon that hears of a stall whenever stall() is called.
async function underPressure(t, settings = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-psi-'));
  const fifo = path.join(folder, 'memory.pressure');
  execFileSync('mkfifo', [fifo]);
  const d = await Daemon.start(t, { models: models(), args: ['--log-level', 'debug'],
    settings: { auto_evict: 'fit', ...settings }, env: { MEMORY_PRESSURE_WATCH: fifo } });
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const stall = () => fs.writeFileSync(fifo, 'x');
  // As the kernel does it, again and again, until it has helped: a model that was idle for less
  // time than its load took stays.
  const stallUntil = async (helped) => {
    const again = setInterval(stall, 100);
    return helped.finally(() => clearInterval(again));
  };
  return { d, stall, stallUntil };
}

test('stalls that go on unload the idle model that is worth least, and say why', async (t) => {
  const { d, stall, stallUntil } = await underPressure(t);
  await d.chat('alpha');
  await d.chat('beta');
  const watch = await d.watch();
  stall();
  await says(d, /programs wait for memory/);
  assert.equal((await d.instances()).length, 2); // one stall may be a hiccup
  const gone = await stallUntil(
    watch.first((e) => e.name === 'instance' && e.to === 'unloading'));
  assert.equal(gone.reason, 'memory_pressure');
  assert.match(gone.hint, /waited for memory.*evict_on_pressure/);
  await watch.reaches(gone.id, 'absent');
  await says(d, new RegExp(`${gone.id}: idle -> unloading \\(memory_pressure\\)`));
  assert.equal((await d.chat(gone.id)).status, 200); // a request brings it back
});

test('the spare worker leaves with the first stall and stays away meanwhile', async (t) => {
  const { d, stall } = await underPressure(t);
  await spareOf(d); // after a rest
  stall();
  await until(() => childrenOf(d.pid).length === 0, 30000, 'no spare worker');
  assert.equal((await d.chat('alpha')).status, 200);
});

test('with evict_on_pressure off nothing leaves, until it is on again', async (t) => {
  const { d, stallUntil } = await underPressure(t, { evict_on_pressure: false, standby: false });
  await d.chat('alpha');
  const watch = await d.watch();
  assert.doesNotMatch(d.log, /memory pressure is watched/);
  await d.settings({ evict_on_pressure: true });
  await says(d, /memory pressure is watched/);
  const gone = await stallUntil(watch.reaches('alpha', 'unloading'));
  assert.equal(gone.reason, 'memory_pressure');
  await says(d, /programs wait for memory/);
});

test('/dev/null as the file means that nothing is watched', async (t) => {
  const d = await Daemon.start(t, { models: models(), args: ['--log-level', 'debug'],
    env: { MEMORY_PRESSURE_WATCH: '/dev/null' } });
  await d.chat('alpha');
  assert.doesNotMatch(d.log, /memory pressure/);
});

// Where the kernel lets this user watch it.
test('the machine is watched through its own file', async (t) => {
  const d = await Daemon.start(t, { models: models(), args: ['--log-level', 'debug'],
    env: { MEMORY_PRESSURE_WATCH: undefined } });
  await says(d, /memory pressure is /);
  if (!fs.existsSync('/proc/pressure/memory')) return t.skip('no PSI in this kernel');
  await says(d, /\/proc\/pressure\/memory/);
  const held = fs.readdirSync(`/proc/${d.pid}/fd`).map((fd) => {
    try { return fs.readlinkSync(`/proc/${d.pid}/fd/${fd}`); } catch { return ''; }
  });
  const watched = d.log.includes('is watched in /proc/pressure/memory');
  assert.equal(held.includes('/proc/pressure/memory'), watched);
});
