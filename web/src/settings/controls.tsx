/* SPDX-License-Identifier: MIT */
// Settings that are on or off, and those with a few values.
import type { Settings, SettingsChange } from '../server/api';
import { connection, settings } from '../server/store';
import { save, SaveStatus } from './save';

export function Switch(props: {
  name:
    | 'jit'
    | 'cors'
    | 'evict_on_pressure'
    | 'standby'
    | 'sdk_port'
    | 'lmstudio_compat'
    | 'ollama_default_keep_alive';
  label: string;
  children: preact.ComponentChildren;
}) {
  const { name, label, children } = props;
  const current = settings.value!;
  return (
    <div class="setting">
      <label class="choice">
        <input
          type="checkbox"
          role="switch"
          checked={current[name]}
          disabled={connection.value !== 'live'}
          aria-describedby={`${name}-hint ${name}-status`}
          onChange={(e) => {
            const box = e.currentTarget;
            void save({ [name]: box.checked }).then((ok) => {
              if (!ok) box.checked = settings.peek()![name];
            });
          }}
        />
        <strong>{label}</strong>
      </label>
      <p class="hint" id={`${name}-hint`}>
        {children}
      </p>
      <SaveStatus name={name} />
    </div>
  );
}

type ChoiceName = 'auto_evict' | 'prompt_store' | 'ttl_update' | 'parked_workers';

export interface Choice<N extends ChoiceName> {
  value: Settings[N];
  label: string;
  hint: string;
}

// children: more settings that belong to it.
export function ChoiceSetting<N extends ChoiceName>(props: {
  name: N;
  title: string;
  choices: Choice<N>[];
  hint: string;
  children?: preact.ComponentChildren;
}) {
  const { name, title, choices, hint, children } = props;
  return (
    <fieldset class="setting" aria-describedby={`${name}-hint ${name}-status`}>
      <legend>{title}</legend>
      {choices.map((c) => (
        <label key={c.value} class="choice">
          <input
            type="radio"
            name={name}
            value={c.value}
            checked={settings.value![name] === c.value}
            disabled={connection.value !== 'live'}
            onChange={() => void save({ [name]: c.value } as SettingsChange)}
          />
          <span>
            <strong>{c.label}</strong>
            <span class="hint">{c.hint}</span>
          </span>
        </label>
      ))}
      <p class="hint" id={`${name}-hint`}>
        {hint}
      </p>
      <SaveStatus name={name} />
      {children}
    </fieldset>
  );
}
