/* SPDX-License-Identifier: MIT */
// Tokens per second of prompts never seen and of answers, alone and with four requests at once,
// when the model has been loaded for a while.
import { freshSeed, freshSeeds } from '../lib/bench.js';
import { large, small } from '../lib/models.js';
import { ask } from '../lib/prompts.js';
import { PARALLEL } from '../lib/rows.js';

const PROMPT_TOKENS = 256;
const ANSWER_TOKENS = 64;

export async function speed(bench) {
  for (const model of [small, large])
    if (bench.wants(...idsOf(model))) await rowsOf(bench, model);
}

const idOf = (model, what, n) => `speed.${model.type}.${what}.${n}`;
const idsOf = (model) => PARALLEL.flatMap((n) =>
  ['prompt', 'decode'].map((what) => idOf(model, what, n)));

const sum = (values) => values.reduce((a, b) => a + b, 0);

// A request for each seed, all at once; together: tokens of the prompts ÷ time until the last one's
// first token.
async function promptSpeed(say, seeds) {
  const start = performance.now();
  const answers = await Promise.all(seeds.map((seed) =>
    say(ask(PROMPT_TOKENS, seed, { max_tokens: 4 }))));
  const end = Math.max(...answers.map((a) => a.start + a.first));
  return sum(answers.map((a) => a.usage.prompt_tokens)) / (end - start) * 1000;
}

// Of each answer the tokens after its first ÷ the time they took; of all together the sum. What
// comes before an answer's first token is its prompt.
async function answerSpeed(say, seeds) {
  const answers = await Promise.all(seeds.map((seed) =>
    say(ask(16, seed, { max_tokens: ANSWER_TOKENS }))));
  return sum(answers.map((a) => (a.usage.completion_tokens - 1) / (a.last - a.first) * 1000));
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
  const say = (server) => (body) => server.chat(model.name, body);
  for (const server of servers) await warmUp(server, say(server));
  for (const n of PARALLEL) {
    for (const [what, measure] of [['prompt', promptSpeed], ['decode', answerSpeed]]) {
      const id = idOf(model, what, n);
      if (!bench.wants(id)) continue;
      const seeds = Array.from({ length: bench.runs }, () => freshSeeds(n));
      await bench.alternate(servers, async (server, run) => {
        bench.note(id, server.constructor.key, await measure(say(server), seeds[run]));
        await server.program.quiet(); // or it would slow down whoever is next
      });
      bench.done(id);
    }
  }
  await bench.stop();
}
