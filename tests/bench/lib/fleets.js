/* SPDX-License-Identifier: MIT */
// The simulated fleets, and what is told of them. docs/benchmarks/README.md says what they are.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { doze } from '../../e2e/lib/programs.js';
import { bars } from './bars.js';
import { figure } from './table.js';

export const fleetProgram = path.join(path.dirname(doze), 'fleet-sim');
export const POLICIES = {
  doze: ['doze', '#2563eb'],
  'least-loaded': ['least loaded', '#9ca3af'],
  random: ['random', '#f59e0b'],
};

const fleet = (nodes, load, models, rate, seconds) => ({
  id: `fleet.${nodes}.${load}`, nodes, models, rate, seconds,
  title: `${nodes.toLocaleString('en')} nodes, ${models} models, ${rate} conversations/h and node`,
});

export const fleets = [
  fleet(3, 'calm', 8, 20, 7200), fleet(3, 'busy', 8, 60, 7200),
  fleet(30, 'calm', 40, 20, 3600), fleet(30, 'busy', 40, 60, 3600),
  fleet(30, 'popular', 3, 60, 3600),
  fleet(1000, 'calm', 200, 20, 1200), fleet(1000, 'busy', 200, 60, 1200),
  fleet(1000, 'popular', 20, 60, 1200),
];

// What is told of a run, in the order of the columns; `chart`: as a title of the picture.
export const FIGURES = [
  { key: 'p50', title: 'first token, half of them within', unit: 's', of: (f) => f.first_p50,
    chart: 'First token, half of the requests within (s' },
  { key: 'p99', title: '99 of 100 within', unit: 's', of: (f) => f.first_p99,
    chart: 'First token, 99 of 100 requests within (s' },
  { key: 'failed', title: 'failed', unit: '%', of: (f) => 100 * f.failed / f.asked,
    chart: 'Requests that fail (%' },
  { key: 'loads', title: 'loads per 1,000 requests', unit: '',
    of: (f) => 1000 * f.loads / f.asked, chart: 'Loads (per 1,000 requests' },
  { key: 'moved', title: 'read and fetched per request', unit: 'MB',
    of: (f) => 1000 * (f.loaded_gb + f.fetched_gb) / f.asked },
  { key: 'held', title: 'prompt tokens already held', unit: '%', of: (f) => 100 * f.held },
];

// The figures of one run, by name; the same for the same seed.
export function simulate({ nodes, models, rate, seconds }, policy, seed) {
  const args = [nodes, policy, seed, seconds, rate, models].map(String);
  const run = spawnSync(fleetProgram, args, { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`fleet-sim ${args.join(' ')}: ${run.stderr}`);
  return Object.fromEntries(run.stdout.trim().split('\n').map((line) => {
    const [name, value] = line.split('\t');
    return [name, Number(value)];
  }));
}

const shown = (value) => (value === 0 ? '0' : figure(value));

function cell({ unit }, summary) {
  const range = summary.min === summary.max ? ''
    : ` <sub>${shown(summary.min)}–${shown(summary.max)}</sub>`;
  return `${shown(summary.median)}${unit && ` ${unit}`}${range}`;
}

function section(spec, row) {
  const lines = Object.entries(POLICIES).map(([policy, [name]]) =>
    `| ${name} | ${FIGURES.map((f) => cell(f, row[policy][f.key])).join(' | ')} |`);
  return `## ${spec.title}

| | ${FIGURES.map((f) => f.title).join(' | ')} |
|---|${FIGURES.map(() => '--:').join('|')}|
${lines.join('\n')}
`;
}

// results: by id of the fleet, policy and figure: {median, min, max, runs}.
export function fleetPage(results) {
  const measured = fleets.filter(({ id }) => results[id]);
  const runs = Math.max(...measured.map(({ id }) => results[id].doze.p50.runs));
  return `# Placement in a fleet

Simulated by tools/fleet-sim, which runs the placement of doze (src/fleet/placement.c) on a virtual
clock; medians of ${runs} runs with different seeds, from–to in small print. What is simulated, and
what is assumed: [README.md](README.md#fleets). No computer was measured.

![the same as a picture](fleet.svg)

${measured.map((spec) => section(spec, results[spec.id])).join('\n')}`;
}

export function fleetPicture(results) {
  const measured = fleets.filter(({ id }) => results[id]);
  const charts = FIGURES.filter((f) => f.chart).map((f) => ({
    title: `${f.chart}, less is better)`,
    rows: measured.map(({ id, title }) => ({
      title,
      values: Object.fromEntries(Object.keys(POLICIES).map((policy) =>
        [policy, results[id][policy][f.key].median])),
    })),
  }));
  return bars(charts, POLICIES);
}
