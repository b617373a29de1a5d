/* SPDX-License-Identifier: MIT */
// Ollama's API through Ollama's client for Python, which checks every answer's types.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { Hub } from './lib/hub.js';
import { embedding, spoken, thinker, toolCaller } from './lib/models.js';

const packages = path.resolve(import.meta.dirname, '../../build/deps/python/e2e');
const text = 'One two three four five. Six seven eight nine ten.';

// Runs the lines, which know a client `c` and print JSON by `say`.
async function python(d, lines) {
  const head = `
import json, ollama
c = ollama.Client(host="${d.url}")
hello = [{"role": "user", "content": "Hello?"}]
say = lambda value: print(json.dumps(value))
`;
  const child = spawn('python3', ['-c', head + lines], { stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: d.folder, PYTHONPATH: packages } });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => { out += chunk; });
  child.stderr.on('data', (chunk) => { err += chunk; });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

test('python: what is there, and what is loaded', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text), tools: toolCaller() } });
  const seen = await python(d, `
before = len(c.ps().models)
c.generate("tools", keep_alive="5m")
now = c.ps().models[0]
say({"names": [m.model for m in c.list().models], "before": before, "loaded": now.model,
     "expires": now.expires_at.timestamp(), "context": now.context_length,
     "can": c.show("tools:latest").capabilities})`);
  assert.deepEqual(seen.names, ['m:latest', 'tools:latest']);
  assert.equal(seen.before, 0);
  assert.equal(seen.loaded, 'tools:latest');
  assert.ok(Math.abs(seen.expires - Date.now() / 1000 - 300) < 30, String(seen.expires));
  assert.ok(seen.context > 0);
  assert.deepEqual(seen.can, ['completion', 'tools']);
});

test('python: chat and generate, whole and streamed', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const got = await python(d, `
whole = c.chat("m", hello)
parts = list(c.chat("m", hello, stream=True))
texts = [whole.message.content, "".join(p.message.content for p in parts),
         c.generate("m", "Hello?").response,
         "".join(p.response for p in c.generate("m", "Hello?", stream=True))]
say({"texts": texts, "reason": parts[-1].done_reason, "pieces": len(parts),
     "eval": whole.eval_duration, "total": whole.total_duration})`);
  assert.deepEqual(got.texts, [text, text, text, text]);
  assert.equal(got.reason, 'stop');
  assert.ok(got.pieces > 5);
  assert.ok(got.total >= got.eval && got.eval > 0);
});

test('python: tools and thinking', async (t) => {
  const d = await Daemon.start(t, { models: { tools: toolCaller(), thinker: thinker() } });
  const got = await python(d, `
def get_weather(city: str) -> str:
    """The weather.

    Args:
      city: where
    """
    return "Sunny."
first = c.chat("tools", hello, tools=[get_weather])
call = first.message.tool_calls[0].function
history = hello + [first.message, {"role": "tool", "content": "Sunny.", "tool_name": call.name}]
next = c.chat("tools", history, tools=[get_weather])
thought = c.chat("thinker", hello, think=True).message
say({"name": call.name, "arguments": call.arguments, "next": next.eval_count,
     "thinking": thought.thinking, "content": thought.content})`);
  assert.equal(got.name, 'get_weather');
  assert.deepEqual(got.arguments, { city: 'Paris' });
  assert.ok(got.next > 0);
  assert.match(got.thinking, /Two and two/);
  assert.match(got.content, /The answer is 4/);
});

test('python: embeddings, and errors with their status', async (t) => {
  const d = await Daemon.start(t, { models: { v: embedding() } });
  const got = await python(d, `
many = c.embed("v", ["One.", "Two."]).embeddings
try:
    c.chat("nobody", hello)
except ollama.ResponseError as e:
    wrong = {"status": e.status_code, "error": e.error}
say({"many": len(many), "size": len(many[0]), "wrong": wrong,
     "older": len(c.embeddings("v", "One.").embedding)})`);
  assert.equal(got.many, 2);
  assert.equal(got.older, got.size);
  assert.equal(got.wrong.status, 404);
  assert.match(got.wrong.error, /no model 'nobody'/);
});

test('python: show, context, logprobs, and a long text', async (t) => {
  const d = await Daemon.start(t, { models: { m: thinker(), v: embedding() } });
  const got = await python(d, `
shown = c.show("m")
first = c.generate("m", "Hello?", think=False)
next = c.generate("m", "And?", context=first.context, think=False)
probable = c.chat("m", hello, logprobs=True, top_logprobs=2, think=False)
long = "many words " * 2000
try:
    c.embed("v", long, truncate=False)
except ollama.ResponseError as e:
    refused = e.status_code
say({"template": len(shown.template), "size": shown.details.parameter_size,
     "count": shown.modelinfo["general.parameter_count"], "longer":
     next.prompt_eval_count - first.prompt_eval_count,
     "rivals": [len(one.top_logprobs) for one in probable.logprobs],
     "cut": c.embed("v", long).prompt_eval_count, "refused": refused})`);
  assert.ok(got.template > 100 && got.count > 1000 && got.size);
  assert.ok(got.longer > 5 && got.cut > 100);
  assert.ok(got.rivals.length > 2 && got.rivals.every((count) => count === 2));
  assert.equal(got.refused, 400);
});

test('python: pull and delete', async (t) => {
  const repo = 'people/Speaker-GGUF';
  const hub = await Hub.start(t, { [repo]: { 'speaker-q4_k_m.gguf': spoken(text) } });
  const d = await Daemon.start(t, { env: hub.env });
  const got = await python(d, `
lines = list(c.pull("hf.co/${repo}:Q4_K_M", stream=True))
names = [m.model for m in c.list().models]
said = c.chat(names[0], hello).message.content
gone = c.delete(names[0]).status
say({"last": lines[-1].status, "names": names, "said": said, "gone": gone,
     "left": len(c.list().models)})`);
  assert.deepEqual(got, { last: 'success', names: ['speaker:latest'], said: text,
    gone: 'success', left: 0 });
});
