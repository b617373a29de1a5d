/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import { curlFor, figuresOf } from './completion';

describe('the curl command', () => {
  it('survives quotes and new lines in a shell', () => {
    const command = curlFor('http://127.0.0.1:1234', 'm', 'It\'s\n"this"', 60);
    expect(command).toContain(
      "curl http://127.0.0.1:1234/v1/chat/completions -H 'Content-Type: application/json'",
    );
    expect(command).toContain(
      `-d '{"model":"m","messages":[{"role":"user","content":"It'\\''s\\n\\"this\\""}],"ttl":60,"stream":true}'`,
    );
  });
  it('leaves the ttl to the server when none is given', () => {
    expect(curlFor('http://x', 'm', 'hi')).not.toContain('ttl');
    expect(curlFor('http://x', 'm', 'hi', 0)).toContain('"ttl":0');
  });
});

describe('figures', () => {
  it('takes what a chunk has', () => {
    expect(
      figuresOf({
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
      first: 0.1,
      speed: 40,
      prompt: 9,
      cached: 7,
      answered: 4,
      stop: 'stopped: the context is full',
    });
    expect(
      figuresOf({
        stats: { tokens_per_second: 1, time_to_first_token: 1, stop_reason: 'eosFound' },
      }).stop,
    ).toBe(undefined);
  });
});
