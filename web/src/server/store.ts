/* SPDX-License-Identifier: MIT */
// What the page knows about the server, as signals. live.ts fills it, components read it.
import { computed, signal } from '@preact/signals';
import { isUnload } from '../ui/wording';
import type {
  Download,
  FleetState,
  Instance,
  Memory,
  Model,
  Parked,
  Settings,
  Transition,
} from './api';

export type Connection = 'connecting' | 'live' | 'lost' | 'locked';

export const connection = signal<Connection>('connecting');
export const version = signal('');
export const instances = signal<Instance[]>([]);
export const parked = signal<Parked[]>([]);
export const memory = signal<Memory | null>(null);
export const deviceName = signal(''); // of the card that computes; empty: the CPU does
export const models = signal<Model[] | null>(null); // null: not received yet
export const modelFolders = signal<string[]>([]); // searched, in this order
export const settings = signal<Settings | null>(null);
export const downloads = signal<Download[]>([]); // newest first
export const fleetState = signal<FleetState | null>(null); // null: not received yet
export const unloads = signal<Transition[]>([]); // newest first
export const hint = signal(''); // the last one that the server gave, until it is dismissed
export const transitions = signal<Transition[]>([]); // oldest first

// When each idle instance is unloaded, in ms since 1970, by id. Without an entry its clock stands.
export const deadlines = signal<ReadonlyMap<string, number>>(new Map());

// The current time, updated while a countdown is on the page (clock.ts).
export const now = signal(Date.now());

export const modelName = computed(() => {
  const names = new Map((models.value ?? []).map((m) => [m.key, m.display_name]));
  return (key: string) => names.get(key) ?? key;
});

export const deviceBytes = computed(() => memory.value?.device_bytes ?? 0);
// Of the graphics cards: what models may have, and what the loaded ones leave of it. null: there is
// no card.
export const deviceMemory = computed(() => {
  const total = deviceBytes.value;
  const used = instances.value.reduce((sum, i) => sum + (i.device_memory_bytes ?? 0), 0);
  return total > 0 ? { total, free: Math.max(0, total - used) } : null;
});

const MAX_UNLOADS = 50;
const MAX_TRANSITIONS = 4000;

export function recordTransition(t: Transition): void {
  transitions.value = [...transitions.value, t].slice(-MAX_TRANSITIONS);
  if (isUnload(t)) unloads.value = [t, ...unloads.value].slice(0, MAX_UNLOADS);
}
