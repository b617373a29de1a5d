/* SPDX-License-Identifier: MIT */
// The last 24 hours: who was loaded, who worked, why each left, and the memory over time.
import { computed, signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import 'uplot/dist/uPlot.min.css';
import { getHistory, Refusal, type History } from '../server/api';
import { Charts, type Picture, type Pointing } from './charts';
import { bytes, moment, span, timeOfDay } from '../ui/format';
import { connection, instances, messageOf, transitions } from '../server/store';
import { lanesOf, livesOf, memoryColumns, merge, worked, type Life } from './history';
import { isTrouble, originWords, reasonWords } from '../ui/wording';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SHOWN = 100;

const history = signal<History | null>(null);
const failed = signal('');
const time = signal(Date.now()); // moves while the view is open
const zoom = signal<{ from: number; until: number } | { last: number }>({ last: DAY });
const pointing = signal<Pointing>({ at: null, life: null, memory: null });

const range = computed(() => {
  const z = zoom.value;
  return 'last' in z ? { from: time.value - z.last, until: time.value } : z;
});
const lives = computed<Life[]>(() => {
  const h = history.value;
  return h
    ? livesOf(merge(h, transitions.value), h.from, new Set(instances.value.map((i) => i.id)))
    : [];
});
const memory = computed(() => memoryColumns(history.value?.memory ?? []));
const visible = computed(() =>
  lives.value.filter(
    (l) => l.from <= range.value.until && (l.until ?? time.value) >= range.value.from,
  ),
);
const picture = computed<Picture>(() => ({
  lives: visible.value,
  lanes: lanesOf(visible.value),
  memory: memory.value,
  ...range.value,
  now: time.value,
}));

async function ask(abort: AbortSignal): Promise<void> {
  const until = Date.now();
  try {
    history.value = await getHistory(until - DAY, until, abort);
    failed.value = '';
  } catch (e) {
    if (abort.aborted) return;
    // A server without a history still tells what happened since it began.
    history.value = { from: until - DAY, until, events: [], memory: [], truncated: false };
    failed.value =
      e instanceof Refusal && e.status === 404
        ? 'This server keeps no history; you see what happened since it was started.'
        : messageOf(e);
  }
}

// Asked for when the view opens or the server is back, and when an instance comes or goes: its memory
// is sampled then. Nothing is asked while nothing happens.
function useHistory(): void {
  const live = connection.value === 'live';
  const comings = instances.value.map((i) => `${i.id}${i.memory_bytes}`).join();
  useEffect(() => {
    if (!live) return;
    const abort = new AbortController();
    const wait = setTimeout(() => void ask(abort.signal), history.peek() ? 1000 : 0);
    return () => {
      clearTimeout(wait);
      abort.abort();
    };
  }, [live, comings]);
  useEffect(() => {
    time.value = Date.now();
    const timer = setInterval(() => {
      time.value = Date.now();
    }, 2000);
    return () => clearInterval(timer);
  }, []);
}

function useCharts() {
  const lanes = useRef<HTMLDivElement>(null);
  const mem = useRef<HTMLDivElement>(null);
  const charts = useRef<Charts | null>(null);
  useEffect(() => {
    const made = new Charts(lanes.current!, mem.current!, picture.peek(), {
      onZoom: (from, until) => {
        zoom.value = { from, until };
      },
      onPoint: (p) => {
        pointing.value = p;
      },
    });
    charts.current = made;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const redraw = () => made.redraw();
    const resize = new ResizeObserver(() => made.resize());
    dark.addEventListener('change', redraw);
    resize.observe(lanes.current!);
    return () => {
      dark.removeEventListener('change', redraw);
      resize.disconnect();
      made.close();
    };
  }, []);
  const p = picture.value;
  useEffect(() => {
    charts.current?.show(p);
  }, [p]);
  return { lanes, mem };
}

const presets: [string, number][] = [
  ['24 hours', DAY],
  ['6 hours', 6 * HOUR],
  ['1 hour', HOUR],
  ['10 minutes', HOUR / 6],
];

function move(by: number): void {
  const { from, until } = range.peek();
  const step = (until - from) * by;
  zoom.value = { from: from + step, until: until + step };
}
function scale(by: number): void {
  const { from, until } = range.peek();
  const middle = (from + until) / 2;
  const half = Math.min(DAY, Math.max(10_000, (until - from) * by)) / 2;
  zoom.value = { from: middle - half, until: middle + half };
}

function Controls() {
  const z = zoom.value;
  return (
    <div class="row controls" role="group" aria-label="Part of the timeline">
      {presets.map(([name, last]) => (
        <button
          key={name}
          type="button"
          aria-pressed={'last' in z && z.last === last}
          onClick={() => {
            zoom.value = { last };
          }}
        >
          {name}
        </button>
      ))}
      <button type="button" aria-label="Earlier" onClick={() => move(-0.5)}>
        ◂
      </button>
      <button type="button" aria-label="Later" onClick={() => move(0.5)}>
        ▸
      </button>
      <button type="button" aria-label="Zoom in" onClick={() => scale(0.5)}>
        +
      </button>
      <button type="button" aria-label="Zoom out" onClick={() => scale(2)}>
        −
      </button>
      <span class="hint">
        {moment(range.value.from, time.value, false)} to{' '}
        {moment(range.value.until, time.value, false)}; drag in the chart to zoom in
      </span>
    </div>
  );
}

function Reading() {
  const { at, life, memory: m } = pointing.value;
  if (at === null) return <p class="reading">Point at the chart to read it.</p>;
  return (
    <p class="reading">
      <strong>{timeOfDay(at)}</strong>
      {m && ` · models ${bytes(m.models)}, machine ${bytes(m.used)}`}
      {life && (
        <>
          {' '}
          · <strong>{life.id}</strong>, {originWords(life.origin)}, {bytes(life.memory)},{' '}
          {life.until === null
            ? 'is loaded'
            : `left ${timeOfDay(life.until)}: ${reasonWords(life.reason ?? '')}`}
        </>
      )}
    </p>
  );
}

function Key() {
  return (
    <p class="legend">
      <span>
        <i class="c-loading" />
        loading
      </span>
      <span>
        <i class="c-resident" />
        loaded, idle
      </span>
      <span>
        <i class="c-working" />
        working
      </span>
      <span>
        <i class="c-bad" />
        left in trouble
      </span>
      <span>
        <i class="c-models" />
        memory of models
      </span>
      <span>
        <i class="c-used" />
        memory used by everything
      </span>
    </p>
  );
}

function Row({ life: l }: { life: Life }) {
  const end = l.until ?? time.value;
  const why = l.until === null && !l.reason ? 'is loaded' : reasonWords(l.reason ?? 'lost');
  return (
    <tr class={isTrouble(l.reason ?? '') ? 'bad' : ''}>
      <th scope="row">
        {l.id}
        <span class="sub">{originWords(l.origin)}</span>
      </th>
      <td data-label="Came">{l.before ? 'before' : moment(l.from, time.value)}</td>
      <td data-label="Left">{l.until === null ? '–' : moment(l.until, time.value)}</td>
      <td data-label="Why">
        {why}
        {l.error && <span class="wrong">{l.error}</span>}
      </td>
      <td data-label="Was there" class="number">
        {span((end - l.from) / 1000)}
      </td>
      <td data-label="Worked" class="number">
        {span(worked(l, time.value))}
      </td>
      <td data-label="Memory" class="number">
        {l.memory > 0 ? bytes(l.memory) : '–'}
      </td>
    </tr>
  );
}

function Table() {
  const list = [...visible.value].reverse().slice(0, SHOWN);
  if (list.length === 0) return <p class="empty">No model was loaded in this time.</p>;
  return (
    <table class="lives">
      <caption>What happened, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col">Came</th>
          <th scope="col">Left</th>
          <th scope="col">Why it left</th>
          <th scope="col" class="number">
            Was there
          </th>
          <th scope="col" class="number">
            Worked
          </th>
          <th scope="col" class="number">
            Memory
          </th>
        </tr>
      </thead>
      <tbody>
        {list.map((l) => (
          <Row key={`${l.id} ${l.from}`} life={l} />
        ))}
      </tbody>
    </table>
  );
}

export function TimelineView() {
  useHistory();
  const { lanes, mem } = useCharts();
  return (
    <section class="timeline" aria-labelledby="timeline">
      <h2 id="timeline">The last 24 hours</h2>
      {failed.value && <p class="hint">{failed.value}</p>}
      {history.value?.truncated && (
        <p class="hint">There is more than fits here; the oldest is left out.</p>
      )}
      <Controls />
      <div
        class="chart"
        role="img"
        aria-label="When each model was loaded and worked; the table below says the same in words"
      >
        <div ref={lanes} />
        <div ref={mem} class={memory.value[0].length > 0 ? '' : 'hidden'} />
      </div>
      <Reading />
      <Key />
      <Table />
    </section>
  );
}
