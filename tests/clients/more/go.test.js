/* SPDX-License-Identifier: MIT */
// openai-go, by go/main.go.
import path from 'node:path';
import test from 'node:test';
import { finishesBoth, tool } from './compiled.js';

const folder = path.join(import.meta.dirname, 'go');

test('openai-go: a question, and a task with a tool', async (t) => {
  await finishesBoth(t, (d) => {
    const program = path.join(d.folder, 'client');
    tool('go', ['build', '-o', program, '.'], { cwd: folder });
    return [program];
  });
});
