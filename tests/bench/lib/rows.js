/* SPDX-License-Identifier: MIT */
// Every row of the table: what it is called, its unit, which way is better, and its goal: a factor
// by which it is better than `than` ('peer', 'floor'), or `most`, the upper limit.
import { large, small, trained } from './models.js';

export const LENGTHS = [500, 2000, 8000];
export const WAYS = { evict: 'an eviction', ttl: 'its ttl', restart: 'a restart of the server' };
// What a context of 8,192 tokens holds beside the turns that are measured.
export const TRAINED_TOKENS = 7800;
export const RETURN_GOALS = { 2000: 20, 8000: 60 };
export const PARALLEL = [1, 4];

const time = { unit: 'ms', better: 'low' };
const speed = { unit: 'tokens/s', better: 'high' };
const memory = { unit: 'MB', better: 'low' };

const cold = [small, large].flatMap((model) => [
  { id: `cold.cached.${model.type}`, title: `${model.title}, file in the page cache`, ...time,
    goal: { than: 'floor', times: 1 / 1.15 } },
  { id: `cold.uncached.${model.type}`, title: `${model.title}, file not in the page cache`,
    ...time },
].map((row) => ({ group: 'First token of a model that is not loaded', ...row })));

const switching = [[small, large], [large, small]].map(([from, to]) => ({
  id: `switch.${to.type}`, group: 'First token after a switch of models, short prompts',
  title: `${from.title} → ${to.title}`, ...time, goal: { than: 'peer', times: 2 },
}));

const returnRow = (id, model, way, tokens) => ({
  id: `return.${id}`, group: `Back to a conversation, first token (${model.title})`,
  title: `${tokens.toLocaleString('en')} tokens, after ${WAYS[way]}`, ...time,
});

const returning = [
  ...Object.keys(WAYS).flatMap((way) => LENGTHS.map((tokens) => ({
    ...returnRow(`${way}.${tokens}`, small, way, tokens),
    ...(RETURN_GOALS[tokens] && { goal: { than: 'peer', times: RETURN_GOALS[tokens] } }),
  }))),
  returnRow('trained.evict', trained, 'evict', TRAINED_TOKENS),
];

const parked = [{
  id: `parked.${small.type}`, group: 'First token of a model whose worker is parked',
  title: `${small.title}, a new prompt of 8 words`, ...time, goal: { most: 150 },
}];

// What is measured with one request or several at once.
export const SPEEDS = {
  prompt: { name: 'prompts', ...speed },
  first: { name: 'first token, the mean', ...time },
  decode: { name: 'answers', ...speed },
};

const speeds = [small, large].flatMap((model) => PARALLEL.flatMap((n) =>
  Object.entries(SPEEDS).filter(([what]) => what !== 'first' || n > 1)
    .map(([what, { name, ...unit }]) => ({
      id: `speed.${model.type}.${what}.${n}`, group: 'Speed',
      title: `${model.title}, ${name}, ${n === 1 ? '1 request' : `${n} requests`}`,
      ...unit, goal: { than: 'peer', times: 0.98 },
    }))));

const memories = [
  { id: 'memory.loaded', title: `${small.title} loaded, 1,000 tokens of a 32k window used`,
    goal: { than: 'peer', times: 1 / 0.35 } },
  { id: 'memory.unloaded', title: 'after the unload' },
  { id: 'memory.idle', title: 'server started, nothing loaded yet' },
].map((row) => ({ group: 'Private memory of all processes', ...memory, ...row }));

const http = [
  { id: 'http.list.rate', title: 'list of models (2 KB), 8 connections', unit: 'requests/s',
    better: 'high' },
  { id: 'http.list.latency', title: 'list of models (2 KB), 1 connection', unit: 'µs',
    better: 'low' },
  { id: 'http.stream.first', title: 'first token of a tiny loaded model', ...time },
  { id: 'http.stream.rate', title: 'stream of a tiny model', ...speed },
].map((row) => ({ group: 'The way through HTTP', ...row }));

export const rows = [
  ...cold, ...switching, ...returning, ...parked, ...speeds, ...memories, ...http,
];

const byId = new Map(rows.map((row) => [row.id, row]));
export const spec = (id) => byId.get(id);
