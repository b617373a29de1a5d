/* SPDX-License-Identifier: MIT */
// Filters and sorts the list of models, and names what they can do. Pure.
import type { Model } from '../server/api';

export type SortKey = 'name' | 'params' | 'quantization' | 'size' | 'context';

// "7B" -> 7e9, "135M" -> 1.35e8, "8x7B" -> 5.6e10; 0: not known
export function parameterCount(text: string | null): number {
  const found = /^(?:(\d+)x)?(\d+(?:\.\d+)?)([KMBT])$/i.exec(text ?? '');
  if (!found) return 0;
  const unit = { K: 1e3, M: 1e6, B: 1e9, T: 1e12 }[found[3]!.toUpperCase()]!;
  return Number(found[1] ?? 1) * Number(found[2]) * unit;
}

const sortValues: Record<SortKey, (m: Model) => string | number> = {
  name: (m) => m.key.toLowerCase(),
  params: (m) => parameterCount(m.params_string),
  quantization: (m) => m.quantization?.bits_per_weight ?? 0,
  size: (m) => m.size_bytes,
  context: (m) => m.max_context_length,
};

function matches(m: Model, words: string[]): boolean {
  const text = [
    m.key,
    m.publisher,
    m.display_name,
    m.architecture,
    m.quantization?.name,
    m.params_string,
    m.type,
    m.problem ? 'broken' : '',
  ]
    .join(' ')
    .toLowerCase();
  return words.every((w) => text.includes(w));
}

// The models that contain every word of the search.
export function selectModels(
  models: Model[],
  search: string,
  key: SortKey,
  descending: boolean,
): Model[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const value = sortValues[key];
  const sign = descending ? -1 : 1;
  return models
    .filter((m) => matches(m, words))
    .sort((a, b) => {
      const x = value(a);
      const y = value(b);
      if (x === y) return a.key < b.key ? -1 : 1;
      return x < y ? -sign : sign;
    });
}

export function capabilities(m: Model): string[] {
  const list = [m.type === 'embedding' ? 'embeddings' : 'chat'];
  if (m.capabilities?.trained_for_tool_use) list.push('tools');
  if (m.capabilities?.vision) list.push('vision');
  if (m.capabilities?.reasoning) list.push('reasoning');
  return list;
}
