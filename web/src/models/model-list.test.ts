/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import type { Model } from '../server/api';
import { arrange, parameters } from './model-list';

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

describe('parameters', () => {
  it.each([
    ['7B', 7e9],
    ['0.5B', 5e8],
    ['135M', 1.35e8],
    ['8x7B', 5.6e10],
    [null, 0],
    ['many', 0],
  ])('%s is %d', (text, n) => expect(parameters(text)).toBe(n));
});

describe('arranging', () => {
  const list = [
    model('b', { size_bytes: 5, params_string: '135M' }),
    model('A', { size_bytes: 9, problem: 'torn' }),
    model('c', { size_bytes: 5, type: 'embedding' }),
  ];
  it('sorts by name without regard to case, and by numbers', () => {
    expect(keys(arrange(list, '', 'name', false))).toEqual(['A', 'b', 'c']);
    expect(keys(arrange(list, '', 'name', true))).toEqual(['c', 'b', 'A']);
    expect(keys(arrange(list, '', 'size', true))).toEqual(['A', 'b', 'c']); // equals stay by name
    expect(keys(arrange(list, '', 'params', false))).toEqual(['b', 'A', 'c']);
  });
  it('finds by all words, anywhere', () => {
    expect(keys(arrange(list, 'QWEN broken', 'name', false))).toEqual(['A']);
    expect(keys(arrange(list, 'embedding q4', 'name', false))).toEqual(['c']);
    expect(arrange(list, 'llama', 'name', false)).toEqual([]);
  });
  it('leaves the given list as it is', () => {
    arrange(list, '', 'name', true);
    expect(keys(list)).toEqual(['b', 'A', 'c']);
  });
});
