/* SPDX-License-Identifier: MIT */
// What every client meets: a model that calls a tool and then tells what came of it, a small
// trained model, and what is asked of them.
import assert from 'node:assert/strict';
import { Daemon } from '../../e2e/lib/daemon.js';
import { spoken, template } from '../../e2e/lib/models.js';
import { steadySmol, smol } from '../../models/lib/trained.js';

export const QUESTION = 'Name the capital of France.';
export const TASK = 'How is the weather in Paris?';
export const REPORT = 'It is sunny in Paris today.';
// max_tokens of every question: the trained model needs eight.
export const TOKENS = 24;

// Says this call in the syntax of Qwen's models; the report after a result, or without tools.
// Prompts of agents have a hundred thousand bytes, and each is a token: mamba has no attention, so
// that a token costs the same wherever it stands.
export function caller(name, args, then = REPORT) {
  const call = JSON.stringify({ name, arguments: args });
  return spoken(`<tool_call>\n${call}\n</tool_call>`, '--then', then,
    '--chat-template', template('Qwen-Qwen2.5-7B-Instruct.jinja'),
    '--arch', 'mamba', '--context', '262144');
}

// steady: the trained model for clients that send no temperature: what it says is not chance.
export const start = (t, models = {}) => Daemon.start(t, { models: {
  caller: caller('get_weather', { city: 'Paris' }), smol: smol(), steady: steadySmol(),
  ...models } });

export const assertAnswer = (text) => assert.match(text, /Paris/);
