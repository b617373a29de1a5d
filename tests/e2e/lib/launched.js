/* SPDX-License-Identifier: MIT */
// A daemon that launcher.py starts as systemd would: on the first connection to its sockets.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { doze } from './programs.js';
import { tidyAfter } from './tidy.js';

const PATIENCE_MS = 60000;
const launcher = fileURLToPath(new URL('launcher.py', import.meta.url));

export class Launched {
  facts = []; // what the launcher has said, in order
  log = '';
  #look = new Set();

  static async start(t, { sockets = 1, models = {}, args = [], env = {} } = {}) {
    const d = new Launched();
    d.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-launched-'));
    d.modelsDir = path.join(d.folder, 'models');
    d.stateDir = path.join(d.folder, 'state');
    fs.mkdirSync(d.modelsDir);
    fs.mkdirSync(d.stateDir, { mode: 0o700 });
    for (const [name, file] of Object.entries(models))
      fs.symlinkSync(file, path.join(d.modelsDir, `${name}.gguf`));
    d.child = spawn('setpriv', ['--pdeathsig', 'TERM', 'python3', launcher, String(sockets),
      path.join(d.folder, 'news'), 'setpriv', '--pdeathsig', 'KILL', doze, 'serve',
      '--models-dir', d.modelsDir, '--state-dir', d.stateDir, ...args], {
      env: { ...process.env, HOME: d.folder, HF_HUB_OFFLINE: '1',
        MEMORY_PRESSURE_WATCH: '/dev/null', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    d.child.stderr.on('data', (chunk) => { d.log += chunk; });
    readline.createInterface(d.child.stdout).on('line', (line) => {
      d.facts.push(JSON.parse(line));
      for (const look of d.#look) look();
    });
    tidyAfter(t, () => d.#tidy());
    d.ports = (await d.says((f) => f.ports)).ports;
    return d;
  }

  get url() { return `http://127.0.0.1:${this.ports[0]}`; }

  // The first fact that fits, from index `from` on.
  says(fits, from = 0) {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.#look.delete(look);
        reject(new Error(`not said: ${fits}\n${JSON.stringify(this.facts)}\n${this.log}`));
      }, PATIENCE_MS);
      const look = () => {
        const found = this.facts.slice(from).find(fits);
        if (!found) return;
        clearTimeout(limit);
        this.#look.delete(look);
        resolve(found);
      };
      this.#look.add(look);
      look();
    });
  }

  // News with this line.
  news(line, from = 0) { return this.says((f) => f.news?.split('\n').includes(line), from); }

  // "start", or the name of a signal.
  tell(word) { this.child.stdin.write(`${word}\n`); }

  count(name) { return this.facts.filter((f) => name in f).length; }

  async #tidy() {
    const ended = once(this.child, 'exit');
    this.child.stdin.end();
    if (this.child.exitCode === null && this.child.signalCode === null) await ended;
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }
}
