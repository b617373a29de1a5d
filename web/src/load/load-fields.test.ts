/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import {
  emptyText,
  loadErrors,
  loadFields,
  loadSettingsOf,
  mergePatch,
  noTexts,
  textsOf,
} from './load-fields';

const spec = (name: string) => loadFields.find((f) => f.name === name)!;

describe('load settings', () => {
  it('are the same after they were shown', () => {
    const settings = {
      context_length: 4096,
      parallel: 2,
      flash_attention: false,
      kv_type_k: 'q8_0',
      gpu_layers: -1,
      rope_frequency_scale: 0.5,
      repack: 'never',
      seed: 0,
    };
    expect(loadSettingsOf(textsOf(settings))).toEqual(settings);
  });
  it('have no empty fields and no spaces', () => {
    expect(loadSettingsOf(noTexts)).toEqual({});
    expect(loadSettingsOf({ ...noTexts, context_length: ' 512 ', threads: ' ' })).toEqual({
      context_length: 512,
    });
  });
  it('have a comma or a point in numbers', () => {
    const texts = { ...noTexts, rope_frequency_scale: '0,25' };
    expect(loadSettingsOf(texts)).toEqual({ rope_frequency_scale: 0.25 });
  });
});

describe('errors', () => {
  it('are none for empty fields', () => expect(loadErrors(noTexts, 8192)).toEqual({}));
  it('name the range', () => {
    const texts = { ...noTexts, parallel: '65', gpu_layers: '-2', seed: 'one', threads: '1.5' };
    expect(loadErrors(texts, 0)).toEqual({
      parallel: 'Enter a whole number from 1 to 64.',
      gpu_layers: 'Enter a whole number from -1 to 65,536.',
      seed: 'Enter a whole number from 0 to 4,294,967,295.',
      threads: 'Enter a whole number from 1 to 1,024.',
    });
  });
  it('know the longest context of a model, if it has one', () => {
    const texts = { ...noTexts, context_length: '8193' };
    expect(loadErrors(texts, 8192)).toEqual({
      context_length: 'Enter a whole number from 16 to 8,192.',
    });
    expect(loadErrors(texts, 0)).toEqual({});
  });
});

describe('an empty field', () => {
  it('shows what applies instead', () => {
    expect(emptyText(spec('parallel'), { parallel: 2 })).toBe('2');
    expect(emptyText(spec('mlock'), { mlock: true })).toBe('On');
    expect(emptyText(spec('repack'), { repack: 'never' })).toBe('Never');
    expect(emptyText(spec('threads'), {})).toBe('automatic');
  });
});

describe('a merge patch', () => {
  it('removes what is gone and sets the rest', () => {
    expect(mergePatch({ a: 1, b: 2 }, { b: 3 } as { a: number; b: number })).toEqual({
      a: null,
      b: 3,
    });
  });
});
