/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import type { Fleet, FleetNode, Resident } from '../server/api';
import {
  hasOtherKey,
  loadOf,
  modelsOf,
  nodesOf,
  reasonOf,
  residentText,
  standingOf,
} from './fleet';

const resident = (more: Partial<Resident> = {}): Resident => ({
  model: 'm',
  id: 'm',
  state: 'idle',
  origin: 'jit',
  running: 0,
  waiting: 0,
  ttl: 60,
  idle_expires_at: null,
  context_length: 8192,
  parallel: 4,
  tokens_per_second: 20,
  load_time_seconds: 1,
  memory_bytes: 1e9,
  ...more,
});
const node = (name: string, more: Partial<FleetNode> = {}): FleetNode => ({
  node: name,
  url: `http://${name}:1234`,
  version: '0.1.0',
  memory_free_bytes: 1e9,
  memory_limit_bytes: 2e9,
  parked_memory_bytes: 0,
  device_memory_bytes: 0,
  cores: 2,
  same_key: null,
  models: [],
  resident: [],
  ...more,
});
const etcd = {
  url: 'http://etcd',
  reached: true,
  since: 0,
  valid_until: 1,
  problem: null,
  name_taken_by: null,
};
const fleet = (nodes: FleetNode[], more: Partial<Fleet> = {}): Fleet => ({
  node: 'b',
  etcd,
  nodes,
  ...more,
});

describe('a fleet', () => {
  it('is reached, not reached for a while, or of this node alone', () => {
    expect(standingOf(fleet([]))).toBe('reached');
    expect(standingOf(fleet([], { etcd: { ...etcd, reached: false } }))).toBe('unreached');
    expect(standingOf(fleet([], { etcd: { ...etcd, reached: false, valid_until: null } }))).toBe(
      'alone',
    );
    expect(standingOf(fleet([], { etcd: null }))).toBe('none');
  });
  it('has this node first', () => {
    const names = nodesOf(fleet([node('a'), node('b'), node('c')])).map((n) => n.node);
    expect(names).toEqual(['b', 'a', 'c']);
  });
  it('is filtered by name, address and model', () => {
    const models = [{ key: 'Qwen3', type: 'llm', size_bytes: 1 }];
    const all = fleet([node('a', { models }), node('b'), node('c', { resident: [resident()] })]);
    const found = (filter: string) => nodesOf(all, filter).map((n) => n.node);
    expect(found('qwen')).toEqual(['a']);
    expect(found('b:12')).toEqual(['b']);
    expect(found(' m ')).toEqual(['c']);
    expect(found('nothing')).toEqual([]);
  });
  it('has each model once', () => {
    const models = ['y', 'x'].map((key) => ({ key, type: 'llm', size_bytes: 1 }));
    expect(modelsOf(fleet([node('a', { models }), node('b', { models })]))).toEqual(['x', 'y']);
  });
});

describe('a node', () => {
  it('does what its instances do', () => {
    expect(loadOf(node('a'))).toEqual({ state: 'idle', text: 'nothing to do' });
    expect(loadOf(node('a', { resident: [resident({ state: 'loading' })] }))).toEqual({
      state: 'loading',
      text: 'loading 1 model',
    });
    const busy = resident({ state: 'busy', running: 2, waiting: 1, tokens_per_second: 21.4 });
    expect(loadOf(node('a', { resident: [busy, resident()] }))).toEqual({
      state: 'busy',
      text: '2 running, 1 waiting, 41 tokens/s',
    });
  });
  it('may say nothing', () => {
    const silent = resident({ state: null, running: null, waiting: null, tokens_per_second: null });
    expect(loadOf(node('a', { resident: [silent] })).text).toBe('nothing to do');
    expect(residentText(silent, 0)).toBe('unknown');
  });
  it('has another key only if the server says so', () => {
    expect([null, true, false].map((same_key) => hasOtherKey(node('a', { same_key })))).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('an instance', () => {
  it('is idle until its ttl ends', () => {
    const at = new Date(2026, 10, 28, 14, 3, 7).getTime();
    expect(residentText(resident({ idle_expires_at: at }), at - 1000)).toBe('idle until 14:03:07');
    expect(residentText(resident(), at)).toBe('idle, no ttl');
  });
  it('says how many requests it has', () => {
    const busy = resident({ state: 'busy', running: 2, waiting: 3 });
    expect(residentText(busy, 0)).toBe('busy, 2 running, 3 waiting');
  });
});

describe('a reason', () => {
  it('is a sentence without the node’s name', () => {
    const p = { node: 'b', rule: 'room', first_token_seconds: 1 };
    const sentence = 'This node: it has room; first token after about 1 s.';
    expect(reasonOf({ ...p, sentence })).toBe('it has room; first token after about 1 s.');
    const no = 'No node may unload enough: unload one.';
    expect(reasonOf({ ...p, rule: 'none', sentence: no })).toBe(no);
  });
});
