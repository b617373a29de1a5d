/* SPDX-License-Identifier: MIT */
// Frameworks in Python through Ollama's API. Each is one program, as to import it takes seconds;
// it prints what it saw, and every check of that has a name here.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { Daemon } from '../e2e/lib/daemon.js';
import { embedding, random, spoken, thinker, toolCaller } from '../e2e/lib/models.js';
import { build } from '../e2e/lib/programs.js';
import { run } from './lib/program.js';

const text = 'One two three four five. Six seven eight nine ten.';
const models = () => ({ m: spoken(text), tools: toolCaller(), thinker: thinker(),
  random: random(), vectors: embedding() });

// What the script says that it saw. list: of requirements.
async function see(d, script, list) {
  const ended = await run('python3', [path.join(import.meta.dirname, script), d.url], {
    seconds: 100, env: { HOME: path.join(d.folder, 'home'),
      PYTHONPATH: path.join(build, `deps/python/clients${list}`) } });
  assert.equal(ended.code, 0, `${ended.err}\n${d.log}`);
  return JSON.parse(ended.out.trim().split('\n').at(-1));
}

test('langchain-ollama', async (t) => {
  const d = await Daemon.start(t, { models: models() });
  const seen = await see(d, 'ollama_langchain.py', '');
  const weather = [['get_weather', { city: 'Paris' }]];
  const checks = {
    chat: () => assert.equal(seen.chat, text),
    'async and batches': () => assert.deepEqual([seen.later, ...seen.batch], [text, text, text]),
    stream: () => assert.ok(seen.streamed === text && seen.pieces > 5),
    usage: () => assert.ok(seen.usage.input_tokens > 0 && seen.usage.output_tokens === 10),
    'why it ended': () => assert.deepEqual([seen.reason, seen.cut], ['stop', 'length']),
    stop: () => assert.equal(seen.stop, 'One two three four '),
    'calls of tools': () => assert.deepEqual(seen.calls, weather),
    'calls of tools in a stream': () => assert.deepEqual(seen.streamed_calls, weather),
    'the result of a tool goes back': () => assert.equal(seen.after, 1),
    thinking: () => assert.match(seen.thinking, /Two and two/),
    'the answer beside it': () => assert.equal(seen.thought, 'The answer is 4.'),
    'thinking switched off': () => assert.equal(seen.silent, false),
    'a schema is kept': () => assert.ok([1, 2].includes(seen.number.n)),
    logprobs: () => assert.deepEqual(seen.logprobs, [2, 2, 2]),
    'a prompt': () => assert.deepEqual([seen.llm, seen.llm_streamed], [text, text]),
    embeddings: () => assert.deepEqual([...seen.vectors, seen.query], [128, 128, 128]),
    'an error': () => {
      assert.equal(seen.error[0], 404);
      assert.match(seen.error[1], /no model 'nobody'/);
    },
    keep_alive: async () => assert.equal((await d.instance('m')).ttl, 420),
  };
  for (const [name, check] of Object.entries(checks)) await t.test(name, check);
});

test('llama-index-llms-ollama', async (t) => {
  const d = await Daemon.start(t, { models: models() });
  const seen = await see(d, 'ollama_llama_index.py', '-llamaindex');
  const checks = {
    'a prompt': () => assert.equal(seen.complete, text),
    'a prompt in a stream': () => assert.equal(seen.completed, text),
    async: () => assert.equal(seen.later, text),
    chat: () => assert.equal(seen.chat, text),
    'chat in a stream': () => assert.equal(seen.chatted, text),
    usage: () => assert.ok(seen.usage.prompt_tokens > 0 && seen.usage.completion_tokens === 10),
    'the context of /api/show': async () => {
      const [model] = (await d.get('/api/v1/models')).body.models
        .filter((one) => one.key === 'm');
      assert.equal(seen.window, model.max_context_length);
    },
    thinking: () => assert.match(seen.thinking[0], /Two and two/),
    'calls of tools': () => assert.deepEqual(seen.calls, [['get_weather', { city: 'Paris' }]]),
    'a schema is kept': () => assert.equal(seen.number, 'bool'),
    json: () => assert.equal(seen.json, '{'),
    'an error': () => {
      assert.equal(seen.error[0], 404);
      assert.match(seen.error[1], /no model 'nobody'/);
    },
    keep_alive: async () => assert.equal((await d.instance('m')).ttl, 420),
  };
  for (const [name, check] of Object.entries(checks)) await t.test(name, check);
});
