/* SPDX-License-Identifier: MIT */
// The requests of apps that speak Ollama's API, in their order, written down from parts of their
// sources, those of VS Code from a description of its provider.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Ollama } from 'ollama';
import { ask } from './lib/ask.js';
import { Daemon } from './lib/daemon.js';
import { Hub } from './lib/hub.js';
import { embedding, random, spoken, thinker, toolCaller } from './lib/models.js';

const text = 'One two three four five. Six seven eight nine ten.';
const lines = async (response) => (await response.text()).trim().split('\n')
  .map((line) => JSON.parse(line));
const post = (d, path, body, headers = {}) => d.fetch(path, { method: 'POST', headers,
  body: JSON.stringify(body) });

// home-assistant/core, homeassistant/components/ollama: config_flow.py, __init__.py, entity.py and
// ai_task.py, with the defaults of const.py.
const assistant = (model, messages, more = {}) => ({ model, messages, stream: true,
  keep_alive: -1, options: { num_ctx: 8192 }, think: false, ...more });
const turnOn = { type: 'function', function: { name: 'get_weather', description: 'The weather.',
  parameters: { type: 'object', properties: { city: { type: 'string' } },
    required: ['city'] } } };
const instructions = { role: 'system', content: 'You are a voice assistant for Home Assistant.' };

async function gathered(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

test('home assistant: a server is added, and its model downloaded', async (t) => {
  const repo = 'people/Speaker-GGUF';
  const hub = await Hub.start(t, { [repo]: { 'speaker-q4_k_m.gguf': spoken(text) } });
  const d = await Daemon.start(t, { env: hub.env });
  const client = new Ollama({ host: d.url });
  assert.deepEqual((await client.list()).models, []);
  const name = `hf.co/${repo}:Q4_K_M`;
  assert.equal((await client.pull({ model: name })).status, 'success');
  const [{ model }] = (await client.list()).models;
  const said = await gathered(await client.chat(assistant(model, [instructions,
    { role: 'user', content: 'Hello?' }])));
  assert.equal(said.map((part) => part.message.content).join(''), text);
  assert.equal((await d.instances())[0].ttl, null, 'keep_alive -1: it stays');
});

test('home assistant: a tool is called, and its result without a name goes back', async (t) => {
  const d = await Daemon.start(t, { models: { tools: toolCaller() } });
  const client = new Ollama({ host: d.url });
  const messages = [instructions, { role: 'user', content: 'How is the weather in Paris?' }];
  const parts = await gathered(await client.chat(assistant('tools:latest', messages,
    { tools: [turnOn], keep_alive: '300s' })));
  const calls = parts.flatMap((part) => part.message.tool_calls ?? []);
  assert.deepEqual(calls.map((call) => call.function.arguments), [{ city: 'Paris' }]);
  assert.equal(parts.at(-1).done_reason, 'stop');
  messages.push({ role: 'assistant', content: null, tool_calls: calls.map((call) =>
    ({ function: { name: call.function.name, arguments: call.function.arguments } })) });
  messages.push({ role: 'tool', content: '{"data":"Sunny.","error":null}' });
  const after = await gathered(await client.chat(assistant('tools:latest', messages,
    { tools: [turnOn], keep_alive: '300s' })));
  assert.equal(after.at(-1).done, true);
  assert.equal((await d.instance('tools')).ttl, 300);
});

test('home assistant: thinking, and a task with a structure', async (t) => {
  const d = await Daemon.start(t, { models: { m: random(), thinker: thinker() } });
  const client = new Ollama({ host: d.url });
  const messages = [instructions, { role: 'user', content: 'Hello?' }];
  const parts = await gathered(await client.chat(assistant('thinker:latest', messages,
    { think: true })));
  assert.match(parts.map((part) => part.message.thinking ?? '').join(''), /Two and two/);
  const format = { type: 'object', properties: { on: { type: 'boolean' } }, required: ['on'] };
  const task = await gathered(await client.chat(assistant('m:latest', messages, { format })));
  const answer = JSON.parse(task.map((part) => part.message.content).join(''));
  assert.equal(typeof answer.on, 'boolean');
});

// open-webui/open-webui, backend/open_webui/routers/ollama.py, utils/payload.py and
// retrieval/utils.py.
test('open webui: the connection, the models, and which of them are loaded', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text), v: embedding() } });
  const json = async (path) => (await d.get(path)).body;
  const { version } = await json('/api/version');
  assert.match(version.replace(/^v|-.*/g, ''), /^\d+(\.\d+)+$/, 'it compares these numbers');
  const names = (await json('/api/tags')).models.map((model) => model.model);
  assert.deepEqual(names, ['m:latest', 'v:latest']);
  assert.deepEqual((await json('/api/ps')).models, []);
  for (const model of names) {
    const shown = await (await post(d, '/api/show', { model })).json();
    assert.ok(shown.details && shown.model_info && shown.capabilities, model);
  }
  assert.equal((await post(d, '/api/show', { name: names[0] })).status, 200, 'older ones');
});

const user = { 'X-OpenWebUI-User-Name': 'Ann', 'X-OpenWebUI-User-Id': '1',
  'X-OpenWebUI-User-Email': 'ann@example.org', 'X-OpenWebUI-User-Role': 'admin',
  'Content-Type': 'application/json' };

test('open webui: a chat with its options, its title, and the unload', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text), random: random() } });
  const chat = { model: 'm:latest', stream: true, keep_alive: '5m',
    messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hello?' }],
    options: { temperature: 0, top_p: 0.9, seed: 0, mirostat: 0, num_ctx: 2048, num_batch: 512,
      num_keep: 24, num_predict: 128, repeat_last_n: 64, top_k: 40, min_p: 0, typical_p: 1,
      repeat_penalty: 1.1, presence_penalty: 0, frequency_penalty: 0, penalize_newline: true,
      stop: ['</s>'], use_mmap: true, use_mlock: false, num_thread: 2, num_gpu: 0, tfs_z: 1 } };
  const response = await post(d, '/api/chat', chat, user);
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
  const parts = await lines(response);
  assert.equal(parts.map((part) => part.message.content).join(''), text);
  for (const name of ['total_duration', 'load_duration', 'prompt_eval_count',
    'prompt_eval_duration', 'eval_count', 'eval_duration']) {
    assert.ok(parts.at(-1)[name] >= 0, `${name}: it shows tokens per second`);
  }
  const title = await post(d, '/api/chat', { model: 'random', stream: false, format: 'json',
    messages: [{ role: 'user', content: 'Title?' }], options: { num_predict: 400 } }, user);
  assert.equal((await title.json()).done, true);
  const [loaded] = (await d.get('/api/ps')).body.models.filter((one) => one.name === 'm:latest');
  if (loaded) assert.ok(Date.parse(loaded.expires_at) > Date.now());
  const unload = { model: 'm:latest', keep_alive: 0, prompt: '' };
  assert.equal((await post(d, '/api/generate', unload, user)).status, 200);
  await ask(() => d.get('/api/ps'), ({ body }) =>
    body.models.every((one) => one.name !== 'm:latest'));
});

test('open webui: tools of its own, with indices and ids', async (t) => {
  const d = await Daemon.start(t, { models: { tools: toolCaller() } });
  const messages = [{ role: 'user', content: 'How is the weather in Paris?' },
    { role: 'assistant', content: '', tool_calls: [{ index: 0, id: 'call_a1',
      function: { name: 'get_weather', arguments: { city: 'Paris' } } }] },
    { role: 'tool', tool_call_id: 'call_a1', content: 'Sunny.' }];
  const answer = await post(d, '/api/chat', { model: 'tools', messages, tools: [turnOn],
    stream: false }, user);
  assert.equal(answer.status, 200, await answer.clone().text());
  const { message } = await answer.json();
  assert.equal(message.tool_calls[0].function.name, 'get_weather');
  assert.ok(message.tool_calls[0].id.length > 0);
});

test('open webui: documents in batches', async (t) => {
  const d = await Daemon.start(t, { models: { v: embedding() } });
  const input = ['One.', 'Two.', 'many words '.repeat(2000)];
  const answer = await post(d, '/api/embed', { input, model: 'v:latest', truncate: true }, user);
  assert.equal((await answer.json()).embeddings.length, 3);
});

test('open webui: a download with its progress, and a removal', async (t) => {
  const repo = 'people/Speaker-GGUF';
  const hub = await Hub.start(t, { [repo]: { 'speaker-q4_k_m.gguf': spoken(text) } });
  const d = await Daemon.start(t, { env: hub.env });
  const name = `hf.co/${repo}:Q4_K_M`;
  const progress = await lines(await post(d, '/api/pull', { name, model: name, insecure: true },
    user));
  assert.equal(progress.at(-1).status, 'success');
  const [{ model }] = (await d.get('/api/tags')).body.models;
  const gone = await d.fetch('/api/delete', { method: 'DELETE', headers: user,
    body: JSON.stringify({ name: model, model }) });
  assert.equal(gone.status, 200);
  assert.deepEqual((await d.get('/api/tags')).body.models, []);
});

// microsoft/vscode, extensions/copilot/src/extension/byok/vscode-node/ollamaProvider.ts.
test('vs code: its picker shows what a model can do, and talks to it as to OpenAI', async (t) => {
  const d = await Daemon.start(t, { models: { tools: toolCaller(), m: spoken(text) } });
  const version = (await d.get('/api/version')).body.version.split('.').map(Number);
  assert.ok(version[0] > 0 || version[1] > 6 || (version[1] === 6 && version[2] >= 4));
  const shown = {};
  for (const { model } of (await d.get('/api/tags')).body.models) {
    const { model_info: info, capabilities } = (await d.post('/api/show', { model })).body;
    shown[model] = { room: info[`${info['general.architecture']}.context_length`],
      name: info['general.basename'], tools: capabilities.includes('tools'),
      vision: capabilities.includes('vision') };
  }
  assert.ok(Object.values(shown).every((one) => one.room > 0 && one.name && !one.vision));
  assert.deepEqual([shown['m:latest'].tools, shown['tools:latest'].tools], [false, true]);
  const answer = await d.post('/v1/chat/completions', { model: 'm:latest', stream: false,
    messages: [{ role: 'user', content: 'Hello?' }] });
  assert.equal(answer.body.choices[0].message.content, text);
});
