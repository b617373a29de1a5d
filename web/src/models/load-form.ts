/* SPDX-License-Identifier: MIT */
// What is typed into the load dialog: checked, and turned into requests. Pure.
import type { ApiError, LoadRequest, Model } from '../server/api';
import { count, minutesToSeconds } from '../ui/format';

const MAX_PARALLEL = 64;
const MAX_CONTEXT = 10_000_000; // for a model that does not say

// Fields that can be wrong, named as in the API.
const fields = ['ttl', 'context_length', 'parallel', 'identifier'] as const;
export type Field = (typeof fields)[number];

export interface LoadForm {
  model: Model;
  stays: boolean; // no ttl
  minutes: string;
  context: string; // empty: the server decides
  parallel: string; // empty: the server decides
  identifier: string; // empty: the model's key
  keep: boolean;
  force: boolean;
}

export const newLoadForm = (model: Model): LoadForm => ({
  model,
  stays: false,
  minutes: '10',
  context: '',
  parallel: '',
  identifier: '',
  keep: false,
  force: false,
});

// undefined: the field is empty; null: not a whole number from 1 to max.
function wholeNumber(text: string, max: number): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const n = /^\d+$/.test(trimmed) ? Number(trimmed) : 0;
  return n >= 1 && n <= max ? n : null;
}

const maxContext = (f: LoadForm) => f.model.max_context_length || MAX_CONTEXT;
const contextOf = (f: LoadForm) => wholeNumber(f.context, maxContext(f));
const parallelOf = (f: LoadForm) => wholeNumber(f.parallel, MAX_PARALLEL);

// One sentence for each field that is wrong.
export function fieldErrors(f: LoadForm): Partial<Record<Field, string>> {
  const errors: Partial<Record<Field, string>> = {};
  if (!f.stays && minutesToSeconds(f.minutes) === null) {
    errors.ttl = 'Enter minutes, such as 10 or 0.5.';
  }
  if (contextOf(f) === null) {
    errors.context_length = `Enter a whole number from 1 to ${count(maxContext(f))}.`;
  }
  if (parallelOf(f) === null) {
    errors.parallel = `Enter a whole number from 1 to ${MAX_PARALLEL}.`;
  }
  return errors;
}

// The load that a form without errors asks for.
export function loadRequestOf(f: LoadForm): LoadRequest {
  return {
    ...measuredPartOf(f),
    ttl: f.stays ? -1 : (minutesToSeconds(f.minutes) ?? 0),
    ...(f.identifier.trim() && { identifier: f.identifier.trim() }),
    ...(f.keep && { keep: true }),
    ...(f.force && { force: true }),
  };
}

// What decides the memory of a load; null while it is not valid.
export function estimateRequestOf(f: LoadForm): LoadRequest | null {
  return contextOf(f) === null || parallelOf(f) === null ? null : measuredPartOf(f);
}

function measuredPartOf(f: LoadForm): LoadRequest {
  const context = contextOf(f);
  const parallel = parallelOf(f);
  return {
    model: f.model.key,
    ...(context && { context_length: context }),
    ...(parallel && { parallel }),
  };
}

// The field that the server refused; null: none of the dialog's.
export const refusedField = (e: ApiError): Field | null =>
  fields.find((field) => field === e.param) ?? null;

// The load ended because somebody cancelled it, which is not a failure.
export const isCancelled = (e: ApiError): boolean => e.code === 'model_unloaded';

// The user may insist on a load that the server refused.
export const canForce = (e: ApiError): boolean => e.code === 'insufficient_memory';
