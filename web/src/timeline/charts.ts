/* SPDX-License-Identifier: MIT */
// The two charts of the timeline: lanes of lives, and memory. Both share their time axis.
import uPlot from 'uplot';
import { bytes } from '../ui/format';
import { lifeAt, type Columns, type Life } from './history';

const LANE = 30; // CSS pixels
const AXIS = 130;
const GIB = 2 ** 30;
const binarySteps = Array.from({ length: 24 }, (_, n) => 2 ** (20 + n)); // 1 MB, 2 MB, …

export interface Picture {
  lives: Life[];
  lanes: string[];
  memory: Columns;
  from: number; // Unix ms
  until: number;
  now: number;
}

export interface Pointing {
  at: number | null; // Unix ms under the pointer
  life: Life | null;
  memory: { models: number; used: number } | null;
}

interface Hooks {
  onZoom(from: number, until: number): void;
  onPoint(pointing: Pointing): void;
}

const color = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function block(
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

function drawLanes(u: uPlot, p: Picture): void {
  const ratio = devicePixelRatio;
  const [loading, resident, working, bad] = ['--loading', '--resident', '--working', '--bad'].map(
    color,
  ) as [string, string, string, string];
  u.ctx.save();
  for (const life of p.lives) {
    const top = u.bbox.top + (p.lanes.indexOf(life.id) * LANE + 6) * ratio;
    const height = (LANE - 12) * ratio;
    const until = life.until ?? p.now;
    block(u, loading, life.from, life.ready ?? until, top, height);
    if (life.ready !== null) block(u, resident, life.ready, until, top, height);
    for (const w of life.work) block(u, working, w.from, w.until ?? p.now, top, height);
    const trouble =
      life.until !== null &&
      ['worker_died', 'load_failed', 'lost', 'memory_pressure'].includes(life.reason ?? '');
    if (trouble) block(u, bad, until, until + 1, top - 4 * ratio, height + 8 * ratio);
  }
  u.ctx.restore();
}

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
  #picture: Picture;
  #hooks: Hooks;
  #laneBox: HTMLElement;
  #memoryBox: HTMLElement;

  constructor(laneBox: HTMLElement, memoryBox: HTMLElement, picture: Picture, hooks: Hooks) {
    this.#picture = picture;
    this.#hooks = hooks;
    this.#laneBox = laneBox;
    this.#memoryBox = memoryBox;
    const width = Math.max(200, laneBox.clientWidth);
    this.#lanes = new uPlot(this.#laneOptions(width), this.#laneData(), laneBox);
    this.#memory = new uPlot(this.#memoryOptions(width), picture.memory, memoryBox);
    this.#rescale();
  }

  #laneHeight(): number {
    return Math.max(1, this.#picture.lanes.length) * LANE + 8;
  }

  #laneData(): uPlot.AlignedData {
    const { from, until } = this.#picture;
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
        { show: true, size: AXIS, splits: () => [], grid: { show: false }, ticks: { show: false } },
      ],
      series: [{}, { show: false }],
      hooks: {
        draw: [
          (u) => {
            drawLanes(u, this.#picture);
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
    this.#picture.lanes.forEach((name, n) => {
      let text = name;
      while (text.length > 3 && u.ctx.measureText(text).width > (AXIS - 12) * ratio)
        text = `${text.slice(0, -2)}…`;
      u.ctx.fillText(text, 4 * ratio, u.bbox.top + (n + 0.5) * LANE * ratio);
    });
    u.ctx.restore();
  }

  #memoryOptions(width: number): uPlot.Options {
    const line = (label: string, stroke: string, fill?: string): uPlot.Series => ({
      label,
      stroke: () => color(stroke),
      ...(fill ? { fill: () => color(fill) } : {}),
      width: 1.5,
      points: { show: false },
      paths: uPlot.paths.stepped!({ align: 1 }),
    });
    return {
      width,
      height: 190,
      padding: [8, 24, 0, 0],
      legend: { show: false },
      cursor: zoomCursor(),
      scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, (max || GIB) * 1.05] } },
      axes: [
        timeAxis(true),
        {
          size: AXIS,
          stroke: () => color('--text'),
          grid: { stroke: () => color('--line'), width: 1 },
          ticks: { show: false },
          incrs: binarySteps,
          values: (_u, ticks) => ticks.map(bytes),
        },
      ],
      series: [{}, line('models', '--working', '--resident-soft'), line('used', '--muted')],
      hooks: { setSelect: [(u) => onSelect(u, this.#hooks)], setCursor: [(u) => this.#point(u)] },
    };
  }

  #point(u: uPlot): void {
    const { left, top } = u.cursor;
    if (left === undefined || left < 0) {
      this.#hooks.onPoint({ at: null, life: null, memory: null });
      return;
    }
    const p = this.#picture;
    const at = u.posToVal(left, 'x') * 1000;
    const lane =
      u === this.#lanes && top !== undefined && top >= 0
        ? p.lanes[Math.floor(top / LANE)]
        : undefined;
    if (u !== this.#lanes && !u.over.matches(':hover')) return; // the other chart moves this one's cursor
    this.#hooks.onPoint({
      at,
      life: lane ? lifeAt(p.lives, lane, at, p.now) : null,
      memory: this.#memoryAt(at),
    });
  }

  #memoryAt(at: number): Pointing['memory'] {
    const [times, models, used] = this.#picture.memory;
    const n = times.findLastIndex((s) => s * 1000 <= at);
    return n < 0 ? null : { models: models[n]!, used: used[n]! };
  }

  #rescale(): void {
    const scale = { min: this.#picture.from / 1000, max: this.#picture.until / 1000 };
    this.#lanes.setScale('x', scale);
    this.#memory.setScale('x', scale);
  }

  show(picture: Picture): void {
    this.#picture = picture;
    this.resize();
    this.#lanes.setData(this.#laneData(), false);
    this.#memory.setData(picture.memory, false);
    this.#rescale();
  }

  resize(): void {
    const width = Math.max(200, this.#laneBox.clientWidth);
    if (width !== this.#lanes.width || this.#laneHeight() !== this.#lanes.height) {
      this.#lanes.setSize({ width, height: this.#laneHeight() });
    }
    if (width !== this.#memory.width) this.#memory.setSize({ width, height: 190 });
  }

  // The theme changed.
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
