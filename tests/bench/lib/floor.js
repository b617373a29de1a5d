/* SPDX-License-Identifier: MIT */
// The bare program on libllama (tools/floor), from spawn to the line that says the token is there.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { doze } from '../../e2e/lib/programs.js';

export const floorProgram = path.join(path.dirname(doze), 'floor');

// {ms, …the times of its steps}; resolves when it has ended.
export function floor(file, threads, prompt) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(floorProgram, [file, String(threads), prompt],
      { stdio: ['ignore', 'pipe', 'inherit'] });
    let ms, text = '';
    child.stdout.on('data', (piece) => {
      ms ??= performance.now() - start;
      text += piece;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve({ ms, ...JSON.parse(text) });
      else reject(new Error(`${floorProgram} ended with ${code}`));
    });
  });
}
