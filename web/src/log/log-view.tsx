/* SPDX-License-Identifier: MIT */
// The server's log as it is written; on request also the prompts and answers of models.
import { computed, signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { request } from '../server/api';
import { readEventStream } from '../server/sse';
import { connection, instances } from '../server/store';
import { copyText } from '../ui/copy';
import { useFollowEnd } from '../ui/follow-end';
import { timeOfDay } from '../ui/format';
import { formatForCopy, formatLine, isLater, keepLast, passes } from './log-lines';
import type { Level, LogLine } from './log-lines';
import './log.css';

const MAX_LINES = 2000;

const lines = signal<LogLine[]>([]);
const buffered = signal<LogLine[]>([]); // received while paused
const paused = signal(false);
const withPrompts = signal(false);
const level = signal<Level>('debug');
const model = signal('');

const shown = computed(() => lines.value.filter((l) => passes(l, level.value, model.value)));
const modelNames = computed(() =>
  [...new Set([...instances.value.map((i) => i.id), ...lines.value.map((l) => l.model ?? '')])]
    .filter(Boolean)
    .sort(),
);

let lastId = '';

function append(line: LogLine, id: string | undefined): void {
  if (id) {
    if (!isLater(id, lastId)) return; // was received by the stream before this one
    lastId = id;
  }
  const list = paused.peek() ? buffered : lines;
  list.value = keepLast([...list.value, line], MAX_LINES);
}

function resume(): void {
  paused.value = false;
  lines.value = keepLast([...lines.value, ...buffered.value], MAX_LINES);
  buffered.value = [];
}

function clear(): void {
  lines.value = [];
  buffered.value = [];
}

async function followLog(abort: AbortSignal, prompts: boolean): Promise<void> {
  const query = prompts ? 'filter=input,output&stats=true' : 'source=server';
  const path = `/api/v1/log?${query}&tail=200`;
  const response = await request('GET', path, undefined, { signal: abort });
  await readEventStream(response, {
    onMessage: ({ data, id }) => append(JSON.parse(data) as LogLine, id),
  });
}

// The stream is open while the view is open and the server is there.
function useLog(): void {
  const live = connection.value === 'live';
  const prompts = withPrompts.value;
  useEffect(() => {
    if (!live) return;
    const abort = new AbortController();
    followLog(abort.signal, prompts).catch(() => {}); // the page shows that the connection is lost
    return () => abort.abort();
  }, [live, prompts]);
}

function Entry({ line: l }: { line: LogLine }) {
  return (
    <li class={`${l.level} ${l.type}`}>
      <time>{timeOfDay(l.at)}</time>{' '}
      <span class="level">{l.type === 'line' ? l.level : l.type}</span>{' '}
      <span class="text">{formatLine(l)}</span>
    </li>
  );
}

function Filters() {
  return (
    <>
      <label>
        Level{' '}
        <select
          value={level.value}
          onChange={(e) => {
            level.value = e.currentTarget.value as Level;
          }}
        >
          <option value="debug">All</option>
          <option value="info">Info and above</option>
          <option value="warn">Warnings and errors</option>
          <option value="error">Errors only</option>
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
          <option value="">All</option>
          {modelNames.value.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="choice">
        <input
          type="checkbox"
          checked={withPrompts.value}
          onChange={(e) => {
            withPrompts.value = e.currentTarget.checked;
          }}
        />
        <span>Prompts and answers</span>
      </label>
    </>
  );
}

function PauseButton() {
  const waiting = buffered.value.length;
  return (
    <button
      type="button"
      aria-pressed={paused.value}
      onClick={() => (paused.value ? resume() : (paused.value = true))}
    >
      {paused.value ? `Resume${waiting ? ` (${waiting} new)` : ''}` : 'Pause'}
    </button>
  );
}

function Controls() {
  const copy = () => copyText(shown.value.map(formatForCopy).join('\n'));
  return (
    <div class="row controls">
      <Filters />
      <span class="grow" />
      <span class="row tight">
        <PauseButton />
        <button type="button" onClick={() => void copy()}>
          Copy
        </button>
        <button type="button" onClick={clear}>
          Clear
        </button>
      </span>
    </div>
  );
}

export function Log() {
  useLog();
  const box = useRef<HTMLDivElement>(null);
  const { follow } = useFollowEnd(() => box.current);
  useEffect(follow);
  return (
    <section class="log" aria-labelledby="log-title">
      <h2 id="log-title">Log</h2>
      <Controls />
      <div class="lines" ref={box} tabIndex={0} role="log" aria-label="Log lines" aria-live="off">
        <ol>
          {shown.value.map((l, n) => (
            <Entry key={`${l.at}-${n}`} line={l} />
          ))}
        </ol>
      </div>
      {shown.value.length === 0 && (
        <p class="empty">{lines.value.length > 0 ? 'No line matches.' : 'No lines yet.'}</p>
      )}
    </section>
  );
}
