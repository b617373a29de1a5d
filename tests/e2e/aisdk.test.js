/* SPDX-License-Identifier: MIT */
// The AI SDK with its OpenAI-compatible provider.
import {
  OpenAICompatibleChatLanguageModel, createOpenAICompatible,
} from '@ai-sdk/openai-compatible';
import { embedMany, generateObject, generateText, streamText, tool } from 'ai';
import assert from 'node:assert/strict';
import test from 'node:test';
import { z } from 'zod';
import { Daemon } from './lib/daemon.js';
import { embedding, random, spoken, thinker, toolCaller } from './lib/models.js';

const provider = (d) => createOpenAICompatible({ name: 'doze', baseURL: `${d.url}/v1` });
const text = 'Hello from the model. Nice to meet you.';

test('generateText', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const answer = await generateText({ model: provider(d)('m'), prompt: 'Hi' });
  assert.equal(answer.text, text);
  assert.equal(answer.finishReason, 'stop');
  assert.ok(answer.usage.promptTokens > 0 && answer.usage.completionTokens > 0);
});

test('streamText', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const { textStream, finishReason } = streamText({ model: provider(d)('m'), prompt: 'Hi' });
  const pieces = [];
  for await (const piece of textStream) pieces.push(piece);
  assert.equal(pieces.join(''), text);
  assert.ok(pieces.length > 3);
  assert.equal(await finishReason, 'stop');
});

const tools = { get_weather: tool({ description: 'The weather of a city.',
  parameters: z.object({ city: z.string() }), execute: async ({ city }) => `sunny in ${city}` }) };

test('a tool is called with its arguments and its answer sent back', async (t) => {
  const d = await Daemon.start(t, { models: { m: toolCaller() } });
  const { steps } = await generateText({ model: provider(d)('m'), prompt: 'Weather?', tools,
    maxSteps: 2 });
  assert.equal(steps.length, 2);
  assert.deepEqual(steps[0].toolCalls.map((c) => [c.toolName, c.args]),
    [['get_weather', { city: 'Paris' }]]);
  assert.deepEqual(steps[0].toolResults.map((r) => r.result), ['sunny in Paris']);
  assert.equal(steps[0].finishReason, 'tool-calls');
});

test('a tool call in a stream', async (t) => {
  const d = await Daemon.start(t, { models: { m: toolCaller() } });
  const result = streamText({ model: provider(d)('m'), prompt: 'Weather?',
    tools: { get_weather: { ...tools.get_weather, execute: undefined } } });
  await result.consumeStream();
  assert.deepEqual((await result.toolCalls).map((c) => [c.toolName, c.args]),
    [['get_weather', { city: 'Paris' }]]);
  assert.equal(await result.finishReason, 'tool-calls');
});

test('reasoning', async (t) => {
  const d = await Daemon.start(t, { models: { m: thinker() } });
  const answer = await generateText({ model: provider(d)('m'), prompt: '2 + 2?' });
  assert.equal(answer.text, 'The answer is 4.');
  assert.match(answer.reasoning, /Two and two/);
});

test('generateObject by a schema', async (t) => {
  const d = await Daemon.start(t, { models: { r: random('--seed', '6') } });
  const model = new OpenAICompatibleChatLanguageModel('r', {}, { provider: 'doze.chat',
    url: ({ path }) => `${d.url}/v1${path}`, headers: () => ({}),
    defaultObjectGenerationMode: 'json', supportsStructuredOutputs: true });
  const { object } = await generateObject({ model, prompt: 'x',
    schema: z.object({ mood: z.enum(['good', 'bad']), sure: z.boolean() }) });
  assert.ok(['good', 'bad'].includes(object.mood));
  assert.equal(typeof object.sure, 'boolean');
});

test('embedMany', async (t) => {
  const d = await Daemon.start(t, { models: { e: embedding() } });
  const { embeddings } = await embedMany({ model: provider(d).textEmbeddingModel('e'),
    values: ['one', 'two'] });
  assert.equal(embeddings.length, 2);
  assert.equal(embeddings[0].length, 128);
  assert.notDeepEqual(embeddings[0], embeddings[1]);
});
