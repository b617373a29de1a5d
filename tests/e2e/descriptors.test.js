/* SPDX-License-Identifier: MIT */
// Few descriptors: idle connections give way to new ones, and workers still start.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { spoken } from './lib/models.js';
import { connections, until } from './lib/process.js';

const HARD = 300;
const IDLE = 400;

test('idle connections lock nobody out, and leave descriptors for a worker', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: spoken('Alpha speaking.') },
    wrap: ['prlimit', `--nofile=64:${HARD}`] });
  const sockets = [];
  let closed = 0;
  t.after(() => { for (const socket of sockets) socket.destroy(); });
  for (let i = 0; i < IDLE; i++) {
    const socket = net.connect(d.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => { closed++; });
    sockets.push(socket);
    await once(socket, 'connect');
  }
  assert.equal((await d.get('/health')).status, 200);
  assert.equal((await d.chat('alpha')).status, 200); // a new worker and the history
  await until(() => closed > 0, 30000, 'idle connections are closed');
  assert.ok(connections(d.port) > 64, 'the soft limit is raised');
  assert.equal(d.log.match(/idle ones are closed/g).length, 1);
  assert.doesNotMatch(d.log, /could not be accepted/);
  for (const socket of sockets) assert.ok(!socket.errored, String(socket.errored));
});
