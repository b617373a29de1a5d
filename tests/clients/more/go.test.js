/* SPDX-License-Identifier: MIT */
// openai-go, by go/main.go.
import path from 'node:path';
import { clientTest, tool } from './compiled.js';

const folder = path.join(import.meta.dirname, 'go');

clientTest('openai-go', (d) => {
  const program = path.join(d.folder, 'client');
  tool('go', ['build', '-o', program, '.'], { cwd: folder });
  return [program];
});
