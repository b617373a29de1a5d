/* SPDX-License-Identifier: MIT */
// The API keys of programs and people: created, shown once, listed, revoked.
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import {
  apiKey,
  createKey,
  errorMessage,
  getKeys,
  patchSettings,
  revokeKey,
  type Keys,
  type NewKey,
  type StoredKey,
} from '../server/api';
import { connection, models, now, settings } from '../server/store';
import { CopyButton } from '../ui/copy';
import { attempt } from '../ui/notices';
import {
  emptyDraft,
  expiryText,
  isExpired,
  isMaster,
  lifetimes,
  mistake,
  permissions,
  permissionText,
  toggled,
  usedText,
  wishOf,
  type Draft,
} from './keys';

const keys = signal<Keys | null>(null);
const failure = signal('');
const made = signal<NewKey | null>(null); // the last one, until the user has it
const draft = signal<Draft | null>(null); // null: the form is closed
const problem = signal('');

// Besides these keys, the setting api_key may do everything.
const isRescued = (): boolean => settings.value?.api_key != null;

const needsMaster = (): boolean => !isRescued() && !(keys.value?.keys ?? []).some(isMaster);

async function refresh(): Promise<void> {
  try {
    keys.value = await getKeys();
    failure.value = '';
  } catch (e) {
    failure.value = errorMessage(e);
  }
}

function useKeys(): void {
  const live = connection.value === 'live';
  useEffect(() => {
    if (live) void refresh();
  }, [live, apiKey.value]);
}

const focusTitle = () => document.getElementById('keys-title')?.focus();

async function create(e: Event): Promise<void> {
  e.preventDefault();
  problem.value = mistake(draft.peek()!);
  if (problem.peek()) return;
  try {
    const key = await createKey(wishOf(draft.peek()!));
    made.value = key;
    draft.value = null;
    // From now on requests need one; this page goes on with it.
    if (!apiKey.peek() && !keys.peek()?.required) apiKey.value = key.key;
    await refresh();
  } catch (error) {
    problem.value = errorMessage(error);
  }
}

// The last key goes only on purpose: then everybody may use the server.
async function revoke(key: StoredKey): Promise<void> {
  const last = keys.peek()!.keys.length === 1 && !isRescued();
  const effect = last
    ? 'It is the last one: everybody who reaches the server can use it then.'
    : 'Programs that use it are refused from then on.';
  if (!confirm(`Revoke the key “${key.name}”? ${effect}`)) return;
  const done = await attempt('keys', () => revokeKey(key.id, last), `${key.name} was revoked.`);
  if (!done) return;
  if (made.peek()?.id === key.id) made.value = null;
  if (last) apiKey.value = '';
  await refresh();
  focusTitle();
}

// The key of the setting api_key goes the same way; it cannot be made here.
async function removeSetting(): Promise<void> {
  const last = (keys.peek()?.keys ?? []).length === 0;
  const effect = last
    ? 'Everybody who reaches the server can use it then.'
    : 'Programs that use it are refused from then on.';
  if (!confirm(`Remove the key of the setting api_key? ${effect}`)) return;
  const remove = async () => {
    settings.value = await patchSettings({ api_key: null });
  };
  if (!(await attempt('keys', remove, 'The key of the setting api_key was removed.'))) return;
  if (last) apiKey.value = '';
  await refresh();
  focusTitle();
}

// It takes the focus: the form that had it is gone, and the key has to be taken now.
function Made({ created }: { created: NewKey }) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => ref.current!.focus(), [created.id]);
  return (
    <div class="setting made" role="status" ref={ref} tabIndex={-1}>
      <p>
        <strong>The key of {created.name}</strong>
      </p>
      <div class="row between">
        <code class="secret">{created.key}</code>
        <CopyButton text={created.key} label="Copy the new key" />
      </div>
      <p class="hint">Copy it now: doze keeps no copy and does not show it again.</p>
      <div class="row end">
        <button
          type="button"
          onClick={() => {
            made.value = null;
            focusTitle();
          }}
        >
          I have it
        </button>
      </div>
    </div>
  );
}

const change = (part: Partial<Draft>) => {
  draft.value = { ...draft.peek()!, ...part };
};

function Permissions({ d }: { d: Draft }) {
  return (
    <fieldset>
      <legend>It may use</legend>
      {permissions.map(({ name, label, hint }) => (
        <label key={name} class="choice">
          <input
            type="checkbox"
            checked={d.permissions.includes(name)}
            onChange={(e) =>
              change({ permissions: toggled(d.permissions, name, e.currentTarget.checked) })
            }
          />
          <span>
            <strong>{label}</strong>
            <span class="hint">{hint}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Models({ d }: { d: Draft }) {
  return (
    <details class="more">
      <summary>{d.models.length > 0 ? `Only ${d.models.join(', ')}` : 'All models'}</summary>
      <fieldset class="choices">
        <legend>Only these models</legend>
        {(models.value ?? []).map(({ key }) => (
          <label key={key} class="choice">
            <input
              type="checkbox"
              checked={d.models.includes(key)}
              onChange={(e) => change({ models: toggled(d.models, key, e.currentTarget.checked) })}
            />
            <span>{key}</span>
          </label>
        ))}
      </fieldset>
    </details>
  );
}

function Form({ d }: { d: Draft }) {
  return (
    <form class="setting" noValidate onSubmit={(e) => void create(e)}>
      <div class="row">
        <label for="key-name">Name</label>
        <input
          id="key-name"
          class="grow"
          maxLength={64}
          autoComplete="off"
          autoFocus
          value={d.name}
          placeholder="editor"
          aria-describedby="new-key-problem"
          onInput={(e) => change({ name: e.currentTarget.value })}
        />
      </div>
      {needsMaster() && (
        <p class="hint">
          The first key has to be one that may do everything and never expires, so that it can make
          the others.
        </p>
      )}
      <Permissions d={d} />
      <Models d={d} />
      <div class="row">
        <label for="key-lifetime">Expires</label>
        <select
          id="key-lifetime"
          value={d.lifetime}
          onChange={(e) => change({ lifetime: Number(e.currentTarget.value) })}
        >
          {lifetimes.map(([seconds, label]) => (
            <option key={seconds} value={seconds}>
              {label}
            </option>
          ))}
        </select>
      </div>
      <p class="wrong" id="new-key-problem" aria-live="polite">
        {problem.value}
      </p>
      <div class="row end">
        <button
          type="button"
          onClick={() => {
            draft.value = null;
            focusTitle();
          }}
        >
          Cancel
        </button>
        <button type="submit" class="main" disabled={connection.value !== 'live'}>
          Create
        </button>
      </div>
    </form>
  );
}

function Row({ entry }: { entry: StoredKey }) {
  return (
    <tr data-key={entry.id}>
      <th scope="row">
        <span class="key">{entry.name}</span> <code class="sub">{entry.id}</code>
      </th>
      <td data-label="May use">{permissionText(entry)}</td>
      <td data-label="Models">{entry.models ? entry.models.join(', ') : 'all'}</td>
      <td data-label="Expires">
        <span class={isExpired(entry, now.value) ? 'wrong' : undefined}>
          {expiryText(entry, now.value)}
        </span>
      </td>
      <td data-label="Last used">{usedText(entry, now.value)}</td>
      <td class="actions">
        <button
          type="button"
          disabled={connection.value !== 'live'}
          aria-label={`Revoke the key ${entry.name}`}
          onClick={() => void revoke(entry)}
        >
          Revoke…
        </button>
      </td>
    </tr>
  );
}

function SettingRow() {
  return (
    <tr data-key="api_key">
      <th scope="row">
        <span class="key">api_key</span> <span class="sub">the setting</span>
      </th>
      <td data-label="May use">Everything</td>
      <td data-label="Models">all</td>
      <td data-label="Expires">never</td>
      <td data-label="Last used">not known</td>
      <td class="actions">
        <button
          type="button"
          disabled={connection.value !== 'live'}
          aria-label="Remove the key of the setting api_key"
          onClick={() => void removeSetting()}
        >
          Remove…
        </button>
      </td>
    </tr>
  );
}

function Table({ list }: { list: StoredKey[] }) {
  return (
    <table class="records">
      <caption class="hidden">API keys</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">May use</th>
          <th scope="col">Models</th>
          <th scope="col">Expires</th>
          <th scope="col">Last used</th>
          <th scope="col">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {list.map((entry) => (
          <Row key={entry.id} entry={entry} />
        ))}
        {isRescued() && <SettingRow />}
      </tbody>
    </table>
  );
}

function List() {
  if (failure.value) return <p class="wrong">{failure.value}</p>;
  if (!keys.value) return <p class="empty">Fetching the keys…</p>;
  if (keys.value.keys.length > 0 || isRescued()) return <Table list={keys.value.keys} />;
  return <p class="empty">There is no key: everybody who reaches the server can use it.</p>;
}

export function ApiKeys() {
  useKeys();
  return (
    <>
      <h3 id="keys-title" tabIndex={-1}>
        API keys
      </h3>
      <p class="hint">
        A key for each program or person, for what it is to do. Who has one sends it as{' '}
        <code>Authorization: Bearer</code>.
      </p>
      {made.value && <Made created={made.value} />}
      <List />
      {draft.value ? (
        <Form d={draft.value} />
      ) : (
        <div class="row">
          <button
            type="button"
            disabled={connection.value !== 'live' || !keys.value}
            onClick={() => {
              problem.value = '';
              draft.value = emptyDraft(needsMaster());
            }}
          >
            Create a key
          </button>
        </div>
      )}
    </>
  );
}
