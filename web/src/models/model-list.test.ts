/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import type { Model } from '../server/api';
import { capabilities, parameterCount, selectModels } from './model-list';

const model = (key: string, more: Partial<Model> = {}): Model => ({
  type: 'llm',
  publisher: 'qwen',
  key,
  display_name: key,
  architecture: 'qwen2',
  quantization: { name: 'Q4_K_M', bits_per_weight: 4.8 },
  size_bytes: 1,
  params_string: '7B',
  max_context_length: 4096,
  path: null,
  problem: null,
  ...more,
});
const keys = (list: Model[]) => list.map((m) => m.key);

describe('parameter counts', () => {
  it.each([
    ['7B', 7e9],
    ['0.5B', 5e8],
    ['135M', 1.35e8],
    ['8x7B', 5.6e10],
    [null, 0],
    ['many', 0],
  ])('%s is %d', (text, n) => expect(parameterCount(text)).toBe(n));
});

describe('selecting models', () => {
  const list = [
    model('b', { size_bytes: 5, params_string: '135M' }),
    model('A', { size_bytes: 9, problem: 'torn' }),
    model('c', { size_bytes: 5, type: 'embedding' }),
  ];
  it('sorts by name, ignoring case, and by number', () => {
    expect(keys(selectModels(list, '', 'name', false))).toEqual(['A', 'b', 'c']);
    expect(keys(selectModels(list, '', 'name', true))).toEqual(['c', 'b', 'A']);
    // Equal ones by name.
    expect(keys(selectModels(list, '', 'size', true))).toEqual(['A', 'b', 'c']);
    expect(keys(selectModels(list, '', 'params', false))).toEqual(['b', 'A', 'c']);
  });
  it('searches for all words, in every field', () => {
    expect(keys(selectModels(list, 'QWEN broken', 'name', false))).toEqual(['A']);
    expect(keys(selectModels(list, 'embedding q4', 'name', false))).toEqual(['c']);
    expect(selectModels(list, 'llama', 'name', false)).toEqual([]);
  });
  it('does not change the given list', () => {
    selectModels(list, '', 'name', true);
    expect(keys(list)).toEqual(['b', 'A', 'c']);
  });
});

describe('capabilities', () => {
  it('come from the type and from what the model was trained for', () => {
    const trained = { vision: false, trained_for_tool_use: true, reasoning: {} };
    expect(capabilities(model('a', { capabilities: trained }))).toEqual([
      'chat',
      'tools',
      'reasoning',
    ]);
    expect(capabilities(model('b', { type: 'embedding' }))).toEqual(['embeddings']);
  });
});
