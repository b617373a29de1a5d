/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import {
  formatForCopy,
  formatLine,
  isAbout,
  isLater,
  keepLast,
  passes,
  type LogLine,
} from './log-lines';

const line = (text: string, more: Partial<LogLine> = {}): LogLine => ({
  at: 0,
  source: 'server',
  level: 'info',
  type: 'line',
  text,
  ...more,
});

describe('filters', () => {
  it('match the instance that a line is about', () => {
    expect(isAbout(line('qwen: idle -> busy (request)'), 'qwen')).toBe(true);
    expect(isAbout(line('qwen:2: idle -> busy (request)'), 'qwen')).toBe(false);
    expect(isAbout(line('qwen:2: idle -> busy (request)'), 'qwen:2')).toBe(true);
    expect(isAbout(line('hello', { model: 'qwen' }), 'qwen')).toBe(true);
  });
  it('pass the chosen level and anything more severe', () => {
    expect(passes(line('x', { level: 'error' }), 'warn', '')).toBe(true);
    expect(passes(line('x', { level: 'info' }), 'warn', '')).toBe(false);
    expect(passes(line('x', { level: 'debug' }), 'debug', 'qwen')).toBe(false);
  });
  it('keep the newest lines', () => {
    expect(keepLast([1, 2, 3], 2)).toEqual([2, 3]);
    expect(keepLast([1], 2)).toEqual([1]);
  });
});

describe('ids', () => {
  it('are compared within one run of the server', () => {
    expect(isLater('1795340000000-10', '1795340000000-9')).toBe(true);
    expect(isLater('1795340000000-9', '1795340000000-9')).toBe(false);
    expect(isLater('1795340000000-9', '1795340000000-10')).toBe(false);
  });
  it('of another run are later', () => {
    expect(isLater('1795340000001-1', '1795340000000-9')).toBe(true);
    expect(isLater('1795340000000-1', '')).toBe(true);
  });
});

describe('text', () => {
  it('has the statistics in words', () => {
    const stats = {
      prompt_tokens: 30,
      cached_tokens: 6,
      completion_tokens: 77,
      tokens_per_second: 41.3,
      time_to_first_token: 0.02,
      stop_reason: 'eosFound',
    };
    expect(formatLine(line('', { type: 'stats', model: 'm', stats }))).toBe(
      'm: 30 prompt tokens (6 cached), 77 generated at 41.3 tokens/s, first token after 0.02 s, '
        + 'eosFound',
    );
  });
  it('is copied with time and level', () => {
    expect(formatForCopy(line('hello', { at: 0, level: 'warn' }))).toBe(
      '1970-01-01T00:00:00.000Z warn hello',
    );
  });
});
