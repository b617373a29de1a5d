/* SPDX-License-Identifier: MIT */
// A daemon of its own for a test: own folders, own port, real workers.
import { spawn } from 'node:child_process';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { doze } from './programs.js';
import { tidyAfter } from './tidy.js';
import { Watch } from './watch.js';

const TIDY_MS = 40000; // a polite stop waits for answers and for workers, 10 s each

export class Daemon {
  #watches = [];
  log = '';

  // t: the test's context; models: {name: file, or [file, projector]}; settings: what settings.json
  // holds at the start, where no worker is parked unless they say so: whether one is by default
  // depends on the machine; wrap: words before the program, of one that becomes it; outside: the
  // address of a server that listens on all.
  static async start(t,
    { models = {}, settings, args = [], env = {}, wrap = [], outside = '0.0.0.0' } = {}) {
    const daemon = new Daemon();
    daemon.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-e2e-'));
    daemon.modelsDir = path.join(daemon.folder, 'models');
    daemon.stateDir = path.join(daemon.folder, 'state');
    fs.mkdirSync(daemon.modelsDir);
    fs.mkdirSync(daemon.stateDir, { mode: 0o700 });
    for (const [name, file] of Object.entries(models)) daemon.addModel(name, ...[file].flat());
    fs.writeFileSync(daemon.settingsFile, JSON.stringify({ parked_workers: 'off', ...settings }));
    daemon.args = args;
    daemon.env = env;
    daemon.wrap = wrap;
    daemon.outside = outside;
    tidyAfter(t, () => daemon.#tidy());
    await daemon.launch();
    return daemon;
  }

  get settingsFile() { return path.join(this.stateDir, 'settings.json'); }

  // In LM Studio's layout: test/<name>/<name>.gguf, and the projector beside it. A name with
  // slashes is the whole of that, without the ending.
  addModel(name, file, projector) {
    const place = path.join(this.modelsDir, name.includes('/') ? name : `test/${name}/${name}`);
    const folder = path.dirname(place);
    fs.mkdirSync(folder, { recursive: true });
    if (projector) fs.symlinkSync(projector, path.join(folder, 'mmproj-model-f16.gguf'));
    fs.symlinkSync(file, `${place}.gguf`);
  }

  removeModel(name) {
    fs.rmSync(path.join(this.modelsDir, 'test', name), { recursive: true });
  }

  // Start the program; again after it ended.
  async launch() {
    // setpriv becomes doze; its signal ends it if the tests are killed before they could tidy.
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', ...this.wrap, doze, 'serve',
      '--port', '0', '--models-dir', this.modelsDir, '--state-dir', this.stateDir, ...this.args], {
      // No test asks the real hub: one that needs a hub gives the address of its own. Programs
      // beside the tests that wait for memory make no model leave.
      env: { ...process.env, HOME: this.folder, HF_HUB_OFFLINE: '1',
        MEMORY_PRESSURE_WATCH: '/dev/null', ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = this.child.pid;
    this.exited = once(this.child, 'exit').then(([code, signal]) => ({ code, signal }));
    this.logged = once(this.child, 'close'); // all that it has said is in the log
    this.url = await this.#address();
    this.port = Number(new URL(this.url).port);
  }

  // The address in the line that says it is listening.
  #address() {
    return new Promise((resolve, reject) => {
      let text = '';
      const read = (chunk) => {
        this.log += chunk;
        text += chunk;
        const found = /https?:\/\/(127\.0\.0\.1|0\.0\.0\.0):\d+(?=\s)/.exec(text);
        if (found) resolve(found[0].replace('0.0.0.0', this.outside));
      };
      this.child.stdout.on('data', read);
      this.child.stderr.on('data', read);
      Promise.all([this.exited, this.logged]).then(([{ code, signal }]) =>
        reject(new Error(`doze serve ended (${code ?? signal}):\n${this.log}`)));
    });
  }

  async watch(headers) {
    const watch = await Watch.open(this.url, headers);
    this.#watches.push(watch);
    return watch;
  }

  fetch(where, options) { return fetch(this.url + where, options); }

  // JSON in and out; the answer is {status, headers, body}.
  async json(method, where, body, options = {}) {
    const response = await this.fetch(where, {
      method,
      headers: { 'content-type': 'application/json', ...options.headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: options.signal,
    });
    const text = await response.text();
    let parsed;
    try { parsed = JSON.parse(text); } catch { parsed = text; }
    return { status: response.status, headers: response.headers, body: parsed };
  }

  get(where, options) { return this.json('GET', where, undefined, options); }
  post(where, body, options) { return this.json('POST', where, body, options); }
  patch(where, body) { return this.json('PATCH', where, body); }

  async settings(change) {
    const answer = await this.patch('/api/v1/settings', change);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  }

  // One chat, not streamed unless asked for; more: further fields of the body.
  chat(model, more = {}, options) {
    return this.post('/v1/chat/completions', chatBody(model, more), options);
  }

  // A streamed chat: the response whose body is being sent.
  stream(model, more = {}, { signal } = {}) {
    return this.fetch('/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(chatBody(model, { stream: true, ...more })),
      signal,
    });
  }

  async instances() {
    const { body } = await this.get('/api/v1/models');
    return body.models.flatMap((m) => m.loaded_instances.map((i) => ({ ...i, key: m.key })));
  }

  async instance(id) {
    return (await this.instances()).find((i) => i.id === id);
  }

  async load(model, more = {}) {
    const answer = await this.post('/api/v1/models/load', { model, ...more });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  }

  unload(id) { return this.post('/api/v1/models/unload', { instance_id: id }); }

  kill(signal) { this.child.kill(signal); }

  // Polite stop; the exit must be clean.
  async stop() {
    this.closeWatches();
    this.kill('SIGTERM');
    const end = await this.exited;
    await this.logged;
    assert.deepEqual(end, { code: 0, signal: null }, this.log.slice(-4000));
  }

  closeWatches() {
    for (const watch of this.#watches.splice(0)) watch.close();
  }

  async #tidy() {
    this.closeWatches();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.kill('SIGTERM');
      const limit = setTimeout(() => this.kill('SIGKILL'), TIDY_MS);
      await this.exited;
      clearTimeout(limit);
    }
    // Workers of a server that was killed may still be writing.
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
    assert.doesNotMatch(this.log, /AddressSanitizer|runtime error:|LeakSanitizer/);
  }
}

export const chatBody = (model, more = {}) =>
  ({ model, messages: [{ role: 'user', content: 'Hello?' }], ...more });
