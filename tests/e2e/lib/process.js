/* SPDX-License-Identifier: MIT */
// Facts about processes, from /proc.
import fs from 'node:fs';

// Resolves when the process has ended, rejects after `within` ms. A zombie has ended: who reaps the
// orphans of a killed daemon is not our business. There is no event to wait for in node, so look.
export function gone(pid, within = 10000) {
  const until = Date.now() + within;
  return new Promise((resolve, reject) => {
    const look = setInterval(() => {
      const alive = isAlive(pid);
      if (alive && Date.now() < until) return;
      clearInterval(look);
      if (alive) reject(new Error(`process ${pid} is still there after ${within} ms`));
      else resolve();
    }, 5);
  });
}

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

// Pids of the living children.
export function childrenOf(pid) {
  const children = [];
  for (const task of fs.readdirSync(`/proc/${pid}/task`)) {
    const text = fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
    children.push(...text.split(' ').filter(Boolean).map(Number));
  }
  return children.filter(isAlive);
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
    const text = fs.readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8');
    sum += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(text)[1]);
  }
  return sum;
}
