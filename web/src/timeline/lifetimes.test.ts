/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import type { Transition } from '../server/api';
import {
  lanesOf,
  lifetimeAt,
  lifetimesOf,
  memoryColumns,
  mergeTransitions,
  busySeconds,
} from './lifetimes';

let seq = 0;
const t = (
  at: number,
  id: string,
  from: string,
  to: string,
  reason: string,
  more: Partial<Transition> = {},
): Transition => ({
  seq: ++seq,
  at,
  id,
  model: id,
  from,
  to,
  reason,
  origin: 'jit',
  generation: 1,
  run: 1,
  ...more,
});

const evening = [
  t(1000, 'a', 'absent', 'loading', 'request'),
  t(1500, 'a', 'loading', 'busy', 'ready', { memory_bytes: 700, load_time_seconds: 0.5 }),
  t(3500, 'a', 'busy', 'idle', 'done'),
  t(9000, 'a', 'idle', 'unloading', 'ttl'),
  t(9050, 'a', 'unloading', 'absent', 'exited'),
];

describe('lifetimes', () => {
  it('run from load to exit', () => {
    const [life, ...more] = lifetimesOf(evening, 0, new Set());
    expect(more).toEqual([]);
    expect(life).toMatchObject({
      id: 'a',
      from: 1000,
      ready: 1500,
      until: 9050,
      reason: 'ttl',
      memory: 700,
      loadSeconds: 0.5,
      startedBefore: false,
      work: [{ from: 1500, until: 3500 }],
    });
    expect(busySeconds(life!, 10000)).toBe(2);
  });
  it('stay open while the instance exists, with their work', () => {
    const [life] = lifetimesOf(evening.slice(0, 2), 0, new Set(['a']));
    expect(life).toMatchObject({ until: null, reason: null });
    expect(busySeconds(life!, 4500)).toBe(3);
  });
  it('of instances that vanished end with the last event of their run', () => {
    const next = t(20000, 'b', 'absent', 'loading', 'request', { run: 2 });
    const [a, b] = lifetimesOf([...evening.slice(0, 3), next], 0, new Set(['b']));
    expect(a).toMatchObject({ until: 3500, reason: 'lost' });
    expect(b).toMatchObject({ until: null });
  });
  it('that started earlier begin with the history', () => {
    const [life] = lifetimesOf(evening.slice(2), 2000, new Set());
    expect(life).toMatchObject({
      from: 2000,
      ready: 2000,
      startedBefore: true,
      work: [{ from: 2000, until: 3500 }],
    });
  });
  it('keep the reason of an eviction that waited for an answer', () => {
    const [life] = lifetimesOf(
      [
        ...evening.slice(0, 2),
        t(2000, 'a', 'busy', 'draining', 'evicted_by:b'),
        t(3000, 'a', 'draining', 'unloading', 'done'),
        t(3100, 'a', 'unloading', 'absent', 'exited'),
      ],
      0,
      new Set(),
    );
    expect(life).toMatchObject({
      reason: 'evicted_by:b',
      until: 3100,
      work: [{ from: 1500, until: 3000 }],
    });
  });
  it('that end in a crash have its error', () => {
    const [life] = lifetimesOf(
      [
        ...evening.slice(0, 2),
        t(2000, 'a', 'busy', 'absent', 'worker_died', { error: 'It crashed.' }),
      ],
      0,
      new Set(),
    );
    expect(life).toMatchObject({ reason: 'worker_died', error: 'It crashed.', until: 2000 });
  });
  it('of one identifier are separate', () => {
    const lifetimes = lifetimesOf(
      [...evening, ...evening.map((e) => ({ ...e, at: e.at + 10000 }))],
      0,
      new Set(),
    );
    expect(lifetimes.length).toBe(2);
    expect(lanesOf(lifetimes)).toEqual(['a']);
    expect(lifetimeAt(lifetimes, 'a', 12000, 99999)).toBe(lifetimes[1]);
    expect(lifetimeAt(lifetimes, 'a', 9500, 99999)).toBeNull();
  });
});

describe('merging', () => {
  it('adds each transition since the history was fetched once', () => {
    const history = {
      from: 0,
      until: 5000,
      events: evening.slice(0, 3),
      memory: [],
      truncated: false,
    };
    const received = evening.slice(2).map(({ run: _, ...e }) => e);
    expect(mergeTransitions(history, received).map((e) => e.to)).toEqual([
      'loading',
      'busy',
      'idle',
      'unloading',
      'absent',
    ]);
  });
});

describe('memory', () => {
  it('is summed over the instances, and over the parked workers', () => {
    expect(
      memoryColumns([
        {
          at: 1000,
          total_bytes: 100,
          available_bytes: 40,
          instances: [
            { id: 'a', bytes: 10 },
            { id: 'b', bytes: 5 },
          ],
          parked: [
            { model: 'c', bytes: 3 },
            { model: 'd', bytes: 4 },
          ],
        },
      ]),
    ).toEqual([[1], [15], [7], [60]]);
  });
});
