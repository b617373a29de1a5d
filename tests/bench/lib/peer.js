/* SPDX-License-Identifier: MIT */
// The stock llama.cpp server in router mode, one model at a time. lib/doze.js has the same face.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { chat, json } from './client.js';
import { Program, until } from './program.js';

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export class Peer {
  static key = 'peer';
  static title = 'llama-server';
  static program = process.env.PEER && path.resolve(process.env.PEER);

  static async start({ folder, models, context, threads, parallel, sleepSeconds }) {
    const server = new Peer();
    server.folder = folder;
    fs.mkdirSync(path.join(folder, 'models'), { recursive: true });
    for (const [name, file] of Object.entries(models))
      fs.symlinkSync(file, path.join(folder, 'models', `${name}.gguf`));
    server.args = ['--models-dir', path.join(folder, 'models'), '--models-max', '1',
      '-c', context, '-t', threads, ...(parallel ? ['-np', parallel] : []),
      ...(sleepSeconds ? ['--sleep-idle-seconds', sleepSeconds] : [])].map(String);
    await server.launch();
    return server;
  }

  async launch() {
    const port = await freePort();
    const log = path.join(this.folder, 'log');
    fs.writeFileSync(log, '');
    const env = { ...process.env, HOME: this.folder, LLAMA_CACHE: path.join(this.folder, 'cache') };
    this.program = new Program(Peer.program,
      ['--host', '127.0.0.1', '--port', String(port), ...this.args], { env, log });
    this.url = `http://127.0.0.1:${port}`;
    await until(async () => {
      if (this.program.child.exitCode !== null) throw new Error(fs.readFileSync(log, 'utf8'));
      return json(`${this.url}/health`).catch(() => null);
    }, 'llama-server');
  }

  chat(model, body) { return chat(this.url, { model, ...body }); }

  get leaveSoon() { return {}; } // --sleep-idle-seconds is for the whole server

  async #status(model) {
    const { data } = await json(`${this.url}/models`);
    return data.find((m) => m.id === model).status.value;
  }

  async unload(model) {
    if (await this.#status(model) === 'unloaded') return;
    await json(`${this.url}/models/unload`, 'POST', { model });
    await this.unloaded(model);
  }

  unloaded(model) {
    return until(async () => ['unloaded', 'sleeping'].includes(await this.#status(model)),
      `unload of ${model}`);
  }

  asleep(model) { return this.unloaded(model); }

  stop() { return this.program.stop(); }
}
