/* SPDX-License-Identifier: MIT */
// Somebody else's program, run to its end within a time limit.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';

// What runs with this home folder, which is a test's own.
function* programsOf(home) {
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const environment = fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      if (environment.includes(`HOME=${home}`)) yield Number(pid);
    } catch { /* it has ended */ }
  }
}

function endAll(home) {
  for (const pid of programsOf(home)) {
    try { process.kill(pid, 'SIGKILL'); } catch { /* it has ended */ }
  }
}

// env: beside PATH; its HOME is a folder of this run. Servers that a program leaves behind are
// ended with it. Gives {code, out, err}; code is null if it took longer than `seconds`.
export async function run(program, args, { cwd, env, seconds }) {
  const child = spawn(program, args, { cwd, env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'] });
  const limit = setTimeout(() => endAll(env.HOME), seconds * 1000);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => { out += chunk; });
  child.stderr.on('data', (chunk) => { err += chunk; });
  child.on('exit', () => endAll(env.HOME)); // what it left behind would keep the pipes open
  const [code] = await once(child, 'close');
  clearTimeout(limit);
  return { code, out, err };
}
