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
  running: number;
  waiting: number;
  keep: boolean;
  pid?: number;
  config: { context_length: number; parallel: number };
  work: 'none' | 'embedding' | 'prompt' | 'generating';
  context_used: number;
  tokens_per_second: number;
}

export interface Memory {
  total_bytes: number;
  available_bytes: number;
  other_bytes: number;
  limit_bytes: number | null;
}

export interface Status {
  at: number;
  memory: Memory;
  instances: Instance[];
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

export interface Settings {
  jit: boolean;
  default_ttl: number | null;
  explicit_ttl: number | null;
  ttl_update: 'set' | 'ignore';
  auto_evict: 'on' | 'off' | 'fit' | 'per_type';
  jit_limit: number;
  memory_limit: number | null;
  cors: boolean;
  api_key: string | null;
  load: { context_length?: number; parallel?: number };
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
}

export interface MemorySample {
  at: number;
  total_bytes: number;
  available_bytes: number;
  instances: { id: string; bytes: number }[];
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
  total_bytes: number;
  fits: boolean;
}

export interface LoadRequest {
  model: string;
  identifier?: string;
  context_length?: number;
  parallel?: number;
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
export const patchSettings = (change: Partial<Settings>) =>
  json<Settings>('PATCH', '/api/v1/settings', change);
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
