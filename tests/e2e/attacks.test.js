/* SPDX-License-Identifier: MIT */
// Requests that are made to hang or crash what prepares them, sent again and again: the answer that
// another client reads from the same model goes on, and the worker stays the same.
// DOZE_ATTACK_SECONDS=<number> makes each attack longer.
// Alone: measures time.
import assert from 'node:assert/strict';
import os from 'node:os';
import test from 'node:test';
import { Daemon, chatBody } from './lib/daemon.js';
import { endless } from './lib/models.js';
import { sanitized } from './lib/programs.js';
import { Stream } from './lib/stream.js';

const LASTS_MS = 1000 * Number(process.env.DOZE_ATTACK_SECONDS ?? 3);
const LARGEST_GAP_MS = sanitized ? 5000 : 500;
const TRIES = 4; // a machine that stalls makes gaps, too, but not each time

const schema = (value) => ({ response_format: { type: 'json_schema',
  json_schema: { name: 'a', schema: value } } });

const pairs = Object.fromEntries(Array.from({ length: 60 }, (_, i) =>
  [`d${i}`, { anyOf: [1, 2].map(() => ({ $ref: `#/$defs/d${i + 1}` })) }]));

const attacks = {
  'a pattern that explodes': schema({ type: 'string', pattern: '^((a{0,900}){0,900}){0,900}$' }),
  '60 definitions in pairs': schema({ $ref: '#/$defs/d0',
    $defs: { ...pairs, d60: { type: 'string' } } }),
  'an enum of 200,000': schema({ enum: Array.from({ length: 200000 }, (_, i) => `value ${i}`) }),
  'a pattern of 2 MB': schema({ type: 'string', pattern: `^${'ab'.repeat(1 << 20)}$` }),
  '20,000 properties': schema({ type: 'object', properties: Object.fromEntries(
    Array.from({ length: 20000 }, (_, i) => [`p${i}`, { type: 'string' }])) }),
  'a grammar nested deeply': { grammar: `root ::= ${'('.repeat(100000)}"a"${')'.repeat(100000)}` },
  'an ambiguous grammar': { max_tokens: 64,
    grammar: 'root ::= s\ns ::= [a-z .] s t | ""\nt ::= [a-z .] t s | ""' },
  'a body of 400,000 messages': { messages: Array.from({ length: 400000 },
    () => ({ role: 'user', content: 'a' })) },
  'a prompt that can never fit': { messages: [
    { role: 'user', content: '<|im_start|>'.repeat(1 << 20) }] },
};

// The longest time without a piece of the stream, ms, until told to stop.
async function longestGap(stream, isOver) {
  let last = performance.now(), longest = 0;
  while (!isOver()) {
    await stream.reached(stream.text.length + 1);
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}

async function attack(d, body, statuses) {
  const end = performance.now() + LASTS_MS;
  do {
    const { status, body: answer } = await d.post('/v1/chat/completions', body);
    statuses.add(status);
    // 429: on a slow machine the queue is full.
    assert.ok([200, 400, 429].includes(status), `${status} ${JSON.stringify(answer)}`);
  } while (performance.now() < end);
}

// The longest gap of the stream, ms, beside two clients that attack.
async function gapBeside(d, stream, body, statuses) {
  let over = false;
  const gap = longestGap(stream, () => over);
  await Promise.all([1, 2].map(() => attack(d, body, statuses)));
  over = true;
  return Math.round(await gap);
}

test('a stream goes on beside each attack, from the same worker', async (t) => {
  const d = await Daemon.start(t, { models: { m: endless('5M') },
    settings: { load: { prepare_seconds: 1, context_length: 32768 } } });
  const enough = new AbortController();
  const stream = new Stream(await d.stream('m', {}, { signal: enough.signal }));
  await stream.reached(1);
  const { pid } = (await d.instances())[0];
  const share = Math.max(1, os.loadavg()[0] / os.availableParallelism()); // others compute, too
  const most = LARGEST_GAP_MS * share;
  t.diagnostic(`a gap of ${Math.round(most)} ms is too long`);
  for (const [name, more] of Object.entries(attacks)) {
    const statuses = new Set(), gaps = [];
    const body = chatBody('m', { max_tokens: 4, ...more });
    do gaps.push(await gapBeside(d, stream, body, statuses));
    while (gaps.at(-1) >= most && gaps.length < TRIES);
    t.diagnostic(`${name}: ${[...statuses]}, longest gap ${gaps} ms`);
    assert.ok(gaps.at(-1) < most, `${name}: gaps of ${gaps} ms`);
    assert.equal((await d.instances())[0].pid, pid);
  }
  assert.equal(stream.finish, null);
  enough.abort();
});
