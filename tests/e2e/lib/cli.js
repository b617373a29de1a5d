/* SPDX-License-Identifier: MIT */
// The command line as a person uses it: `doze` (or `lms`, a link to it) in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { doze } from './programs.js';

export class Command {
  out = '';
  err = '';

  // daemon: the one to talk to, or {folder, url?}; program: the path to run.
  constructor(daemon, args, { program = doze, input, env = {} } = {}) {
    this.child = spawn(program, args, {
      env: { ...process.env, HOME: daemon.folder, DOZE_PORT: String(daemon.port ?? ''),
        NO_COLOR: '1',
        ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdout.on('data', (chunk) => { this.out += chunk; this.look?.(); });
    this.child.stderr.on('data', (chunk) => { this.err += chunk; this.look?.(); });
    this.child.stdin.on('error', () => {}); // it may end without reading
    this.child.stdin.end(input ?? '');
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      this.code = code;
      this.signal = signal;
      this.look?.();
      return this;
    });
  }

  // Resolves when the output so far fits; rejects if the command ended before.
  shows(pattern) {
    return new Promise((resolve, reject) => {
      this.look = () => {
        const found = pattern.exec(this.out);
        if (found) resolve(found);
        else if (this.code !== undefined)
          reject(new Error(`ended with ${this.code}, without ${pattern}:\n${this.out}${this.err}`));
      };
      this.look();
    });
  }
}

// Run to the end: {code, out, err}.
export const run = (daemon, args, options) => new Command(daemon, args, options).ended;
