/* SPDX-License-Identifier: MIT */
// Which settings are numbers, and how they are shown and typed. Pure.
import {
  bytesToGigabytes,
  count,
  gigabytesToBytes,
  minutesToSeconds,
  parseDecimal,
  secondsToMinutes,
} from '../ui/format';

type OptionalName = 'default_ttl' | 'explicit_ttl' | 'max_ttl' | 'memory_limit';
type PlainName =
  | 'jit_limit'
  | 'prompt_store_bytes'
  | 'switch_window_ms'
  | 'max_waiting'
  | 'load_stall_seconds'
  | 'hang_seconds'
  | 'body_limit'
  | 'download_connections'
  | 'ollama_port';

export interface NumberSpec {
  name: OptionalName | PlainName;
  unit: string; // the field's label
  parse: (text: string) => number | null; // null: not valid
  format: (value: number) => string;
  error: string; // what to enter instead
}

export interface OptionalNumber extends NumberSpec {
  name: OptionalName;
  label: string;
  initial: number; // when it is switched on
  hint: string;
  hintOff: string;
}

const minutes = {
  parse: minutesToSeconds,
  format: secondsToMinutes,
  error: 'Enter minutes, such as 60 or 0.5.',
};

const gigabytes = {
  parse: (text: string) => gigabytesToBytes(text) || null,
  format: bytesToGigabytes,
  error: 'Enter gigabytes above 0, such as 8 or 1.5.',
};

export const defaultTtl: OptionalNumber = {
  name: 'default_ttl',
  label: 'Auto unload unused JIT models',
  unit: 'Default idle TTL (minutes)',
  ...minutes,
  initial: 3600,
  hint: 'How long a model that a request loaded may be idle. A ttl in the request overrides it.',
  hintOff: 'Models that a request loaded stay until they are evicted or you unload them.',
};

export const explicitTtl: OptionalNumber = {
  name: 'explicit_ttl',
  label: 'Auto unload models that you loaded yourself',
  unit: 'Idle time (minutes)',
  ...minutes,
  initial: 3600,
  hint: 'For loads without a ttl of their own, such as those of doze load.',
  hintOff: 'Models that you loaded yourself without a ttl stay until you unload them.',
};

export const memoryLimit: OptionalNumber = {
  name: 'memory_limit',
  label: 'Limit the memory of all models',
  unit: 'Limit (GB)',
  ...gigabytes,
  initial: 8e9,
  hint: 'A load that does not fit evicts idle models if Auto-Evict allows it; otherwise it fails.',
  hintOff: 'Models may use all memory that is available.',
};

export const maxTtl: OptionalNumber = {
  name: 'max_ttl',
  label: 'Limit the ttl of requests',
  unit: 'Longest ttl (minutes)',
  ...minutes,
  initial: 86400,
  hint: 'A request that asks for a longer idle time gets this one.',
  hintOff: 'A request may ask for any idle time.',
};

// Shown and typed in steps of `factor`.
function scaled(min: number, max: number, factor = 1): Omit<NumberSpec, 'name' | 'unit'> {
  return {
    parse: (text) => {
      const n = parseDecimal(text);
      if (n === null || n < min || n > max) return null;
      return factor === 1 ? n : Math.round(n * factor);
    },
    format: (value) => String(Math.round((value / factor) * 100) / 100),
    error: `Enter a number from ${count(min)} to ${count(max)}.`,
  };
}

function whole(min: number, max: number): Omit<NumberSpec, 'name' | 'unit'> {
  return {
    parse: (text) => {
      const n = /^\s*\d+\s*$/.test(text) ? Number(text) : min - 1;
      return n >= min && n <= max ? n : null;
    },
    format: String,
    error: `Enter a whole number from ${count(min)} to ${count(max)}.`,
  };
}

export const jitLimit: NumberSpec = { name: 'jit_limit', unit: 'Models to keep', ...whole(1, 64) };

export const otherNumbers: (NumberSpec & { hint: string })[] = [
  {
    name: 'switch_window_ms',
    unit: 'Time to finish before a switch (seconds)',
    ...scaled(0, 600, 1000),
    hint: 'How long a busy model still takes new requests while another one waits for its place.',
  },
  {
    name: 'max_waiting',
    unit: 'Requests that may wait for one model',
    ...whole(1, 2048),
    hint: 'One more is refused with status 429.',
  },
  {
    name: 'load_stall_seconds',
    unit: 'A load fails without progress for (seconds)',
    ...scaled(1, 86400),
    hint: 'Raise it for very slow disks.',
  },
  {
    name: 'hang_seconds',
    unit: 'A worker is ended without an answer for (seconds)',
    ...scaled(1, 86400),
    hint: 'Its requests fail; the next request loads the model again.',
  },
  {
    name: 'body_limit',
    unit: 'Largest request (MB)',
    ...scaled(1.05, 67.1, 1e6),
    hint: 'Files of SDK clients are sent inside it. The most is 67.1 MB.',
  },
  {
    name: 'download_connections',
    unit: 'Connections for a large download',
    ...whole(1, 8),
    hint: 'For files of more than 256 MB, if the host can send parts of them.',
  },
  {
    name: 'ollama_port',
    unit: 'Also listen on this port for Ollama’s clients',
    ...whole(0, 65535),
    hint: 'They look at 11434. 0: off.',
  },
];

export const promptBytes: NumberSpec = {
  name: 'prompt_store_bytes',
  unit: 'Disk space (GB)',
  ...gigabytes,
};
