/* SPDX-License-Identifier: MIT */
// A server under measurement as a process: start it, end it, and whom it started.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { childrenOf, gone, isAlive } from '../../e2e/lib/process.js';

const running = new Set();
const QUIET_MS = 3000;

// Processor time used so far: utime and stime, behind the name, which may hold anything.
function ticksOf(pid) {
  try {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return 0; // it has ended
  }
}

export class Program {
  constructor(file, args, { env, log }) {
    const out = fs.openSync(log, 'a'); // a pipe would have to be read while we measure
    this.log = log;
    this.child = spawn(file, args, { env, stdio: ['ignore', out, out] });
    fs.closeSync(out);
    this.pid = this.child.pid;
    this.exited = once(this.child, 'exit');
    running.add(this);
    this.exited.then(() => running.delete(this), () => running.delete(this));
  }

  // It and everything below it.
  pids() {
    const below = (pid) => [pid, ...childrenOf(pid).flatMap(below)];
    return below(this.pid);
  }

  // Resolves when the tree has not computed for a while: nothing goes on in the background.
  quiet() {
    let used = this.#ticks(), since = performance.now();
    return until(() => {
      const now = this.#ticks();
      if (now > used + 1) [used, since] = [now, performance.now()];
      return performance.now() - since > QUIET_MS;
    }, `a pause of ${this.pid}`, 300000);
  }

  #ticks() { return this.pids().map(ticksOf).reduce((a, b) => a + b, 0); }

  // Polite; resolves when the whole tree is gone.
  async stop() {
    if (!isAlive(this.pid)) return;
    const tree = this.pids();
    this.child.kill('SIGTERM');
    await Promise.all(tree.map((pid) => gone(pid, 30000)));
  }

  static stopAll() {
    return Promise.all([...running].map((program) => program.stop()));
  }
}

// Resolves when look() gives something truthy, with that; rejects after `within` ms.
export function until(look, what, within = 60000) {
  const end = performance.now() + within;
  return new Promise((resolve, reject) => {
    const again = async () => {
      try {
        const found = await look();
        if (found) resolve(found);
        else if (performance.now() > end) reject(new Error(`${what}: not within ${within} ms`));
        else setTimeout(again, 20);
      } catch (cause) { reject(cause); }
    };
    again();
  });
}
