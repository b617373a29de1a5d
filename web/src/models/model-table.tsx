/* SPDX-License-Identifier: MIT */
// Every model on disk: search, sort, load.
import { computed, signal } from '@preact/signals';
import type { Model } from '../server/api';
import { bytes, count, plural } from '../ui/format';
import { openLoadDialog } from './load-dialog';
import { connection, instances, models } from '../server/store';
import { arrange, type SortKey } from './model-list';

const search = signal('');
const sort = signal<{ key: SortKey; down: boolean }>({ key: 'name', down: false });

const shown = computed(() =>
  arrange(models.value ?? [], search.value, sort.value.key, sort.value.down),
);

const columns: { key: SortKey; title: string; number?: boolean }[] = [
  { key: 'name', title: 'Model' },
  { key: 'params', title: 'Parameters', number: true },
  { key: 'quantization', title: 'Quantization' },
  { key: 'size', title: 'Size', number: true },
  { key: 'context', title: 'Context', number: true },
];

function Heading({ column }: { column: (typeof columns)[number] }) {
  const { key, down } = sort.value;
  const mine = key === column.key;
  const turn = () => {
    sort.value = { key: column.key, down: mine ? !down : column.number === true };
  };
  return (
    <th
      scope="col"
      class={column.number ? 'number' : ''}
      aria-sort={mine ? (down ? 'descending' : 'ascending') : 'none'}
    >
      <button type="button" class="plain" onClick={turn}>
        {column.title}
        <span aria-hidden="true">{mine ? (down ? ' ▾' : ' ▴') : ''}</span>
      </button>
    </th>
  );
}

function capabilities(m: Model): string[] {
  const list = [m.type === 'embedding' ? 'embeddings' : 'chat'];
  if (m.capabilities?.trained_for_tool_use) list.push('tools');
  if (m.capabilities?.vision) list.push('vision');
  if (m.capabilities?.reasoning) list.push('reasoning');
  return list;
}

function Row({ model: m }: { model: Model }) {
  const loaded = instances.value.filter((i) => i.model === m.key).length;
  return (
    <tr class={m.problem ? 'broken' : ''} data-model={m.key}>
      <th scope="row">
        <span class="key">{m.key}</span>
        <span class="sub">
          {m.publisher}
          {m.display_name !== m.key && ` · ${m.display_name}`}
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
      <td data-label="Can">
        {m.problem
          ? '–'
          : capabilities(m).map((c) => (
              <span key={c} class="tag">
                {c}
              </span>
            ))}
      </td>
      <td class="do">
        {loaded > 0 && (
          <span class="tag idle">{loaded === 1 ? 'loaded' : `loaded ${loaded} times`}</span>
        )}
        {!m.problem && (
          <button
            type="button"
            disabled={connection.value !== 'live'}
            aria-label={`Load ${m.key}…`}
            onClick={() => openLoadDialog(m)}
          >
            Load…
          </button>
        )}
      </td>
    </tr>
  );
}

function Table() {
  return (
    <table>
      <caption class="hidden">Models on disk</caption>
      <thead>
        <tr>
          {columns.map((c) => (
            <Heading key={c.key} column={c} />
          ))}
          <th scope="col">Can</th>
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

function None() {
  if (models.value === null) return <p class="empty">Asking the server…</p>;
  if (models.value.length > 0) return <p class="empty">No model fits “{search.value}”.</p>;
  return (
    <p class="empty">
      There is no model on disk yet. Put GGUF files into <code>~/.local/share/doze/models</code>;
      they appear here by themselves. LM Studio’s models and the Hugging Face cache are found too.
    </p>
  );
}

export function Models() {
  const all = models.value ?? [];
  const broken = all.filter((m) => m.problem).length;
  return (
    <section aria-labelledby="models">
      <div class="row between">
        <h2 id="models">
          On disk{' '}
          <small>
            {plural(all.length - broken, 'model')}
            {broken > 0 && `, ${broken} broken`}
          </small>
        </h2>
        <input
          type="search"
          placeholder="Search"
          aria-label="Search models"
          value={search.value}
          onInput={(e) => {
            search.value = e.currentTarget.value;
          }}
        />
      </div>
      <p class="hidden" role="status">
        {search.value && plural(shown.value.length, 'model fits', 'models fit')}
      </p>
      {shown.value.length > 0 ? <Table /> : <None />}
    </section>
  );
}
