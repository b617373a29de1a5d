/* SPDX-License-Identifier: MIT */
// What the timeline shows: the fetched history, kept up to date, and the range that is visible.
import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError, errorMessage, getHistory, type History } from '../server/api';
import { connection, instances, parked, transitions } from '../server/store';
import type { ChartData, Reading } from './charts';
import { lanesOf, lifetimesOf, memoryColumns, mergeTransitions, type Lifetime } from './lifetimes';
import { DAY, rangeOf, type Zoom } from './range';

const TICK_MS = 2000;
const REFETCH_DELAY_MS = 1000; // an instance that loads or unloads changes several times in a row

export const history = signal<History | null>(null);
export const failure = signal(''); // why there is no history, as a sentence
export const time = signal(Date.now()); // moves while the view is open
export const zoom = signal<Zoom>({ last: DAY });
export const reading = signal<Reading>({ at: null, life: null, memory: null });

export const range = computed(() => rangeOf(zoom.value, time.value));

const lifetimes = computed<Lifetime[]>(() => {
  const h = history.value;
  if (!h) return [];
  const present = new Set(instances.value.map((i) => i.id));
  return lifetimesOf(mergeTransitions(h, transitions.value), h.from, present);
});

export const visible = computed(() => {
  const { from, until } = range.value;
  return lifetimes.value.filter((l) => l.from <= until && (l.until ?? time.value) >= from);
});

export const chartData = computed<ChartData>(() => ({
  lifetimes: visible.value,
  lanes: lanesOf(visible.value),
  memory: memoryColumns(history.value?.memory ?? []),
  ...range.value,
  now: time.value,
}));

async function fetchHistory(abort: AbortSignal): Promise<void> {
  const until = Date.now();
  try {
    history.value = await getHistory(until - DAY, until, abort);
    failure.value = '';
  } catch (e) {
    if (abort.aborted) return;
    // The events since the server started are known even without a history.
    history.value = { from: until - DAY, until, events: [], memory: [], truncated: false };
    failure.value =
      e instanceof ApiError && e.status === 404
        ? 'This server keeps no history. Showing the events since it started.'
        : errorMessage(e);
  }
}

// Fetches the history when the view opens, when the connection is back, and when an instance loads
// or unloads, or a parked worker ends, because the memory is sampled then. An idle server is not
// asked.
export function useHistory(): void {
  const live = connection.value === 'live';
  const loaded = [
    ...instances.value.map((i) => `${i.id}${i.memory_bytes}`),
    ...parked.value.map((w) => w.pid),
  ].join();
  useEffect(() => {
    if (!live) return;
    const abort = new AbortController();
    const delay = history.peek() ? REFETCH_DELAY_MS : 0;
    const timer = setTimeout(() => void fetchHistory(abort.signal), delay);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [live, loaded]);
  useEffect(() => {
    time.value = Date.now();
    const timer = setInterval(() => {
      time.value = Date.now();
    }, TICK_MS);
    return () => clearInterval(timer);
  }, []);
}
