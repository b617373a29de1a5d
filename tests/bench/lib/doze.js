/* SPDX-License-Identifier: MIT */
// doze as a server under measurement. lib/peer.js has the same face.
import fs from 'node:fs';
import path from 'node:path';
import { doze } from '../../e2e/lib/programs.js';
import { chat, json } from './client.js';
import { Program, until } from './program.js';

export class Doze {
  static key = 'doze';
  static title = 'doze';

  // folder: an empty one; models: {name: file}; context, threads: of every model; settings: more
  // of them, which only doze has.
  static async start({ folder, models, context, threads, parallel, settings }) {
    const server = new Doze();
    server.folder = folder;
    for (const [name, file] of Object.entries(models)) {
      fs.mkdirSync(path.join(folder, 'models', 'bench', name), { recursive: true });
      fs.symlinkSync(file, path.join(folder, 'models', 'bench', name, `${name}.gguf`));
    }
    fs.mkdirSync(path.join(folder, 'state'), { mode: 0o700 });
    fs.writeFileSync(path.join(folder, 'state', 'settings.json'),
      JSON.stringify({
        ...settings,
        load: { context_length: context, threads, ...(parallel && { parallel }) },
      }));
    await server.launch();
    return server;
  }

  async launch() {
    const log = path.join(this.folder, 'log');
    fs.writeFileSync(log, '');
    this.program = new Program(doze, ['serve', '--port', '0',
      '--models-dir', path.join(this.folder, 'models'),
      '--state-dir', path.join(this.folder, 'state')],
    { env: { ...process.env, HOME: this.folder }, log });
    this.url = await until(() => {
      if (this.program.child.exitCode !== null) throw new Error(fs.readFileSync(log, 'utf8'));
      return /http:\/\/127\.0\.0\.1:\d+/.exec(fs.readFileSync(log, 'utf8'))?.[0];
    }, 'doze serve');
  }

  chat(model, body) { return chat(this.url, { model, ...body }); }

  // What a request says so that the model leaves soon after it.
  get leaveSoon() { return { ttl: 0 }; }

  async #model(model) {
    const { models } = await json(`${this.url}/api/v1/models`);
    return models.find((m) => m.key === model);
  }

  async #instance(model) {
    return (await this.#model(model)).loaded_instances.find((i) => i.id === model);
  }

  async unload(model) {
    if (await this.#instance(model))
      await json(`${this.url}/api/v1/models/unload`, 'POST', { instance_id: model });
  }

  unloaded(model) {
    return until(async () => !(await this.#instance(model)), `unload of ${model}`);
  }

  // Its instance is gone, and its worker parked.
  asleep(model) {
    return until(async () => (await this.#model(model)).parked_workers?.length === 1
      && !(await this.#instance(model)), `${model} to be parked`);
  }

  stop() { return this.program.stop(); }
}
