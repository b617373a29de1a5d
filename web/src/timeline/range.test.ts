/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, moved, rangeOf, rangeTitle, scaled } from './range';

const now = new Date(2026, 10, 22, 15, 0, 0).getTime();

describe('the title', () => {
  it('names a preset', () => {
    expect(rangeTitle({ last: DAY }, now)).toBe('Last 24 hours');
    expect(rangeTitle({ last: HOUR / 6 }, now)).toBe('Last 10 minutes');
  });
  it('gives the times of any other range', () => {
    expect(rangeTitle({ from: now - HOUR, until: now }, now)).toBe('today 14:00 – 15:00');
    expect(rangeTitle({ from: now - DAY, until: now - HOUR }, now)).toBe(
      'yesterday 15:00 – today 14:00',
    );
  });
});

describe('a range', () => {
  it('moves along with the clock until it is moved', () => {
    expect(rangeOf({ last: HOUR }, now)).toEqual({ from: now - HOUR, until: now });
    expect(rangeOf({ from: 1, until: 2 }, now)).toEqual({ from: 1, until: 2 });
  });
  it('moves by a share of its length', () => {
    expect(moved({ from: 1000, until: 2000 }, -0.5)).toEqual({ from: 500, until: 1500 });
  });
  it('is scaled around its middle, between ten seconds and a day', () => {
    expect(scaled({ from: 0, until: 40_000 }, 0.5)).toEqual({ from: 10_000, until: 30_000 });
    expect(scaled({ from: 0, until: 10_000 }, 0.5)).toEqual({ from: 0, until: 10_000 });
    expect(scaled({ from: 0, until: DAY }, 2)).toEqual({ from: 0, until: DAY });
  });
});
