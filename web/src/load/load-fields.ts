/* SPDX-License-Identifier: MIT */
// The load settings as typed: what each means, checked, and as sent. Pure. docs/settings.md has
// the same table.
import type { LoadSettings } from '../server/api';
import { count } from '../ui/format';

export type LoadField = keyof LoadSettings;
export type LoadTexts = Readonly<Record<LoadField, string>>; // empty: not set here

export interface LoadFieldSpec {
  name: LoadField;
  label: string;
  hint: string;
  choices?: readonly [value: string, label: string][]; // instead of a number
  min?: number;
  max?: number;
  whole?: boolean;
  text?: boolean; // instead of a number
}

const yesNo = [
  ['true', 'On'],
  ['false', 'Off'],
] as const satisfies LoadFieldSpec['choices'];

const kvTypes = ['f32', 'bf16', 'f16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0', 'iq4_nl'].map(
  (name): [string, string] => [name, name],
);

const MAX_CONTEXT = 16_777_216; // for a model that does not say

// The first two are always on the screen, the others on request.
export const mainFields: LoadFieldSpec[] = [
  {
    name: 'context_length',
    label: 'Context length (tokens)',
    hint: 'Leave empty to use what fits into memory.',
    min: 16,
    max: MAX_CONTEXT,
    whole: true,
  },
  {
    name: 'parallel',
    label: 'Parallel requests',
    hint: 'Each can use the whole context. More need more memory.',
    min: 1,
    max: 64,
    whole: true,
  },
];

export const moreFields: LoadFieldSpec[] = [
  {
    name: 'flash_attention',
    label: 'Flash attention',
    hint: 'Faster, and less memory for long contexts.',
    choices: yesNo,
  },
  {
    name: 'kv_type_k',
    label: 'Type of cached keys',
    hint: 'q8_0 halves the memory of the context.',
    choices: kvTypes,
  },
  {
    name: 'kv_type_v',
    label: 'Type of cached values',
    hint: 'The q types and iq4_nl need flash attention.',
    choices: kvTypes,
  },
  {
    name: 'threads',
    label: 'CPU threads',
    hint: 'Automatic: one for each physical core.',
    min: 1,
    max: 1024,
    whole: true,
  },
  {
    name: 'gpu_layers',
    label: 'Layers on the GPU',
    hint: '-1: all. No effect without a GPU.',
    min: -1,
    max: 65536,
    whole: true,
  },
  {
    name: 'offload_kv_cache_to_gpu',
    label: 'Context on the GPU',
    hint: 'No effect without a GPU.',
    choices: yesNo,
  },
  {
    name: 'eval_batch_size',
    label: 'Batch size (tokens)',
    hint: 'How much of a prompt is processed in one step.',
    min: 1,
    max: 65536,
    whole: true,
  },
  {
    name: 'chunk_size',
    label: 'Chunk size (tokens)',
    hint: 'Other requests get their turn between two chunks.',
    min: 1,
    max: 65536,
    whole: true,
  },
  {
    name: 'num_experts',
    label: 'Active experts',
    hint: 'For mixture-of-experts models.',
    min: 1,
    max: 4096,
    whole: true,
  },
  {
    name: 'rope_frequency_base',
    label: 'RoPE frequency base',
    hint: 'Automatic: as the model was trained.',
    min: 1,
    max: 1e12,
  },
  {
    name: 'rope_frequency_scale',
    label: 'RoPE frequency scale',
    hint: '0.5 doubles the longest context.',
    min: 1e-6,
    max: 1,
  },
  {
    name: 'repack',
    label: 'Reorder 4-bit weights for speed',
    hint: 'Takes private memory.',
    choices: [
      ['background', 'After the first token'],
      ['first', 'Before the first token'],
      ['never', 'Never'],
    ],
  },
  {
    name: 'speculation',
    label: 'Guess tokens ahead',
    hint: 'For answers that repeat code or quotes. Not faster on every machine.',
    choices: [
      ['off', 'Never'],
      ['lookup', 'From the conversation'],
    ],
  },
  {
    name: 'draft_model',
    label: 'Draft model',
    hint: 'A smaller model of the same family that guesses tokens. It takes memory, too.',
    text: true,
  },
  {
    name: 'draft_tokens',
    label: 'Guesses of the draft model at once',
    hint: 'Automatic: 3.',
    min: 1,
    max: 16,
    whole: true,
  },
  {
    name: 'draft_min_probability',
    label: 'Least probability of a guess',
    hint: 'What the draft model takes for less likely it does not guess. Automatic: 0.5.',
    min: 0,
    max: 1,
  },
  {
    name: 'mmap',
    label: 'Map the file into memory',
    hint: 'Off: the weights are copied.',
    choices: yesNo,
  },
  {
    name: 'mlock',
    label: 'Lock the weights in memory',
    hint: 'They are never swapped out.',
    choices: yesNo,
  },
  {
    name: 'reproducible',
    label: 'Same answer each time',
    hint: 'One request at a time, with a fixed number of threads.',
    choices: yesNo,
  },
  {
    name: 'prepare_seconds',
    label: 'Longest preparation (seconds)',
    hint: 'For what comes before an answer. Automatic: 5.',
    min: 0.1,
    max: 600,
  },
  {
    name: 'seed',
    label: 'Default seed',
    hint: 'For requests without a seed. Automatic: a new one each time.',
    min: 0,
    max: 4_294_967_295,
    whole: true,
  },
];

export const loadFields = [...mainFields, ...moreFields];

export const noTexts = Object.fromEntries(loadFields.map(({ name }) => [name, ''])) as LoadTexts;

// As they are shown. Members that are no load settings are left out.
export function textsOf(settings: LoadSettings): LoadTexts {
  const texts: Record<LoadField, string> = { ...noTexts };
  for (const { name } of loadFields) texts[name] = String(settings[name] ?? '');
  return texts;
}

// What the settings of a lower layer, or the engine, put in the place of an empty field.
export function emptyText(spec: LoadFieldSpec, below: LoadSettings): string {
  const value = below[spec.name];
  if (value === undefined) return 'automatic';
  const text = String(value);
  return spec.choices?.find(([v]) => v === text)?.[1] ?? text;
}

// With the model's longest context, if it names one.
function limitsOf(spec: LoadFieldSpec, maxContext: number): { min: number; max: number } {
  const max = spec.name === 'context_length' && maxContext ? maxContext : spec.max!;
  return { min: spec.min!, max };
}

type Value = number | string | boolean;

// undefined: empty; null: not valid.
function parse(spec: LoadFieldSpec, text: string, maxContext: number): Value | null | undefined {
  const trimmed = text.trim().replace(',', '.');
  if (trimmed === '') return undefined;
  if (spec.choices === yesNo) return trimmed === 'true';
  if (spec.choices) return trimmed;
  if (spec.text) return text.trim();
  const { min, max } = limitsOf(spec, maxContext);
  if (!(spec.whole ? /^-?\d+$/ : /^\d*\.?\d+$/).test(trimmed)) return null;
  const n = Number(trimmed);
  return n >= min && n <= max ? n : null;
}

// maxContext: the model's; 0: not known. One sentence for each field that is wrong.
export function loadErrors(
  texts: LoadTexts,
  maxContext: number,
): Partial<Record<LoadField, string>> {
  const errors: Partial<Record<LoadField, string>> = {};
  for (const spec of loadFields) {
    if (parse(spec, texts[spec.name], maxContext) !== null) continue;
    const { min, max } = limitsOf(spec, maxContext);
    const kind = spec.whole ? 'a whole number' : 'a number';
    errors[spec.name] = `Enter ${kind} from ${min} to ${count(max)}.`;
  }
  return errors;
}

// The settings that texts without errors ask for.
export function loadSettingsOf(texts: LoadTexts, maxContext = 0): LoadSettings {
  const settings: Partial<Record<LoadField, Value>> = {};
  for (const spec of loadFields) {
    const value = parse(spec, texts[spec.name], maxContext);
    if (value !== undefined && value !== null) settings[spec.name] = value;
  }
  return settings as LoadSettings;
}

// A JSON merge patch that turns `before` into `after`: what is gone is null.
export function mergePatch<T extends object>(
  before: T,
  after: T,
): { [K in keyof T]?: T[K] | null } {
  const gone = Object.keys(before).filter((name) => !(name in after));
  return { ...Object.fromEntries(gone.map((name) => [name, null])), ...after } as {
    [K in keyof T]?: T[K] | null;
  };
}
