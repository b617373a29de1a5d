/* SPDX-License-Identifier: MIT */
// Who left while this page was open, and why.
import { moment } from '../ui/format';
import { departures, now } from '../server/store';
import { isTrouble, reasonWords } from '../ui/wording';

const SHOWN = 5;

export function Departures() {
  const list = departures.value.slice(0, SHOWN);
  if (list.length === 0) return null;
  return (
    <section aria-labelledby="left">
      <h2 id="left">Left recently</h2>
      <ul class="departures" aria-live="polite">
        {list.map((t) => (
          <li key={t.seq} class={isTrouble(t.reason) ? 'bad' : ''}>
            <time>{moment(t.at, now.value)}</time> <strong>{t.id}</strong>: {reasonWords(t.reason)}.
            {t.error && <span class="why"> {t.error}</span>}
          </li>
        ))}
      </ul>
      <p>
        <a href="#timeline">All of the last 24 hours</a>
      </p>
    </section>
  );
}
