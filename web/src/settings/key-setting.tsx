/* SPDX-License-Identifier: MIT */
// The API key that requests need: set, changed, removed. This page goes on with the new one.
import { useSignal } from '@preact/signals';
import { apiKey } from '../server/api';
import { connection, settings } from '../server/store';
import { CopyButton } from '../ui/copy';
import { errors, refuse, save, SaveStatus } from './save';

const KEY_BYTES = 24;
const MAX_LENGTH = 127;

function randomKey(): string {
  const random = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const hex = [...random].map((n) => n.toString(16).padStart(2, '0')).join('');
  return `sk-doze-${hex}`;
}

export function KeySetting() {
  const text = useSignal('');
  const isSet = settings.value!.api_key !== null;
  const off = connection.value !== 'live';
  const set = async (e: Event) => {
    e.preventDefault();
    const key = text.peek();
    if (!/^[\x21-\x7e]+$/.test(key) || key.length > MAX_LENGTH) {
      refuse('api_key', `Enter at most ${MAX_LENGTH} letters, digits and signs without spaces.`);
    } else if (await save({ api_key: key })) {
      apiKey.value = key;
    }
  };
  const remove = async () => {
    if (!confirm('Remove the API key? Every program on this network address can then use doze.')) {
      return;
    }
    if (await save({ api_key: null })) {
      apiKey.value = '';
      text.value = '';
    }
  };
  return (
    <form class="setting" noValidate onSubmit={(e) => void set(e)}>
      <label for="api_key">
        <strong>API key</strong>
      </label>
      <div class="row">
        <input
          id="api_key"
          class="grow"
          autoComplete="off"
          spellcheck={false}
          value={text.value}
          placeholder={isSet ? 'A key is set. Enter another one to replace it.' : 'No key is set.'}
          disabled={off}
          aria-invalid={'api_key' in errors.value}
          aria-describedby="api_key-hint api_key-status"
          onInput={(e) => {
            text.value = e.currentTarget.value;
          }}
        />
        {text.value && <CopyButton text={text.value} label="Copy the API key" />}
      </div>
      <div class="row">
        <button
          type="button"
          disabled={off}
          onClick={() => {
            text.value = randomKey();
          }}
        >
          Make a random key
        </button>
        <button type="submit" disabled={off || text.value === ''}>
          {isSet ? 'Replace' : 'Set'}
        </button>
        {isSet && (
          <button type="button" disabled={off} onClick={() => void remove()}>
            Remove…
          </button>
        )}
      </div>
      <p class="hint" id="api_key-hint">
        With a key, every request needs the header <code>Authorization: Bearer</code> and the key.
        Copy it before you leave: doze does not show it again.
      </p>
      <SaveStatus name="api_key" />
    </form>
  );
}
