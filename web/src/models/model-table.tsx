/* SPDX-License-Identifier: MIT */
// The models on disk: search, sort, load.
import { computed, signal } from '@preact/signals';
import type { Model } from '../server/api';
import { connection, instances, modelFolders, models, settings } from '../server/store';
import { chatWith } from '../ui/chat-with';
import { bytes, count, plural } from '../ui/format';
import { openDeletion } from './delete-dialog';
import { openLoadDialog } from './load-state';
import { openModelSettings } from './model-settings-dialog';
import { capabilities, selectModels, type SortKey } from './model-list';

const search = signal('');
const sort = signal<{ key: SortKey; descending: boolean }>({ key: 'name', descending: false });

const shown = computed(() =>
  selectModels(models.value ?? [], search.value, sort.value.key, sort.value.descending),
);

const columns: { key: SortKey; title: string; number?: boolean }[] = [
  { key: 'name', title: 'Model' },
  { key: 'params', title: 'Parameters', number: true },
  { key: 'quantization', title: 'Quantization' },
  { key: 'size', title: 'Size', number: true },
  { key: 'context', title: 'Context', number: true },
];

function Heading({ column }: { column: (typeof columns)[number] }) {
  const { key, descending } = sort.value;
  const active = key === column.key;
  const toggle = () => {
    // Numbers begin with the largest.
    const first = column.number === true;
    sort.value = { key: column.key, descending: active ? !descending : first };
  };
  return (
    <th
      scope="col"
      class={column.number ? 'number' : ''}
      aria-sort={active ? (descending ? 'descending' : 'ascending') : 'none'}
    >
      <button type="button" class="plain" onClick={toggle}>
        {column.title}
        <span aria-hidden="true">{active ? (descending ? ' ▾' : ' ▴') : ''}</span>
      </button>
    </th>
  );
}

function UseButtons({ model: m }: { model: Model }) {
  const off = connection.value !== 'live';
  return (
    <>
      {m.type === 'llm' && (
        <button type="button" aria-label={`Chat with ${m.key}`} onClick={() => chatWith(m.key)}>
          Chat
        </button>
      )}
      <button
        type="button"
        disabled={off || !settings.value}
        aria-label={`Settings of ${m.key}…`}
        onClick={() => openModelSettings(m)}
      >
        Settings…
      </button>
      <button
        type="button"
        disabled={off}
        aria-label={`Load ${m.key}…`}
        onClick={() => openLoadDialog(m)}
      >
        Load…
      </button>
    </>
  );
}

function DeleteButton({ model: m }: { model: Model }) {
  return (
    <button
      type="button"
      class="plain"
      disabled={connection.value !== 'live'}
      aria-label={`Delete ${m.key}…`}
      onClick={() => void openDeletion(m)}
    >
      Delete…
    </button>
  );
}

function Row({ model: m }: { model: Model }) {
  const loaded = instances.value.filter((i) => i.model === m.key).length;
  const own = settings.value?.models[m.key] !== undefined;
  return (
    <tr class={m.problem ? 'broken' : ''} data-model={m.key}>
      <th scope="row">
        <span class="key">{m.key}</span>
        {loaded > 0 && (
          <span class="tag idle">{loaded === 1 ? 'loaded' : `loaded ${loaded} times`}</span>
        )}
        <span class="sub">
          {m.publisher}
          {m.display_name !== m.key && ` · ${m.display_name}`}
          {own && ' · own settings'}
        </span>
        {m.problem && <span class="wrong">Broken: {m.problem}</span>}
      </th>
      <td class="number" data-label="Parameters">
        {m.params_string ?? '–'}
      </td>
      <td data-label="Quantization">{m.quantization?.name ?? '–'}</td>
      <td class="number" data-label="Size">
        {bytes(m.size_bytes)}
      </td>
      <td class="number" data-label="Context">
        {m.max_context_length ? count(m.max_context_length) : '–'}
      </td>
      <td data-label="Capabilities">
        {m.problem
          ? '–'
          : capabilities(m).map((c) => (
              <span key={c} class="tag">
                {c}
              </span>
            ))}
      </td>
      <td class="actions">
        <span class="row tight">
          {!m.problem && <UseButtons model={m} />}
          <DeleteButton model={m} />
        </span>
      </td>
    </tr>
  );
}

function Table() {
  return (
    <table class="records">
      <caption class="hidden">Models on disk</caption>
      <thead>
        <tr>
          {columns.map((c) => (
            <Heading key={c.key} column={c} />
          ))}
          <th scope="col">Capabilities</th>
          <th scope="col">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {shown.value.map((m) => (
          <Row key={m.key} model={m} />
        ))}
      </tbody>
    </table>
  );
}

function NoModels() {
  if (models.value === null) return <p class="empty">Fetching the models…</p>;
  if (models.value.length > 0) return <p class="empty">No model matches “{search.value}”.</p>;
  const [folder, ...others] = modelFolders.value;
  return (
    <p class="empty">
      No models found. Put GGUF files into {folder ? <code>{folder}</code> : 'a model folder'}; they
      appear here automatically. Or <a href="#discover">download one</a>, here or with{' '}
      <code>doze get</code>.{others.length > 0 && ` doze also searches ${others.join(', ')}.`}
    </p>
  );
}

export function ModelTable() {
  const all = models.value ?? [];
  const broken = all.filter((m) => m.problem).length;
  return (
    <section aria-labelledby="models-title">
      <div class="row between">
        <h2 id="models-title" tabIndex={-1}>
          Models on disk{' '}
          <small>
            {plural(all.length - broken, 'model')}
            {broken > 0 && `, ${broken} broken`}
          </small>
        </h2>
        {all.length > 0 && (
          <input
            type="search"
            placeholder="Search"
            aria-label="Search models"
            value={search.value}
            onInput={(e) => {
              search.value = e.currentTarget.value;
            }}
          />
        )}
      </div>
      <p class="hidden" role="status">
        {search.value && plural(shown.value.length, 'model matches', 'models match')}
      </p>
      {shown.value.length > 0 ? <Table /> : <NoModels />}
    </section>
  );
}
