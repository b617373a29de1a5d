/* SPDX-License-Identifier: MIT */
// The dialog for the settings of one model, which every load of it begins with.
import { computed, signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { focusField, LoadFields } from '../load/load-fields-view';
import { errorMessage, patchSettings, type Model } from '../server/api';
import { connection, instances, settings } from '../server/store';
import { span } from '../ui/format';
import { notify } from '../ui/notices';
import {
  changeOf,
  modelErrors,
  newModelForm,
  withoutSettings,
  type ModelForm,
} from './model-settings';

const form = signal<ModelForm | null>(null);
const shown = signal<ReadonlySet<string>>(new Set()); // fields whose errors are shown
const refusal = signal('');

const shownErrors = computed(() => {
  const all = Object.entries(form.value ? modelErrors(form.value) : {});
  return Object.fromEntries(all.filter(([name]) => shown.value.has(name)));
});

export function openModelSettings(model: Model): void {
  form.value = newModelForm(model, settings.peek()?.models[model.key]);
  shown.value = new Set();
  refusal.value = '';
}

const close = () => {
  form.value = null;
};

function change(part: Partial<ModelForm>): void {
  refusal.value = '';
  form.value = { ...form.peek()!, ...part };
}

const visit = (name: string) => {
  shown.value = new Set([...shown.peek(), name]);
};

async function save(e: Event): Promise<void> {
  e.preventDefault();
  const f = form.peek()!;
  const wrong = Object.keys(modelErrors(f));
  shown.value = new Set([...shown.peek(), ...wrong]);
  if (wrong[0]) {
    focusField(`own-${wrong[0]}`);
    return;
  }
  try {
    settings.value = await patchSettings(changeOf(f));
    if (form.peek()?.model.key === f.model.key) close();
    notify(f.model.key, `The settings of ${f.model.key} are saved.`);
  } catch (error) {
    refusal.value = errorMessage(error);
  }
}

function defaultTtlText(): string {
  const ttl = settings.value?.default_ttl ?? null;
  return ttl === null ? 'no ttl' : span(ttl);
}

function TtlFields({ f }: { f: ModelForm }) {
  const choose = (ttl: ModelForm['ttl']) => ({
    type: 'radio',
    name: 'own-stays',
    checked: f.ttl === ttl,
    onChange: () => change({ ttl }),
  });
  return (
    <fieldset>
      <legend>When a request has loaded it, unload it</legend>
      <label class="choice">
        <input {...choose('default')} />
        <span>as other models ({defaultTtlText()})</span>
      </label>
      <label class="choice">
        <input {...choose('minutes')} />
        <span>
          after{' '}
          <input
            id="own-ttl"
            class="short"
            inputMode="decimal"
            value={f.minutes}
            aria-label="Idle minutes (ttl)"
            aria-invalid={'ttl' in shownErrors.value}
            aria-describedby="own-ttl-error"
            disabled={f.ttl !== 'minutes'}
            onInput={(e) => change({ minutes: e.currentTarget.value })}
            onBlur={() => visit('ttl')}
          />{' '}
          minutes without a request
        </span>
      </label>
      <label class="choice">
        <input {...choose('never')} />
        <span>never, unless another model needs its place</span>
      </label>
      <p class="wrong" id="own-ttl-error" aria-live="polite">
        {shownErrors.value.ttl ?? ''}
      </p>
    </fieldset>
  );
}

function Fields({ f }: { f: ModelForm }) {
  const { key, max_context_length } = f.model;
  const loaded = instances.value.some((i) => i.model === key);
  return (
    <form onSubmit={save} noValidate>
      <h2 id="own-title">Settings of {key}</h2>
      <p class="hint">
        Every load of this model begins with these. Empty fields are as for all models.
        {loaded && ' It is loaded now and keeps its present settings until it is loaded again.'}
      </p>
      <TtlFields f={f} />
      <LoadFields
        id="own"
        texts={f.load}
        below={settings.value?.load ?? {}}
        errors={shownErrors.value}
        maxContext={max_context_length}
        onChange={(load) => change({ load })}
        onVisit={visit}
      />
      <p class="wrong" aria-live="polite">
        {refusal.value}
      </p>
      <div class="row between end">
        <button type="button" onClick={() => change(withoutSettings(f))}>
          Reset all
        </button>
        <span class="row">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="main" disabled={connection.value !== 'live'}>
            Save
          </button>
        </span>
      </div>
    </form>
  );
}

export function ModelSettingsDialog() {
  const ref = useRef<HTMLDialogElement>(null);
  const f = form.value;
  useEffect(() => {
    if (f && !ref.current!.open) ref.current!.showModal();
    if (!f && ref.current!.open) ref.current!.close();
  }, [f !== null]);
  return (
    <dialog ref={ref} aria-labelledby="own-title" onClose={close}>
      {f && <Fields f={f} />}
    </dialog>
  );
}
