/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import { isUnload, isFailure, reasonText } from './wording';

describe('reasons', () => {
  it('name the model that needed the room', () => {
    expect(reasonText('evicted_by:qwen3-8b')).toBe('evicted to load qwen3-8b');
    expect(reasonText('evicted_by:odd:2')).toBe('evicted to load odd:2');
    expect(reasonText('evicted_by')).toBe('evicted to load another model');
  });
  it('are in words, unknown ones as the server names them', () => {
    expect(reasonText('ttl')).toBe('idle ttl expired');
    expect(reasonText('solar_flare')).toBe('solar flare');
  });
  it('can be failures', () => {
    expect(isFailure('worker_died')).toBe(true);
    expect(isFailure('ttl')).toBe(false);
  });
});

describe('unloads', () => {
  it('count once, when the instance begins to unload', () => {
    expect(isUnload({ from: 'idle', to: 'unloading' })).toBe(true);
    expect(isUnload({ from: 'unloading', to: 'absent' })).toBe(false);
  });
  it('count a crash', () => {
    expect(isUnload({ from: 'busy', to: 'absent' })).toBe(true);
    expect(isUnload({ from: 'busy', to: 'idle' })).toBe(false);
  });
});
