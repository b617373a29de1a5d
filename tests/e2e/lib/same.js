/* SPDX-License-Identifier: MIT */
// Whether two answers at temperature 0 are the same. What shares a batch, in which pieces a prompt
// was processed and how many threads computed it moves log probabilities a little unless the model
// is loaded with `reproducible` (docs/settings.md), and all of that depends on what else the
// machine does: where two words are about equally likely, either may come, and another text
// follows.
import assert from 'node:assert/strict';

// What both requests need.
export const judged = { temperature: 0, logprobs: true, top_logprobs: 2 };

const NEAR = 0.1;

function tokensOf({ status, body }) {
  assert.equal(status, 200, JSON.stringify(body));
  return body.choices[0].logprobs.content;
}

const isTie = ({ top_logprobs: [first, second] }) => first.logprob - second.logprob < NEAR;
const rivals = ({ top_logprobs: tops }) => tops.map(({ token }) => token).sort();

// Word for word with the same probabilities, up to the first tie that was decided otherwise.
export function assertSame(answer, other, what = 'the same answer') {
  const [a, b] = [tokensOf(answer), tokensOf(other)];
  const shown = `${what}: ${JSON.stringify([answer, other].map(({ body }) => body.choices[0]))}`;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i].token !== b[i].token) {
      assert.ok(isTie(a[i]) && isTie(b[i]), `token ${i} of ${shown}`);
      assert.deepEqual(rivals(a[i]), rivals(b[i]), `token ${i} of ${shown}`);
      return;
    }
    assert.ok(Math.abs(a[i].logprob - b[i].logprob) < NEAR, `token ${i} of ${shown}`);
  }
  assert.equal(a.length, b.length, shown);
}
