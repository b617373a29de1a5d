/* SPDX-License-Identifier: MIT */
// Private memory of the server and its workers: before any load, with a model loaded with a window
// of 32k of which a conversation uses 1,000 tokens, and after the unload.
import { freshSeeds } from '../lib/bench.js';
import { privateBytes } from '../lib/memory.js';
import { small } from '../lib/models.js';
import { ask } from '../lib/prompts.js';

const WINDOW = 32768;
const USED_TOKENS = 1000;
const ids = ['idle', 'loaded', 'unloaded'].map((when) => `memory.${when}`);

export async function memory(bench) {
  if (!bench.wants(...ids)) return;
  const models = { [small.name]: small.file() };
  const seeds = freshSeeds(bench.runs);
  await bench.alternate(bench.kinds, async (kind, run) => {
    const server = await bench.server(kind, { models, context: WINDOW });
    const note = (when) =>
      bench.note(`memory.${when}`, kind.key, privateBytes(server.program) / 1e6);
    await server.program.quiet(); // what it keeps ready for the first load is there
    note('idle');
    await server.chat(small.name, ask(USED_TOKENS, seeds[run], { max_tokens: 4 }));
    note('loaded');
    await server.unload(small.name);
    await server.program.quiet();
    note('unloaded');
    await bench.stop();
  });
  ids.forEach((id) => bench.done(id));
}
