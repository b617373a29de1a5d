/* SPDX-License-Identifier: MIT */
// For the few facts that have no event: ask the daemon again until it says so, within bounds.
const PATIENCE_MS = 60000; // a machine may stall
const PAUSE_MS = 50; // at most, and a tenth of the time so far: the daemon has other work

export async function ask(question, isAnswer, what = isAnswer.toString()) {
  const begun = performance.now();
  for (;;) {
    const last = await question();
    if (isAnswer(last)) return last;
    const waited = performance.now() - begun;
    if (waited > PATIENCE_MS)
      throw new Error(`never came true: ${what}; last: ${JSON.stringify(last)}`);
    await new Promise((again) => { setTimeout(again, Math.min(waited / 10, PAUSE_MS)); });
  }
}
