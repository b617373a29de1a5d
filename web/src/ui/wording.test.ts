/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import { isDeparture, isTrouble, reasonWords } from './wording';

describe('reasons', () => {
  it('names who took the place', () => {
    expect(reasonWords('evicted_by:qwen3-8b')).toBe('made room for qwen3-8b');
    expect(reasonWords('evicted_by:odd:2')).toBe('made room for odd:2');
    expect(reasonWords('evicted_by')).toBe('made room for another model');
  });
  it('says the rest in words, also what is unknown', () => {
    expect(reasonWords('ttl')).toBe('its idle ttl ran out');
    expect(reasonWords('solar_flare')).toBe('solar flare');
  });
  it('knows trouble', () => {
    expect(isTrouble('worker_died')).toBe(true);
    expect(isTrouble('ttl')).toBe(false);
  });
});

describe('departures', () => {
  it('counts a polite leave once, at its beginning', () => {
    expect(isDeparture({ from: 'idle', to: 'unloading' })).toBe(true);
    expect(isDeparture({ from: 'unloading', to: 'absent' })).toBe(false);
  });
  it('counts a death', () => {
    expect(isDeparture({ from: 'busy', to: 'absent' })).toBe(true);
    expect(isDeparture({ from: 'busy', to: 'idle' })).toBe(false);
  });
});
