/* SPDX-License-Identifier: MIT */
// async-openai, by rust/src/main.rs.
import path from 'node:path';
import test from 'node:test';
import { finishesBoth, made, tool } from './compiled.js';

const folder = path.join(import.meta.dirname, 'rust');

test('async-openai: a question, and a task with a tool', async (t) => {
  const target = path.join(made, 'rust');
  tool('cargo', ['build', '--locked', '--quiet'],
    { cwd: folder, env: { ...process.env, CARGO_TARGET_DIR: target } });
  await finishesBoth(t, () => [path.join(target, 'debug/doze-clients')]);
});
