/* SPDX-License-Identifier: MIT */
// Time to first token of a short prompt that was never seen, of a model that has left by its ttl
// and whose worker is parked. Beside it what the bare program needs to process the same prompt.
import { freshSeeds } from '../lib/bench.js';
import { floor } from '../lib/floor.js';
import { small } from '../lib/models.js';
import { ask, rendered } from '../lib/prompts.js';

const PROMPT_TOKENS = 8;
const id = `parked.${small.type}`;

export async function parked(bench) {
  if (!bench.wants(id)) return;
  const file = small.file();
  const servers = await bench.servers({
    models: { [small.name]: file }, sleepSeconds: 1, settings: { parked_workers: 'on' },
  });
  const say = (server, seed) => server.chat(small.name,
    ask(PROMPT_TOKENS, seed, { max_tokens: 4, ...server.leaveSoon }));
  const first = freshSeeds(servers.length), seeds = freshSeeds(bench.runs);
  for (const [i, server] of servers.entries()) await say(server, first[i]);
  await bench.alternate([...servers, null], async (server, run) => {
    if (!server) {
      const bare = await floor(file, bench.threads, rendered(ask(PROMPT_TOKENS, seeds[run])));
      bench.note(id, 'floor', bare.prompt_ms);
      return;
    }
    await server.asleep(small.name);
    bench.note(id, server.constructor.key, (await say(server, seeds[run])).first);
    await server.program.quiet(); // or it would slow down the next server
  });
  bench.done(id);
  await bench.stop();
}
