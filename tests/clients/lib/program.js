/* SPDX-License-Identifier: MIT */
// Somebody else's program, run to its end within a time limit.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

// env: beside PATH. Everything the program started is ended with it. Gives {code, out, err}; code
// is null if it took longer than `seconds`.
export async function run(program, args, { cwd, env, seconds }) {
  const child = spawn(program, args, { cwd, env: { PATH: process.env.PATH, ...env },
    detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const group = () => { try { process.kill(-child.pid, 'SIGKILL'); } catch { /* all ended */ } };
  const limit = setTimeout(group, seconds * 1000);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => { out += chunk; });
  child.stderr.on('data', (chunk) => { err += chunk; });
  child.on('exit', group); // what it left behind would keep the pipes open
  const [code] = await once(child, 'close');
  clearTimeout(limit);
  return { code, out, err };
}
