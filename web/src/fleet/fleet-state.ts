/* SPDX-License-Identifier: MIT */
// The list of nodes, fetched when the view is open and the server says that it has changed.
import { effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { errorMessage, getFleet, type Fleet } from '../server/api';
import { fleetState } from '../server/store';

export const fleet = signal<Fleet | null>(null); // null: not received yet
export const failure = signal('');
export const filter = signal('');
export const asked = signal(''); // a model: where would a request for it go?

let fetching = false;
let changed = false; // since it was fetched

async function refresh(): Promise<void> {
  changed = true;
  if (fetching) return;
  fetching = true;
  try {
    while (changed) {
      changed = false;
      fleet.value = await getFleet(asked.peek());
      failure.value = '';
    }
  } catch (e) {
    failure.value = errorMessage(e);
  }
  fetching = false;
}

export function useFleet(): void {
  useEffect(
    () =>
      effect(() => {
        if (fleetState.value !== null && asked.value !== null) void refresh();
      }),
    [],
  );
}
