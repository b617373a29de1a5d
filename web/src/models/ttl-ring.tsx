/* SPDX-License-Identifier: MIT */
// A ring that shows how far a load is, or how much of the idle ttl is left.
import type { Instance } from '../server/api';
import { deadlines, now } from '../server/store';
import { countdown, span } from '../ui/format';

const RADIUS = 27;
const CIRCUMFERENCE = 2 * Math.PI * RADIUS;

interface RingState {
  kind: 'loading' | 'endless' | 'ttl'; // a class of style.css
  share: number; // of the ring, 0..1
  text: string;
  label: string;
}

function ringState(i: Instance): RingState {
  if (i.state === 'loading') {
    const text = `${Math.round(i.load_progress * 100)}%`;
    return { kind: 'loading', share: i.load_progress, text, label: 'Loading' };
  }
  if (i.ttl === null) {
    const label = 'Stays loaded until it is unloaded manually';
    return { kind: 'endless', share: 1, text: 'no ttl', label };
  }
  const deadline = deadlines.value.get(i.id);
  if (deadline === undefined) {
    const label = 'Unloads after this time without a request';
    return { kind: 'ttl', share: 1, text: span(i.ttl), label };
  }
  const left = Math.max(0, (deadline - now.value) / 1000);
  const share = i.ttl > 0 ? Math.min(1, left / i.ttl) : 0;
  return { kind: 'ttl', share, text: countdown(left), label: 'Time until it is unloaded' };
}

export function TtlRing({ instance }: { instance: Instance }) {
  const { kind, share, text, label } = ringState(instance);
  return (
    <div class={`ring ${kind}`} role="timer" aria-label={`${label}: ${text}`} title={label}>
      <svg viewBox="0 0 64 64" aria-hidden="true">
        <circle class="track" cx="32" cy="32" r={RADIUS} />
        <circle
          class="run"
          cx="32"
          cy="32"
          r={RADIUS}
          stroke-dasharray={`${CIRCUMFERENCE}`}
          stroke-dashoffset={`${CIRCUMFERENCE * (1 - share)}`}
        />
      </svg>
      <span aria-hidden="true">{text}</span>
    </div>
  );
}
