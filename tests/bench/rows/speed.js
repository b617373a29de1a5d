/* SPDX-License-Identifier: MIT */
// Tokens per second of prompts never seen and of answers, alone and with four requests at once,
// when the model has been loaded for a while.
import { freshSeed, freshSeeds } from '../lib/bench.js';
import { large, small } from '../lib/models.js';
import { ask } from '../lib/prompts.js';
import { PARALLEL, SPEEDS, spec } from '../lib/rows.js';

const PROMPT_TOKENS = 256;
const ANSWER_TOKENS = 64;

export async function speed(bench) {
  for (const model of [small, large])
    if (bench.wants(...idsOf(model))) await rowsOf(bench, model);
}

const idOf = (model, what, n) => `speed.${model.type}.${what}.${n}`;
const idsOf = (model, whats = Object.keys(SPEEDS), parallel = PARALLEL) =>
  parallel.flatMap((n) => whats.map((what) => idOf(model, what, n))).filter(spec);

const sum = (values) => values.reduce((a, b) => a + b, 0);

// A request for each seed, all at once; together: tokens of the prompts ÷ time until the last one's
// first token. And how long each waits for its own.
async function prompts(say, seeds) {
  const start = performance.now();
  const all = await Promise.all(seeds.map((seed) =>
    say(ask(PROMPT_TOKENS, seed, { max_tokens: 4 }))));
  const end = Math.max(...all.map((a) => a.start + a.first));
  return {
    prompt: sum(all.map((a) => a.usage.prompt_tokens)) / (end - start) * 1000,
    first: sum(all.map((a) => a.first)) / all.length,
  };
}

// Of each answer the tokens after its first ÷ the time they took; of all together the sum. What
// comes before an answer's first token is its prompt.
async function answers(say, seeds) {
  const all = await Promise.all(seeds.map((seed) =>
    say(ask(16, seed, { max_tokens: ANSWER_TOKENS }))));
  return {
    decode: sum(all.map((a) => (a.usage.completion_tokens - 1) / (a.last - a.first) * 1000)),
  };
}

// What a server does to a model in the background, such as repacking it, it has done after this.
async function warmUp(server, say) {
  for (let i = 0; i < 2; i++) {
    await say(ask(PROMPT_TOKENS, freshSeed(), { max_tokens: 16 }));
    await server.program.quiet();
  }
}

async function rowsOf(bench, model) {
  const servers = await bench.servers(
    { models: { [model.name]: model.file() }, parallel: Math.max(...PARALLEL) });
  for (const server of servers)
    await warmUp(server, (body) => server.chat(model.name, body));
  for (const n of PARALLEL) {
    await together(bench, model, servers, n, ['prompt', 'first'], prompts);
    await together(bench, model, servers, n, ['decode'], answers);
  }
  await bench.stop();
}

// The rows that `measure` fills with n requests at once.
async function together(bench, model, servers, n, whats, measure) {
  const ids = idsOf(model, whats, [n]).filter((id) => bench.wants(id));
  if (!ids.length) return;
  const seeds = Array.from({ length: bench.runs }, () => freshSeeds(n));
  await bench.alternate(servers, async (server, run) => {
    const measured = await measure((body) => server.chat(model.name, body), seeds[run]);
    for (const what of whats) {
      const id = idOf(model, what, n);
      if (ids.includes(id)) bench.note(id, server.constructor.key, measured[what]);
    }
    await server.program.quiet(); // or it would slow down the next server
  });
  ids.forEach((id) => bench.done(id));
}
