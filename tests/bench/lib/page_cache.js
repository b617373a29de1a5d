/* SPDX-License-Identifier: MIT */
// Which parts of a file the kernel holds in memory.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

function run(program, args) {
  const { status, stdout, stderr } =
    spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 16 });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const resident = (file) =>
  Number(run('fincore', ['--bytes', '--noheadings', '--output', 'RES', file]))
  / fs.statSync(file).size;

// A machine may take back pages that nobody has used for long: then once more.
export function warm(file) {
  for (let tries = 0; tries < 3; tries++) {
    run('dd', [`if=${file}`, 'of=/dev/null', 'bs=4M', 'status=none']);
    if (resident(file) >= 0.99) return;
  }
  throw new Error(`${file} does not stay in the page cache: too little memory`);
}

// As after a restart of the machine. A file just written lies in small pages, which take a process
// up to ten times as long to map (and to leave) as those that reading in sequence makes.
export function reread(file) {
  drop(file);
  warm(file);
}

// dd tells the kernel that the file will not be needed. Pages that a process maps would stay.
export function drop(file) {
  run('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);
  if (resident(file) > 0.01) {
    throw new Error(`${file} stays in the page cache: some process maps it`);
  }
}
