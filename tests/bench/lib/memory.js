/* SPDX-License-Identifier: MIT */
// Private memory of a process tree: what the kernel cannot drop. Mapped files do not count, however
// much of them is resident.
import { statusField } from '../../e2e/lib/process.js';

export function privateBytes(program) {
  return program.pids().reduce((sum, pid) =>
    sum + 1024 * (statusField(pid, 'RssAnon') + statusField(pid, 'RssShmem')), 0);
}
