/* SPDX-License-Identifier: MIT */
// What the groups of rows measure with: servers of their own, alternating runs, one place for
// results.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Doze } from './doze.js';
import { Peer } from './peer.js';
import { Program } from './program.js';
import { spec } from './rows.js';

// Room for the longest conversation of the rows and its answers.
export const CONTEXT = 12288;

export class Bench {
  #folders = [];
  #values = new Map();

  constructor({ results, runs, wanted }) {
    this.results = results;
    this.runs = runs;
    this.wanted = wanted;
    this.threads = os.availableParallelism();
    this.kinds = Peer.program ? [Doze, Peer] : [Doze];
  }

  // Is this row, or any of these, asked for?
  wants(...ids) { return ids.some((id) => this.wanted(id)); }

  // options: see Doze.start. One of each kind, each in an empty folder.
  async servers(options) {
    return Promise.all(this.kinds.map((kind) => this.server(kind, options)));
  }

  // An empty one, until the servers are stopped.
  folder(name) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), `doze-bench-${name}-`));
    this.#folders.push(folder);
    return folder;
  }

  async server(kind, options) {
    const folder = this.folder(kind.key);
    return kind.start({ context: CONTEXT, threads: this.threads, ...options, folder });
  }

  // All servers, and what they wrote.
  async stop() {
    await Program.stopAll();
    for (const folder of this.#folders.splice(0)) {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }

  // step(who, run) for every run; who goes first changes from run to run.
  async alternate(whos, step) {
    for (let run = 0; run < this.runs; run++) {
      const order = run % 2 ? [...whos].reverse() : whos;
      for (const who of order) await step(who, run);
    }
  }

  note(id, who, value) {
    const values = this.#values.get(id) ?? { doze: [], peer: [], floor: [] };
    values[who].push(value);
    this.#values.set(id, values);
    console.log(`${id.padEnd(28)} ${who.padEnd(6)} ${value.toFixed(1)} ${spec(id).unit}`);
  }

  // The row's figures are complete.
  done(id, facts) {
    if (this.#values.has(id)) this.results.put(id, this.#values.get(id), facts);
  }
}

// Seeds that no two runs, rows or sessions share: a prompt seen before would be found again.
let seed = Date.now() % 1e9;
export const freshSeed = () => ++seed;
export const freshSeeds = (count) => Array.from({ length: count }, freshSeed);
