/* SPDX-License-Identifier: MIT */
// The server's settings. Each change is sent at once; the page shows what the server answers.
import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { errorMessage, patchSettings, type Settings } from '../server/api';
import { connection, settings } from '../server/store';
import {
  bytesToGigabytes,
  gigabytesToBytes,
  minutesToSeconds,
  secondsToMinutes,
} from '../ui/format';
import './settings.css';

const DEFAULT_TTL = 3600; // seconds, when the ttl is switched on
const DEFAULT_LIMIT = 8e9; // bytes, when the limit is switched on

const saved = signal<keyof Settings | null>(null); // the setting that was saved last
const errors = signal<Partial<Record<keyof Settings, string>>>({});

async function save(change: Partial<Settings>): Promise<boolean> {
  const name = Object.keys(change)[0] as keyof Settings;
  saved.value = null;
  try {
    settings.value = await patchSettings(change);
    const { [name]: _, ...others } = errors.value;
    errors.value = others;
    saved.value = name;
    return true;
  } catch (e) {
    errors.value = { ...errors.value, [name]: errorMessage(e) };
    return false;
  }
}

function SaveStatus({ name }: { name: keyof Settings }) {
  const error = errors.value[name];
  return (
    <p class="save-status" role="status" id={`${name}-status`}>
      {error && <span class="wrong">{error}</span>}
      {!error && saved.value === name && <span class="good">Saved.</span>}
    </p>
  );
}

function Switch(props: {
  name: 'jit' | 'cors';
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

interface OptionalNumber {
  name: 'default_ttl' | 'memory_limit';
  label: string;
  unit: string;
  parse: (text: string) => number | null; // null: not valid
  format: (value: number) => string;
  error: string; // what to enter instead
  initial: number; // when it is switched on
  hint: string;
  hintOff: string;
}

const ttl: OptionalNumber = {
  name: 'default_ttl',
  label: 'Auto unload unused JIT models',
  unit: 'Default idle TTL (minutes)',
  parse: minutesToSeconds,
  format: secondsToMinutes,
  error: 'Enter minutes, such as 60 or 0.5.',
  initial: DEFAULT_TTL,
  hint: 'How long a model that a request loaded may be idle. A ttl in the request overrides it.',
  hintOff: 'Models that a request loaded stay until they are evicted or you unload them.',
};

const limit: OptionalNumber = {
  name: 'memory_limit',
  label: 'Limit the memory of all models',
  unit: 'Limit (GB)',
  parse: (text) => gigabytesToBytes(text) || null,
  format: bytesToGigabytes,
  error: 'Enter gigabytes above 0, such as 8 or 1.5.',
  initial: DEFAULT_LIMIT,
  hint: 'A load that does not fit evicts idle models if Auto-Evict allows it; otherwise it fails.',
  hintOff: 'Models may use all memory that is available.',
};

function NumberForm({ spec, value }: { spec: OptionalNumber; value: number }) {
  const { name } = spec;
  const text = useSignal(spec.format(value));
  const disabled = connection.value !== 'live';
  useEffect(() => {
    text.value = spec.format(value);
  }, [value]);
  const send = () => {
    const parsed = spec.parse(text.peek());
    if (parsed === null) errors.value = { ...errors.value, [name]: spec.error };
    else if (parsed !== settings.peek()![name]) void save({ [name]: parsed });
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

// A number that applies only while its switch is on.
function OptionalNumberSetting({ spec }: { spec: OptionalNumber }) {
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

interface Mode {
  value: Settings['auto_evict'];
  label: string;
  hint: string;
}

const lastModels = (limit: number, type = '') =>
  limit === 1 ? `the last ${type}model` : `the last ${limit} ${type}models`;

// limit: the setting jit_limit.
const evictModes = (limit: number): Mode[] => [
  {
    value: 'on',
    label: 'On',
    hint: `Only keep ${lastModels(limit)} loaded by a request.`,
  },
  {
    value: 'per_type',
    label: 'One of each type',
    hint: `Keep ${lastModels(limit, 'language ')} and ${lastModels(limit, 'embedding ')}.`,
  },
  {
    value: 'fit',
    label: 'As many as fit',
    hint: 'Keep models while memory lasts; idle ones are evicted when a load needs room.',
  },
  {
    value: 'off',
    label: 'Off',
    hint: 'Never evict; models unload at their ttl or manually.',
  },
];

function AutoEvict() {
  const { auto_evict: current, jit_limit } = settings.value!;
  return (
    <fieldset class="setting" aria-describedby="auto_evict-hint auto_evict-status">
      <legend>Auto-Evict</legend>
      {evictModes(jit_limit).map(({ value, label, hint }) => (
        <label key={value} class="choice">
          <input
            type="radio"
            name="auto_evict"
            value={value}
            checked={current === value}
            disabled={connection.value !== 'live'}
            onChange={() => void save({ auto_evict: value })}
          />
          <span>
            <strong>{label}</strong>
            <span class="hint">{hint}</span>
          </span>
        </label>
      ))}
      <p class="hint" id="auto_evict-hint">
        Models that you loaded or pinned yourself are never evicted, and no answer is cut off.
      </p>
      <SaveStatus name="auto_evict" />
    </fieldset>
  );
}

export function SettingsView() {
  if (!settings.value) return <p class="empty">Fetching the settings…</p>;
  return (
    <section class="settings" aria-labelledby="settings-title">
      <h2 id="settings-title">Server settings</h2>
      <p class="hint">Changes take effect at once and survive a restart.</p>
      <Switch name="jit" label="Just-in-time model loading">
        A request loads the model that it names. When off, only models that you loaded yourself
        answer requests.
      </Switch>
      <OptionalNumberSetting spec={ttl} />
      <AutoEvict />
      <OptionalNumberSetting spec={limit} />
      <Switch name="cors" label="Allow requests from other web pages (CORS)">
        Any page that is open in your browser can then use your models. Apps do not need this.
      </Switch>
      <p class="hint">
        <a href="/assets/licenses.txt">Licences of the libraries in this page</a>
      </p>
    </section>
  );
}
