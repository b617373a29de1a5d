/* SPDX-License-Identifier: MIT */
// async-openai, by rust/src/main.rs.
import path from 'node:path';
import { clientTest, made, tool } from './compiled.js';

const folder = path.join(import.meta.dirname, 'rust');

clientTest('async-openai', () => {
  const target = path.join(made, 'rust');
  tool('cargo', ['build', '--locked', '--quiet'],
    { cwd: folder, env: { ...process.env, CARGO_TARGET_DIR: target } });
  return [path.join(target, 'debug/doze-clients')];
});
