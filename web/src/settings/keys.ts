/* SPDX-License-Identifier: MIT */
// API keys as the page says them. Pure.
import type { StoredKey, KeyWish, Permission } from '../server/api';
import { moment } from '../ui/format';

export const permissions: { name: Permission; label: string; hint: string }[] = [
  { name: 'inference', label: 'Answers', hint: 'of models, which load them' },
  { name: 'models', label: 'Models', hint: 'load, unload, download, delete' },
  { name: 'settings', label: 'Settings', hint: 'read and change them, but for keys' },
  { name: 'events', label: 'Events', hint: 'history and log, with prompts of everybody' },
  { name: 'admin', label: 'Everything', hint: 'keys, too' },
];

const DAY = 86400;

// Seconds; 0: never.
export const lifetimes: [number, string][] = [
  [0, 'Never'],
  [DAY, 'In a day'],
  [7 * DAY, 'In a week'],
  [30 * DAY, 'In 30 days'],
  [365 * DAY, 'In a year'],
];

// What is typed into the form.
export interface Draft {
  name: string;
  permissions: Permission[];
  models: string[]; // none: all of them
  lifetime: number;
}

// first: no key can manage the server yet, so this one must.
export const emptyDraft = (first: boolean): Draft => ({
  name: '',
  permissions: [first ? 'admin' : 'inference'],
  models: [],
  lifetime: 0,
});

// Why the draft cannot be sent; '': it can.
export function mistake({ name, permissions: chosen }: Draft): string {
  if (!name.trim()) return 'Enter a name, such as the program that will use the key.';
  return chosen.length === 0 ? 'Choose what the key may do.' : '';
}

export const wishOf = ({ name, permissions: chosen, models, lifetime }: Draft): KeyWish => ({
  name: name.trim(),
  permissions: chosen,
  ...(models.length > 0 ? { models } : {}),
  ...(lifetime > 0 ? { expires_in: lifetime } : {}),
});

export const toggled = <T>(list: T[], item: T, on: boolean): T[] =>
  on ? [...list.filter((other) => other !== item), item] : list.filter((other) => other !== item);

export function permissionText({ permissions: held }: StoredKey): string {
  if (held.includes('admin')) return 'Everything';
  return permissions
    .filter(({ name }) => held.includes(name))
    .map(({ label }) => label)
    .join(', ');
}

// "27 Nov 2027"
const date = (at: number): string =>
  new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

export const isExpired = ({ expires_at }: StoredKey, now: number): boolean =>
  expires_at !== null && Date.parse(expires_at) <= now;

export function expiryText(key: StoredKey, now: number): string {
  if (key.expires_at === null) return 'never';
  const at = Date.parse(key.expires_at);
  const text = Math.abs(at - now) < DAY * 1000 ? moment(at, now, false) : date(at);
  return isExpired(key, now) ? `expired ${text}` : text;
}

export const usedText = ({ last_used_at }: StoredKey, now: number): string =>
  last_used_at === null ? 'never' : moment(Date.parse(last_used_at), now, false);

// Can it create other keys, for ever? One such key has to stay as long as there are others.
export const isMaster = ({ permissions: held, expires_at }: StoredKey): boolean =>
  held.includes('admin') && expires_at === null;
