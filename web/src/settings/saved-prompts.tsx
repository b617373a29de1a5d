/* SPDX-License-Identifier: MIT */
// The prompt store: what of each model is kept, where, and how to delete it.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { clearPrompts, errorMessage, getPrompts, type Prompts } from '../server/api';
import { connection, now, settings, transitions } from '../server/store';
import { bytes, count, moment, plural } from '../ui/format';
import { attempt } from '../ui/notices';
import { ChoiceSetting, type Choice } from './controls';
import { promptBytes } from './number-specs';
import { NumberForm } from './numbers';
import { SaveStatus } from './save';

const prompts = signal<Prompts | null>(null);
const failure = signal('');

async function refresh(): Promise<void> {
  try {
    prompts.value = await getPrompts();
    failure.value = '';
  } catch (e) {
    failure.value = errorMessage(e);
  }
}

// Prompts are saved while their model unloads, so they are all there when it is gone; and between.
function usePrompts(): void {
  const live = connection.value === 'live';
  const last = transitions.value.findLast((t) => t.to === 'absent')?.seq;
  useEffect(() => {
    if (live) void refresh();
  }, [live, last]);
}

async function clear(model: string | undefined, size: number): Promise<void> {
  const what = model === undefined ? 'all saved prompts' : `the saved prompts of ${model}`;
  const effect = 'The next answers of these conversations start slower.';
  if (!confirm(`Delete ${what} (${bytes(size)})? ${effect}`)) return;
  await attempt('prompts', () => clearPrompts(model), 'The saved prompts were deleted.');
  await refresh();
  document.getElementById('prompts-title')?.focus();
}

const modes: Choice<'prompt_store'>[] = [
  {
    value: 'on',
    label: 'Keep on disk',
    hint: 'A conversation goes on at once after its model was unloaded, or the server restarted.',
  },
  {
    value: 'memory',
    label: 'Keep in memory',
    hint: 'Until the model is unloaded. Nothing is written.',
  },
  { value: 'off', label: 'Keep nothing', hint: 'Every prompt is processed as a whole.' },
];

function Mode() {
  const { prompt_store, prompt_store_bytes } = settings.value!;
  return (
    <ChoiceSetting
      name="prompt_store"
      title="Processed prompts"
      choices={modes}
      hint="Takes effect with the next load. Anyone who can read the server’s files can read them."
    >
      {prompt_store === 'on' && (
        <>
          <NumberForm spec={promptBytes} value={prompt_store_bytes} />
          <p class="hint" id="prompt_store_bytes-hint">
            When it is used up, the least useful prompts are deleted first.
          </p>
          <SaveStatus name="prompt_store_bytes" />
        </>
      )}
    </ChoiceSetting>
  );
}

function Row({ entry: e }: { entry: Prompts['models'][number] }) {
  return (
    <tr data-prompts={e.model}>
      <th scope="row">
        <span class="key">{e.model}</span>
      </th>
      <td data-label="Conversations" class="number">
        {count(e.entries)}
      </td>
      <td data-label="Tokens" class="number">
        {count(e.tokens)}
      </td>
      <td data-label="Size" class="number">
        {bytes(e.bytes)}
      </td>
      <td data-label="Last used">{moment(e.newest_at, now.value, false)}</td>
      <td class="actions">
        <button
          type="button"
          disabled={connection.value !== 'live'}
          aria-label={`Delete the saved prompts of ${e.model}`}
          onClick={() => void clear(e.model, e.bytes)}
        >
          Delete…
        </button>
      </td>
    </tr>
  );
}

function Table({ kept }: { kept: Prompts }) {
  return (
    <table class="records">
      <caption class="hidden">Saved prompts by model</caption>
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col" class="number">
            Conversations
          </th>
          <th scope="col" class="number">
            Tokens
          </th>
          <th scope="col" class="number">
            Size
          </th>
          <th scope="col">Last used</th>
          <th scope="col">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {kept.models.map((e) => (
          <Row key={e.model} entry={e} />
        ))}
      </tbody>
    </table>
  );
}

function Kept() {
  const kept = prompts.value;
  if (failure.value) return <p class="wrong">{failure.value}</p>;
  if (!kept) return <p class="empty">Fetching the saved prompts…</p>;
  if (kept.entries === 0) return <p class="empty">No prompts are saved on disk.</p>;
  return (
    <>
      <div class="row between summary">
        <span>
          {plural(kept.entries, 'conversation')}, {bytes(kept.bytes)} of at most{' '}
          {bytes(kept.limit_bytes)}
        </span>
        <button
          type="button"
          disabled={connection.value !== 'live'}
          onClick={() => void clear(undefined, kept.bytes)}
        >
          Delete all…
        </button>
      </div>
      <Table kept={kept} />
    </>
  );
}

export function SavedPrompts() {
  usePrompts();
  return (
    <>
      <h3 id="prompts-title" tabIndex={-1}>
        Saved prompts
      </h3>
      <Mode />
      <Kept />
    </>
  );
}
