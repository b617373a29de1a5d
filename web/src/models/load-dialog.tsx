/* SPDX-License-Identifier: MIT */
// The dialog that loads a model, with the memory that the load would need.
import { useEffect, useRef } from 'preact/hooks';
import { deviceMemory, deviceName, memory, settings } from '../server/store';
import { LoadFields } from '../load/load-fields-view';
import type { LoadSettings } from '../server/api';
import { bytes, span } from '../ui/format';
import { DEFAULT_MINUTES, estimateRequestOf, type Field, type LoadForm } from './load-form';
import {
  change,
  close,
  form,
  insist,
  measured,
  refusal,
  sending,
  shownErrors,
  submit,
  useEstimate,
  visit,
} from './load-state';

// Of the graphics card: what the load takes, and what is free before and after it.
function OnCard({ needed }: { needed: number }) {
  const card = deviceMemory.value;
  if (!card) return null;
  if (needed === 0) return <> Nothing of it is on the graphics card.</>;
  return (
    <>
      {' '}
      <strong>{bytes(needed)}</strong> of it on {deviceName.value || 'the graphics card'}:{' '}
      {bytes(card.free)} free there now, {bytes(Math.max(0, card.free - needed))} after it.
    </>
  );
}

function EstimateText({ f }: { f: LoadForm }) {
  const m = measured.value;
  if (!estimateRequestOf(f)) return <>Shows the memory needed once every field is valid.</>;
  if (m === null) return <>Estimating the memory needed…</>;
  if (typeof m === 'string') return <>{m}</>;
  const available = memory.value ? ` of ${bytes(memory.value.available_bytes)} available` : '';
  return (
    <>
      Needs about <strong>{bytes(m.total_bytes)}</strong>
      {available}: model {bytes(m.model_bytes)}, context {bytes(m.context_bytes)}.
      <OnCard needed={m.device_bytes} />
      {!m.fits && ' It does not fit.'}
      {m.fits && !m.full_context_fits && ' A full context does not fit.'}
    </>
  );
}

function MemoryEstimate({ f }: { f: LoadForm }) {
  const m = measured.value;
  const bad = m !== null && typeof m !== 'string' && !m.fits;
  return (
    <p class={bad ? 'estimate bad' : 'estimate'} role="status">
      <EstimateText f={f} />
    </p>
  );
}

function FieldError({ name }: { name: Field }) {
  return (
    <p class="wrong" id={`load-${name}-error`} aria-live="polite">
      {shownErrors.value[name] ?? ''}
    </p>
  );
}

// What the setting explicit_ttl does to a load that names no ttl.
const commandLineDefault = (explicitTtl: number | null): string =>
  explicitTtl === null
    ? 'keeps a model until you unload it'
    : `unloads a model after ${span(explicitTtl)} without a request`;

// ttl: of the model's own settings.
function ownDefault(ttl: number | undefined): string {
  if (ttl === undefined) return `${DEFAULT_MINUTES} minutes`;
  return ttl < 0 ? 'the model’s own setting, no ttl' : `the model’s own setting, ${span(ttl)}`;
}

function TtlFields({ f }: { f: LoadForm }) {
  return (
    <fieldset>
      <legend>Keep it loaded</legend>
      <label class="choice">
        <input
          type="radio"
          name="stays"
          checked={!f.stays}
          onChange={() => change({ stays: false })}
        />
        <span>
          for{' '}
          <input
            id="load-ttl"
            class="short"
            inputMode="decimal"
            value={f.minutes}
            aria-label="Idle minutes (ttl)"
            aria-invalid={'ttl' in shownErrors.value}
            aria-describedby="load-ttl-error load-ttl-hint"
            disabled={f.stays}
            onInput={(e) => change({ minutes: e.currentTarget.value })}
            onBlur={() => visit('ttl')}
          />{' '}
          minutes after its last request (ttl)
        </span>
      </label>
      <label class="choice">
        <input
          type="radio"
          name="stays"
          checked={f.stays}
          onChange={() => change({ stays: true })}
        />
        <span>until I unload it</span>
      </label>
      <FieldError name="ttl" />
      <p class="hint" id="load-ttl-hint">
        Without <code>--ttl</code>, <code>doze load</code>{' '}
        {commandLineDefault(settings.value?.explicit_ttl ?? null)}; here the default is{' '}
        {ownDefault(settings.value?.models[f.model.key]?.ttl)}.
      </p>
      <label class="choice">
        <input
          type="checkbox"
          checked={f.keep}
          onChange={(e) => change({ keep: e.currentTarget.checked })}
        />
        <span>Load it again at every start of the server</span>
      </label>
    </fieldset>
  );
}

// What a load gets from the settings where it says nothing itself.
function settingsBelow(key: string): LoadSettings {
  const s = settings.value;
  return { ...s?.load, ...s?.models[key] };
}

function IdentifierField({ f }: { f: LoadForm }) {
  return (
    <div class="field">
      <label for="load-identifier">Identifier</label>
      <input
        id="load-identifier"
        value={f.identifier}
        placeholder={f.model.key}
        autoComplete="off"
        spellcheck={false}
        aria-invalid={'identifier' in shownErrors.value}
        aria-describedby="load-identifier-error load-identifier-hint"
        onInput={(e) => change({ identifier: e.currentTarget.value })}
      />
      <p class="hint" id="load-identifier-hint">
        The name that requests use for this instance.
      </p>
      <FieldError name="identifier" />
    </div>
  );
}

function Refused({ f }: { f: LoadForm }) {
  const refused = refusal.value;
  return (
    <>
      <p class="wrong" aria-live="polite">
        {refused && !refused.field ? refused.text : ''}
      </p>
      {(refused?.canForce || f.force) && (
        <label class="choice">
          <input
            type="checkbox"
            checked={f.force}
            onChange={(e) => insist(e.currentTarget.checked)}
          />
          <span>Load anyway (the machine may slow down)</span>
        </label>
      )}
    </>
  );
}

function Fields({ f }: { f: LoadForm }) {
  return (
    <form onSubmit={submit} noValidate>
      <h2 id="load-title">Load {f.model.key}</h2>
      <TtlFields f={f} />
      <IdentifierField f={f} />
      <LoadFields
        id="load"
        texts={f.load}
        below={settingsBelow(f.model.key)}
        errors={shownErrors.value}
        maxContext={f.model.max_context_length}
        onChange={(load) => change({ load })}
        onVisit={visit}
      />
      <MemoryEstimate f={f} />
      <Refused f={f} />
      <div class="row end">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button type="submit" class="main" disabled={sending.value}>
          {sending.value ? 'Loading…' : 'Load'}
        </button>
      </div>
    </form>
  );
}

export function LoadDialog() {
  const ref = useRef<HTMLDialogElement>(null);
  const f = form.value;
  useEffect(() => {
    if (f && !ref.current!.open) ref.current!.showModal();
    if (!f && ref.current!.open) ref.current!.close();
  }, [f !== null]);
  useEstimate(f);
  return (
    <dialog ref={ref} aria-labelledby="load-title" onClose={close}>
      {f && <Fields f={f} />}
    </dialog>
  );
}
