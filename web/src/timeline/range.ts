/* SPDX-License-Identifier: MIT */
// The part of the timeline that is shown. Times in Unix ms. Pure.
import { day, timeOfDay } from '../ui/format';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
const SHORTEST = 10_000;

export interface Range {
  from: number;
  until: number;
}

// Either the last part of the day, which moves along with the clock, or a fixed range.
export type Zoom = { last: number } | Range;

export const presets: { name: string; last: number }[] = [
  { name: '24 hours', last: DAY },
  { name: '6 hours', last: 6 * HOUR },
  { name: '1 hour', last: HOUR },
  { name: '10 minutes', last: HOUR / 6 },
];

export const isPreset = (zoom: Zoom, last: number): boolean => 'last' in zoom && zoom.last === last;

export const rangeOf = (zoom: Zoom, now: number): Range =>
  'last' in zoom ? { from: now - zoom.last, until: now } : zoom;

// "today 14:00 – 15:30", "yesterday 23:00 – today 01:00"
export function rangeText({ from, until }: Range, now: number): string {
  const [first, last] = [day(from, now), day(until, now)];
  const end = timeOfDay(until, false);
  return `${first} ${timeOfDay(from, false)} – ${first === last ? end : `${last} ${end}`}`;
}

export function rangeTitle(zoom: Zoom, now: number): string {
  const preset = presets.find((p) => isPreset(zoom, p.last));
  return preset ? `Last ${preset.name}` : rangeText(rangeOf(zoom, now), now);
}

// Earlier (by < 0) or later, by a share of the range.
export function moved({ from, until }: Range, by: number): Range {
  const step = (until - from) * by;
  return { from: from + step, until: until + step };
}

// Around the same middle: by 0.5 zooms in, by 2 zooms out.
export function scaled({ from, until }: Range, by: number): Range {
  const middle = (from + until) / 2;
  const half = Math.min(DAY, Math.max(SHORTEST, (until - from) * by)) / 2;
  return { from: middle - half, until: middle + half };
}
