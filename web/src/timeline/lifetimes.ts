/* SPDX-License-Identifier: MIT */
// Turns transitions and memory samples into lifetimes of instances and columns of a chart. Pure.
import type { History, MemorySample, Origin, Transition } from '../server/api';
import { isUnload } from '../ui/wording';

export interface Lifetime {
  id: string;
  model: string;
  origin: Origin;
  from: number; // Unix ms, as all times here; its load began
  ready: number | null; // its load ended
  until: number | null; // its memory was free again; null: it is still there
  work: { from: number; until: number | null }[];
  reason: string | null; // why it was, or is being, unloaded
  memory: number; // bytes
  loadSeconds: number | null;
  error: string | null;
  startedBefore: boolean; // it was loaded before the history begins
}

const isWork = (state: string) => state === 'busy' || state === 'draining';

function startLifetime(t: Transition, at: number, startedBefore: boolean): Lifetime {
  return {
    id: t.id,
    model: t.model,
    origin: t.origin,
    from: at,
    ready: startedBefore && t.from !== 'loading' ? at : null,
    until: null,
    work: startedBefore && isWork(t.from) ? [{ from: at, until: null }] : [],
    reason: null,
    memory: 0,
    loadSeconds: null,
    error: null,
    startedBefore,
  };
}

function endWork(life: Lifetime, at: number): void {
  const last = life.work[life.work.length - 1];
  if (last && last.until === null) last.until = at;
}

function endLifetime(life: Lifetime, at: number, reason?: string): void {
  endWork(life, at);
  life.until = at;
  life.reason ??= reason ?? null;
}

function applyTransition(life: Lifetime, t: Transition): void {
  life.origin = t.origin;
  life.memory = t.memory_bytes || life.memory;
  life.loadSeconds = t.load_time_seconds ?? life.loadSeconds;
  life.error = t.error ?? life.error;
  if (t.from === 'loading' && (t.to === 'idle' || t.to === 'busy')) life.ready = t.at;
  if (isWork(t.to) && !isWork(t.from)) life.work.push({ from: t.at, until: null });
  if (!isWork(t.to)) endWork(life, t.at);
  if (isUnload(t)) life.reason ??= t.reason;
  // A busy instance is evicted when it begins to drain.
  if (t.to === 'draining') life.reason ??= t.reason;
  if (t.to === 'absent') endLifetime(life, t.at);
}

// events: oldest first. from: start of the history. present: ids of the instances that exist now.
// An instance that the events leave open but that does not exist now ended with a server that
// could not record it: its reason is "lost".
export function lifetimesOf(
  events: Transition[],
  from: number,
  present: ReadonlySet<string>,
): Lifetime[] {
  const lifetimes: Lifetime[] = [];
  const open = new Map<string, Lifetime>();
  const lastOfRun = new Map<number, number>();
  const runOf = new Map<Lifetime, number>();
  const newest = Math.max(0, ...events.map((t) => t.run ?? 0));
  for (const t of events) {
    const run = t.run ?? newest;
    lastOfRun.set(run, t.at);
    const key = `${run} ${t.id}`;
    let life = open.get(key);
    if (life && t.to === 'loading') {
      endLifetime(life, t.at, 'lost');
      life = undefined;
    }
    if (!life) {
      const startedBefore = t.from !== 'absent';
      life = startLifetime(t, startedBefore ? from : t.at, startedBefore);
      lifetimes.push(life);
      open.set(key, life);
      runOf.set(life, run);
    }
    applyTransition(life, t);
    if (t.to === 'absent') open.delete(key);
  }
  for (const life of open.values()) {
    const run = runOf.get(life)!;
    if (run !== newest || !present.has(life.id)) endLifetime(life, lastOfRun.get(run)!, 'lost');
  }
  return lifetimes;
}

// Seconds of work until `now`.
export function busySeconds(life: Lifetime, now: number): number {
  return life.work.reduce((sum, w) => sum + ((w.until ?? now) - w.from), 0) / 1000;
}

// One lane for each identifier, in order of appearance.
export function lanesOf(lifetimes: Lifetime[]): string[] {
  return [...new Set(lifetimes.map((l) => l.id))];
}

export function lifetimeAt(
  lifetimes: Lifetime[],
  lane: string,
  at: number,
  now: number,
): Lifetime | null {
  return lifetimes.findLast((l) => l.id === lane && l.from <= at && at <= (l.until ?? now)) ?? null;
}

// Columns of the memory chart: time in seconds, bytes of loaded models, of parked workers, and in
// use on the machine.
export type Columns = [number[], number[], number[], number[]];

const sum = (list: { bytes: number }[]): number => list.reduce((n, { bytes }) => n + bytes, 0);

export function memoryColumns(samples: MemorySample[]): Columns {
  const columns: Columns = [[], [], [], []];
  for (const s of samples) {
    columns[0].push(s.at / 1000);
    columns[1].push(sum(s.instances));
    columns[2].push(sum(s.parked));
    columns[3].push(Math.max(0, s.total_bytes - s.available_bytes));
  }
  return columns;
}

// The fetched history with the transitions received since.
export function mergeTransitions(history: History, received: Transition[]): Transition[] {
  const known = new Set(history.events.map((t) => `${t.at} ${t.id} ${t.to}`));
  const fresh = received.filter(
    (t) => t.at >= history.from && !known.has(`${t.at} ${t.id} ${t.to}`),
  );
  return [...history.events, ...fresh].sort((a, b) => a.at - b.at || a.seq - b.seq);
}
