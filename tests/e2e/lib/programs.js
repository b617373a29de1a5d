/* SPDX-License-Identifier: MIT */
// Where the programs under test are: DOZE_BIN and DOZE_MAKE_MODEL, else the release build's.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

export const build = path.join(root, 'build');
export const doze = path.resolve(process.env.DOZE_BIN ?? path.join(build, 'doze'));
export const makeModelProgram = path.resolve(
  process.env.DOZE_MAKE_MODEL ?? path.join(path.dirname(doze), 'make-model'));
export const judgeProgram = path.resolve(
  process.env.DOZE_JUDGE ?? path.join(path.dirname(doze), 'judge'));
export const engineSources = path.join(build, 'deps/engine/src');
export const templates = path.join(engineSources, 'models/templates');
// Sanitized programs are larger and slower: what is measured in bytes is measured without.
export const sanitized = /sanitize|tsan|-san\b/.test(doze);
