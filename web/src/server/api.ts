/* SPDX-License-Identifier: MIT */
// Requests to the server and the types of its answers, as in docs/api.md.
import { signal } from '@preact/signals';

export type State = 'queued' | 'loading' | 'idle' | 'busy' | 'draining' | 'unloading';
export type Origin = 'jit' | 'explicit';

export interface Instance {
  id: string;
  model: string;
  origin: Origin;
  state: State;
  load_progress: number;
  ttl: number | null; // seconds
  idle_expires_in: number | null; // seconds; null: the clock is not running
  last_used_at: string | null;
  loaded_at: string | null;
  load_time_seconds: number;
  memory_bytes: number;
  device?: string; // 'cpu', or a graphics card
  gpu_layers?: number;
  device_memory_bytes?: number;
  running: number;
  waiting: number;
  keep: boolean;
  pid?: number;
  config: { context_length: number; parallel: number; adapters?: Adapter[] };
  work: 'none' | 'embedding' | 'prompt' | 'generating';
  context_used: number;
  tokens_per_second: number;
}

export interface Memory {
  total_bytes: number;
  available_bytes: number;
  other_bytes: number;
  limit_bytes: number | null;
  device_bytes: number; // what models may have of graphics cards; 0: there is none
}

// The engines, and the devices that they find.
export interface System {
  chosen: string;
  engines: {
    name: string;
    chosen: boolean;
    devices: { name: string; description: string; total_bytes: number; free_bytes: number }[];
  }[];
}

// A worker that keeps a model though it is not loaded.
export interface Parked {
  model: string;
  pid: number;
  memory_bytes: number;
  parked_at: string;
  expires_at: string | null;
}

export interface Status {
  at: number;
  memory: Memory;
  instances: Instance[];
  parked: Parked[];
}

export interface Model {
  type: 'llm' | 'embedding';
  publisher: string;
  key: string;
  display_name: string;
  architecture: string | null;
  quantization: { name: string; bits_per_weight: number } | null;
  size_bytes: number;
  params_string: string | null;
  max_context_length: number;
  capabilities?: { vision: boolean; trained_for_tool_use: boolean; reasoning?: unknown };
  path: string | null;
  problem: string | null;
}

// A LoRA adapter: a file, and how much of it.
export interface Adapter {
  path: string;
  scale: number;
}

// Of all models, of one, or of one load. What is absent has no say.
export interface LoadSettings {
  context_length?: number;
  parallel?: number;
  flash_attention?: boolean;
  kv_type_k?: string;
  kv_type_v?: string;
  threads?: number;
  gpu?: 'max' | 'off' | number; // a share of the layers
  gpu_layers?: number;
  main_gpu?: number;
  num_cpu_experts?: number;
  tensor_split?: number[]; // of each card, in proportion
  offload_kv_cache_to_gpu?: boolean;
  eval_batch_size?: number;
  chunk_size?: number;
  num_experts?: number;
  rope_frequency_base?: number;
  rope_frequency_scale?: number;
  repack?: string;
  speculation?: string;
  draft_model?: string;
  draft_tokens?: number;
  draft_min_probability?: number;
  adapters?: Adapter[]; // empty: none, whatever the settings of the model have
  mmap?: boolean;
  mlock?: boolean;
  reproducible?: boolean;
  prepare_seconds?: number;
  seed?: number;
}

export interface ModelSettings extends LoadSettings {
  ttl?: number; // seconds; -1: none
}

type Nullable<T> = { [K in keyof T]?: T[K] | null };

// A part of the settings; objects are merged, null removes a member.
export type SettingsChange = Partial<Omit<Settings, 'load' | 'models' | 'model_aliases'>> & {
  load?: Nullable<LoadSettings>;
  models?: Record<string, Nullable<ModelSettings> | null>;
  model_aliases?: Record<string, string | null>;
};

export interface Settings {
  jit: boolean;
  default_ttl: number | null;
  explicit_ttl: number | null;
  max_ttl: number | null;
  ttl_update: 'set' | 'ignore' | 'longest';
  auto_evict: 'on' | 'off' | 'fit' | 'per_type';
  jit_limit: number;
  switch_window_ms: number;
  memory_limit: number | null;
  evict_on_pressure: boolean;
  standby: boolean;
  parked_workers: 'auto' | 'on' | 'off';
  parked_seconds: number | null;
  max_waiting: number;
  load_stall_seconds: number;
  hang_seconds: number;
  body_limit: number;
  download_connections: number;
  prompt_store: 'on' | 'memory' | 'off';
  prompt_store_bytes: number;
  response_store_bytes: number;
  response_store_age: number;
  cors: boolean;
  allowed_hosts: string | null; // names with commas between
  allowed_origins: string | null;
  sdk_port: boolean;
  ollama_default_keep_alive: boolean;
  ollama_port: number;
  lmstudio_compat: boolean;
  api_key: string | null; // stars
  tls_cert: string | null; // a path on the server's machine
  tls_key: string | null;
  load: LoadSettings;
  models: Record<string, ModelSettings>;
  model_aliases: Record<string, string>; // a name or pattern: a model's key, or "loaded"
}

export interface Transition {
  seq: number;
  at: number;
  id: string;
  model: string;
  from: string;
  to: string;
  reason: string;
  origin: Origin;
  generation: number;
  run?: number;
  memory_bytes?: number;
  load_time_seconds?: number;
  error?: string;
  hint?: string; // a sentence for the owner of the machine
}

export interface MemorySample {
  at: number;
  total_bytes: number;
  available_bytes: number;
  instances: { id: string; bytes: number }[];
  parked: { model: string; bytes: number }[];
}

export interface History {
  from: number;
  until: number;
  events: Transition[];
  memory: MemorySample[];
  truncated: boolean;
}

export interface Estimate {
  model_bytes: number;
  context_bytes: number;
  full_context_fits: boolean;
  total_bytes: number;
  device_bytes: number; // of these, on graphics cards
  fits: boolean;
}

// The prompts that are kept on disk.
export interface Prompts {
  limit_bytes: number;
  entries: number;
  bytes: number;
  models: { model: string; entries: number; tokens: number; bytes: number; newest_at: number }[];
}

export interface Download {
  job_id?: string; // absent: nothing is downloaded
  status:
    | 'downloading'
    | 'paused'
    | 'completed'
    | 'failed'
    | 'already_downloaded'
    | 'planned'
    | 'removed';
  total_size_bytes: number;
  downloaded_bytes: number;
  bytes_per_second: number;
  estimated_completion: string | null;
  model: string; // owner/repo
  quantization: string; // empty: unknown
  path: string; // the folder
  error?: string; // why it failed, is paused or waits
  fits?: boolean; // of a plan: into the machine's memory
}

export interface FoundModel {
  model: string; // owner/repo
  downloads: number;
  likes: number;
  quantization: string; // of what would be downloaded; empty: unknown
  quantizations: string; // all there are, separated by commas
  size_bytes?: number;
  fits?: boolean;
}

// What deleting a model removes.
export interface Deletion {
  key: string;
  foreign: boolean; // its folder belongs to another program
  bytes: number;
  files: string[];
  loaded: string[]; // ids of its instances
}

// What a node of the fleet says of one instance; null: nothing.
export interface Resident {
  model: string;
  id: string;
  state: string | null;
  origin: string | null;
  running: number | null;
  waiting: number | null;
  ttl: number | null;
  idle_expires_at: number | null;
  context_length: number | null;
  parallel: number | null;
  tokens_per_second: number | null;
  load_time_seconds: number | null;
  memory_bytes: number | null;
}

export interface FleetNode {
  node: string;
  url: string | null;
  version: string | null;
  memory_free_bytes: number | null;
  memory_limit_bytes: number | null;
  device_memory_bytes: number | null;
  parked_memory_bytes: number | null;
  cores: number | null;
  same_key: boolean | null; // as this node's fleet key; null: neither has one
  models: { key: string | null; type: string | null; size_bytes: number | null }[];
  resident: Resident[];
}

// Where a request would go, or what one node could do with it.
export interface Prospect {
  node: string | null; // null: nobody could answer
  rule: string;
  first_token_seconds: number | null;
  sentence: string;
}

export interface FleetRequest extends Prospect {
  nodes: Prospect[]; // of those that have the model, in the order of the rules
}

export interface Fleet {
  node: string; // the one that answers
  etcd: {
    url: string;
    reached: boolean;
    since: number;
    valid_until: number | null; // of the other nodes; null: only this one is known
    problem: string | null;
    name_taken_by: string | null;
  } | null; // null: no fleet
  nodes: FleetNode[];
  request?: FleetRequest | null; // if a model was named
}

// The event `fleet`: something about it has changed.
export interface FleetState {
  on: boolean;
  node: string;
  nodes: number;
  reached: boolean;
}

export type Permission = 'inference' | 'models' | 'settings' | 'events' | 'admin';

export interface StoredKey {
  id: string;
  name: string;
  permissions: Permission[];
  models: string[] | null; // null: all
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

export interface Keys {
  required: boolean; // do requests need one?
  keys: StoredKey[];
}

export interface KeyWish {
  name: string;
  permissions: Permission[];
  models?: string[];
  expires_in?: number; // seconds
}

export interface NewKey extends StoredKey {
  key: string; // its text, which is given once
}

export interface LoadRequest extends LoadSettings {
  model: string;
  identifier?: string;
  ttl?: number;
  keep?: boolean;
  force?: boolean;
}

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly param: string | null,
    readonly code: string | null,
  ) {
    super(message);
  }
}

// The API key lives in memory only, and only if the server wants one.
export const apiKey = signal('');
export const keyRequired = signal(false);

function authHeaders(more: Record<string, string>): Record<string, string> {
  return apiKey.value ? { ...more, Authorization: `Bearer ${apiKey.value}` } : more;
}

export function apiErrorFrom(status: number, body: unknown): ApiError {
  const error = (body as { error?: { message?: string; param?: string; code?: string } })?.error;
  const message = error?.message ?? `The server answered with status ${status}.`;
  return new ApiError(message, status, error?.param ?? null, error?.code ?? null);
}

// An error as a sentence for the user.
export function errorMessage(e: unknown): string {
  if (e instanceof TypeError) return 'The server does not answer.';
  return e instanceof Error ? e.message : String(e);
}

// The response if its status is 2xx; any other is thrown as an ApiError.
export async function request(
  method: string,
  path: string,
  body?: unknown,
  options: { accept?: string; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  const sent = authHeaders({
    ...options.headers,
    ...(options.accept ? { Accept: options.accept } : {}),
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
  });
  const response = await fetch(path, {
    method,
    headers: sent,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(options.signal ? { signal: options.signal } : {}),
    cache: 'no-store',
  });
  if (response.ok) return response;
  if (response.status === 401) keyRequired.value = true;
  throw apiErrorFrom(response.status, await response.json().catch(() => null));
}

async function json<T>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const response = await request(method, path, body, signal ? { signal } : {});
  return (await response.json()) as T;
}

const instancePath = (id: string) => `/api/v1/instances/${encodeURIComponent(id)}`;

export const getModels = async () =>
  (await json<{ models: Model[] }>('GET', '/api/v1/models')).models;
export const getSettings = () => json<Settings>('GET', '/api/v1/settings');
export const getVersion = async () =>
  (await json<{ version: string }>('GET', '/lms-status')).version;
export const patchSettings = (change: SettingsChange) =>
  json<Settings>('PATCH', '/api/v1/settings', change);
export const getKeys = () => json<Keys>('GET', '/api/v1/keys');
export const createKey = (wish: KeyWish) => json<NewKey>('POST', '/api/v1/keys', wish);
// open: also the last one, after which requests need none.
export const revokeKey = (id: string, open: boolean) =>
  json<unknown>('DELETE', `/api/v1/keys/${encodeURIComponent(id)}${open ? '?open=true' : ''}`);
export const getSystem = () => json<System>('GET', '/api/v1/system');
// model: say also where a request for it would go; empty: do not.
export const getFleet = (model = '') =>
  json<Fleet>('GET', `/api/v1/fleet${model ? `?model=${encodeURIComponent(model)}` : ''}`);
export const getPrompts = () => json<Prompts>('GET', '/api/v1/prompts');
// Of one model, or of all.
export const clearPrompts = (model?: string) =>
  json<{ deleted: number; bytes: number }>(
    'DELETE',
    `/api/v1/prompts${model === undefined ? '' : `/${encodeURIComponent(model)}`}`,
  );
const modelPath = (key: string, query: string) =>
  `/api/v1/models/${encodeURIComponent(key)}?${query}`;
export const planDeletion = (key: string) =>
  json<Deletion>('DELETE', modelPath(key, 'dry_run=true&force=true&foreign=true'));
// No more than what the plan said: a model loaded since then is refused.
export const deleteModel = (key: string, { foreign, loaded }: Deletion) =>
  json<Deletion>('DELETE', modelPath(key, `force=${loaded.length > 0}&foreign=${foreign}`));
const downloadPath = (id: string) => `/api/v1/downloads/${encodeURIComponent(id)}`;
export const getDownloads = async () =>
  (await json<{ downloads: Download[] }>('GET', '/api/v1/downloads')).downloads;
export const searchModels = async (words: string, signal: AbortSignal) => {
  const path = `/api/v1/models/search?q=${encodeURIComponent(words)}`;
  return (await json<{ results: FoundModel[] }>('GET', path, undefined, signal)).results;
};
// model: owner/repo, owner/repo@quantization, owner/repo/file or a URL of one.
export const planDownload = (model: string, signal?: AbortSignal) =>
  json<Download>('POST', '/api/v1/models/download', { model, dry_run: true }, signal);
export const beginDownload = (model: string) =>
  json<Download>('POST', '/api/v1/models/download', { model });
export const changeDownload = (id: string, status: 'paused' | 'downloading') =>
  json<Download>('PATCH', downloadPath(id), { status });
export const removeDownload = (id: string) => json<unknown>('DELETE', downloadPath(id));
export const unload = (id: string) =>
  json<{ instance_id: string }>('POST', '/api/v1/models/unload', { instance_id: id });
export const updateInstance = (id: string, change: { ttl?: number | null; origin?: Origin }) =>
  json<Instance>('PATCH', instancePath(id), change);
export const estimateLoad = (body: LoadRequest, signal: AbortSignal) =>
  json<Estimate>('POST', '/api/v1/models/estimate', body, signal);
export const getHistory = (since: number, until: number, signal?: AbortSignal) =>
  json<History>(
    'GET',
    `/api/v1/history?since=${Math.floor(since)}&until=${Math.ceil(until)}&limit=20000`,
    undefined,
    signal,
  );
