/* SPDX-License-Identifier: MIT */
// Moves `now` four times a second, but only while something on the page runs down.
import { effect } from '@preact/signals';
import { deadlines, now } from '../server/store';

export function startClock(): void {
  let timer: ReturnType<typeof setInterval> | undefined;
  effect(() => {
    const needed = deadlines.value.size > 0;
    if (needed === (timer !== undefined)) return;
    clearInterval(timer);
    timer = needed
      ? setInterval(() => {
          now.value = Date.now();
        }, 250)
      : undefined;
  });
}
