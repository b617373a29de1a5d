/* SPDX-License-Identifier: MIT */
// Asks for the API key when the server wants one. It is kept in this page's memory only.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { apiKey, keyWanted } from '../server/api';
import { connection } from '../server/store';

export function KeyDialog() {
  const ref = useRef<HTMLDialogElement>(null);
  const text = useSignal('');
  const open = keyWanted.value && connection.value === 'locked';
  useEffect(() => {
    if (open && !ref.current!.open) ref.current!.showModal();
    if (!open && ref.current!.open) ref.current!.close();
  }, [open]);
  const enter = (e: Event) => {
    e.preventDefault();
    if (!text.value) return;
    keyWanted.value = false;
    apiKey.value = text.value;
    text.value = '';
  };
  return (
    <dialog ref={ref} aria-labelledby="key-title" onCancel={(e) => e.preventDefault()}>
      <form onSubmit={enter}>
        <h2 id="key-title">This server wants an API key</h2>
        <label for="key">API key</label>
        <input
          id="key"
          type="password"
          autoComplete="off"
          value={text.value}
          onInput={(e) => {
            text.value = e.currentTarget.value;
          }}
        />
        <p class="hint">
          It is remembered until this page is closed or reloaded.
          {apiKey.value && <strong> The last one was not right.</strong>}
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
