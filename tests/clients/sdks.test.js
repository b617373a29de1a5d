/* SPDX-License-Identifier: MIT */
// SDKs from npm: each asks the trained model a question, and lets a model call a tool and report.
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { LMStudioClient, tool as newerTool } from '@lmstudio/sdk';
import { generateText, isStepCount, streamText, tool } from 'ai';
import { LMStudioClient as OlderClient, tool as olderTool } from 'lmstudio-sdk-1';
import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI from 'openai';
import { z as z3 } from 'zod';
import { z } from 'zod/v4';
import { printedCode } from './lib/printed.js';
import { QUESTION, REPORT, TASK, TOKENS, assertAnswer, start } from './lib/world.js';

const NAME = 'get_weather';
const DESCRIPTION = 'Tells the weather of a city.';
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const messages = (content) => [{ role: 'user', content }];

// What the code of a row of docs/clients.md makes; names: what it uses.
const printed = (row, names) => (url) => new Function(...Object.keys(names),
  `return ${printedCode(row, { url })[0]}`)(...Object.values(names));

// Each: ask(url) gives the trained model's answer; act(url, weather) the report after the tool
// `weather` has been called with {city}.
const clients = {
  'openai, chat completions': {
    client: printed('`openai` (Node)', { OpenAI }),
    async ask(url) {
      const { choices } = await this.client(url).chat.completions.create({ model: 'smol',
        messages: messages(QUESTION), max_completion_tokens: TOKENS, temperature: 0 });
      return choices[0].message.content;
    },
    act(url, weather) {
      return this.client(url).chat.completions.runTools({ model: 'caller',
        messages: messages(TASK), stream: true, tools: [{ type: 'function', function: {
          name: NAME, description: DESCRIPTION, parameters: schema, parse: JSON.parse,
          function: weather } }] }).finalContent();
    },
  },
  'openai, responses': {
    client: printed('`openai` (Node)', { OpenAI }),
    async ask(url) {
      const stream = this.client(url).responses.stream({ model: 'smol', input: QUESTION,
        max_output_tokens: TOKENS, temperature: 0 });
      return (await stream.finalResponse()).output_text;
    },
    async act(url, weather) {
      const { responses } = this.client(url);
      const tools = [{ type: 'function', name: NAME, description: DESCRIPTION, strict: false,
        parameters: schema }];
      const first = await responses.create({ model: 'caller', input: TASK, tools });
      const call = first.output.find((item) => item.type === 'function_call');
      const last = await responses.create({ model: 'caller', tools,
        previous_response_id: first.id, input: [{ type: 'function_call_output',
          call_id: call.call_id, output: weather(JSON.parse(call.arguments)) }] });
      return last.output_text;
    },
  },
  '@anthropic-ai/sdk': {
    client: printed('`@anthropic-ai/sdk`', { Anthropic }),
    async ask(url) {
      const { content } = await this.client(url).messages.stream({ model: 'smol',
        messages: messages(QUESTION), max_tokens: TOKENS, temperature: 0 }).finalMessage();
      return content[0].text;
    },
    async act(url, weather) {
      const { content } = await this.client(url).beta.messages.toolRunner({ model: 'caller',
        max_tokens: 200, messages: messages(TASK), tools: [betaZodTool({ name: NAME,
          description: DESCRIPTION, inputSchema: z.object({ city: z.string() }),
          run: weather })] });
      return content[0].text;
    },
  },
  'ai with @ai-sdk/openai-compatible':
    aiSdk(printed('`ai` with `@ai-sdk/openai-compatible`', { createOpenAICompatible })),
  'ai with @ai-sdk/openai (responses)':
    aiSdk(printed('`ai` with `@ai-sdk/openai`', { createOpenAI })),
  'ai with @ai-sdk/anthropic':
    aiSdk(printed('`ai` with `@ai-sdk/anthropic`', { createAnthropic })),
  '@lmstudio/sdk 2.0': lmStudio(LMStudioClient, newerTool),
  '@lmstudio/sdk 1.5': lmStudio(OlderClient, olderTool),
};

function aiSdk(provider) {
  return {
    async ask(url) {
      const { text } = await generateText({ model: provider(url)('smol'), prompt: QUESTION,
        maxOutputTokens: TOKENS, temperature: 0 });
      return text;
    },
    act(url, weather) {
      return streamText({ model: provider(url)('caller'), prompt: TASK, stopWhen: isStepCount(3),
        tools: { [NAME]: tool({ description: DESCRIPTION,
          inputSchema: z.object({ city: z.string() }), execute: weather }) } }).text;
    },
  };
}

function lmStudio(Client, makeTool) {
  const using = async (url, work) => {
    const client = new Client({ baseUrl: url.replace('http', 'ws') });
    try {
      return await work(client.llm);
    } finally {
      await client[Symbol.asyncDispose]();
    }
  };
  return {
    ask: (url) => using(url, async (llm) => {
      const { content } = await (await llm.model('smol')).respond(QUESTION,
        { maxTokens: TOKENS, temperature: 0 });
      return content;
    }),
    act: (url, weather) => using(url, async (llm) => {
      const said = [];
      await (await llm.model('caller')).act(TASK, [makeTool({ name: NAME,
        description: DESCRIPTION, parameters: { city: z3.string() }, implementation: weather })],
      { onMessage: (message) => said.push(message.getText()) });
      return said.at(-1);
    }),
  };
}

for (const [name, client] of Object.entries(clients)) {
  test(`${name}: a question`, { timeout: 60000 }, async (t) => {
    const { url } = await start(t);
    assertAnswer(await client.ask(url));
  });

  test(`${name}: a task with a tool`, { timeout: 60000 }, async (t) => {
    const { url } = await start(t);
    const asked = [];
    const weather = (args) => { asked.push(args.city); return 'Sunny.'; };
    assert.equal(await client.act(url, weather), REPORT);
    assert.deepEqual(asked, ['Paris']);
  });
}
