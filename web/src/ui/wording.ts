/* SPDX-License-Identifier: MIT */
// States, origins and reasons of docs/lifecycle.md as text for the page. Pure.
import type { Instance, Origin, State, Transition } from '../server/api';

const states: Record<State, string> = {
  queued: 'queued',
  loading: 'loading',
  idle: 'idle',
  busy: 'busy',
  draining: 'finishing answers before it unloads',
  unloading: 'unloading',
};

export function workText(instance: Instance): string {
  if (instance.state !== 'busy') return states[instance.state] ?? instance.state;
  if (instance.work === 'prompt') return 'busy: processing the prompt';
  if (instance.work === 'generating') return 'busy: generating';
  if (instance.work === 'embedding') return 'busy: embedding';
  return 'busy';
}

export const originText = (origin: Origin): string =>
  origin === 'jit' ? 'loaded by a request' : 'loaded manually';

// Never evicted and without a ttl: only the user unloads it.
export const isPinned = (i: Pick<Instance, 'origin' | 'ttl'>): boolean =>
  i.origin === 'explicit' && i.ttl === null;

const reasons: Record<string, string> = {
  ttl: 'idle ttl expired',
  user: 'unloaded manually',
  shutdown: 'server stopped',
  worker_died: 'worker process died',
  memory_pressure: 'not enough memory',
  load_failed: 'load failed',
  load_cancelled: 'load cancelled',
  lost: 'server exited unexpectedly',
};

// Why an instance was unloaded. A reason that is not known here is shown as the server names it.
export function reasonText(reason: string): string {
  if (reason.startsWith('evicted_by')) {
    const by = reason.slice('evicted_by:'.length);
    return by ? `evicted to load ${by}` : 'evicted to load another model';
  }
  return reasons[reason] ?? reason.replaceAll('_', ' ');
}

export const isFailure = (reason: string): boolean =>
  ['worker_died', 'load_failed', 'memory_pressure', 'lost'].includes(reason);

// True for the one transition in each instance's life that says why it is unloaded.
export function isUnload(t: Pick<Transition, 'from' | 'to'>): boolean {
  if (t.to === 'unloading') return true;
  return t.to === 'absent' && t.from !== 'unloading';
}
