/* SPDX-License-Identifier: MIT */
// Clients in languages that are compiled: each is a small program of ours, told a URL, that prints
// a JSON object of what it saw. Every check of that has a name here.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { embedding } from '../../e2e/lib/models.js';
import { run } from '../lib/program.js';
import { REPORT, assertAnswer, start } from '../lib/world.js';

// For what is fetched and compiled.
export const made = path.resolve(import.meta.dirname, '../../../build/clients');

// Run what makes a client.
export function tool(program, args, options) {
  const ended = spawnSync(program, args, { encoding: 'utf8', ...options });
  assert.equal(ended.status, 0, ended.error?.message ?? `${ended.stdout}${ended.stderr}`);
}

// Of the trained model: `chat`, its answer; `pieces`, the same as it came in a stream; `place`,
// what it fills a schema with. Of the model that calls a tool: `report` and `asked`, the cities;
// `called`, what came of a stream. `responses` has these through the other API.
const conversation = {
  chat: ({ chat }) => assertAnswer(chat),
  stream: ({ pieces }) => {
    assertAnswer(pieces.join(''));
    assert.ok(pieces.length > 1);
  },
  'a tool': ({ report, asked }) => assert.deepEqual([report, asked], [REPORT, ['Paris']]),
  'a tool in a stream': ({ called }) =>
    assert.deepEqual(called, ['get_weather', { city: 'Paris' }]),
  'structured output': ({ place }) => assert.ok(['Paris', 'Rome'].includes(place), place),
};
export const checks = {
  ...conversation,
  ...Object.fromEntries(Object.entries(conversation).map(([name, check]) =>
    [`responses, ${name}`, ({ responses }) => check(responses)])),
  embeddings: ({ vectors }) => assert.deepEqual(vectors, [128, 128]),
  models: ({ models }) =>
    assert.deepEqual(models.sort(), ['caller', 'smol', 'steady', 'vectors']),
  'an error': ({ error }) => assert.match(error, /no model 'nobody'/),
};

// commandOf: of a daemon, the command without the URL. without: checks that the client cannot do;
// more: its own.
export function clientTest(name, commandOf, { without = [], more = {} } = {}) {
  test(name, async (t) => {
    const d = await start(t, { vectors: embedding() });
    const [program, ...args] = await commandOf(d);
    const ended = await run(program, [...args, d.url], { seconds: 120,
      env: { HOME: path.join(d.folder, 'home') } });
    assert.equal(ended.code, 0, `${ended.out}\n${ended.err}\n${d.log}`);
    const seen = JSON.parse(ended.out);
    for (const [what, check] of Object.entries({ ...checks, ...more }))
      if (!without.includes(what)) await t.test(what, () => check(seen));
  });
}
