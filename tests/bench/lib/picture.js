/* SPDX-License-Identifier: MIT */
// The results as a picture: one chart for each unit.
import { bars } from './bars.js';
import { rows } from './rows.js';

const WHO = {
  doze: ['doze', '#2563eb'],
  peer: ['stock llama.cpp server', '#9ca3af'],
  floor: ['bare program', '#f59e0b'],
};

const chartOf = (group, unit, specs, results) => ({
  title: `${group} (${unit}, ${specs[0].better === 'low' ? 'less' : 'more'} is better)`,
  rows: specs.map((row) => ({
    title: row.title,
    values: Object.fromEntries(Object.keys(WHO).map((key) => [key, results[row.id][key]?.median])),
  })),
});

function chartsOf(results) {
  const measured = rows.filter((row) => results[row.id]);
  return [...new Set(measured.map((row) => row.group))].map((group) => {
    const specs = measured.filter((row) => row.group === group);
    return [...new Set(specs.map((row) => row.unit))].map((unit) =>
      chartOf(group, unit, specs.filter((row) => row.unit === unit), results));
  }).flat();
}

export const picture = (results) => bars(chartsOf(results), WHO);
