/* SPDX-License-Identifier: MIT */
// Updates `now` four times a second, but only while the page shows a countdown.
import { effect } from '@preact/signals';
import { deadlines, now } from '../server/store';

const EVERY_MS = 250;

export function startClock(): void {
  let timer: ReturnType<typeof setInterval> | undefined;
  effect(() => {
    const needed = deadlines.value.size > 0;
    if (needed === (timer !== undefined)) return;
    clearInterval(timer);
    timer = needed
      ? setInterval(() => {
          now.value = Date.now();
        }, EVERY_MS)
      : undefined;
  });
}
