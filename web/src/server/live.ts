/* SPDX-License-Identifier: MIT */
// Keeps the store true: one stream of events, resumed after a break; lists are asked for again only
// when an event says that they changed.
import { batch, effect } from '@preact/signals';
import {
  apiKey,
  getModels,
  getSettings,
  getVersion,
  keyWanted,
  request,
  Refusal,
  type Settings,
  type Status,
  type Transition,
} from './api';
import { hear, type Message } from './sse';
import * as store from './store';

const SILENCE_MS = 40_000; // the server says something at least every 15 s
const RETRY_MS = [250, 500, 1000, 2000, 4000];

let lastId = '0'; // first: everything that this run of the server remembers

function onStatus(status: Status): void {
  const at = Date.now();
  const ends = new Map<string, number>();
  for (const i of status.instances) {
    if (i.idle_expires_in !== null) ends.set(i.id, at + i.idle_expires_in * 1000);
  }
  batch(() => {
    store.now.value = at;
    store.instances.value = status.instances;
    store.memory.value = status.memory;
    store.deadlines.value = ends;
  });
}

function onProgress({ id, progress }: { id: string; progress: number }): void {
  store.instances.value = store.instances.value.map((i) =>
    i.id === id && i.state === 'loading' ? { ...i, load_progress: progress } : i,
  );
}

const listeners: Record<string, (data: never) => void> = {
  status: onStatus,
  progress: onProgress,
  instance: (t: Transition) => store.noteTransition(t),
  settings: (s: Settings) => {
    store.settings.value = s;
  },
  catalog: () => void refreshModels(),
};

function onMessage(message: Message): void {
  if (message.id) lastId = message.id;
  listeners[message.event]?.(JSON.parse(message.data) as never);
}

async function refreshModels(): Promise<void> {
  try {
    store.models.value = await getModels();
  } catch {
    // The stream will notice too, and ask again when the server is back.
  }
}

async function ask(): Promise<void> {
  const [models, settings, version] = await Promise.all([getModels(), getSettings(), getVersion()]);
  batch(() => {
    store.models.value = models;
    store.settings.value = settings;
    store.version.value = version;
    store.connection.value = 'live';
  });
}

// One connection, from its beginning to its end.
async function follow(): Promise<void> {
  const abort = new AbortController();
  let silence = setTimeout(() => abort.abort(), SILENCE_MS);
  try {
    const response = await request('GET', '/api/v1/events?live=true', undefined, {
      headers: { 'Last-Event-ID': lastId },
      signal: abort.signal,
    });
    const streaming = hear(response, {
      onMessage,
      onBytes: () => {
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE_MS);
      },
    });
    await Promise.all([ask(), streaming]);
  } finally {
    clearTimeout(silence);
    abort.abort();
  }
}

// Until there is a key to try, or the network is back, or the pause is over.
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === Infinity ? undefined : setTimeout(end, ms);
    const known = apiKey.peek();
    const stop = effect(() => {
      if (apiKey.value !== known) queueMicrotask(end);
    });
    window.addEventListener('online', end);
    function end(): void {
      clearTimeout(timer);
      window.removeEventListener('online', end);
      queueMicrotask(stop);
      resolve();
    }
  });
}

export async function stayLive(): Promise<never> {
  for (let tries = 0; ; tries++) {
    let locked = false;
    try {
      await follow();
    } catch (e) {
      locked = e instanceof Refusal && e.status === 401;
    }
    if (store.connection.peek() === 'live') tries = 0;
    store.connection.value = locked ? 'locked' : 'gone';
    keyWanted.value = locked;
    await pause(locked ? Infinity : RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]!);
  }
}
