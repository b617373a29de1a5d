/* SPDX-License-Identifier: MIT */
// What ends with a test. Node runs no further hook of a test after one that failed, and then waits
// for what those would have ended: so all of it is one hook, which ends everything first.

// Call each, one after the other; throws what the first that failed has thrown.
export async function endAll(ends) {
  const failures = [];
  for (const end of ends) {
    try { await end(); } catch (error) { failures.push(error); }
  }
  if (failures.length) throw failures[0];
}

const ofTest = new WeakMap();

// At the end of the test, in the order of the calls. t: its context.
export function tidyAfter(t, end) {
  const ends = ofTest.get(t) ?? [];
  ends.push(end);
  if (ends.length > 1) return;
  ofTest.set(t, ends);
  t.after(() => endAll(ends));
}
