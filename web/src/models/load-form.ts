/* SPDX-License-Identifier: MIT */
// What is typed into the load dialog: checked, and turned into requests. Pure.
import type { ApiError, LoadRequest, Model, ModelSettings } from '../server/api';
import {
  loadErrors,
  loadFields,
  loadSettingsOf,
  noTexts,
  type LoadField,
  type LoadTexts,
} from '../load/load-fields';
import { minutesToSeconds, secondsToMinutes } from '../ui/format';

// Fields that can be wrong, named as in the API.
export type Field = 'ttl' | 'identifier' | LoadField;
const fields: Field[] = ['ttl', 'identifier', ...loadFields.map(({ name }) => name)];

export interface LoadForm {
  model: Model;
  stays: boolean; // no ttl
  minutes: string;
  load: LoadTexts; // empty: the server decides
  identifier: string; // empty: the model's key
  keep: boolean;
  force: boolean;
}

export const DEFAULT_MINUTES = 10;

// With the ttl of the model's own settings, if they have one.
export const newLoadForm = (model: Model, { ttl }: ModelSettings = {}): LoadForm => ({
  model,
  stays: ttl === -1,
  minutes: ttl === undefined || ttl < 0 ? String(DEFAULT_MINUTES) : secondsToMinutes(ttl),
  load: noTexts,
  identifier: '',
  keep: false,
  force: false,
});

// One sentence for each field that is wrong.
export function fieldErrors(f: LoadForm): Partial<Record<Field, string>> {
  const errors: Partial<Record<Field, string>> = {};
  if (!f.stays && minutesToSeconds(f.minutes) === null) {
    errors.ttl = `Enter minutes, such as ${DEFAULT_MINUTES} or 0.5.`;
  }
  return { ...errors, ...loadErrors(f.load, f.model.max_context_length) };
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
  const wrong = loadErrors(f.load, f.model.max_context_length);
  return Object.keys(wrong).length > 0 ? null : measuredPartOf(f);
}

const measuredPartOf = (f: LoadForm): LoadRequest => ({
  model: f.model.key,
  ...loadSettingsOf(f.load, f.model.max_context_length),
});

// The field that the server refused; null: none of the dialog's.
export const refusedField = (e: ApiError): Field | null =>
  fields.find((field) => field === e.param) ?? null;

// The load ended because somebody cancelled it, which is not a failure.
export const isCancelled = (e: ApiError): boolean => e.code === 'model_unloaded';

// The user may insist on a load that the server refused.
export const canForce = (e: ApiError): boolean => e.code === 'insufficient_memory';
