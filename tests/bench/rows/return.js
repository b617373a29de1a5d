/* SPDX-License-Identifier: MIT */
// Time to first token of the next turn of a conversation whose model was unloaded meanwhile:
// because another model took its place, because its ttl ended, because the server was restarted
// (the time of the restart itself does not count).
import { freshSeed, freshSeeds } from '../lib/bench.js';
import { large, small, trained } from '../lib/models.js';
import { ask, Conversation, prompt } from '../lib/prompts.js';
import { LENGTHS, TRAINED_TOKENS, WAYS } from '../lib/rows.js';

const QUESTION_TOKENS = 8;

// How a server comes to unload the model; `more`: what its last request before that says.
const leave = {
  evict: { do: evict },
  ttl: { more: (server) => server.leaveSoon, do: (server, model) => server.unloaded(model.name) },
  restart: { do: async (server) => { await server.stop(); await server.launch(); } },
};

async function evict(server) {
  await server.chat(large.name, ask(8, freshSeed(), { max_tokens: 1 }));
  await server.program.quiet(); // doze does not evict at once what was just loaded
}

export async function returning(bench) {
  for (const way of Object.keys(WAYS))
    for (const tokens of LENGTHS)
      await row(bench, `return.${way}.${tokens}`, small, way, tokens);
  await row(bench, 'return.trained.evict', trained, 'evict', TRAINED_TOKENS);
}

async function row(bench, id, model, way, tokens) {
  if (!bench.wants(id)) return;
  const servers = await bench.servers({
    models: { [model.name]: model.file(), [large.name]: large.file() },
    ...(way === 'ttl' && { sleepSeconds: 1 }),
  });
  const more = leave[way].more ?? (() => ({}));
  const say = (server) => (body) =>
    server.chat(model.name, { ...body, ...model.body, ...more(server) });
  const talks = new Map(servers.map((server) => [server, new Conversation(say(server))]));
  const opening = freshSeed(), questions = freshSeeds(bench.runs);
  for (const talk of talks.values()) await talk.go(prompt(tokens, opening));
  let cached;
  await bench.alternate(servers, async (server, run) => {
    await leave[way].do(server, model);
    const answer = await talks.get(server).go(prompt(QUESTION_TOKENS, questions[run]));
    bench.note(id, server.constructor.key, answer.first);
    if (server.constructor.key === 'doze') cached = answer.usage.prompt_tokens_details;
    await server.program.quiet(); // or it would slow down whoever is next
  });
  bench.done(id, { cached: cached.cached_tokens });
  await bench.stop();
}
