/* SPDX-License-Identifier: MIT */
// The search, what it found, and what of that is being asked for.
import { signal } from '@preact/signals';
import {
  beginDownload,
  errorMessage,
  planDownload,
  searchModels,
  type Download,
} from '../server/api';
import { downloads } from '../server/store';
import { notify } from '../ui/notices';
import {
  fullName,
  offerOfFound,
  offerOfPlan,
  titleOf,
  withQuantization,
  type Offer,
} from './discover';

export const query = signal('');
export const searched = signal<string | null>(null); // what the offers answer; null: nothing yet
export const offers = signal<Offer[]>([]);
export const searching = signal(false);
export const failure = signal('');
export const problems = signal<Readonly<Record<string, string>>>({}); // by repository

let abort = new AbortController();

async function find(text: string, stop: AbortSignal): Promise<Offer[]> {
  const name = fullName(text);
  if (name) return [offerOfPlan(name, await planDownload(name, stop))];
  return (await searchModels(text.trim(), stop)).map(offerOfFound);
}

// A search ends the one before.
export async function search(): Promise<void> {
  abort.abort();
  abort = new AbortController();
  const own = abort.signal;
  const text = query.peek();
  searching.value = true;
  failure.value = '';
  problems.value = {};
  try {
    const found = await find(text, own);
    if (own.aborted) return;
    offers.value = found;
    searched.value = text.trim();
  } catch (e) {
    if (own.aborted) return;
    offers.value = [];
    searched.value = null;
    failure.value = errorMessage(e);
  }
  searching.value = false;
}

function setProblem(repo: string, text: string): void {
  problems.value = { ...problems.peek(), [repo]: text };
}

function change(repo: string, changed: (o: Offer) => Offer): void {
  offers.value = offers.peek().map((o) => (o.repo === repo ? changed(o) : o));
}

export async function choose(offer: Offer, quantization: string): Promise<void> {
  const { repo } = offer;
  const chosen = withQuantization(offer, quantization);
  setProblem(repo, '');
  change(repo, () => chosen);
  try {
    const plan = await planDownload(chosen.name);
    // Another one may have been chosen meanwhile.
    change(repo, (o) =>
      o.quantization === quantization
        ? { ...o, size: plan.total_size_bytes, fits: plan.fits ?? null }
        : o,
    );
  } catch (e) {
    setProblem(repo, errorMessage(e));
  }
}

function remember(begun: Download): void {
  const others = downloads.peek().filter((d) => d.job_id !== begun.job_id);
  downloads.value = [begun, ...others];
}

export async function get(offer: Offer): Promise<void> {
  setProblem(offer.repo, '');
  try {
    const begun = await beginDownload(offer.name);
    if (begun.job_id) remember(begun);
    else notify(offer.repo, `${titleOf(begun)} is on disk already.`);
  } catch (e) {
    setProblem(offer.repo, errorMessage(e));
  }
}
