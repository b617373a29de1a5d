/* SPDX-License-Identifier: MIT */
// Says in any view that a download has ended.
import { effect } from '@preact/signals';
import type { Download } from '../server/api';
import { downloads } from '../server/store';
import { notify } from '../ui/notices';
import { titleOf } from './discover';

function say(d: Download): void {
  if (d.status === 'completed') notify(d.model, `${titleOf(d)} is downloaded.`);
  if (d.status === 'failed') notify(d.model, `${titleOf(d)}: ${d.error ?? 'failed.'}`, true);
}

export function announceDownloads(): void {
  let running = new Set<string | undefined>();
  effect(() => {
    for (const d of downloads.value) {
      if (d.status !== 'downloading' && running.has(d.job_id)) say(d);
    }
    running = new Set(
      downloads.value.filter((d) => d.status === 'downloading').map((d) => d.job_id),
    );
  });
}
