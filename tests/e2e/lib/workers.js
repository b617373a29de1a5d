/* SPDX-License-Identifier: MIT */
// The workers of a daemon, seen from outside.
import { ask } from './ask.js';
import { childrenOf, programOf } from './process.js';

// Their pids: of those that run their program, a child may not have begun to yet.
export const workersOf = (pid) =>
  childrenOf(pid).filter((child) => programOf(child) === 'doze-engine');

// The pid of the spare worker of a daemon that has loaded nothing; it becomes the next instance.
export const spareOf = async (d) =>
  (await ask(() => workersOf(d.pid), (pids) => pids.length === 1, 'a spare worker'))[0];
