/* SPDX-License-Identifier: MIT */
// The figures of all rows, kept as JSON so that rows can be measured at different times.
import fs from 'node:fs';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const summary = (values) => ({
  median: median(values), min: Math.min(...values), max: Math.max(...values), runs: values.length,
});

export class Results {
  #rows = {};
  #file;

  constructor(file) {
    this.#file = file;
    if (fs.existsSync(file)) this.#rows = JSON.parse(fs.readFileSync(file, 'utf8'));
  }

  get rows() { return this.#rows; }

  keep(id, row) {
    this.#rows[id] = row;
    fs.writeFileSync(this.#file, `${JSON.stringify(this.#rows, null, 1)}\n`);
  }

  // values: {doze: [numbers], peer: …, floor: …}; who was not measured this time has none.
  put(id, values, facts = {}) {
    const row = { measured: new Date().toISOString().slice(0, 10), ...facts };
    for (const [who, numbers] of Object.entries(values))
      if (numbers.length) row[who] = summary(numbers);
    this.keep(id, row);
  }
}

// How many times better doze is than `other`: 2 is half the time or memory, or twice the speed.
export function times(spec, row, other) {
  if (!row.doze || !row[other]) return null;
  const [less, more] = [row[other].median, row.doze.median];
  return spec.better === 'low' ? less / more : more / less;
}
