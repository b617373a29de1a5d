/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import { noOptions, optionError, optionsAreValid, optionSpecs, optionsToSend } from './options';

const spec = (name: string) => optionSpecs.find((s) => s.name === name)!;

describe('options', () => {
  it('are not sent when they are empty', () => {
    expect(optionsToSend(noOptions)).toEqual({});
    expect(optionsAreValid(noOptions)).toBe(true);
  });
  it('are sent as numbers, the ttl in seconds', () => {
    const typed = { ...noOptions, temperature: ' 0,7 ', top_k: '40', min_p: '.05', ttl: '1.5' };
    expect(optionsToSend(typed)).toEqual({ temperature: 0.7, top_k: 40, min_p: 0.05, ttl: 90 });
  });
  it('are sent when they are 0', () => {
    expect(optionsToSend({ ...noOptions, temperature: '0', seed: '0', ttl: '0' })).toEqual({
      temperature: 0,
      seed: 0,
      ttl: 0,
    });
  });
  it.each([
    ['temperature', '6', 'Enter a number from 0 to 5.'],
    ['temperature', 'hot', 'Enter a number from 0 to 5.'],
    ['top_k', '1.5', 'Enter a whole number from 0 to 1,000,000.'],
    ['repeat_penalty', '0', 'Enter a number from 0.01 to 10.'],
    ['top_p', '1.', 'Enter a number from 0 to 1.'],
    ['max_tokens', '100', ''],
  ])('%s %s: %s', (name, text, error) => {
    expect(optionError(spec(name), text)).toBe(error);
    expect(optionsAreValid({ ...noOptions, [name]: text })).toBe(error === '');
  });
});
