/* SPDX-License-Identifier: MIT */
// Facts about processes, from /proc.
import assert from 'node:assert/strict';
import fs from 'node:fs';

// Stops it where it is, so that what it does lasts as long as a test needs; the function goes on
// with it.
export function freeze(t, pid) {
  const send = (signal) => {
    try { process.kill(pid, signal); } catch (error) { assert.equal(error.code, 'ESRCH'); }
  };
  send('SIGSTOP');
  t.after(() => send('SIGCONT'));
  return () => send('SIGCONT');
}

// Resolves when it is so, rejects after `within` ms. Node has no event for what a process does, so
// look.
export function until(isSo, within, what) {
  const end = Date.now() + within;
  return new Promise((resolve, reject) => {
    const look = setInterval(() => {
      const so = isSo();
      if (!so && Date.now() < end) return;
      clearInterval(look);
      if (so) resolve();
      else reject(new Error(`not within ${within} ms: ${what}`));
    }, 5);
  });
}

// A zombie has ended: who reaps the orphans of a killed daemon is not our business.
export const gone = (pid, within = 30000) =>
  until(() => !isAlive(pid), within, `process ${pid} has ended`);

export function statusField(pid, name) {
  const line = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n').find((l) => l.startsWith(`${name}:`));
  return Number.parseInt(line.split(/\s+/)[1], 10);
}

export const residentBytes = (pid) => statusField(pid, 'VmRSS') * 1024;

export function isAlive(pid) {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return ''; // a thread that has just ended
  }
}

// Pids of the living children.
export function childrenOf(pid) {
  return fs.readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean)
      .map(Number))
    .filter(isAlive);
}

// Does every thread of it sleep? Not so while it computes, waits for the processor or for a disk.
export function sleeps(pid) {
  return fs.readdirSync(`/proc/${pid}/task`).every((task) =>
    /^State:\s+S/m.test(read(`/proc/${pid}/task/${task}/status`)));
}

// The name of the program it runs; '' if it is gone.
export function programOf(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

// Wake-ups of all threads so far.
export function wakeUps(pid) {
  let sum = 0;
  for (const task of fs.readdirSync(`/proc/${pid}/task`)) {
    const text = read(`/proc/${pid}/task/${task}/status`);
    sum += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  }
  return sum;
}

// Has it opened a file of this name?
export function hasOpen(pid, name) {
  const folder = `/proc/${pid}/fd`;
  return fs.readdirSync(folder).some((fd) => {
    try { return fs.readlinkSync(`${folder}/${fd}`).endsWith(`/${name}`); } catch { return false; }
  });
}

// Connections to a local port that are not closed on both sides.
export function connections(port) {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const states = ['01', '04', '05', '08']; // established, FIN_WAIT_1 and 2, CLOSE_WAIT
  return ['tcp', 'tcp6']
    .flatMap((name) => fs.readFileSync(`/proc/self/net/${name}`, 'utf8').split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(end) && states.includes(state)).length;
}

// A measured span, not a wait: how often each wakes up in it.
export async function wakeUpsIn(pids, ms) {
  const before = pids.map(wakeUps);
  await new Promise((tell) => { setTimeout(tell, ms); });
  return pids.map((pid, i) => wakeUps(pid) - before[i]);
}

const STILL_MS = 300;

// Resolves when these processes have slept through such a span: what they had to do is done.
export async function atRest(pidsNow, within) {
  for (const end = Date.now() + within; Date.now() < end;) {
    const pids = pidsNow(), slept = pids.every(sleeps);
    const counts = await wakeUpsIn(pids, slept ? STILL_MS : 5);
    if (slept && pids.every(sleeps) && counts.every((count) => count === 0)) return;
  }
  throw new Error(`no rest within ${within} ms`);
}

// When it was started, in ticks of the system's clock: a pid may be given again.
export const startOf = (pid) =>
  Number(fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[19]);
