/* SPDX-License-Identifier: MIT */
// Time to first token of a model that is not loaded: a short prompt that was never seen, the
// model's file in the page cache or not. Beside it the bare program on the same file and prompt.
import { freshSeeds } from '../lib/bench.js';
import { floor } from '../lib/floor.js';
import { large, small } from '../lib/models.js';
import { drop, warm } from '../lib/page_cache.js';
import { ask, rendered } from '../lib/prompts.js';

const PROMPT_TOKENS = 16;

export async function cold(bench) {
  for (const model of [small, large])
    for (const [state, prepare] of Object.entries({ cached: warm, uncached: drop }))
      if (bench.wants(`cold.${state}.${model.type}`)) await row(bench, model, state, prepare);
}

async function row(bench, model, state, prepare) {
  const id = `cold.${state}.${model.type}`;
  const file = model.file();
  const servers = await bench.servers({ models: { [model.name]: file } });
  const seeds = freshSeeds(bench.runs);
  // Prompts differ from run to run, and their tokens by one or so; within a run all get the same.
  const lengths = new Map();
  const same = (run, tokens) => {
    if ((lengths.get(run) ?? tokens) !== tokens)
      throw new Error(`prompts of different lengths: ${lengths.get(run)}, ${tokens}`);
    lengths.set(run, tokens);
  };
  await bench.alternate([...servers, null], async (server, run) => {
    const body = ask(PROMPT_TOKENS, seeds[run], { max_tokens: 4 });
    prepare(file);
    if (!server) {
      const { ms, prompt_tokens: tokens } = await floor(file, bench.threads, rendered(body));
      bench.note(id, 'floor', ms);
      same(run, tokens);
      return;
    }
    const answer = await server.chat(model.name, body);
    await server.unload(model.name);
    bench.note(id, server.constructor.key, answer.first);
    same(run, answer.usage.prompt_tokens);
  });
  bench.done(id);
  await bench.stop();
}
