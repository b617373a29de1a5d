/* SPDX-License-Identifier: MIT */
// The sampling options and the ttl of a conversation: as typed, checked, and as sent. Pure.
import { count } from '../ui/format';

export type OptionName =
  | 'temperature'
  | 'top_p'
  | 'top_k'
  | 'min_p'
  | 'repeat_penalty'
  | 'max_tokens'
  | 'seed'
  | 'ttl';

export type Options = Readonly<Record<OptionName, string>>; // empty: the server's default

export interface OptionSpec {
  name: OptionName;
  label: string;
  min: number;
  max: number;
  whole?: boolean;
}

export const optionSpecs: OptionSpec[] = [
  { name: 'temperature', label: 'Temperature', min: 0, max: 5 },
  { name: 'top_p', label: 'Top P', min: 0, max: 1 },
  { name: 'top_k', label: 'Top K', min: 0, max: 1_000_000, whole: true },
  { name: 'min_p', label: 'Min P', min: 0, max: 1 },
  { name: 'repeat_penalty', label: 'Repeat penalty', min: 0.01, max: 10 },
  { name: 'max_tokens', label: 'Maximum tokens', min: 1, max: 10_000_000, whole: true },
  { name: 'seed', label: 'Seed', min: 0, max: 4_294_967_295, whole: true },
  { name: 'ttl', label: 'ttl (idle minutes)', min: 0, max: 5_256_000 },
];

export const noOptions: Options = Object.fromEntries(
  optionSpecs.map(({ name }) => [name, '']),
) as Options;

// undefined: empty; null: not valid.
function parseOption(spec: OptionSpec, text: string): number | null | undefined {
  const trimmed = text.trim().replace(',', '.');
  if (trimmed === '') return undefined;
  if (!(spec.whole ? /^\d+$/ : /^\d*\.?\d+$/).test(trimmed)) return null;
  const n = Number(trimmed);
  return n >= spec.min && n <= spec.max ? n : null;
}

// What to enter instead; empty: the text is valid.
export function optionError(spec: OptionSpec, text: string): string {
  if (parseOption(spec, text) !== null) return '';
  const kind = spec.whole ? 'a whole number' : 'a number';
  return `Enter ${kind} from ${spec.min} to ${count(spec.max)}.`;
}

export const optionsAreValid = (options: Options): boolean =>
  optionSpecs.every((spec) => optionError(spec, options[spec.name]) === '');

// The fields of a request; the ttl in seconds.
export function optionsToSend(options: Options): Partial<Record<OptionName, number>> {
  const sent: Partial<Record<OptionName, number>> = {};
  for (const spec of optionSpecs) {
    const n = parseOption(spec, options[spec.name]);
    if (typeof n === 'number') sent[spec.name] = n;
  }
  if (sent.ttl !== undefined) sent.ttl = Math.round(sent.ttl * 60_000) / 1000;
  return sent;
}
