/* SPDX-License-Identifier: MIT */
// Measures doze beside the stock llama.cpp server and a bare program on libllama, and writes
// docs/benchmarks. run.sh says what can be set.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { doze } from '../e2e/lib/programs.js';
import { Bench } from './lib/bench.js';
import { fleetPage, fleetPicture, fleetProgram, fleets } from './lib/fleets.js';
import { floorProgram } from './lib/floor.js';
import { machine } from './lib/machine.js';
import { large, small } from './lib/models.js';
import { reread } from './lib/page_cache.js';
import { Peer } from './lib/peer.js';
import { picture } from './lib/picture.js';
import { Results } from './lib/results.js';
import { rows } from './lib/rows.js';
import { table } from './lib/table.js';
import { cold } from './rows/cold.js';
import { fleet } from './rows/fleet.js';
import { http } from './rows/http.js';
import { memory } from './rows/memory.js';
import { parked } from './rows/parked.js';
import { returning } from './rows/return.js';
import { speed } from './rows/speed.js';
import { switching } from './rows/switch.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const out = path.resolve(process.env.OUT || path.join(root, 'docs/benchmarks'));
const runs = Number(process.env.RUNS || 7);
const names = (process.env.ROWS || '').split(',').filter(Boolean);

const isNamed = (id, name) => id === name || id.startsWith(`${name}.`);
const wanted = (id) => !names.length || names.some((name) => isNamed(id, name));
const all = [...rows, ...fleets].map(({ id }) => id);

function check() {
  if (!Number.isInteger(runs) || runs < 1) throw new Error('RUNS must be a number from 1');
  for (const name of names)
    if (!all.some((id) => isNamed(id, name)))
      throw new Error(`ROWS: there is no row ${name}. The rows are:\n  ${all.join('\n  ')}`);
}

function need(...programs) {
  for (const program of programs.filter(Boolean))
    if (!fs.existsSync(program)) throw new Error(`there is no ${program}`);
}

function write(results) {
  if (!Object.keys(results).length) return;
  fs.writeFileSync(path.join(out, 'results.md'), table(results, machine(root)));
  fs.writeFileSync(path.join(out, 'results.svg'), picture(results));
}

async function measure() {
  need(doze, floorProgram, Peer.program);
  const results = new Results(path.join(out, 'results.json'));
  const bench = new Bench({ results, runs, wanted });
  process.once('SIGINT', () => bench.stop().then(() => process.exit(130)));
  try {
    for (const model of [small, large]) reread(model.file());
    for (const group of [cold, switching, returning, parked, speed, memory, http]) {
      await group(bench);
      write(results.rows);
    }
  } finally {
    await bench.stop();
  }
}

// Nothing of the machine is in their figures: its description stays as it is.
function simulateFleets() {
  need(fleetProgram);
  const results = new Results(path.join(out, 'fleet.json'));
  fleet({ results, runs, wanted });
  fs.writeFileSync(path.join(out, 'fleet.md'), fleetPage(results.rows));
  fs.writeFileSync(path.join(out, 'fleet.svg'), fleetPicture(results.rows));
}

async function main() {
  check();
  fs.mkdirSync(out, { recursive: true });
  if (fleets.some(({ id }) => wanted(id))) simulateFleets();
  if (rows.some(({ id }) => wanted(id))) await measure();
}

main().catch((cause) => {
  console.error(`bench: ${cause.stack}`);
  process.exitCode = 1;
});
