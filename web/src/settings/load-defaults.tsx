/* SPDX-License-Identifier: MIT */
// How all models are loaded, unless a model or a load says otherwise.
import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import {
  loadErrors,
  loadSettingsOf,
  mergePatch,
  textsOf,
  type LoadTexts,
} from '../load/load-fields';
import { focusField, LoadFields } from '../load/load-fields-view';
import { connection, settings } from '../server/store';
import { save, SaveStatus } from './save';

export function LoadDefaults() {
  const current = settings.value!.load;
  const texts = useSignal<LoadTexts>(textsOf(current));
  const known = JSON.stringify(current);
  useEffect(() => {
    texts.value = textsOf(current);
  }, [known]);
  const wrong = useComputed(() => loadErrors(texts.value, 0));
  const send = (e: Event) => {
    e.preventDefault();
    const first = Object.keys(wrong.peek())[0];
    if (first) focusField(`all-${first}`);
    else void save({ load: mergePatch(current, loadSettingsOf(texts.peek())) });
  };
  const unsaved = JSON.stringify(texts.value) !== JSON.stringify(textsOf(current));
  return (
    <form class="setting" noValidate onSubmit={send}>
      <p class="hint">
        For models that have no settings of their own (<i>Models</i>, <i>Settings…</i>). Loaded
        models keep theirs until they are loaded again.
      </p>
      <LoadFields
        id="all"
        texts={texts.value}
        below={{}}
        errors={wrong.value}
        maxContext={0}
        forAll
        onChange={(t) => {
          texts.value = t;
        }}
      />
      <div class="row">
        <button type="submit" class="main" disabled={connection.value !== 'live' || !unsaved}>
          Save
        </button>
        {unsaved && (
          <button
            type="button"
            onClick={() => {
              texts.value = textsOf(current);
            }}
          >
            Discard
          </button>
        )}
      </div>
      <SaveStatus name="load" />
    </form>
  );
}
