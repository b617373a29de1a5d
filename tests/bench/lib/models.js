/* SPDX-License-Identifier: MIT */
// The models that are measured. Most have random weights in the shapes of models people use, which
// compute at the speed of trained ones, and Qwen2's vocabulary of 152,000 tokens.
import path from 'node:path';
import { modelFile, spoken } from '../../e2e/lib/models.js';
import { engineSources } from '../../e2e/lib/programs.js';
import { smol } from '../../models/lib/trained.js';

const vocab = path.join(engineSources, 'models/ggml-vocab-qwen2.gguf');

const qwen2 = (type, shape) => () => modelFile('random', '--arch', 'qwen2', '--type', type,
  '--context', '32768', '--vocab', vocab,
  ...Object.entries(shape).flatMap(([k, v]) => [`--${k}`, String(v)]));

export const small = {
  name: 'half-billion',
  title: '0.5B Q8_0',
  type: 'q8_0',
  file: qwen2('q8_0', { layers: 24, embd: 896, heads: 14, 'kv-heads': 2, ff: 4864 }),
};

export const large = {
  name: 'one-and-a-half-billion',
  title: '1.5B Q4_0',
  type: 'q4_0',
  file: qwen2('q4_0', { layers: 28, embd: 1536, heads: 12, 'kv-heads': 2, ff: 8960 }),
};

// Not made up, with a context of 8,192 tokens. Its answers to words without a meaning would often
// be empty: token 2 ends them.
export const trained = {
  name: 'smollm2-135m',
  title: 'SmolLM2 135M Q4_1, trained',
  file: smol,
  body: { logit_bias: { 2: -100 } },
};

// Costs next to nothing to run: what is left is the way through the server.
export const tiny = {
  name: 'tiny',
  title: 'tiny',
  file: () => spoken('The quick brown fox jumps over the lazy dog. ', '--loop'),
};
