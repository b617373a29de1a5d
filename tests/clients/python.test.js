/* SPDX-License-Identifier: MIT */
// SDKs from Python's index, by sdks.py: as sdks.test.js has it for those from npm.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { build } from '../e2e/lib/programs.js';
import { run } from './lib/program.js';
import { REPORT, assertAnswer, start } from './lib/world.js';

const SECONDS = 100;
const script = path.join(import.meta.dirname, 'sdks.py');
// By the list of requirements.
const clients = {
  '': ['openai, chat completions', 'openai, responses', 'anthropic', 'lmstudio',
    'pydantic-ai, OpenAI', 'pydantic-ai, Anthropic', 'langchain-openai', 'langchain-anthropic',
    'litellm, openai', 'litellm, lm_studio'],
  '-instructor': ['instructor'],
  '-llamaindex': ['llama-index-llms-openai-like', 'llama-index-llms-lmstudio'],
};
const withoutTools = new Set(['llama-index-llms-lmstudio']);
const withoutReport = new Set([...withoutTools, 'instructor']);

for (const [list, names] of Object.entries(clients)) {
  for (const name of names) {
    const acts = !withoutTools.has(name);
    test(`${name}: a question${acts ? ', and a task with a tool' : ''}`, async (t) => {
      const d = await start(t);
      const ended = await run('python3', [script, d.url, name], { seconds: SECONDS, env: {
        HOME: path.join(d.folder, 'home'),
        PYTHONPATH: path.join(build, `deps/python/clients${list}`) } });
      assert.equal(ended.code, 0, `${ended.err}\n${d.log}`);
      const { answer, report, asked } = JSON.parse(ended.out.trim().split('\n').at(-1));
      assertAnswer(answer);
      assert.equal(report, withoutReport.has(name) ? null : REPORT);
      assert.deepEqual(asked, acts ? ['Paris'] : []);
    });
  }
}
