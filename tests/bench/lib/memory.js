/* SPDX-License-Identifier: MIT */
// Private memory of a process tree: what the kernel cannot drop. Mapped files do not count, however
// much of them is resident. A page that processes share is counted once.
import fs from 'node:fs';

function sharesOf(pid) {
  const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return ['Pss_Anon', 'Pss_Shmem'].reduce((sum, name) =>
    sum + Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)[1]), 0);
}

export function privateBytes(program) {
  return program.pids().reduce((sum, pid) => sum + 1024 * sharesOf(pid), 0);
}
