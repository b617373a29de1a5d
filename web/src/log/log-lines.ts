/* SPDX-License-Identifier: MIT */
// Lines of the log: which ones are shown, and as what text. Pure.

export type Level = 'error' | 'warn' | 'info' | 'debug';

export interface LogLine {
  at: number; // Unix ms
  source: 'server' | 'model';
  level: Level;
  type: 'line' | 'input' | 'output' | 'stats';
  model?: string;
  text?: string;
  stats?: Record<string, number | string>;
}

const severity: Record<Level, number> = { error: 0, warn: 1, info: 2, debug: 3 };

// A line of the server begins with the instance it is about: "qwen3: idle -> unloading (ttl)".
export function isAbout(line: LogLine, instance: string): boolean {
  return line.model === instance || (line.text ?? '').startsWith(`${instance}: `);
}

// instance: '' for all.
export function passes(line: LogLine, least: Level, instance: string): boolean {
  if (severity[line.level] > severity[least]) return false;
  return instance === '' || isAbout(line, instance);
}

export function formatLine(line: LogLine): string {
  const model = line.model ? `${line.model}: ` : '';
  if (line.type !== 'stats') return model + (line.text ?? '');
  const s = line.stats ?? {};
  return (
    `${model}${s.prompt_tokens} prompt tokens (${s.cached_tokens} cached), ` +
    `${s.completion_tokens} generated at ${s.tokens_per_second} tokens/s, ` +
    `first token after ${s.time_to_first_token} s, ${s.stop_reason}`
  );
}

// As in a log file.
export const formatForCopy = (line: LogLine): string =>
  `${new Date(line.at).toISOString()} ${line.level} ${formatLine(line)}`;

// Ids are "<start of the server>-<number>": one of another run of the server is always later.
export function isLater(id: string, last: string): boolean {
  const [run, number] = id.split('-');
  const [lastRun, lastNumber] = last.split('-');
  return run !== lastRun || Number(number) > Number(lastNumber);
}

export function keepLast<T>(list: T[], max: number): T[] {
  return list.length > max ? list.slice(list.length - max) : list;
}
