/* SPDX-License-Identifier: MIT */
// What the fleet's list says, in words. Pure.
import type { Fleet, FleetNode, Prospect, Resident } from '../server/api';
import { moment, plural } from '../ui/format';

export const SHOWN = 60; // nodes at once: a fleet may have a thousand
export const FILTER_FROM = 12; // from this many on there is a field to filter them

export type Standing = 'none' | 'reached' | 'unreached' | 'alone';

// Is there a fleet, and is its list true?
export function standingOf({ etcd }: Fleet): Standing {
  if (!etcd) return 'none';
  if (etcd.reached) return 'reached';
  return etcd.valid_until === null ? 'alone' : 'unreached';
}

// The node of this page first, the others by name as they come.
export function nodesOf(fleet: Fleet, filter = ''): FleetNode[] {
  const wanted = filter.trim().toLowerCase();
  const has = (text: string | null) => text?.toLowerCase().includes(wanted) ?? false;
  const fits = (n: FleetNode) =>
    has(n.node) ||
    has(n.url) ||
    n.models.some((m) => has(m.key)) ||
    n.resident.some((r) => has(r.id));
  const fitting = wanted ? fleet.nodes.filter(fits) : fleet.nodes;
  const isHere = (n: FleetNode) => n.node === fleet.node;
  return [...fitting.filter(isHere), ...fitting.filter((n) => !isHere(n))];
}

const sum = (list: Resident[], of: (r: Resident) => number | null) =>
  list.reduce((total, r) => total + (of(r) ?? 0), 0);

export interface Load {
  state: 'idle' | 'busy' | 'loading';
  text: string;
}

// What a node is doing, of all that it has loaded.
export function loadOf({ resident }: FleetNode): Load {
  const running = sum(resident, (r) => r.running);
  const waiting = sum(resident, (r) => r.waiting);
  const speed = running > 0 ? sum(resident, (r) => r.tokens_per_second) : 0;
  const loading = resident.filter((r) => r.state === 'loading').length;
  const parts = [
    loading > 0 && `loading ${plural(loading, 'model')}`,
    running > 0 && `${running} running`,
    waiting > 0 && `${waiting} waiting`,
    speed >= 1 && `${Math.round(speed)} tokens/s`,
  ].filter((part): part is string => part !== false);
  const state = running > 0 ? 'busy' : loading > 0 ? 'loading' : 'idle';
  return { state, text: parts.join(', ') || 'nothing to do' };
}

// "idle until 14:03:07", "busy, 2 running"
export function residentText(r: Resident, now: number): string {
  const parts = [r.state ?? 'unknown'];
  if (r.state === 'idle' && r.idle_expires_at !== null) {
    parts[0] = `idle until ${moment(r.idle_expires_at, now).replace(/^today /, '')}`;
  } else if (r.state === 'idle') {
    parts[0] = 'idle, no ttl';
  }
  if (r.running) parts.push(`${r.running} running`);
  if (r.waiting) parts.push(`${r.waiting} waiting`);
  return parts.join(', ');
}

// Whether requests of this node go there: only between nodes with the same key.
export const hasOtherKey = (n: FleetNode): boolean => n.same_key === false;

// Every model that some node has, by name.
export const modelsOf = (fleet: Fleet): string[] =>
  [...new Set(fleet.nodes.flatMap((n) => n.models.flatMap((m) => m.key ?? [])))].sort();

// The sentence about a node without the node's name, which stands before it.
export function reasonOf(p: Prospect): string {
  return p.rule === 'none' ? p.sentence : p.sentence.replace(/^[^:]*: /, '');
}
