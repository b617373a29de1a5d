/* SPDX-License-Identifier: MIT */
// How long others wait while something is going on.
import { spawn } from 'node:child_process';

// Asks for /health all the time, in a process of its own, and says for each line it gets how long
// the longest answer since the last one took, in ms.
const poll = `
  const http = require('node:http');
  const agent = new http.Agent({ keepAlive: true });
  let began, longest = 0;
  function ask() {
    began = performance.now();
    http.get(process.argv[1] + '/health', { agent }, (response) => {
      response.resume();
      response.on('end', () => {
        longest = Math.max(longest, performance.now() - began);
        setImmediate(ask);
      });
    }).on('error', () => process.exit());
  }
  process.stdin.on('data', () => {
    console.log(Math.max(longest, performance.now() - began));
    longest = 0;
    began = performance.now();
  });
  ask();
`;

export function poller(t, url) {
  const child = spawn(process.execPath, ['-e', poll, url], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  return () => new Promise((resolve) => {
    child.stdout.once('data', (line) => resolve(Number(line)));
    child.stdin.write('?');
  });
}
