/* SPDX-License-Identifier: MIT */
// What the page knows, as signals. Filled by live.ts; read by everything that is drawn.
import { computed, signal } from '@preact/signals';
import type { Instance, Memory, Model, Settings, Transition } from './api';
import { isDeparture } from '../ui/wording';

export type Connection = 'connecting' | 'live' | 'gone' | 'locked';

export const connection = signal<Connection>('connecting');
export const version = signal('');
export const instances = signal<Instance[]>([]);
export const memory = signal<Memory | null>(null);
export const models = signal<Model[] | null>(null);
export const settings = signal<Settings | null>(null);
export const departures = signal<Transition[]>([]); // newest first
export const transitions = signal<Transition[]>([]); // oldest first, since the server began if it still knows
// When (Date.now()) each instance leaves, by id; absent: its clock is not running.
export const deadlines = signal<ReadonlyMap<string, number>>(new Map());

// The time, while somebody needs it to move (see clock.ts).
export const now = signal(Date.now());

export const modelName = computed(() => {
  const names = new Map((models.value ?? []).map((m) => [m.key, m.display_name]));
  return (key: string) => names.get(key) ?? key;
});

const REMEMBERED = 50;
const TRANSITIONS = 4000;

export function noteTransition(t: Transition): void {
  transitions.value = [...transitions.value, t].slice(-TRANSITIONS);
  if (isDeparture(t)) departures.value = [t, ...departures.value].slice(0, REMEMBERED);
}

export interface Notice {
  id: number;
  text: string;
  bad: boolean;
}
export const notices = signal<Notice[]>([]);
let noticeCount = 0;

export function dismiss(id: number): void {
  notices.value = notices.value.filter((n) => n.id !== id);
}

// Good news goes by itself; bad news stays until it is read.
export function notify(text: string, bad = false): void {
  const id = ++noticeCount;
  notices.value = [...notices.value, { id, text, bad }].slice(-4);
  if (!bad) setTimeout(() => dismiss(id), 6000);
}

export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
    if (done) notify(done);
    return true;
  } catch (e) {
    notify(messageOf(e), true);
    return false;
  }
}

export function messageOf(e: unknown): string {
  if (e instanceof TypeError) return 'The server does not answer.';
  return e instanceof Error ? e.message : String(e);
}
