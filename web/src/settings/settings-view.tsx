/* SPDX-License-Identifier: MIT */
// The server's settings. Each change goes to the server at once; what is shown is its answer.
import { signal } from '@preact/signals';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { patchSettings, type Settings } from '../server/api';
import {
  bytesToGigabytes,
  gigabytesToBytes,
  minutesToSeconds,
  secondsToMinutes,
} from '../ui/format';
import { connection, messageOf, settings } from '../server/store';

const saved = signal(''); // name of the setting that was confirmed last
const wrong = signal<Record<string, string>>({});

async function save(change: Partial<Settings>): Promise<boolean> {
  const name = Object.keys(change)[0]!;
  saved.value = '';
  try {
    settings.value = await patchSettings(change);
    const { [name]: _, ...rest } = wrong.value;
    wrong.value = rest;
    saved.value = name;
    return true;
  } catch (e) {
    wrong.value = { ...wrong.value, [name]: messageOf(e) };
    return false;
  }
}

function Answer({ name }: { name: string }) {
  return (
    <p class="answer" role="status" id={`${name}-answer`}>
      {wrong.value[name] ? (
        <span class="wrong">{wrong.value[name]}</span>
      ) : saved.value === name ? (
        <span class="good">Saved; in effect now.</span>
      ) : (
        ''
      )}
    </p>
  );
}

type Flag = 'jit' | 'cors';

function Switch({
  name,
  label,
  children,
}: {
  name: Flag;
  label: string;
  children: preact.ComponentChildren;
}) {
  const s = settings.value!;
  return (
    <div class="setting">
      <label class="choice">
        <input
          type="checkbox"
          role="switch"
          checked={s[name]}
          disabled={connection.value !== 'live'}
          aria-describedby={`${name}-hint ${name}-answer`}
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
      <Answer name={name} />
    </div>
  );
}

interface Amount {
  name: 'default_ttl' | 'memory_limit';
  label: string;
  unit: string;
  parse: (text: string) => number | null;
  format: (value: number) => string;
  complaint: string;
}

// A number that applies only when its box is ticked.
function OptionalNumber({ is, on, off }: { is: Amount; on: number; off: string }) {
  const value = settings.value![is.name];
  const text = useSignal(value === null ? '' : is.format(value));
  useEffect(() => {
    text.value = value === null ? '' : is.format(value);
  }, [value]);
  const send = () => {
    const parsed = is.parse(text.peek());
    if (parsed === null) wrong.value = { ...wrong.value, [is.name]: is.complaint };
    else if (parsed !== settings.peek()![is.name]) void save({ [is.name]: parsed });
  };
  const disabled = connection.value !== 'live';
  return (
    <>
      <label class="choice">
        <input
          type="checkbox"
          role="switch"
          checked={value !== null}
          disabled={disabled}
          aria-describedby={`${is.name}-hint ${is.name}-answer`}
          onChange={(e) => void save({ [is.name]: e.currentTarget.checked ? on : null })}
        />
        <strong>{is.label}</strong>
      </label>
      {value === null ? (
        <p class="hint">{off}</p>
      ) : (
        <form
          class="row"
          noValidate
          onSubmit={(e) => {
            e.preventDefault();
            send();
          }}
        >
          <label for={is.name}>{is.unit}</label>
          <input
            id={is.name}
            class="short"
            inputMode="decimal"
            value={text.value}
            disabled={disabled}
            aria-invalid={is.name in wrong.value}
            aria-describedby={`${is.name}-hint ${is.name}-answer`}
            onInput={(e) => {
              text.value = e.currentTarget.value;
            }}
            onBlur={send}
          />
          <button type="submit" class="small" disabled={disabled}>
            Set
          </button>
        </form>
      )}
    </>
  );
}

const ttl: Amount = {
  name: 'default_ttl',
  label: 'Auto unload unused JIT models',
  unit: 'Default idle TTL, in minutes',
  parse: minutesToSeconds,
  format: secondsToMinutes,
  complaint: 'Give minutes, such as 60 or 0.5.',
};
const limit: Amount = {
  name: 'memory_limit',
  label: 'Limit the memory of all models',
  unit: 'At most, in GB',
  parse: (text) => gigabytesToBytes(text) || null,
  format: bytesToGigabytes,
  complaint: 'Give gigabytes above 0, such as 8 or 1.5.',
};

const modes: { value: Settings['auto_evict']; label: string; hint: string }[] = [
  {
    value: 'on',
    label: 'On',
    hint: 'One model loaded by a request at a time: the next one takes its place.',
  },
  {
    value: 'fit',
    label: 'As many as fit',
    hint: 'They share the memory; idle ones leave only when a load needs room.',
  },
  {
    value: 'off',
    label: 'Off',
    hint: 'None is made to leave; they go when their ttl ends, or by hand.',
  },
];

function AutoEvict() {
  const now = settings.value!.auto_evict;
  return (
    <fieldset class="setting" aria-describedby="auto_evict-answer">
      <legend>Only keep last JIT-loaded model (Auto-Evict)</legend>
      {modes.map((m) => (
        <label key={m.value} class="choice">
          <input
            type="radio"
            name="auto_evict"
            value={m.value}
            checked={now === m.value}
            disabled={connection.value !== 'live'}
            onChange={() => void save({ auto_evict: m.value })}
          />
          <span>
            <strong>{m.label}</strong>
            <span class="hint">{m.hint}</span>
          </span>
        </label>
      ))}
      <p class="hint">
        Models that were loaded or pinned by hand are never made to leave, and no answer is ever cut
        off.
      </p>
      <Answer name="auto_evict" />
    </fieldset>
  );
}

export function SettingsView() {
  if (!settings.value) return <p class="empty">Asking the server…</p>;
  return (
    <section class="settings" aria-labelledby="settings">
      <h2 id="settings">Server settings</h2>
      <p class="hint">A change takes effect at once and survives a restart.</p>
      <Switch name="jit" label="Just-in-time model loading">
        A request loads the model that it names. Off: only models that are loaded by hand answer.
      </Switch>
      <div class="setting">
        <OptionalNumber
          is={ttl}
          on={3600}
          off="Models loaded by requests stay until another one takes their place, or until you unload them."
        />
        <p class="hint" id="default_ttl-hint">
          How long a model that a request loaded may be idle before it is unloaded; a request’s own
          ttl wins.
        </p>
        <Answer name="default_ttl" />
      </div>
      <AutoEvict />
      <div class="setting">
        <OptionalNumber is={limit} on={8 * 1024 ** 3} off="They may take what the machine has." />
        <p class="hint" id="memory_limit-hint">
          What does not fit is refused, or makes idle models leave (“as many as fit”).
        </p>
        <Answer name="memory_limit" />
      </div>
      <Switch name="cors" label="Let other web pages use this server (CORS)">
        Any page that you open in a browser may then use your models. Apps do not need it.
      </Switch>
    </section>
  );
}
