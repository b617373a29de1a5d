/* SPDX-License-Identifier: MIT */
// The models of the tests, made once and kept in build/models.
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { build, engineSources, makeModelProgram, templates } from './programs.js';

const folder = path.join(build, 'models');

function isMade(file) {
  const made = fs.statSync(file, { throwIfNoEntry: false });
  return made !== undefined && made.mtimeMs > fs.statSync(makeModelProgram).mtimeMs;
}

// The file that `make-model args…` makes; made again when make-model is newer.
export function modelFile(...args) {
  const hash = crypto.createHash('sha256').update(args.join('\0')).digest('hex').slice(0, 16);
  const file = path.join(folder, `${args[0]}-${hash}.gguf`);
  if (isMade(file)) return file;
  fs.mkdirSync(folder, { recursive: true });
  const own = `${file}.${process.pid}`; // test files run side by side
  const run = spawnSync(makeModelProgram, [...args, '--out', own], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`make-model ${args.join(' ')}: ${run.stderr}`);
  // Another test may have made it meanwhile, and use it: with another file in its place the
  // model would be another one.
  if (isMade(file)) fs.rmSync(own);
  else fs.renameSync(own, file);
  return file;
}

export const spoken = (text, ...more) => modelFile('spoken', '--text', text, ...more);

// Speaks for ever, at the speed of a trained model of this size.
export const endless = (size = '100M') =>
  modelFile('spoken', '--loop', '--text', 'tick tock goes the clock on the wall. ',
    '--type', 'q8_0', '--size', size, '--context', '131072');

// Takes some hundred milliseconds to load: the vocabulary has 150,000 words.
export const slowToLoad = () =>
  modelFile('random', '--arch', 'qwen2', '--type', 'q8_0', '--layers', '2', '--embd', '128',
    '--heads', '2', '--kv-heads', '1', '--ff', '256',
    '--vocab', path.join(engineSources, 'models/ggml-vocab-qwen2.gguf'));

// A model with a projector: the files of both.
export const seeing = () => [random(), modelFile('projector')];

// A LoRA adapter for the model of this file, and what both are together.
export const adapter = (model, ...more) => modelFile('adapter', '--model', model, ...more);
export const merged = (model, lora, scale) =>
  modelFile('merged', '--model', model, '--adapter', lora, '--scale', String(scale));

export const embedding = () => modelFile('embedding');
export const reranker = () => modelFile('embedding', '--pooling', 'rank');
export const random = (...more) => modelFile('random', ...more);
export const broken = (kind) => modelFile('broken', '--kind', kind);
export const template = (name) => path.join(templates, name);

// Says a call of a tool in the syntax of Qwen's models.
export const toolCaller = () =>
  spoken('<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
    '--chat-template', template('Qwen-Qwen2.5-7B-Instruct.jinja'));

// Thinks, then answers.
export const thinker = () =>
  spoken('<think>\nTwo and two make four.\n</think>\n\nThe answer is 4.',
    '--chat-template', template('Qwen-Qwen3-0.6B.jinja'));
