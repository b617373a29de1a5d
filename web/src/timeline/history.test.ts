/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import type { Transition } from '../server/api';
import { lanesOf, lifeAt, livesOf, memoryColumns, merge, worked } from './history';

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

describe('lives', () => {
  it('tells one life from load to exit', () => {
    const [life, ...more] = livesOf(evening, 0, new Set());
    expect(more).toEqual([]);
    expect(life).toMatchObject({
      id: 'a',
      from: 1000,
      ready: 1500,
      until: 9050,
      reason: 'ttl',
      memory: 700,
      loadSeconds: 0.5,
      before: false,
      work: [{ from: 1500, until: 3500 }],
    });
    expect(worked(life!, 10000)).toBe(2);
  });
  it('leaves one open that is still there, with its work', () => {
    const [life] = livesOf(evening.slice(0, 2), 0, new Set(['a']));
    expect(life).toMatchObject({ until: null, reason: null });
    expect(worked(life!, 4500)).toBe(3);
  });
  it('ends what is not there any more at the last that was heard of its run', () => {
    const next = t(20000, 'b', 'absent', 'loading', 'request', { run: 2 });
    const [a, b] = livesOf([...evening.slice(0, 3), next], 0, new Set(['b']));
    expect(a).toMatchObject({ until: 3500, reason: 'lost' });
    expect(b).toMatchObject({ until: null });
  });
  it('begins at the window what was there before', () => {
    const [life] = livesOf(evening.slice(2), 2000, new Set());
    expect(life).toMatchObject({
      from: 2000,
      ready: 2000,
      before: true,
      work: [{ from: 2000, until: 3500 }],
    });
  });
  it('keeps the reason of an eviction that had to wait for an answer', () => {
    const [life] = livesOf(
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
  it('tells a death with its error', () => {
    const [life] = livesOf(
      [
        ...evening.slice(0, 2),
        t(2000, 'a', 'busy', 'absent', 'worker_died', { error: 'It crashed.' }),
      ],
      0,
      new Set(),
    );
    expect(life).toMatchObject({ reason: 'worker_died', error: 'It crashed.', until: 2000 });
  });
  it('separates two lives of one name', () => {
    const lives = livesOf(
      [...evening, ...evening.map((e) => ({ ...e, at: e.at + 10000 }))],
      0,
      new Set(),
    );
    expect(lives.length).toBe(2);
    expect(lanesOf(lives)).toEqual(['a']);
    expect(lifeAt(lives, 'a', 12000, 99999)).toBe(lives[1]);
    expect(lifeAt(lives, 'a', 9500, 99999)).toBeNull();
  });
});

describe('merging', () => {
  it('adds what came after the history was asked for, once', () => {
    const history = {
      from: 0,
      until: 5000,
      events: evening.slice(0, 3),
      memory: [],
      truncated: false,
    };
    const heard = evening.slice(2).map(({ run: _, ...e }) => e);
    expect(merge(history, heard).map((e) => e.to)).toEqual([
      'loading',
      'busy',
      'idle',
      'unloading',
      'absent',
    ]);
  });
});

describe('memory', () => {
  it('sums the instances', () => {
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
        },
      ]),
    ).toEqual([[1], [15], [60]]);
  });
});
