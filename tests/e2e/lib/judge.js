/* SPDX-License-Identifier: MIT */
// What of a test suite's instances may be said under its schemas (tools/judge/judge.c).
import { spawnSync } from 'node:child_process';
import { random } from './models.js';
import { judgeProgram } from './programs.js';

// who: 'doze' or 'stock'; groups: of schema_suite.js. One of {verdicts, unenforced}, {refused} and
// {died} for each.
export function judge(who, groups) {
  const cases = groups.map(({ schema, tests }) =>
    JSON.stringify({ schema, texts: tests.map(({ data }) => JSON.stringify(data)) }));
  // The stock grammars' warnings are for a log.
  const { status, stdout } = spawnSync(judgeProgram, [random(), who],
    { input: `${cases.join('\n')}\n`, encoding: 'utf8', maxBuffer: 1 << 28,
      stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  if (status !== 0 || lines.length !== groups.length) throw new Error(`judge ended (${status})`);
  return lines;
}

const NONE = { schemas: 0, taken: 0, died: 0, valid: 0, allowed: 0, invalid: 0, refused: 0,
  silent: 0 };

// Sums of these; silent: invalid instances that may be said though no keyword is named.
export function sums(groups, verdicts) {
  const sum = { ...NONE, schemas: groups.length };
  verdicts.forEach((got, i) => {
    sum.died += Boolean(got.died);
    if (!got.verdicts) return;
    sum.taken++;
    groups[i].tests.forEach(({ valid }, k) => {
      sum[valid ? 'valid' : 'invalid']++;
      if (valid) sum.allowed += got.verdicts[k];
      else if (!got.verdicts[k]) sum.refused++;
      else sum.silent += !got.unenforced;
    });
  });
  return sum;
}
