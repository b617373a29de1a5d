/* SPDX-License-Identifier: MIT */
// The words of docs/lifecycle.md, in sentences. Pure.
import type { Instance, Origin, State, Transition } from '../server/api';

const states: Record<State, string> = {
  queued: 'waiting for room',
  loading: 'loading',
  idle: 'idle',
  busy: 'busy',
  draining: 'finishing its answers, then leaving',
  unloading: 'leaving',
};
export const stateWords = (state: State): string => states[state] ?? state;

export function workWords(instance: Instance): string {
  if (instance.state !== 'busy') return stateWords(instance.state);
  if (instance.work === 'prompt') return 'busy: reading the prompt';
  if (instance.work === 'generating') return 'busy: answering';
  if (instance.work === 'embedding') return 'busy: embedding';
  return 'busy';
}

export const originWords = (origin: Origin): string =>
  origin === 'jit' ? 'loaded by a request' : 'loaded by hand';

// Nothing but a person makes it leave.
export const isPinned = (i: Pick<Instance, 'origin' | 'ttl'>): boolean =>
  i.origin === 'explicit' && i.ttl === null;

// Why an instance left, as the end of "It left because …".
export function reasonWords(reason: string): string {
  if (reason.startsWith('evicted_by')) {
    const by = reason.slice('evicted_by:'.length);
    return by ? `made room for ${by}` : 'made room for another model';
  }
  const known: Record<string, string> = {
    ttl: 'its idle ttl ran out',
    user: 'unloaded by hand',
    shutdown: 'the server was stopped',
    worker_died: 'its worker died',
    memory_pressure: 'the machine ran out of memory',
    load_failed: 'it could not be loaded',
    load_cancelled: 'its load was cancelled',
    lost: 'the server ended without notice',
  };
  return known[reason] ?? reason.replaceAll('_', ' ');
}

export const isTrouble = (reason: string): boolean =>
  ['worker_died', 'load_failed', 'memory_pressure', 'lost'].includes(reason);

// Does this transition tell that, and why, an instance leaves? Exactly one of each life does.
export function isDeparture(t: Pick<Transition, 'from' | 'to'>): boolean {
  if (t.to === 'unloading') return true;
  return t.to === 'absent' && t.from !== 'unloading';
}
