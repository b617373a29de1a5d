/* SPDX-License-Identifier: MIT */
// A line of a server's log and the answer to a request take different ways: the line may come
// later.

const PATIENCE_MS = 60000;

// Resolves when the log of the Daemon, or Launched, fits.
export function says(d, pattern) {
  const { stdout, stderr } = d.child;
  return new Promise((resolve, reject) => {
    const end = (settle, value) => {
      clearTimeout(limit);
      stdout.off('data', look);
      stderr.off('data', look);
      settle(value);
    };
    const limit = setTimeout(
      () => end(reject, new Error(`the log does not say ${pattern}:\n${d.log}`)), PATIENCE_MS);
    const look = () => { if (pattern.test(d.log)) end(resolve); };
    stdout.on('data', look);
    stderr.on('data', look);
    look();
  });
}
