/* SPDX-License-Identifier: MIT */
// The settings of one model as they are edited: checked, and turned into a change. Pure.
import type { LoadSettings, Model, ModelSettings, SettingsChange } from '../server/api';
import {
  loadErrors,
  loadSettingsOf,
  mergePatch,
  noTexts,
  textsOf,
  type LoadField,
  type LoadTexts,
} from '../load/load-fields';
import { minutesToSeconds, secondsToMinutes } from '../ui/format';

export interface ModelForm {
  model: Model;
  before: ModelSettings; // when the form was opened
  ttl: 'default' | 'minutes' | 'never';
  minutes: string;
  load: LoadTexts;
}

const INITIAL_MINUTES = '30';

function ttlOf({ ttl }: ModelSettings): Pick<ModelForm, 'ttl' | 'minutes'> {
  if (ttl === undefined) return { ttl: 'default', minutes: INITIAL_MINUTES };
  if (ttl < 0) return { ttl: 'never', minutes: INITIAL_MINUTES };
  return { ttl: 'minutes', minutes: secondsToMinutes(ttl) };
}

export const newModelForm = (model: Model, before: ModelSettings = {}): ModelForm => ({
  model,
  before,
  ...ttlOf(before),
  load: textsOf(before),
});

// Everything as for other models.
export const withoutSettings = (f: ModelForm): ModelForm => ({
  ...f,
  ...ttlOf({}),
  load: noTexts,
});

export type ModelField = 'ttl' | LoadField;

export function modelErrors(f: ModelForm): Partial<Record<ModelField, string>> {
  const errors = loadErrors(f.load, f.model.max_context_length);
  const wrongTtl = f.ttl === 'minutes' && minutesToSeconds(f.minutes) === null;
  return wrongTtl ? { ttl: 'Enter minutes, such as 30 or 0.5.', ...errors } : errors;
}

// What a form without errors asks for.
function settingsOf(f: ModelForm): ModelSettings {
  const load: LoadSettings = loadSettingsOf(f.load, f.model.max_context_length);
  if (f.ttl === 'default') return load;
  return { ...load, ttl: f.ttl === 'never' ? -1 : (minutesToSeconds(f.minutes) ?? 0) };
}

export function changeOf(f: ModelForm): SettingsChange {
  const after = settingsOf(f);
  const none = Object.keys(after).length === 0;
  return { models: { [f.model.key]: none ? null : mergePatch(f.before, after) } };
}
