/* SPDX-License-Identifier: MIT */
// The server's log, live; with what goes into models and comes out of them when asked for.
import { computed, signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { request } from '../server/api';
import { copyText } from '../ui/copy';
import { timeOfDay } from '../ui/format';
import { formatLine, keepLast, passes, type Level, type Line } from './log-lines';
import { hear } from '../server/sse';
import { connection, instances } from '../server/store';

const KEPT = 2000;

const lines = signal<Line[]>([]);
const held = signal<Line[]>([]); // came while paused
const paused = signal(false);
const talk = signal(false); // prompts and answers too
const level = signal<Level>('debug');
const model = signal('');

const shown = computed(() => lines.value.filter((l) => passes(l, level.value, model.value)));
const names = computed(() =>
  [...new Set([...instances.value.map((i) => i.id), ...lines.value.map((l) => l.model ?? '')])]
    .filter(Boolean)
    .sort(),
);

let lastId = 0;

function take(line: Line, id: string | undefined): void {
  if (id) {
    if (Number(id) <= lastId) return; // seen before the stream broke
    lastId = Number(id);
  }
  const where = paused.peek() ? held : lines;
  where.value = keepLast([...where.value, line], KEPT);
}

function go(): void {
  paused.value = false;
  lines.value = keepLast([...lines.value, ...held.value], KEPT);
  held.value = [];
}

async function follow(abort: AbortSignal, withTalk: boolean): Promise<void> {
  const query = withTalk ? 'filter=input,output&stats=true' : 'source=server';
  const response = await request('GET', `/api/v1/log?${query}&tail=200`, undefined, {
    signal: abort,
  });
  await hear(response, { onMessage: ({ data, id }) => take(JSON.parse(data) as Line, id) });
}

// The stream lives as long as the view and the connection.
function useLog(): void {
  const live = connection.value === 'live';
  const withTalk = talk.value;
  useEffect(() => {
    if (!live) {
      lastId = 0; // another run of the server counts anew
      return;
    }
    const abort = new AbortController();
    follow(abort.signal, withTalk).catch(() => {}); // the connection of the page says it
    return () => abort.abort();
  }, [live, withTalk]);
}

function Entry({ line: l }: { line: Line }) {
  return (
    <li class={`${l.level} ${l.type}`}>
      <time>{timeOfDay(l.at)}</time>{' '}
      <span class="level">{l.type === 'line' ? l.level : l.type}</span>{' '}
      <span class="text">{formatLine(l)}</span>
    </li>
  );
}

function Controls() {
  return (
    <div class="row controls">
      <label>
        Level{' '}
        <select
          value={level.value}
          onChange={(e) => {
            level.value = e.currentTarget.value as Level;
          }}
        >
          <option value="debug">all</option>
          <option value="info">info and worse</option>
          <option value="warn">warnings and errors</option>
          <option value="error">errors</option>
        </select>
      </label>
      <label>
        Model{' '}
        <select
          value={model.value}
          onChange={(e) => {
            model.value = e.currentTarget.value;
          }}
        >
          <option value="">all</option>
          {names.value.map((n) => (
            <option key={n} value={n}>
              {n}
            </option>
          ))}
        </select>
      </label>
      <label class="choice">
        <input
          type="checkbox"
          checked={talk.value}
          onChange={(e) => {
            talk.value = e.currentTarget.checked;
          }}
        />
        <span>Prompts and answers</span>
      </label>
      <span class="grow" />
      <button
        type="button"
        aria-pressed={paused.value}
        onClick={() => (paused.value ? go() : (paused.value = true))}
      >
        {paused.value ? `Go on${held.value.length ? ` (${held.value.length} new)` : ''}` : 'Pause'}
      </button>
      <button type="button" onClick={() => void copyText(shown.value.map(asText).join('\n'))}>
        Copy
      </button>
      <button
        type="button"
        onClick={() => {
          lines.value = [];
          held.value = [];
        }}
      >
        Clear
      </button>
    </div>
  );
}

const asText = (l: Line) => `${new Date(l.at).toISOString()} ${l.level} ${formatLine(l)}`;

// Stays at the newest line unless the reader has scrolled up.
function useTail() {
  const ref = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (atEnd.current) ref.current?.scrollTo({ top: ref.current.scrollHeight });
  });
  const onScroll = () => {
    const el = ref.current!;
    atEnd.current = el.scrollHeight - el.scrollTop - el.clientHeight < 40;
  };
  return { ref, onScroll };
}

export function Log() {
  useLog();
  const tail = useTail();
  return (
    <section class="log" aria-labelledby="log">
      <h2 id="log">Log</h2>
      <Controls />
      <div
        class="lines"
        ref={tail.ref}
        onScroll={tail.onScroll}
        tabIndex={0}
        role="log"
        aria-label="Log lines"
        aria-live="off"
      >
        <ol>
          {shown.value.map((l, n) => (
            <Entry key={`${l.at}-${n}`} line={l} />
          ))}
        </ol>
      </div>
      {shown.value.length === 0 && (
        <p class="empty">Nothing yet{lines.value.length > 0 && ' that passes these filters'}.</p>
      )}
    </section>
  );
}
