/* SPDX-License-Identifier: MIT */
// Sends a change of one setting and says, beside it, what became of it.
import { signal } from '@preact/signals';
import { errorMessage, patchSettings, type Settings, type SettingsChange } from '../server/api';
import { settings } from '../server/store';

type Name = keyof Settings;

export const saved = signal<Name | null>(null); // the setting that was saved last
let saves = 0; // how many were begun: only the newest says "Saved."
export const errors = signal<Partial<Record<Name, string>>>({});

export function refuse(name: Name, why: string): void {
  errors.value = { ...errors.peek(), [name]: why };
}

// The field's text is valid again, or what it was.
export function accept(name: Name): void {
  const { [name]: _, ...others } = errors.peek();
  errors.value = others;
}

export async function save(change: SettingsChange): Promise<boolean> {
  const name = Object.keys(change)[0] as Name;
  const mine = ++saves;
  saved.value = null;
  try {
    const all = await patchSettings(change);
    accept(name);
    if (mine === saves) {
      settings.value = all;
      saved.value = name;
    }
    return true;
  } catch (e) {
    refuse(name, errorMessage(e));
    return false;
  }
}

export function SaveStatus({ name }: { name: Name }) {
  const error = errors.value[name];
  return (
    <p class="save-status" role="status" id={`${name}-status`}>
      {error && <span class="wrong">{error}</span>}
      {!error && saved.value === name && <span class="good">Saved.</span>}
    </p>
  );
}
