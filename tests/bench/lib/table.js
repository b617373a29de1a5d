/* SPDX-License-Identifier: MIT */
// The results as Markdown.
import { times } from './results.js';
import { rows } from './rows.js';

const names = { peer: 'the stock server', floor: 'the bare program' };

export function figure(value) {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toPrecision(value >= 10 ? 3 : 2);
}

const cell = (summary, unit) => (summary ? `${figure(summary.median)} ${unit}` : '–');

const spread = (summary) =>
  (summary ? `${figure(summary.min)}–${figure(summary.max)}` : '–');

function verdict(spec, row) {
  if (!spec.goal) return '';
  if (spec.goal.most) {
    const end = row.doze.median <= spec.goal.most ? 'reached' : '**missed**';
    return `≤ ${spec.goal.most} ${spec.unit}: ${end}`;
  }
  const reached = times(spec, row, spec.goal.than);
  const wanted = `≥ ${spec.goal.times.toPrecision(2)} × ${names[spec.goal.than]}`;
  if (reached === null) return wanted;
  return `${wanted}: ${reached >= spec.goal.times ? 'reached' : '**missed**'}`;
}

function line(spec, row) {
  const ratio = (other) => {
    const value = times(spec, row, other);
    return value === null ? '–' : `${value.toPrecision(value >= 10 ? 3 : 2)} ×`;
  };
  return ['', spec.title, cell(row.doze, spec.unit), cell(row.peer, spec.unit), ratio('peer'),
    cell(row.floor, spec.unit), ratio('floor'), spread(row.doze), spread(row.peer), row.doze.runs,
    verdict(spec, row), ''].join(' | ').trim();
}

const HEAD = [
  '| | doze | stock | times better | bare | times better | doze, from–to | stock, from–to | runs '
    + '| aim |',
  '|---|--:|--:|--:|--:|--:|--:|--:|--:|---|',
].join('\n');

// results: by row id; machine: see machine.js.
export function table(results, machine) {
  const measured = rows.filter((row) => results[row.id]);
  const groups = [...new Set(measured.map((row) => row.group))];
  const dates = [...new Set(measured.map((row) => results[row.id].measured))].sort();
  return `# Results

Measured ${dates.join(', ')} on ${machine.cpu}, ${machine.memory}, ${machine.kernel}.
${machine.doze}; ${machine.engine}. Medians; what is measured and how: [README.md](README.md).

"times better" is how many times less time or memory, or how many times more per second:
below 1 doze is the worse one.

![the same as a picture](results.svg)

${groups.map((group) => `## ${group}

${HEAD}
${measured.filter((row) => row.group === group).map((row) => line(row, results[row.id])).join('\n')}
`).join('\n')}`;
}
