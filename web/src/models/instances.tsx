/* SPDX-License-Identifier: MIT */
// One card for each instance, with its state and its buttons.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { namesOfAdapters } from '../load/load-fields';
import { updateInstance, unload, type Instance, type Parked } from '../server/api';
import { connection, instances, modelName, models, parked, settings } from '../server/store';
import { chatWith } from '../ui/chat-with';
import { bytes, count, minutesToSeconds, plural, rate, secondsToMinutes } from '../ui/format';
import { attempt } from '../ui/notices';
import { isPinned, originText, workText } from '../ui/wording';
import { TtlRing } from './ttl-ring';
import './models.css';

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Context({ instance: i }: { instance: Instance }) {
  const size = i.config.context_length;
  const used = Math.min(i.context_used, size);
  return (
    <Fact name="Context">
      {count(used)} of {count(size)} tokens
      <meter min={0} max={size || 1} value={used} aria-label={`Context used by ${i.id}`} />
    </Fact>
  );
}

function Facts({ instance: i }: { instance: Instance }) {
  return (
    <dl>
      <Context instance={i} />
      <Fact name="Requests">
        {i.running} running{i.waiting > 0 && `, ${i.waiting} waiting`}
      </Fact>
      <Fact name={i.running > 0 ? 'Speed' : 'Last speed'}>
        {i.tokens_per_second > 0 ? `${rate(i.tokens_per_second)} tokens/s` : '–'}
      </Fact>
      <Fact name="Memory">{i.memory_bytes > 0 ? bytes(i.memory_bytes) : '–'}</Fact>
      {i.device_memory_bytes !== undefined && i.device_memory_bytes > 0 && (
        <Fact name="Device">
          {i.device}: {count(i.gpu_layers ?? 0)} layers, {bytes(i.device_memory_bytes)}
        </Fact>
      )}
      {i.config.adapters && (
        <Fact name="Adapters">
          <span class="adapters">{namesOfAdapters(i.config.adapters)}</span>
        </Fact>
      )}
      {i.load_time_seconds > 0 && <Fact name="Load time">{i.load_time_seconds.toFixed(2)} s</Fact>}
    </dl>
  );
}

// null: no ttl; undefined: not a number of minutes.
function parseTtl(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  return minutesToSeconds(text) ?? undefined;
}

function TtlForm({ instance: i, onEnd }: { instance: Instance; onEnd: () => void }) {
  const text = useSignal(i.ttl === null ? '' : secondsToMinutes(i.ttl));
  const error = useSignal('');
  const id = `ttl-${i.id}`;
  const save = async (e: Event) => {
    e.preventDefault();
    const ttl = parseTtl(text.value);
    if (ttl === undefined) {
      error.value = 'Enter minutes, such as 10 or 0.5, or leave the field empty for no ttl.';
      return;
    }
    if (await attempt(i.id, () => updateInstance(i.id, { ttl }))) onEnd();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === 'Escape') onEnd();
  };
  return (
    <form class="ttl" onSubmit={save} onKeyDown={onKeyDown} noValidate>
      <label for={id}>Idle minutes before {i.id} is unloaded (empty: no ttl)</label>
      <div class="row">
        <input
          id={id}
          inputMode="decimal"
          size={7}
          value={text.value}
          autoFocus
          aria-invalid={error.value !== ''}
          aria-describedby={`${id}-error`}
          ref={(el) => {
            if (el && !error.peek()) el.focus();
          }}
          onInput={(e) => {
            text.value = e.currentTarget.value;
            error.value = '';
          }}
        />
        <button type="submit" class="small">
          Set
        </button>
        <button type="button" class="small plain" onClick={onEnd}>
          Cancel
        </button>
      </div>
      <p class="wrong" id={`${id}-error`}>
        {error.value}
      </p>
    </form>
  );
}

// Pinned: never evicted, no ttl. Unpinned: as if a request had loaded it.
function pin(i: Instance) {
  return attempt(
    i.id,
    () => updateInstance(i.id, { origin: 'explicit', ttl: null }),
    `${i.id} stays loaded until you unload it.`,
  );
}
function unpin(i: Instance) {
  const ttl = settings.value?.default_ttl ?? null;
  return attempt(
    i.id,
    () => updateInstance(i.id, { origin: 'jit', ttl }),
    `${i.id} can be unloaded automatically again.`,
  );
}

// The button vanishes with the instance, so the focus moves to the list's heading.
async function unloadOrCancel(i: Instance): Promise<void> {
  const done = isLoading(i) ? `Loading ${i.id} was cancelled.` : `${i.id} was unloaded.`;
  if (await attempt(i.id, () => unload(i.id), done)) {
    document.getElementById('loaded-title')?.focus();
  }
}

const canChat = (i: Instance) => models.value?.find((m) => m.key === i.model)?.type === 'llm';
const isLoading = (i: Instance) => i.state === 'loading' || i.state === 'queued';

function Actions({ instance: i, onTtl }: { instance: Instance; onTtl: () => void }) {
  const off = connection.value !== 'live';
  if (i.state === 'unloading') return null;
  if (isLoading(i)) {
    return (
      <div class="row">
        <button
          type="button"
          disabled={off}
          aria-label={`Cancel loading ${i.id}`}
          onClick={() => unloadOrCancel(i)}
        >
          Cancel loading
        </button>
      </div>
    );
  }
  return (
    <div class="row">
      {canChat(i) && (
        <button type="button" aria-label={`Chat with ${i.id}`} onClick={() => chatWith(i.id)}>
          Chat
        </button>
      )}
      <button
        type="button"
        disabled={off}
        aria-label={`Unload ${i.id}`}
        onClick={() => unloadOrCancel(i)}
      >
        Unload
      </button>
      <button
        type="button"
        data-opens="ttl"
        disabled={off}
        aria-label={`Change the ttl of ${i.id}`}
        onClick={onTtl}
      >
        Change ttl…
      </button>
      {isPinned(i) ? (
        <button type="button" disabled={off} aria-label={`Unpin ${i.id}`} onClick={() => unpin(i)}>
          Unpin
        </button>
      ) : (
        <button
          type="button"
          disabled={off}
          aria-label={`Pin ${i.id}: keep it loaded until you unload it`}
          onClick={() => pin(i)}
        >
          Pin
        </button>
      )}
    </div>
  );
}

function Card({ instance: i }: { instance: Instance }) {
  const editing = useSignal(false);
  const card = useRef<HTMLLIElement>(null);
  const end = () => {
    editing.value = false;
    // Return the focus to the button that opened the form.
    requestAnimationFrame(() =>
      card.current?.querySelector<HTMLElement>('[data-opens="ttl"]')?.focus(),
    );
  };
  return (
    <li class={`card ${i.state}`} data-instance={i.id} ref={card}>
      <div class="top">
        <div class="names">
          <h3>{i.id}</h3>
          <p>{modelName.value(i.model)}</p>
          <p class="tags">
            <span class={`tag ${i.state}`}>{workText(i)}</span>
            <span class={`tag ${i.origin}`}>{isPinned(i) ? 'pinned' : originText(i.origin)}</span>
            {i.keep && <span class="tag">loads at every start</span>}
          </p>
        </div>
        <TtlRing instance={i} />
      </div>
      <Facts instance={i} />
      {editing.value ? (
        <TtlForm instance={i} onEnd={end} />
      ) : (
        <Actions
          instance={i}
          onTtl={() => {
            editing.value = true;
          }}
        />
      )}
    </li>
  );
}

// Its worker still has it, so the next load need not read it.
function ParkedRow({ worker: w }: { worker: Parked }) {
  const end = () => attempt(w.model, () => unload(w.model), `${w.model} is no longer parked.`);
  return (
    <li data-parked={w.model}>
      <span class="tag parked">parked</span>
      {`${w.model}, ${bytes(w.memory_bytes)} `}
      <button
        type="button"
        class="small plain"
        disabled={connection.value !== 'live'}
        aria-label={`End the parked worker of ${w.model}`}
        onClick={() => void end()}
      >
        End
      </button>
    </li>
  );
}

function ParkedWorkers() {
  const list = parked.value;
  if (list.length === 0) return null;
  return (
    <>
      <ul class="parked" aria-label="Parked workers">
        {list.map((w) => (
          <ParkedRow key={w.pid} worker={w} />
        ))}
      </ul>
      <p class="hint">
        Not loaded, but a worker still has them: their next load takes a moment. They leave when
        anything else needs the memory.
      </p>
    </>
  );
}

export function Instances() {
  const list = instances.value;
  return (
    <section aria-labelledby="loaded-title">
      <h2 id="loaded-title" tabIndex={-1}>
        Loaded{list.length > 0 && <small> {plural(list.length, 'model')}</small>}
      </h2>
      {list.length === 0 ? (
        <p class="empty">
          No model is loaded.
          {models.value?.length !== 0 && ' Load one below, or send a request that names one.'}
        </p>
      ) : (
        <ul class="cards">
          {list.map((i) => (
            <Card key={i.id} instance={i} />
          ))}
        </ul>
      )}
      <ParkedWorkers />
    </section>
  );
}
