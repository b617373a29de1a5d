/* SPDX-License-Identifier: MIT */
// When each model was loaded and busy, why it was unloaded, and the memory over time.
import { useEffect, useRef } from 'preact/hooks';
import 'uplot/dist/uPlot.min.css';
import { bytes, moment, span, timeOfDay } from '../ui/format';
import { isFailure, originText, reasonText } from '../ui/wording';
import { Charts, type Reading } from './charts';
import { busySeconds, type Lifetime } from './lifetimes';
import { isPreset, moved, presets, rangeText, rangeTitle, scaled } from './range';
import {
  chartData,
  failure,
  history,
  range,
  reading,
  time,
  useHistory,
  visible,
  zoom,
} from './timeline-state';
import './timeline.css';

const MAX_ROWS = 100;

function useCharts() {
  const lanes = useRef<HTMLDivElement>(null);
  const memory = useRef<HTMLDivElement>(null);
  const charts = useRef<Charts | null>(null);
  useEffect(() => {
    const made = new Charts(lanes.current!, memory.current!, chartData.peek(), {
      onZoom: (from, until) => {
        zoom.value = { from, until };
      },
      onPoint: (r) => {
        reading.value = r;
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
  const data = chartData.value;
  useEffect(() => {
    charts.current?.show(data);
  }, [data]);
  return { lanes, memory };
}

function Controls() {
  return (
    <div class="row controls" role="group" aria-label="Part of the timeline">
      <span class="row tight">
        {presets.map(({ name, last }) => (
          <button
            key={name}
            type="button"
            aria-pressed={isPreset(zoom.value, last)}
            onClick={() => {
              zoom.value = { last };
            }}
          >
            {name}
          </button>
        ))}
      </span>
      <ZoomButtons />
      <span class="hint">{rangeText(range.value, time.value)} · drag in the chart to zoom in</span>
    </div>
  );
}

function ZoomButtons() {
  const buttons = [
    { label: 'Earlier', text: '◂', next: () => moved(range.peek(), -0.5) },
    { label: 'Later', text: '▸', next: () => moved(range.peek(), 0.5) },
    { label: 'Zoom in', text: '+', next: () => scaled(range.peek(), 0.5) },
    { label: 'Zoom out', text: '−', next: () => scaled(range.peek(), 2) },
  ];
  return (
    <span class="row tight">
      {buttons.map(({ label, text, next }) => (
        <button
          key={label}
          type="button"
          aria-label={label}
          title={label}
          onClick={() => {
            zoom.value = next();
          }}
        >
          {text}
        </button>
      ))}
    </span>
  );
}

const memoryText = ({ models, parked, used }: NonNullable<Reading['memory']>): string =>
  [
    `models ${bytes(models)}`,
    ...(parked > 0 ? [`parked ${bytes(parked)}`] : []),
    `in use ${bytes(used)}`,
  ].join(', ');

function ReadingLine() {
  const { at, life, memory } = reading.value;
  if (at === null) return <p class="reading">Point at the chart for details.</p>;
  return (
    <p class="reading">
      <strong>{timeOfDay(at)}</strong>
      {memory && ` · ${memoryText(memory)}`}
      {life && (
        <>
          {' '}
          · <strong>{life.id}</strong>, {originText(life.origin)}, {bytes(life.memory)},{' '}
          {life.until === null
            ? 'still loaded'
            : `unloaded at ${timeOfDay(life.until)}: ${reasonText(life.reason ?? '')}`}
        </>
      )}
    </p>
  );
}

const legend = [
  { color: 'c-loading', text: 'loading' },
  { color: 'c-idle', text: 'idle' },
  { color: 'c-busy', text: 'busy' },
  { color: 'c-failure', text: 'ended by a failure' },
  { color: 'c-models', text: 'memory of loaded models' },
  { color: 'c-parked', text: 'memory of parked workers' },
  { color: 'c-used', text: 'memory in use by all programs' },
];

function Legend() {
  return (
    <p class="legend">
      {legend.map(({ color, text }) => (
        <span key={color}>
          <i class={color} />
          {text}
        </span>
      ))}
    </p>
  );
}

function Row({ life: l }: { life: Lifetime }) {
  const end = l.until ?? time.value;
  return (
    <tr class={isFailure(l.reason ?? '') ? 'bad' : ''}>
      <th scope="row">
        {l.id}
        <span class="sub">{originText(l.origin)}</span>
      </th>
      <td data-label="Loaded">{l.startedBefore ? 'earlier' : moment(l.from, time.value)}</td>
      <td data-label="Unloaded">{l.until === null ? '–' : moment(l.until, time.value)}</td>
      <td data-label="Reason">
        {l.until === null && !l.reason ? 'still loaded' : reasonText(l.reason ?? 'lost')}
        {l.error && <span class="wrong">{l.error}</span>}
      </td>
      <td data-label="Resident" class="number">
        {span((end - l.from) / 1000)}
      </td>
      <td data-label="Busy" class="number">
        {span(busySeconds(l, time.value))}
      </td>
      <td data-label="Memory" class="number">
        {l.memory > 0 ? bytes(l.memory) : '–'}
      </td>
    </tr>
  );
}

function Table() {
  const rows = [...visible.value].reverse().slice(0, MAX_ROWS);
  if (!history.value) return <p class="empty">Fetching the history…</p>;
  if (rows.length === 0) return <p class="empty">No model was loaded in this period.</p>;
  return (
    <table class="records lifetimes">
      <caption>Loaded models, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col">Loaded</th>
          <th scope="col">Unloaded</th>
          <th scope="col">Reason</th>
          <th scope="col" class="number">
            Resident
          </th>
          <th scope="col" class="number">
            Busy
          </th>
          <th scope="col" class="number">
            Memory
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((l) => (
          <Row key={`${l.id} ${l.from}`} life={l} />
        ))}
      </tbody>
    </table>
  );
}

export function TimelineView() {
  useHistory();
  const { lanes, memory } = useCharts();
  const hasMemory = chartData.value.memory[0].length > 0;
  return (
    <section class="timeline" aria-labelledby="timeline-title">
      <h2 id="timeline-title">{rangeTitle(zoom.value, time.value)}</h2>
      {failure.value && <p class="hint">{failure.value}</p>}
      {history.value?.truncated && (
        <p class="hint">The history is too long to show; the oldest events are left out.</p>
      )}
      <Controls />
      <div
        class="chart"
        role="img"
        aria-label="When each model was loaded and busy; the table below has the same in words"
      >
        <div ref={lanes} />
        <div ref={memory} class={hasMemory ? '' : 'hidden'} />
      </div>
      <ReadingLine />
      <Legend />
      <Table />
    </section>
  );
}
