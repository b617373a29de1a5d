/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import type { LoadSettings } from '../server/api';
import {
  emptyText,
  loadErrors,
  loadFields,
  loadSettingsOf,
  mergePatch,
  noTexts,
  noAdapters,
  textOfRows,
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
  it('have a share of the GPU as a word or a number', () => {
    for (const gpu of ['max', 'off', 0.5, 0.3] as const) {
      expect(loadSettingsOf(textsOf({ gpu }))).toEqual({ gpu });
    }
    expect(emptyText(spec('gpu'), { gpu: 0.5 })).toBe('Half');
    expect(emptyText(spec('gpu'), { gpu: 0.3 })).toBe('0.3');
  });
  it('have adapters, each with its scale', () => {
    const adapters = [
      { path: '/loras/my one.gguf', scale: 1 },
      { path: 'b.gguf', scale: -0.5 },
    ];
    expect(loadSettingsOf(textsOf({ adapters }))).toEqual({ adapters });
    expect(emptyText(spec('adapters'), { adapters })).toBe('/loras/my one.gguf, b.gguf (-0.5)');
    const typed = textOfRows([
      { path: ' a.gguf ', scale: '0,5' },
      { path: '', scale: '' },
    ]);
    expect(loadSettingsOf({ ...noTexts, adapters: typed })).toEqual({
      adapters: [{ path: 'a.gguf', scale: 0.5 }],
    });
    expect(loadSettingsOf({ ...noTexts, adapters: textOfRows([{ path: '', scale: '' }]) })).toEqual(
      {},
    );
  });
  it('have no adapters, whatever the settings of the model have', () => {
    expect(loadSettingsOf(textsOf({ adapters: [] }))).toEqual({ adapters: [] });
    expect(textsOf({ adapters: [] }).adapters).toBe(noAdapters);
    expect(textsOf({}).adapters).toBe('');
    expect(emptyText(spec('adapters'), { adapters: [] })).toBe('');
  });
  it('have a share for each GPU', () => {
    expect(loadSettingsOf(textsOf({ tensor_split: [3, 1] }))).toEqual({ tensor_split: [3, 1] });
    expect(emptyText(spec('tensor_split'), { tensor_split: [3, 1] })).toBe('3, 1');
    expect(emptyText(spec('tensor_split'), {})).toBe('automatic');
    for (const typed of ['0.5 1', '0.5,1', ' .5; 1,']) {
      expect(loadSettingsOf({ ...noTexts, tensor_split: typed })).toEqual({
        tensor_split: [0.5, 1],
      });
    }
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
  it('want a file and a scale for each adapter', () => {
    for (const row of [
      { path: '', scale: '1' },
      { path: 'a', scale: '101' },
      { path: 'a', scale: 'much' },
    ]) {
      expect(loadErrors({ ...noTexts, adapters: textOfRows([row]) }, 0)).toEqual({
        adapters: 'Enter a file for each adapter, and a scale from -100 to 100.',
      });
    }
  });
  it('want numbers for shares of GPUs, and not only zeros', () => {
    const seventeen = Array.from({ length: 17 }, () => '1').join(' ');
    for (const tensor_split of ['half', '3, -1', '0, 0', '1000001', seventeen]) {
      expect(loadErrors({ ...noTexts, tensor_split }, 0)).toEqual({
        tensor_split: 'Enter up to 16 numbers, such as 3, 1.',
      });
    }
    expect(loadErrors({ ...noTexts, tensor_split: '0, 1' }, 0)).toEqual({});
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
    expect(mergePatch<LoadSettings>({ seed: 1, parallel: 2 }, { parallel: 3 })).toEqual({
      seed: null,
      parallel: 3,
    });
  });
  it('leaves what the page does not show', () => {
    const before = { of_a_newer_server: 1, seed: 1 } as LoadSettings;
    expect(mergePatch<LoadSettings>(before, { seed: 2 })).toEqual({ seed: 2 });
  });
});
