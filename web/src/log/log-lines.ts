/* SPDX-License-Identifier: MIT */
// Lines of the log: filter and text. Pure.

export type Level = 'error' | 'warn' | 'info' | 'debug';

export interface Line {
  at: number;
  source: 'server' | 'model';
  level: Level;
  type: 'line' | 'input' | 'output' | 'stats';
  model?: string;
  text?: string;
  stats?: Record<string, number | string>;
}

const rank: Record<Level, number> = { error: 0, warn: 1, info: 2, debug: 3 };

// Lines of the server name the instance at their beginning: "qwen3: idle -> unloading (ttl)".
export function isAbout(line: Line, instance: string): boolean {
  return line.model === instance || (line.text ?? '').startsWith(`${instance}: `);
}

export function passes(line: Line, least: Level, instance: string): boolean {
  if (rank[line.level] > rank[least]) return false;
  return instance === '' || isAbout(line, instance);
}

export function formatLine(line: Line): string {
  const who = line.model ? `${line.model}: ` : '';
  if (line.type !== 'stats') return who + (line.text ?? '');
  const s = line.stats ?? {};
  return (
    `${who}${s.prompt_tokens} prompt tokens (${s.cached_tokens} cached), ${s.completion_tokens} answered at ` +
    `${s.tokens_per_second} tokens/s, first after ${s.time_to_first_token} s, ${s.stop_reason}`
  );
}

export function keepLast<T>(list: T[], most: number): T[] {
  return list.length > most ? list.slice(list.length - most) : list;
}
