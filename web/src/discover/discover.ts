/* SPDX-License-Identifier: MIT */
// What is found on the hub, what is typed to find it, and downloads in words. Pure.
import type { Download, FoundModel, Model } from '../server/api';
import { bytes, span } from '../ui/format';

export interface Offer {
  name: string; // that a download asks for
  repo: string;
  downloads: number | null; // null: unknown
  likes: number | null;
  quantizations: string[]; // to choose from
  quantization: string; // chosen; empty: the server chooses
  size: number | null;
  fits: boolean | null; // into the machine's memory
}

export const offerOfFound = (f: FoundModel): Offer => ({
  name: f.model,
  repo: f.model,
  downloads: f.downloads,
  likes: f.likes,
  quantizations: f.quantizations.split(/,\s*/).filter(Boolean),
  quantization: f.quantization,
  size: f.size_bytes ?? null,
  fits: f.fits ?? null,
});

// A name that was typed in full: what it stands for.
export const offerOfPlan = (name: string, plan: Download): Offer => ({
  name,
  repo: plan.model,
  downloads: null,
  likes: null,
  quantizations: plan.quantization ? [plan.quantization] : [],
  quantization: plan.quantization,
  size: plan.total_size_bytes,
  fits: plan.fits ?? null,
});

// Another quantization was chosen; its size is not known yet.
export const withQuantization = (o: Offer, quantization: string): Offer => ({
  ...o,
  name: `${o.repo}@${quantization}`,
  quantization,
  size: null,
  fits: null,
});

// The text if it names a repository, or a file in one, in full; else it is words to search for.
export function fullName(text: string): string | null {
  const trimmed = text.trim();
  if (/^https?:\/\/\S+$/.test(trimmed)) return trimmed;
  return /^[\w.-]+\/[\w.-]+([/@:]\S+)?$/.test(trimmed) ? trimmed : null;
}

export const isOnDisk = (repo: string, models: Model[]): boolean =>
  models.some((m) => m.path?.includes(`/${repo}/`));

// The model that a completed download brought; undefined: it is not listed, or was deleted.
export const modelOf = (d: Download, models: Model[]): Model | undefined =>
  models.find((m) => !m.problem && m.path?.startsWith(d.path));

export const titleOf = (d: Download): string =>
  d.quantization ? `${d.model} ${d.quantization}` : d.model;

function runningText(d: Download, now: number): string {
  const left = d.estimated_completion && (Date.parse(d.estimated_completion) - now) / 1000;
  return [
    `${bytes(d.downloaded_bytes)} of ${bytes(d.total_size_bytes)}`,
    d.bytes_per_second > 0 && `${bytes(d.bytes_per_second)}/s`,
    typeof left === 'number' && left > 0 && `${span(left)} left`,
  ]
    .filter(Boolean)
    .join(' · ');
}

// now: Unix ms.
export function stateText(d: Download, now: number): string {
  const done = `${bytes(d.downloaded_bytes)} of ${bytes(d.total_size_bytes)}`;
  if (d.status === 'downloading') return runningText(d, now);
  if (d.status === 'paused') return `Paused · ${done}`;
  if (d.status === 'failed') return `Failed · ${done}`;
  return `Downloaded · ${bytes(d.total_size_bytes)}`;
}

export const isUnfinished = (d: Download): boolean =>
  ['downloading', 'paused', 'failed'].includes(d.status);
