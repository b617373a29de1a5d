/* SPDX-License-Identifier: MIT */
// Answers that are not streamed, and so are kept until they are complete: all together have a
// limit, which one client cannot turn against others.
// Alone: measures memory.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { endless, spoken } from './lib/models.js';
import { statusField } from './lib/process.js';
import { sanitized } from './lib/programs.js';
import { Stream } from './lib/stream.js';

const PEAK_MB = 300;
const GREEDY = 3, CHOICES = 16;
// About 5 KB for each token, so that one answer has 60 MB in the end: its own limit.
const greedy = { n: CHOICES, max_tokens: 750, logprobs: true, top_logprobs: 20 };

test('answers that are kept until they are complete have a limit together', async (t) => {
  const d = await Daemon.start(t, { models: { m: endless('1M'), s: spoken('Hello.') } });
  await d.load('m', { parallel: GREEDY * CHOICES, context_length: 2048 * GREEDY * CHOICES });
  const over = new AbortController();
  t.after(() => over.abort());
  const stream = new Stream(await d.stream('s', {}, { signal: over.signal }));
  const answers = Array.from({ length: GREEDY },
    () => d.chat('m', greedy, { signal: over.signal }));
  const refused = await Promise.any(answers.map(async (asked) => {
    const answer = await asked;
    assert.equal(answer.status, 429, JSON.stringify(answer.body).slice(0, 300));
    return answer;
  }));
  assert.match(refused.body.error.message, /stream this one, ask for less at once, or try again/);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal((await d.chat('s', { logprobs: true, top_logprobs: 20 })).status, 200);
  await stream.ended;
  const peak = statusField(d.pid, 'VmHWM') / 1024;
  t.diagnostic(`peak ${Math.round(peak)} MB`);
  assert.ok(sanitized || peak < PEAK_MB, `${peak} MB`);
});
