/* SPDX-License-Identifier: MIT */
// openai-go, by go/main.go.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { run } from '../lib/program.js';
import { REPORT, assertAnswer, start } from '../lib/world.js';

const folder = path.join(import.meta.dirname, 'go');

test('openai-go: a question, and a task with a tool', async (t) => {
  const d = await start(t);
  const program = path.join(d.folder, 'client');
  const built = spawnSync('go', ['build', '-o', program, '.'], { cwd: folder, encoding: 'utf8' });
  assert.equal(built.status, 0, built.error?.message ?? built.stderr);
  const ended = await run(program, [d.url], { seconds: 60,
    env: { HOME: path.join(d.folder, 'home') } });
  assert.equal(ended.code, 0, `${ended.err}\n${d.log}`);
  const { answer, report, asked } = JSON.parse(ended.out);
  assertAnswer(answer);
  assert.equal(report, REPORT);
  assert.deepEqual(asked, ['Paris']);
});
