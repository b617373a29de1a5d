/* SPDX-License-Identifier: MIT */
// For the few facts that have no event: ask the daemon again until it says so, within bounds.
const PATIENCE_MS = 60000; // a machine may stall

export async function ask(question, isAnswer, what = isAnswer.toString()) {
  const until = Date.now() + PATIENCE_MS;
  let last;
  do {
    last = await question();
    if (isAnswer(last)) return last;
    await new Promise(setImmediate); // questions may be answered without I/O: let that happen too
  } while (Date.now() < until);
  throw new Error(`never came true: ${what}; last: ${JSON.stringify(last)}`);
}
