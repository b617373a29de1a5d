/* SPDX-License-Identifier: MIT */
// Numbers, durations and times as text, and back. Pure.

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

// Powers of 1,000, three digits: 1536 -> "1.54 KB".
export function bytes(n: number): string {
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

// 65 -> "1 min 5 s"; at most two units.
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const parts: [number, string][] = [
    [Math.floor(s / 86400), 'd'],
    [Math.floor(s / 3600) % 24, 'h'],
    [Math.floor(s / 60) % 60, 'min'],
    [s % 60, 's'],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ');
}

// Time left, rounded up: 4.2 -> "5 s", 601 -> "10:01".
export function countdown(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  if (s < 60) return `${s} s`;
  const two = (n: number) => String(n).padStart(2, '0');
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  if (s < 86400) return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return span(s);
}

export function count(n: number): string {
  return Math.round(n).toLocaleString('en-US');
}

export function rate(perSecond: number): string {
  return perSecond >= 100 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

// As much of both ends as fits: "doze…hello".
export function shorten(text: string, fits: (text: string) => boolean): string {
  if (fits(text)) return text;
  for (let kept = text.length - 1; kept > 1; kept--) {
    const head = Math.ceil(kept / 2);
    const short = `${text.slice(0, head)}…${text.slice(text.length - (kept - head))}`;
    if (fits(short)) return short;
  }
  return '…';
}

export function timeOfDay(at: number, withSeconds = true): string {
  return new Date(at).toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(withSeconds ? { second: '2-digit' } : {}),
  });
}

// "today", "yesterday", "19 Nov"
export function day(at: number, now: number): string {
  const date = new Date(at).toDateString();
  if (date === new Date(now).toDateString()) return 'today';
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (date === yesterday.toDateString()) return 'yesterday';
  return new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
}

// "today 14:03:07"
export function moment(at: number, now: number, withSeconds = true): string {
  return `${day(at, now)} ${timeOfDay(at, withSeconds)}`;
}

// A decimal number with a point or a comma; null for anything else, and for negative numbers.
export function parseDecimal(text: string): number | null {
  const trimmed = text.trim().replace(',', '.');
  return /^\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : null;
}

// "10", "0.5" or "1,5" minutes, to the millisecond.
export function minutesToSeconds(text: string): number | null {
  const minutes = parseDecimal(text);
  return minutes === null ? null : Math.round(minutes * 60_000) / 1000;
}

export function secondsToMinutes(seconds: number): string {
  return String(Math.round((seconds / 60) * 100) / 100);
}

export function gigabytesToBytes(text: string): number | null {
  const gigabytes = parseDecimal(text);
  return gigabytes === null ? null : Math.round(gigabytes * 1e9);
}

export const bytesToGigabytes = (n: number): string => String(Math.round(n / 1e7) / 100);
