/* SPDX-License-Identifier: MIT */
// async-openai by rust/src/main.rs, and ollama-rs by rust-ollama/src/main.rs.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { assertAnswer } from '../lib/world.js';
import { checks, clientTest, made, tool } from './compiled.js';

function built(crate, program) {
  const target = path.join(made, crate);
  tool('cargo', ['build', '--locked', '--quiet'], { cwd: path.join(import.meta.dirname, crate),
    env: { ...process.env, CARGO_TARGET_DIR: target } });
  return [path.join(target, 'debug', program)];
}

clientTest('async-openai', () => built('rust', 'doze-clients'));

const NEEDED = 88;
const minor = Number(/^cargo 1\.(\d+)/.exec(execFileSync('cargo', ['--version']))[1]);
if (minor < NEEDED) {
  test('ollama-rs', { skip: `cargo is 1.${minor}, it needs 1.${NEEDED}` });
} else {
  clientTest('ollama-rs', () => built('rust-ollama', 'doze-clients-ollama'), {
    without: Object.keys(checks).filter((name) =>
      name.startsWith('responses') || name === 'a tool in a stream'),
    more: {
      'a prompt': ({ generated }) => assertAnswer(generated[0]),
      'a prompt in a stream': ({ generated }) => assertAnswer(generated[1]),
    },
  });
}
