/* SPDX-License-Identifier: MIT */
// Keeps the store up to date from one stream of events, which is resumed after a break. Lists are
// fetched again only when an event says that they changed.
import { batch, effect } from '@preact/signals';
import {
  apiKey,
  getDownloads,
  getModels,
  getSettings,
  getSystem,
  getVersion,
  keyRequired,
  request,
  ApiError,
  type Download,
  type FleetState,
  type Settings,
  type Status,
  type Transition,
} from './api';
import { readEventStream, type Message } from './sse';
import * as store from './store';

const SILENCE_MS = 40_000; // the server writes at least a comment every 15 s
const RETRY_MS = [250, 500, 1000, 2000, 4000];

let lastId = '0'; // the first stream begins with all events that the server still has
let catalogKnown = false; // by this connection

function onStatus(status: Status): void {
  const at = Date.now();
  const deadlines = new Map<string, number>();
  for (const i of status.instances) {
    if (i.idle_expires_in !== null) deadlines.set(i.id, at + i.idle_expires_in * 1000);
  }
  batch(() => {
    store.now.value = at;
    store.instances.value = status.instances;
    store.parked.value = status.parked;
    store.memory.value = status.memory;
    store.deadlines.value = deadlines;
  });
}

// The card is asked for its name when there is one, or another one.
effect(() => {
  if (store.deviceBytes.value === 0) store.deviceName.value = '';
  else void fetchDevice();
});

async function fetchDevice(): Promise<void> {
  try {
    const { engines } = await getSystem();
    const devices = engines.find((e) => e.chosen)?.devices ?? [];
    store.deviceName.value = devices.map((d) => d.description).join(', ');
  } catch {
    // It stays without a name.
  }
}

function onProgress({ id, progress }: { id: string; progress: number }): void {
  store.instances.value = store.instances.value.map((i) =>
    i.id === id && i.state === 'loading' ? { ...i, load_progress: progress } : i,
  );
}

// The first one tells the folders only: the models are being fetched already.
function onCatalog({ folders }: { folders: string[] }): void {
  store.modelFolders.value = folders;
  if (catalogKnown) void fetchModels();
  catalogKnown = true;
}

let fetchingDownloads = false;
let downloadsChanged = false; // since they were fetched

async function fetchDownloads(): Promise<void> {
  downloadsChanged = true;
  if (fetchingDownloads) return;
  fetchingDownloads = true;
  try {
    while (downloadsChanged) {
      downloadsChanged = false;
      store.downloads.value = await getDownloads();
    }
  } catch {
    // As with the models.
  }
  fetchingDownloads = false;
}

// Progress has no seq. A change of state may be repeated after a break, when another one has
// followed long since: it says only that the list is another one.
function onDownload({ seq, ...download }: Download & { seq?: number }): void {
  if (seq !== undefined) {
    void fetchDownloads();
    return;
  }
  store.downloads.value = store.downloads.value.map((d) =>
    d.job_id === download.job_id && d.status === 'downloading' ? download : d,
  );
}

function onTransition(transition: Transition): void {
  store.recordTransition(transition);
  if (transition.hint) store.hint.value = transition.hint;
}

const handlers: Record<string, (data: never) => void> = {
  status: onStatus,
  progress: onProgress,
  instance: onTransition,
  settings: (s: Settings) => {
    store.settings.value = s;
  },
  catalog: onCatalog,
  fleet: (f: FleetState) => {
    store.fleetState.value = f;
  },
  download: onDownload,
};

function onMessage(message: Message): void {
  if (message.id) lastId = message.id;
  handlers[message.event]?.(JSON.parse(message.data) as never);
}

async function fetchModels(): Promise<void> {
  try {
    store.models.value = await getModels();
  } catch {
    // The stream breaks too; after it is back everything is fetched again.
  }
}

async function fetchAll(): Promise<void> {
  const [models, settings, version] = await Promise.all([getModels(), getSettings(), getVersion()]);
  batch(() => {
    store.models.value = models;
    store.settings.value = settings;
    store.version.value = version;
    store.connection.value = 'live';
  });
  await fetchDownloads();
}

// One connection, from its start to its end.
async function followEvents(): Promise<void> {
  catalogKnown = false;
  const abort = new AbortController();
  let silence = setTimeout(() => abort.abort(), SILENCE_MS);
  try {
    const response = await request('GET', '/api/v1/events?live=true', undefined, {
      headers: { 'Last-Event-ID': lastId },
      signal: abort.signal,
    });
    const streaming = readEventStream(response, {
      onMessage,
      onBytes: () => {
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE_MS);
      },
    });
    await Promise.all([fetchAll(), streaming]);
  } finally {
    clearTimeout(silence);
    abort.abort();
  }
}

// Waits for `ms`, but no longer than until the API key changes or the network comes back.
function waitToRetry(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === Infinity ? undefined : setTimeout(end, ms);
    const triedKey = apiKey.peek();
    const stop = effect(() => {
      if (apiKey.value !== triedKey) queueMicrotask(end);
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

export async function keepLive(): Promise<never> {
  for (let tries = 0; ; tries++) {
    let locked = false;
    try {
      await followEvents();
    } catch (e) {
      locked = e instanceof ApiError && e.status === 401;
    }
    if (store.connection.peek() === 'live') tries = 0;
    store.connection.value = locked ? 'locked' : 'lost';
    keyRequired.value = locked;
    await waitToRetry(locked ? Infinity : RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]!);
  }
}
