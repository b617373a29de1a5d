/* SPDX-License-Identifier: MIT */
// Time to first token when another model is loaded: A → B → A, short prompts that were never seen.
// The loaded one has been idle for longer than the grace by which doze keeps two clients in turns
// from loading a model for each answer (docs/lifecycle.md).
import { freshSeeds } from '../lib/bench.js';
import { large, small } from '../lib/models.js';
import { warm } from '../lib/page_cache.js';
import { ask } from '../lib/prompts.js';

const PROMPT_TOKENS = 16;
const ids = [large, small].map((model) => `switch.${model.type}`);

export async function switching(bench) {
  if (!bench.wants(...ids)) return;
  const models = Object.fromEntries([small, large].map((m) => [m.name, m.file()]));
  const servers = await bench.servers({ models });
  const seeds = Array.from({ length: bench.runs }, () => freshSeeds(3));
  await bench.alternate(servers, async (server, run) => {
    Object.values(models).forEach(warm);
    const say = (model, turn) =>
      server.chat(model.name, ask(PROMPT_TOKENS, seeds[run][turn], { max_tokens: 4 }));
    await say(small, 0);
    for (const [i, model] of [large, small].entries()) {
      await server.program.quiet();
      bench.note(`switch.${model.type}`, server.constructor.key, (await say(model, i + 1)).first);
    }
    await server.unload(small.name);
  });
  ids.forEach((id) => bench.done(id));
  await bench.stop();
}
