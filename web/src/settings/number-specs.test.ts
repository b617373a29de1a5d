/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import { defaultTtl, jitLimit, memoryLimit, otherNumbers } from './number-specs';

const spec = (name: string) => otherNumbers.find((s) => s.name === name)!;

describe('settings that are numbers', () => {
  it.each([
    [defaultTtl, 90, '1.5'],
    [memoryLimit, 8e9, '8'],
    [jitLimit, 3, '3'],
    [spec('switch_window_ms'), 1500, '1.5'],
    [spec('load_stall_seconds'), 120, '120'],
    [spec('max_waiting'), 128, '128'],
    [spec('body_limit'), 32e6, '32'],
  ])('are shown as they are typed: %o', (s, value, text) => {
    expect(s.format(value)).toBe(text);
    expect(s.parse(text)).toBe(value);
  });
  it('refuse what is out of bounds, and say the bounds', () => {
    expect(spec('switch_window_ms').parse('601')).toBeNull();
    expect(spec('max_waiting').parse('1.5')).toBeNull();
    expect(jitLimit.parse('0')).toBeNull();
    expect(jitLimit.error).toBe('Enter a whole number from 1 to 64.');
    expect(memoryLimit.parse('0')).toBeNull();
  });
  it('show the default of the largest request within its bounds', () => {
    const { format, parse } = spec('body_limit');
    expect(parse(format(16_777_216))).toBe(16_780_000);
  });
});
