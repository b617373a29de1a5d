/* SPDX-License-Identifier: MIT */
// Placement of requests in simulated fleets, beside random and least-loaded placement.
import { FIGURES, POLICIES, fleets, simulate } from '../lib/fleets.js';
import { summary } from '../lib/results.js';

function row(spec, policy, runs) {
  const figures = Array.from({ length: runs }, (_, i) => simulate(spec, policy, i + 1));
  const told = Object.fromEntries(FIGURES.map(({ key, of }) => [key, summary(figures.map(of))]));
  console.log(`${spec.id.padEnd(20)} ${policy.padEnd(14)}${FIGURES.map(({ key, unit }) =>
    ` ${key} ${told[key].median.toFixed(2)} ${unit}`).join('')}`);
  return told;
}

export function fleet({ results, runs, wanted }) {
  for (const spec of fleets.filter(({ id }) => wanted(id)))
    results.keep(spec.id, Object.fromEntries(Object.keys(POLICIES).map((policy) =>
      [policy, row(spec, policy, runs)])));
}
