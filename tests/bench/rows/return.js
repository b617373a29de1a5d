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

// Of one length all ways take turns, so that they can be compared.
export async function returning(bench) {
  for (const tokens of LENGTHS)
    await rowsOf(bench, small, tokens, Object.keys(WAYS), (way) => `return.${way}.${tokens}`);
  await rowsOf(bench, trained, TRAINED_TOKENS, ['evict'], (way) => `return.trained.${way}`);
}

// {way, server, talk} for each server, with a conversation that has begun.
async function begin(bench, model, way, text) {
  const servers = await bench.servers({
    models: { [model.name]: model.file(), [large.name]: large.file() },
    ...(way === 'ttl' && { sleepSeconds: 1 }),
  });
  const more = leave[way].more ?? (() => ({}));
  const say = (server) => (body) =>
    server.chat(model.name, { ...body, ...model.body, ...more(server) });
  const talks = servers.map((server) => ({ way, server, talk: new Conversation(say(server)) }));
  for (const { talk } of talks) await talk.go(text);
  return talks;
}

async function rowsOf(bench, model, tokens, all, idOf) {
  const ways = all.filter((way) => bench.wants(idOf(way)));
  const opening = prompt(tokens, freshSeed()), questions = freshSeeds(bench.runs);
  const talks = [], cached = {};
  for (const way of ways) talks.push(...await begin(bench, model, way, opening));
  await bench.alternate(talks, async ({ way, server, talk }, run) => {
    await leave[way].do(server, model);
    const answer = await talk.go(prompt(QUESTION_TOKENS, questions[run]));
    bench.note(idOf(way), server.constructor.key, answer.first);
    if (server.constructor.key === 'doze')
      cached[way] = answer.usage.prompt_tokens_details.cached_tokens;
    await server.program.quiet(); // or it would slow down the next server
  });
  for (const way of ways) bench.done(idOf(way), { cached: cached[way] });
  await bench.stop();
}
