/* SPDX-License-Identifier: MIT */
// The two charts of the timeline, one below the other on the same time axis: a lane for each
// identifier with its lifetimes, and the memory.
import uPlot from 'uplot';
import { bytes, shorten } from '../ui/format';
import { isFailure } from '../ui/wording';
import { lifetimeAt, type Columns, type Lifetime } from './lifetimes';

const LANE_HEIGHT = 30; // CSS pixels
const MEMORY_HEIGHT = 190;
const GIGABYTE = 1e9;
// 1, 2 and 5 MB, 10, 20 and 50 MB, …
const memorySteps = Array.from(
  { length: 18 },
  (_, n) => [1, 2, 5][n % 3]! * 10 ** (6 + Math.floor(n / 3)),
);

export interface ChartData {
  lifetimes: Lifetime[];
  lanes: string[];
  memory: Columns;
  from: number; // Unix ms
  until: number;
  now: number;
}

export interface Reading {
  at: number | null; // Unix ms under the pointer
  life: Lifetime | null;
  memory: { models: number; parked: number; used: number } | null;
}

interface Hooks {
  onZoom(from: number, until: number): void;
  onPoint(reading: Reading): void;
}

const color = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// At least two pixels wide, so that short events can be seen.
function drawBlock(
  u: uPlot,
  fill: string,
  from: number,
  until: number,
  top: number,
  height: number,
): void {
  const left = u.valToPos(from / 1000, 'x', true);
  const right = u.valToPos(until / 1000, 'x', true);
  const { left: start, width } = u.bbox;
  const x = Math.max(start, left);
  const w = Math.max(
    Math.min(right, start + width) - x,
    right >= start && left <= start + width ? 2 : 0,
  );
  if (w <= 0) return;
  u.ctx.fillStyle = fill;
  u.ctx.fillRect(x, top, w, height);
}

// Each lifetime as blocks in the lane of its identifier.
function drawLanes(u: uPlot, data: ChartData): void {
  const ratio = devicePixelRatio;
  const colors = { loading: color('--loading'), idle: color('--idle'), busy: color('--busy') };
  u.ctx.save();
  for (const life of data.lifetimes) {
    const top = u.bbox.top + (data.lanes.indexOf(life.id) * LANE_HEIGHT + 6) * ratio;
    const height = (LANE_HEIGHT - 12) * ratio;
    const until = life.until ?? data.now;
    drawBlock(u, colors.loading, life.from, life.ready ?? until, top, height);
    if (life.ready !== null) drawBlock(u, colors.idle, life.ready, until, top, height);
    for (const w of life.work) {
      drawBlock(u, colors.busy, w.from, w.until ?? data.now, top, height);
    }
    if (life.until !== null && isFailure(life.reason ?? '')) {
      drawBlock(u, color('--bad'), until, until + 1, top - 4 * ratio, height + 8 * ratio);
    }
  }
  u.ctx.restore();
}

// Names of instances stand left of the lanes; a phone has less room for them.
const axisWidth = (width: number): number => (width < 600 ? 84 : 130);

const timeAxis = (show: boolean): uPlot.Axis => ({
  show,
  space: 76,
  stroke: () => color('--text'),
  grid: { stroke: () => color('--line'), width: 1 },
  ticks: { stroke: () => color('--line') },
  values: [
    [3600, '{HH}:{mm}', '\n{D} {MMM}', null, null, null, null, null, 1],
    [60, '{HH}:{mm}', null, null, null, null, null, null, 1],
    [1, '{HH}:{mm}:{ss}', null, null, null, null, null, null, 1],
  ],
});

const zoomCursor = (): uPlot.Cursor => ({
  sync: { key: 'timeline' },
  y: false,
  points: { show: false },
  drag: { x: true, y: false, setScale: false },
});

function onSelect(u: uPlot, hooks: Hooks): void {
  if (u.select.width < 4) return;
  const at = (px: number) => u.posToVal(px, 'x') * 1000;
  hooks.onZoom(at(u.select.left), at(u.select.left + u.select.width));
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

export class Charts {
  #lanes: uPlot;
  #memory: uPlot;
  #data: ChartData;
  #hooks: Hooks;
  #laneBox: HTMLElement;
  #memoryBox: HTMLElement;

  constructor(laneBox: HTMLElement, memoryBox: HTMLElement, data: ChartData, hooks: Hooks) {
    this.#data = data;
    this.#hooks = hooks;
    this.#laneBox = laneBox;
    this.#memoryBox = memoryBox;
    const width = Math.max(200, laneBox.clientWidth);
    this.#lanes = new uPlot(this.#laneOptions(width), this.#laneData(), laneBox);
    this.#memory = new uPlot(this.#memoryOptions(width), data.memory, memoryBox);
    this.#rescale();
  }

  #laneHeight(): number {
    return Math.max(1, this.#data.lanes.length) * LANE_HEIGHT + 8;
  }

  #laneData(): uPlot.AlignedData {
    const { from, until } = this.#data;
    return [
      [from / 1000, until / 1000],
      [null, null],
    ];
  }

  #laneOptions(width: number): uPlot.Options {
    return {
      width,
      height: this.#laneHeight(),
      padding: [4, 24, 4, 0],
      legend: { show: false },
      cursor: zoomCursor(),
      scales: { x: { time: true }, y: { range: () => [0, 1] } },
      axes: [
        timeAxis(false),
        {
          show: true,
          size: (u) => axisWidth(u.width),
          splits: () => [],
          grid: { show: false },
          ticks: { show: false },
        },
      ],
      series: [{}, { show: false }],
      hooks: {
        draw: [
          (u) => {
            drawLanes(u, this.#data);
            this.#drawNames(u);
          },
        ],
        setSelect: [(u) => onSelect(u, this.#hooks)],
        setCursor: [(u) => this.#point(u)],
      },
    };
  }

  #drawNames(u: uPlot): void {
    const ratio = devicePixelRatio;
    u.ctx.save();
    u.ctx.font = `${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
    u.ctx.fillStyle = color('--text');
    u.ctx.textAlign = 'left';
    u.ctx.textBaseline = 'middle';
    const room = (axisWidth(u.width) - 12) * ratio;
    const fits = (text: string) => u.ctx.measureText(text).width <= room;
    this.#data.lanes.forEach((name, n) => {
      const middle = u.bbox.top + (n + 0.5) * LANE_HEIGHT * ratio;
      u.ctx.fillText(shorten(name, fits), 4 * ratio, middle);
    });
    u.ctx.restore();
  }

  #memoryOptions(width: number): uPlot.Options {
    const line = (label: string, stroke: string, more: Partial<uPlot.Series> = {}) => ({
      label,
      stroke: () => color(stroke),
      ...more,
      width: 1.5,
      points: { show: false },
      paths: uPlot.paths.stepped!({ align: 1 }),
    });
    return {
      width,
      height: MEMORY_HEIGHT,
      padding: [8, 24, 0, 0],
      legend: { show: false },
      cursor: zoomCursor(),
      scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, (max || GIGABYTE) * 1.05] } },
      axes: [
        timeAxis(true),
        {
          size: (u) => axisWidth(u.width),
          stroke: () => color('--text'),
          grid: { stroke: () => color('--line'), width: 1 },
          ticks: { show: false },
          space: 22,
          incrs: memorySteps,
          values: (_u, ticks) => ticks.map(bytes),
        },
      ],
      series: [
        {},
        line('models', '--busy', { fill: () => color('--idle-soft') }),
        line('parked', '--parked', { dash: [5, 3] }),
        line('used', '--muted'),
      ],
      hooks: { setSelect: [(u) => onSelect(u, this.#hooks)], setCursor: [(u) => this.#point(u)] },
    };
  }

  #point(u: uPlot): void {
    const { left, top } = u.cursor;
    if (left === undefined || left < 0) {
      this.#hooks.onPoint({ at: null, life: null, memory: null });
      return;
    }
    const data = this.#data;
    const at = u.posToVal(left, 'x') * 1000;
    const lane =
      u === this.#lanes && top !== undefined && top >= 0
        ? data.lanes[Math.floor(top / LANE_HEIGHT)]
        : undefined;
    if (u !== this.#lanes && !u.over.matches(':hover')) return; // moved by the other chart
    this.#hooks.onPoint({
      at,
      life: lane ? lifetimeAt(data.lifetimes, lane, at, data.now) : null,
      memory: this.#memoryAt(at),
    });
  }

  #memoryAt(at: number): Reading['memory'] {
    const [times, models, parked, used] = this.#data.memory;
    const n = times.findLastIndex((s) => s * 1000 <= at);
    return n < 0 ? null : { models: models[n]!, parked: parked[n]!, used: used[n]! };
  }

  #rescale(): void {
    const scale = { min: this.#data.from / 1000, max: this.#data.until / 1000 };
    this.#lanes.setScale('x', scale);
    this.#memory.setScale('x', scale);
  }

  show(data: ChartData): void {
    this.#data = data;
    this.resize();
    this.#lanes.setData(this.#laneData(), false);
    this.#memory.setData(data.memory, false);
    this.#rescale();
  }

  resize(): void {
    const width = Math.max(200, this.#laneBox.clientWidth);
    if (width !== this.#lanes.width || this.#laneHeight() !== this.#lanes.height) {
      this.#lanes.setSize({ width, height: this.#laneHeight() });
    }
    if (width !== this.#memory.width) this.#memory.setSize({ width, height: MEMORY_HEIGHT });
  }

  // After a change of the color scheme.
  redraw(): void {
    this.#lanes.redraw(false);
    this.#memory.redraw(false);
  }

  close(): void {
    this.#lanes.destroy();
    this.#memory.destroy();
    this.#laneBox.replaceChildren();
    this.#memoryBox.replaceChildren();
  }
}
