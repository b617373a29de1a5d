/* SPDX-License-Identifier: MIT */
// A coding agent is given a folder and a task: a model that calls the agent's shell writes a file
// there and reports. And a question to the trained model, with as short a prompt as the agent can
// be brought to; most have the date and the folder in it, beside which the model answers this one.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { run } from './program.js';
import { assertAnswer, caller, start } from './world.js';

const SECONDS = 200;
const QUESTION = 'What is the capital of France?';
const TASK = 'Write the word finished into the file done.txt.';
const REPORT = 'The file done.txt has its word now.';
export const COMMAND = 'echo finished > done.txt';

// A folder with an empty home and a work folder; the agent's files are in the home.
function folders(t, files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-agent-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const [home, work] = ['home', 'work'].map((name) => path.join(folder, name));
  fs.mkdirSync(home);
  fs.mkdirSync(work);
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(home, name)), { recursive: true });
    fs.writeFileSync(path.join(home, name), text);
  }
  return { home, work };
}

// agent: {program, call: [tool, arguments], task(place), question(place), asks?: another question,
// room?: tokens of its context}; both give {args, env?, files?} for place = {url, port, model,
// prompt}.
async function go(t, d, agent, how, place) {
  const { args, env = {}, files = {} } = agent[how]({ url: d.url, port: d.port, ...place });
  const { home, work } = folders(t, files);
  const ended = await run(agent.program, args, { cwd: work, seconds: SECONDS,
    env: { HOME: home, TERM: 'dumb', ...env } });
  assert.equal(ended.code, 0, `${ended.out}\n${ended.err}\n${d.log}`);
  return { ...ended, work };
}

export function agentTests(name, agent) {
  test(`${name}: a task with its shell`, { timeout: 2 * SECONDS * 1000 }, async (t) => {
    const d = await start(t, { agent: caller(...agent.call, REPORT) });
    const { work, out, err } = await go(t, d, agent, 'task', { model: 'agent', prompt: TASK });
    assert.ok(fs.existsSync(path.join(work, 'done.txt')), `${out}\n${err}\n${d.log}`);
    assert.equal(fs.readFileSync(path.join(work, 'done.txt'), 'utf8'), 'finished\n');
    assert.ok(out.includes(REPORT), `${out}\n${err}`);
  });
  test(`${name}: a question`, { timeout: 2 * SECONDS * 1000 }, async (t) => {
    const d = await start(t);
    // An agent that sends no limit: the context ends what the model might repeat for ever.
    await d.settings({ models: { steady: { context_length: agent.room ?? 3072 } } });
    const { out } = await go(t, d, agent, 'question', { model: 'steady',
      prompt: agent.asks ?? QUESTION });
    assertAnswer(out);
  });
}
