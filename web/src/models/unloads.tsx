/* SPDX-License-Identifier: MIT */
// The instances that were unloaded last, and why.
import { now, unloads } from '../server/store';
import { moment } from '../ui/format';
import { isFailure, reasonText } from '../ui/wording';

const SHOWN = 5;

export function RecentUnloads() {
  const list = unloads.value.slice(0, SHOWN);
  if (list.length === 0) return null;
  return (
    <section aria-labelledby="unloads-title">
      <h2 id="unloads-title">Recently unloaded</h2>
      <ul class="unloads" aria-live="polite">
        {list.map((t) => (
          <li key={`${t.at} ${t.id}`} class={isFailure(t.reason) ? 'bad' : ''}>
            <time>{moment(t.at, now.value)}</time> <strong>{t.id}</strong>: {reasonText(t.reason)}.
            {t.error && <span class="why"> {t.error}</span>}
          </li>
        ))}
      </ul>
      <p>
        <a href="#timeline">All events of the last 24 hours</a>
      </p>
    </section>
  );
}
