/* SPDX-License-Identifier: MIT */
// What the figures were measured on.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { doze } from '../../e2e/lib/programs.js';
import { Peer } from './peer.js';

function engineVersion(root) {
  const lock = fs.readFileSync(path.join(root, 'setup/engine.lock'), 'utf8');
  return /^node-llama-cpp (\S+)/m.exec(lock)[1];
}

export function machine(root) {
  const cpus = os.cpus();
  return {
    cpu: `${cpus.length} × ${cpus[0].model.trim()}`,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    kernel: `${os.type()} ${os.release()}`,
    doze: spawnSync(doze, ['version'], { encoding: 'utf8' }).stdout.trim().split('\n')[0],
    engine: `llama.cpp as in node-llama-cpp ${engineVersion(root)}`,
    peer: Boolean(Peer.program),
  };
}
