/* SPDX-License-Identifier: MIT */
// Asks for the API key when the server requires one. The key is kept in memory only.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { apiKey, keyRequired } from '../server/api';
import { connection } from '../server/store';

export function KeyDialog() {
  const ref = useRef<HTMLDialogElement>(null);
  const text = useSignal('');
  const open = keyRequired.value && connection.value === 'locked';
  useEffect(() => {
    if (open && !ref.current!.open) ref.current!.showModal();
    if (!open && ref.current!.open) ref.current!.close();
  }, [open]);
  const submit = (e: Event) => {
    e.preventDefault();
    if (!text.value) return;
    keyRequired.value = false;
    apiKey.value = text.value;
    text.value = '';
  };
  return (
    <dialog ref={ref} aria-labelledby="key-title" onCancel={(e) => e.preventDefault()}>
      <form onSubmit={submit}>
        <h2 id="key-title">This server requires an API key</h2>
        <div class="field">
          <label for="key">API key</label>
          <input
            id="key"
            type="password"
            autoComplete="off"
            value={text.value}
            aria-describedby="key-hint key-error"
            onInput={(e) => {
              text.value = e.currentTarget.value;
            }}
          />
        </div>
        <p class="wrong" id="key-error" aria-live="polite">
          {open && apiKey.value ? 'Incorrect key.' : ''}
        </p>
        <p class="hint" id="key-hint">
          The key is kept until you close or reload this page.
        </p>
        <div class="row end">
          <button type="submit" class="main">
            Continue
          </button>
        </div>
      </form>
    </dialog>
  );
}
