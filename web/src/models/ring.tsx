/* SPDX-License-Identifier: MIT */
// A ring that runs down with the idle ttl.
import { deadlines, now } from '../server/store';
import { countdown, span } from '../ui/format';
import type { Instance } from '../server/api';

const R = 27;
const LENGTH = 2 * Math.PI * R;

interface Face {
  share: number; // of the ring, 0..1
  text: string;
  label: string;
}

function faceOf(i: Instance): Face {
  if (i.state === 'loading') {
    const percent = `${Math.round(i.load_progress * 100)}%`;
    return { share: i.load_progress, text: percent, label: `Loading, ${percent}` };
  }
  if (i.ttl === null)
    return { share: 1, text: 'stays', label: 'No ttl: stays until it is unloaded' };
  const end = deadlines.value.get(i.id);
  if (end === undefined) {
    return { share: 1, text: span(i.ttl), label: `Leaves after ${span(i.ttl)} without a request` };
  }
  const left = Math.max(0, (end - now.value) / 1000);
  return {
    share: i.ttl > 0 ? Math.min(1, left / i.ttl) : 0,
    text: countdown(left),
    label: 'Time left before it is unloaded',
  };
}

export function Ring({ instance }: { instance: Instance }) {
  const face = faceOf(instance);
  const kind = instance.state === 'loading' ? 'loading' : instance.ttl === null ? 'stays' : 'ttl';
  return (
    <div
      class={`ring ${kind}`}
      role="timer"
      aria-label={`${face.label}: ${face.text}`}
      title={face.label}
    >
      <svg viewBox="0 0 64 64" aria-hidden="true">
        <circle class="track" cx="32" cy="32" r={R} />
        <circle
          class="run"
          cx="32"
          cy="32"
          r={R}
          stroke-dasharray={`${LENGTH}`}
          stroke-dashoffset={`${LENGTH * (1 - face.share)}`}
        />
      </svg>
      <span aria-hidden="true">{face.text}</span>
    </div>
  );
}
