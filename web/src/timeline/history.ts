/* SPDX-License-Identifier: MIT */
// Transitions and memory samples become lives of instances and lines to draw. Pure.
import type { History, MemorySample, Origin, Transition } from '../server/api';
import { isDeparture } from '../ui/wording';

export interface Life {
  id: string;
  model: string;
  origin: Origin;
  from: number; // Unix ms; when its load began
  ready: number | null; // when it was loaded
  until: number | null; // when its memory was back; null: it is there
  work: { from: number; until: number | null }[];
  reason: string | null; // why it left, or leaves
  memory: number;
  loadSeconds: number | null;
  error: string | null;
  before: boolean; // it was there already when the window began
}

const isWork = (state: string) => state === 'busy' || state === 'draining';

function begin(t: Transition, at: number, before: boolean): Life {
  return {
    id: t.id,
    model: t.model,
    origin: t.origin,
    from: at,
    ready: before && t.from !== 'loading' ? at : null,
    until: null,
    work: before && isWork(t.from) ? [{ from: at, until: null }] : [],
    reason: null,
    memory: 0,
    loadSeconds: null,
    error: null,
    before,
  };
}

function endWork(life: Life, at: number): void {
  const last = life.work[life.work.length - 1];
  if (last && last.until === null) last.until = at;
}

function end(life: Life, at: number, reason?: string): void {
  endWork(life, at);
  life.until = at;
  life.reason ??= reason ?? null;
}

function apply(life: Life, t: Transition): void {
  life.origin = t.origin;
  life.memory = t.memory_bytes || life.memory;
  life.loadSeconds = t.load_time_seconds ?? life.loadSeconds;
  life.error = t.error ?? life.error;
  if (t.from === 'loading' && (t.to === 'idle' || t.to === 'busy')) life.ready = t.at;
  if (isWork(t.to) && !isWork(t.from)) life.work.push({ from: t.at, until: null });
  if (!isWork(t.to)) endWork(life, t.at);
  if (isDeparture(t)) life.reason ??= t.reason;
  // The eviction of a busy one is told when it begins to drain.
  if (t.to === 'draining') life.reason ??= t.reason;
  if (t.to === 'absent') end(life, t.at);
}

// Oldest first. `present`: ids of the instances there are now; what history thinks to be there but is
// not was lost with a server that had no time to say so.
export function livesOf(events: Transition[], from: number, present: ReadonlySet<string>): Life[] {
  const lives: Life[] = [];
  const open = new Map<string, Life>();
  const lastOfRun = new Map<number, number>();
  const runOf = new Map<Life, number>();
  const newest = Math.max(0, ...events.map((t) => t.run ?? 0));
  for (const t of events) {
    const run = t.run ?? newest;
    lastOfRun.set(run, t.at);
    const key = `${run} ${t.id}`;
    let life = open.get(key);
    if (life && t.to === 'loading') {
      end(life, t.at, 'lost');
      life = undefined;
    }
    if (!life) {
      const before = t.from !== 'absent';
      life = begin(t, before ? from : t.at, before);
      lives.push(life);
      open.set(key, life);
      runOf.set(life, run);
    }
    apply(life, t);
    if (t.to === 'absent') open.delete(key);
  }
  for (const life of open.values()) {
    const run = runOf.get(life)!;
    if (run !== newest || !present.has(life.id)) end(life, lastOfRun.get(run)!, 'lost');
  }
  return lives;
}

// Seconds of work, of what has ended and of what has not by `now`.
export function worked(life: Life, now: number): number {
  return life.work.reduce((sum, w) => sum + ((w.until ?? now) - w.from), 0) / 1000;
}

// One lane for each instance's name, in order of appearance.
export function lanesOf(lives: Life[]): string[] {
  return [...new Set(lives.map((l) => l.id))];
}

export function lifeAt(lives: Life[], lane: string, at: number, now: number): Life | null {
  return lives.findLast((l) => l.id === lane && l.from <= at && at <= (l.until ?? now)) ?? null;
}

// Columns for the chart: times in seconds, bytes of all models, bytes the machine uses.
export type Columns = [number[], number[], number[]];

export function memoryColumns(samples: MemorySample[]): Columns {
  const columns: Columns = [[], [], []];
  for (const s of samples) {
    columns[0].push(s.at / 1000);
    columns[1].push(s.instances.reduce((sum, i) => sum + i.bytes, 0));
    columns[2].push(Math.max(0, s.total_bytes - s.available_bytes));
  }
  return columns;
}

// What was asked for, and what has been heard since.
export function merge(history: History, heard: Transition[]): Transition[] {
  const known = new Set(history.events.map((t) => `${t.at} ${t.id} ${t.to}`));
  const fresh = heard.filter((t) => t.at >= history.from && !known.has(`${t.at} ${t.id} ${t.to}`));
  return [...history.events, ...fresh].sort((a, b) => a.at - b.at || a.seq - b.seq);
}
