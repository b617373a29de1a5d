/* SPDX-License-Identifier: MIT */
// Clients in languages that are compiled: each is a small program of ours, told a URL, that prints
// {answer, report, asked}.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { run } from '../lib/program.js';
import { REPORT, assertAnswer, start } from '../lib/world.js';

// For what is fetched and compiled.
export const made = path.resolve(import.meta.dirname, '../../../build/clients');

// Run what makes a client.
export function tool(program, args, options) {
  const ended = spawnSync(program, args, { encoding: 'utf8', ...options });
  assert.equal(ended.status, 0, ended.error?.message ?? `${ended.stdout}${ended.stderr}`);
}

// commandOf: of a daemon, the command without the URL.
export async function finishesBoth(t, commandOf) {
  const d = await start(t);
  const [program, ...args] = await commandOf(d);
  const ended = await run(program, [...args, d.url], { seconds: 120,
    env: { HOME: path.join(d.folder, 'home') } });
  assert.equal(ended.code, 0, `${ended.err}\n${d.log}`);
  const { answer, report, asked } = JSON.parse(ended.out);
  assertAnswer(answer);
  assert.equal(report, REPORT);
  assert.deepEqual(asked, ['Paris']);
}
