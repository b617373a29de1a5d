/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import { statsOf } from './completion';

describe('statistics', () => {
  it('are taken from a chunk', () => {
    expect(
      statsOf({
        stats: {
          tokens_per_second: 40,
          time_to_first_token: 0.1,
          stop_reason: 'contextLengthReached',
        },
        usage: {
          prompt_tokens: 9,
          completion_tokens: 4,
          prompt_tokens_details: { cached_tokens: 7 },
        },
      }),
    ).toEqual({
      firstToken: 0.1,
      speed: 40,
      promptTokens: 9,
      cachedTokens: 7,
      answerTokens: 4,
      stopped: 'context is full',
    });
  });
  it('have no reason for an answer that ended by itself', () => {
    const stats = { tokens_per_second: 1, time_to_first_token: 1, stop_reason: 'eosFound' };
    expect(statsOf({ stats }).stopped).toBeUndefined();
  });
});
