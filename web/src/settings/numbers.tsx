/* SPDX-License-Identifier: MIT */
// Settings that are numbers, some of which apply only while they are switched on.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { SettingsChange } from '../server/api';
import { connection, settings } from '../server/store';
import type { NumberSpec, OptionalNumber } from './number-specs';
import { accept, errors, refuse, save, SaveStatus } from './save';

export function NumberForm({ spec, value }: { spec: NumberSpec; value: number }) {
  const { name } = spec;
  const text = useSignal(spec.format(value));
  const disabled = connection.value !== 'live';
  useEffect(() => {
    text.value = spec.format(value);
  }, [value]);
  const send = () => {
    const parsed = spec.parse(text.peek());
    // A value that the field shows rounded is not sent as it is shown.
    if (text.peek() === spec.format(value) || parsed === value) accept(name);
    else if (parsed === null) refuse(name, spec.error);
    else void save({ [name]: parsed } as SettingsChange);
  };
  return (
    <form
      class="row"
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        send();
      }}
    >
      <label for={name}>{spec.unit}</label>
      <input
        id={name}
        class="short"
        inputMode="decimal"
        value={text.value}
        disabled={disabled}
        aria-invalid={name in errors.value}
        aria-describedby={`${name}-hint ${name}-status`}
        onInput={(e) => {
          text.value = e.currentTarget.value;
        }}
        onBlur={send}
      />
      <button type="submit" class="small" disabled={disabled}>
        Set
      </button>
    </form>
  );
}

export function NumberSetting({ spec, hint }: { spec: NumberSpec; hint: string }) {
  return (
    <div class="setting">
      <NumberForm spec={spec} value={settings.value![spec.name]!} />
      <p class="hint" id={`${spec.name}-hint`}>
        {hint}
      </p>
      <SaveStatus name={spec.name} />
    </div>
  );
}

export function OptionalNumberSetting({ spec }: { spec: OptionalNumber }) {
  const { name, label, initial } = spec;
  const value = settings.value![name];
  return (
    <div class="setting">
      <label class="choice">
        <input
          type="checkbox"
          role="switch"
          checked={value !== null}
          disabled={connection.value !== 'live'}
          aria-describedby={`${name}-hint ${name}-status`}
          onChange={(e) => void save({ [name]: e.currentTarget.checked ? initial : null })}
        />
        <strong>{label}</strong>
      </label>
      {value !== null && <NumberForm spec={spec} value={value} />}
      <p class="hint" id={`${name}-hint`}>
        {value === null ? spec.hintOff : spec.hint}
      </p>
      <SaveStatus name={name} />
    </div>
  );
}
