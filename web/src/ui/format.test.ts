/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import {
  bytes,
  bytesToGigabytes,
  countdown,
  gigabytesToBytes,
  minutesToSeconds,
  moment,
  secondsToMinutes,
  shorten,
  span,
} from './format';

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 KB'],
    [1536, '1.54 KB'],
    [9994, '9.99 KB'],
    [9999, '10.0 KB'],
    [99_960, '100 KB'],
    [315.27e6, '315 MB'],
    [999.6e6, '1.00 GB'],
    [7.3e9, '7.30 GB'],
    [2e15, '2000 TB'],
  ])('%d is %s', (n, text) => expect(bytes(n)).toBe(text));
});

describe('shortening', () => {
  const upTo = (length: number) => (text: string) => text.length <= length;
  it.each([
    [20, 'doze-demo-hello'],
    [15, 'doze-demo-hello'],
    [10, 'doze-…ello'],
    [3, 'd…o'],
    [2, '…'],
  ])('to %d characters gives %s', (length, text) => {
    expect(shorten('doze-demo-hello', upTo(length))).toBe(text);
  });
});

describe('spans', () => {
  it.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min'],
    [65, '1 min 5 s'],
    [3600, '1 h'],
    [3661, '1 h 1 min'],
    [3605, '1 h'],
    [90000, '1 d 1 h'],
  ])('%d s is %s', (n, text) => expect(span(n)).toBe(text));
  it.each([
    [4.2, '5 s'],
    [0, '0 s'],
    [-3, '0 s'],
    [59.5, '1:00'],
    [601, '10:01'],
    [3600, '1:00:00'],
    [86400 * 2, '2 d'],
  ])('%d s left shows %s', (n, text) => expect(countdown(n)).toBe(text));
});

describe('what people type', () => {
  it.each([
    ['10', 600],
    ['0.5', 30],
    ['1,5', 90],
    [' 2 ', 120],
    ['0', 0],
    ['0.1', 6],
  ])('%s minutes are %d s', (text, s) => expect(minutesToSeconds(text)).toBe(s));
  it.each(['', '-1', 'ten', '1e9', '1.', 'NaN'])('%s is no number of minutes', (text) =>
    expect(minutesToSeconds(text)).toBeNull(),
  );
  it('goes back to minutes', () => {
    expect(secondsToMinutes(3600)).toBe('60');
    expect(secondsToMinutes(90)).toBe('1.5');
  });
  it('takes gigabytes', () => {
    expect(gigabytesToBytes('1.5')).toBe(1.5e9);
    expect(gigabytesToBytes('lots')).toBeNull();
    expect(bytesToGigabytes(8e9)).toBe('8');
  });
});

describe('moments', () => {
  const now = new Date(2026, 10, 22, 15, 0, 0).getTime();
  it('names today and yesterday', () => {
    expect(moment(new Date(2026, 10, 22, 14, 3, 7).getTime(), now)).toBe('today 14:03:07');
    expect(moment(new Date(2026, 10, 21, 23, 10, 0).getTime(), now)).toBe('yesterday 23:10:00');
    expect(moment(new Date(2026, 10, 19, 8, 0, 0).getTime(), now)).toBe('19 Nov 08:00:00');
  });
});
