/* SPDX-License-Identifier: MIT */
// Figures as people read them. Pure.

export function bytes(n: number): string {
  if (n < 1024) return `${Math.round(n)} B`;
  const units = ['KB', 'MB', 'GB', 'TB'];
  let value = n / 1024;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value >= 99.5 ? value.toFixed(0) : value >= 9.95 ? value.toFixed(1) : value.toFixed(2)} ${units[unit]}`;
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

// What is left, for a clock that runs down: 4.2 -> "5 s", 601 -> "10:01".
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

export function timeOfDay(at: number, withSeconds = true): string {
  return new Date(at).toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(withSeconds ? { second: '2-digit' } : {}),
  });
}

// "today 14:03:07", "yesterday 23:10:00", "19 Nov 08:00:00"
export function moment(at: number, now: number, withSeconds = true): string {
  const day = (t: number) => new Date(t).toDateString();
  const time = timeOfDay(at, withSeconds);
  if (day(at) === day(now)) return `today ${time}`;
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (day(at) === yesterday.toDateString()) return `yesterday ${time}`;
  const date = new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return `${date} ${time}`;
}

// Minutes typed by a person, as seconds: "10", "0.5", "1,5". null: not a number, or negative.
export function minutesToSeconds(text: string): number | null {
  const trimmed = text.trim().replace(',', '.');
  if (!/^\d+(\.\d+)?$/.test(trimmed)) return null;
  return Math.round(Number(trimmed) * 60 * 1000) / 1000;
}

export function secondsToMinutes(seconds: number): string {
  return String(Math.round((seconds / 60) * 100) / 100);
}

const GIB = 1024 ** 3;
export const bytesToGigabytes = (n: number): string => String(Math.round((n / GIB) * 100) / 100);
export function gigabytesToBytes(text: string): number | null {
  const trimmed = text.trim().replace(',', '.');
  if (!/^\d+(\.\d+)?$/.test(trimmed)) return null;
  return Math.round(Number(trimmed) * GIB);
}
