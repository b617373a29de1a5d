/* SPDX-License-Identifier: MIT */
// The load settings as typed: what each means, checked, and as sent. Pure. docs/settings.md has
// the same table.
import type { Adapter, LoadSettings } from '../server/api';
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
  models?: boolean; // that text is the name of a model
  shares?: boolean; // instead of a number: several
  adapters?: boolean; // instead of a number: lines of a path, a tab and a scale, or noAdapters
}

const yesNo = [
  ['true', 'On'],
  ['false', 'Off'],
] as const satisfies LoadFieldSpec['choices'];

const kvTypes = ['f32', 'bf16', 'f16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0', 'iq4_nl'].map(
  (name): [string, string] => [name, name],
);

const MAX_CONTEXT = 16_777_216; // for a model that does not say

// Where there is a graphics card this is always on the screen, else on request.
export const gpuField: LoadFieldSpec = {
  name: 'gpu',
  label: 'Share on the graphics card',
  hint: 'Of the model’s layers. What does not fit stays on the CPU.',
  choices: [
    ['max', 'All that fits'],
    ['0.75', 'Three quarters'],
    ['0.5', 'Half'],
    ['0.25', 'A quarter'],
    ['off', 'Nothing'],
  ],
};

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
    hint: 'Instead of a share. -1: all. No effect without a GPU.',
    min: -1,
    max: 65536,
    whole: true,
  },
  {
    name: 'num_cpu_experts',
    label: 'Layers whose experts stay on the CPU',
    hint: 'For mixture-of-experts models: leaves room on the GPU.',
    min: 0,
    max: 65536,
    whole: true,
  },
  {
    name: 'main_gpu',
    label: 'The only GPU to use',
    hint: 'Counted from 0. Automatic: all.',
    min: 0,
    max: 15,
    whole: true,
  },
  {
    name: 'tensor_split',
    label: 'Share of each GPU',
    hint: 'In proportion, one number for each: 3, 1. Automatic: by their free memory.',
    shares: true,
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
    models: true,
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

export const adaptersField: LoadFieldSpec = {
  name: 'adapters',
  label: 'LoRA adapters',
  hint:
    'GGUF files on the server: absolute paths, or names in the folder of the model. The scale ' +
    'says how much of one: 1 is what it was trained for.',
  adapters: true,
};

export const loadFields = [...mainFields, gpuField, ...moreFields, adaptersField];

export const MAX_ADAPTERS = 8;
const MAX_SCALE = 100;

// The text that says so, which no rows have.
export const noAdapters = 'none';

export interface AdapterRow {
  path: string;
  scale: string; // empty: 1
}

export const rowsOf = (text: string): AdapterRow[] =>
  text === '' || text === noAdapters
    ? []
    : text.split('\n').map((line) => {
        const [path = '', scale = ''] = line.split('\t');
        return { path, scale };
      });

export const textOfRows = (rows: readonly AdapterRow[]): string =>
  rows.map(({ path, scale }) => `${path}\t${scale}`).join('\n');

const textOfAdapters = (adapters: readonly Adapter[]): string =>
  adapters.length === 0
    ? noAdapters
    : textOfRows(
        adapters.map(({ path, scale }) => ({ path, scale: scale === 1 ? '' : String(scale) })),
      );

// As the load settings of a lower layer are shown: "a.gguf, b.gguf (0.5)".
export const namesOfAdapters = (adapters: readonly Adapter[]): string =>
  adapters.map(({ path, scale }) => (scale === 1 ? path : `${path} (${scale})`)).join(', ');

// undefined: nothing is said; null: one of them is not valid.
function parseAdapters(text: string): Adapter[] | null | undefined {
  if (text === noAdapters) return [];
  const rows = rowsOf(text).filter((row) => row.path.trim() || row.scale.trim());
  if (rows.length === 0) return undefined;
  const adapters = rows.map(({ path, scale }) => ({
    path: path.trim(),
    scale: scale.trim() === '' ? 1 : Number(scale.trim().replace(',', '.')),
  }));
  return adapters.every((a) => a.path !== '' && Math.abs(a.scale) <= MAX_SCALE) ? adapters : null;
}

const MAX_SHARES = 16;
const MAX_SHARE = 1_000_000;

// The same: numbers of which one at least is not 0.
function parseShares(text: string): number[] | null | undefined {
  const words = text.split(/[\s,;]+/).filter((word) => word !== '');
  if (words.length === 0) return undefined;
  const shares = words.map((word) => (/^\d*\.?\d+$/.test(word) ? Number(word) : NaN));
  const valid = shares.every((n) => n <= MAX_SHARE) && shares.some((n) => n > 0);
  return valid && shares.length <= MAX_SHARES ? shares : null;
}

export const noTexts = Object.fromEntries(loadFields.map(({ name }) => [name, ''])) as LoadTexts;

const textOfShares = (shares: readonly number[] = []): string => shares.join(', ');

// As they are shown. Members that are not load settings are left out.
export function textsOf(settings: LoadSettings): LoadTexts {
  const texts: Record<LoadField, string> = { ...noTexts };
  for (const { name } of loadFields) texts[name] = String(settings[name] ?? '');
  texts.tensor_split = textOfShares(settings.tensor_split);
  texts.adapters = settings.adapters ? textOfAdapters(settings.adapters) : '';
  return texts;
}

// What the settings of a lower layer, or the engine, put in the place of an empty field.
export function emptyText(spec: LoadFieldSpec, below: LoadSettings): string {
  const value = below[spec.name];
  if (spec.adapters) return namesOfAdapters(below.adapters ?? []);
  if (value === undefined) return 'automatic';
  if (spec.shares) return textOfShares(below.tensor_split);
  const text = String(value);
  return spec.choices?.find(([v]) => v === text)?.[1] ?? text;
}

// With the model's longest context, if it names one.
function limitsOf(spec: LoadFieldSpec, maxContext: number): { min: number; max: number } {
  const max = spec.name === 'context_length' && maxContext ? maxContext : spec.max!;
  return { min: spec.min!, max };
}

type Value = number | string | boolean | number[] | Adapter[];

// undefined: empty; null: not valid.
function parse(spec: LoadFieldSpec, text: string, maxContext: number): Value | null | undefined {
  if (spec.adapters) return parseAdapters(text);
  if (spec.shares) return parseShares(text);
  const trimmed = text.trim().replace(',', '.');
  if (trimmed === '') return undefined;
  if (spec.choices === yesNo) return trimmed === 'true';
  if (spec === gpuField && /^[\d.]+$/.test(trimmed)) return Number(trimmed);
  if (spec.choices) return trimmed;
  if (spec.text) return text.trim();
  const { min, max } = limitsOf(spec, maxContext);
  if (!(spec.whole ? /^-?\d+$/ : /^\d*\.?\d+$/).test(trimmed)) return null;
  const n = Number(trimmed);
  return n >= min && n <= max ? n : null;
}

function errorOf(spec: LoadFieldSpec, maxContext: number): string {
  if (spec.adapters) return 'Enter a file for each adapter, and a scale from -100 to 100.';
  if (spec.shares) return `Enter up to ${MAX_SHARES} numbers, such as 3, 1.`;
  const { min, max } = limitsOf(spec, maxContext);
  const kind = spec.whole ? 'a whole number' : 'a number';
  return `Enter ${kind} from ${min} to ${count(max)}.`;
}

// maxContext: the model's; 0: not known. One sentence for each field that is wrong.
export function loadErrors(
  texts: LoadTexts,
  maxContext: number,
): Partial<Record<LoadField, string>> {
  const wrong = loadFields.filter((f) => parse(f, texts[f.name], maxContext) === null);
  return Object.fromEntries(wrong.map((f) => [f.name, errorOf(f, maxContext)]));
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

// A JSON merge patch that turns `before` into `after`: what is gone is null. Settings that the page
// does not show stay as they are.
const shown = new Set<string>(['ttl', ...loadFields.map(({ name }) => name)]);
export function mergePatch<T extends object>(
  before: T,
  after: T,
): { [K in keyof T]?: T[K] | null } {
  const gone = Object.keys(before).filter((name) => shown.has(name) && !(name in after));
  return { ...Object.fromEntries(gone.map((name) => [name, null])), ...after } as {
    [K in keyof T]?: T[K] | null;
  };
}
