/* SPDX-License-Identifier: MIT */
// The public JSON-Schema test suite under doze and under the grammars of the stock llama.cpp
// server: how many schemas each takes, and what may be said under them. Writes
// docs/benchmarks/schemas.md; nothing is timed. `make schemas`
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { judge, sums } from '../e2e/lib/judge.js';
import { drafts, groups, missing, version } from '../e2e/lib/schema_suite.js';
import { machine } from './lib/machine.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const out = path.join(root, 'docs/benchmarks/schemas.md');

const share = (part, whole) => `${part} of ${whole} (${Math.floor((100 * part) / whole)} %)`;

function line(title, { doze, stock }) {
  return ['', title, share(doze.taken, doze.schemas),
    share(stock.taken, stock.schemas), share(doze.refused, doze.invalid),
    share(stock.refused, stock.invalid), doze.silent, stock.silent,
    share(doze.allowed, doze.valid), share(stock.allowed, stock.valid), ''].join(' | ').trim();
}

// The figures of both for a draft.
function measure(list) {
  return Object.fromEntries(['doze', 'stock'].map((who) => [who, sums(list, judge(who, list))]));
}

const add = (a, b) => Object.fromEntries(Object.keys(a).map((key) => [key, a[key] + b[key]]));

// The keywords that doze names, and the invalid instances that may be said under them.
function kinds(list) {
  const verdicts = judge('doze', list);
  const found = {};
  verdicts.forEach(({ verdicts: said, unenforced }, i) => {
    list[i].tests.forEach(({ valid }, k) => {
      if (said && !valid && said[k]) found[unenforced] = (found[unenforced] ?? 0) + 1;
    });
  });
  return Object.entries(found).sort((a, b) => b[1] - a[1]);
}

const HEAD = [
  '| draft | schemas taken: doze | stock | invalid refused: doze | stock '
    + '| let through without a word: doze | stock | valid allowed: doze | stock |',
  '|---|--:|--:|--:|--:|--:|--:|--:|--:|',
].join('\n');

function page(rows, named) {
  const { doze, engine } = machine(root);
  return `# JSON schemas

The public JSON-Schema test suite (${version}, required parts), under doze and under the
grammar that the stock llama.cpp server makes of a schema.
${doze}; ${engine}.
How it is measured: [README.md](README.md#json-schemas).

${HEAD}
${rows.map(([title, row]) => line(title, row)).join('\n')}

Instances are those of schemas that are taken. Neither allows all that are valid, on purpose:
properties come in the order of the schema, and objects that list theirs have no others.

What doze lets through it names in \`X-Doze-Unenforced\`. In draft 2020-12 these are:

| keywords of the schema that are named | invalid instances let through |
|---|--:|
${named.map(([names, count]) => `| ${names} | ${count} |`).join('\n')}
`;
}

if (missing) throw new Error(missing);
const lists = drafts.map((draft) =>
  groups(draft).filter(({ schema }) => typeof schema === 'object'));
const rows = drafts.map((draft, i) => [draft.slice('draft'.length), measure(lists[i])]);
const all = rows.map(([, row]) => row)
  .reduce((a, b) => ({ doze: add(a.doze, b.doze), stock: add(a.stock, b.stock) }));
fs.writeFileSync(out, page([...rows, ['all', all]], kinds(lists.at(-1))));
console.log(`schemas: ${path.relative(process.cwd(), out)}`);
