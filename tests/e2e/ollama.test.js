/* SPDX-License-Identifier: MIT */
// Ollama's own API, through Ollama's own client.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { Ollama } from 'ollama';
import { ask } from './lib/ask.js';
import { Daemon, chatBody } from './lib/daemon.js';
import { freePort } from './lib/etcd.js';
import { Hub } from './lib/hub.js';
import { embedding, endless, random, spoken, thinker, toolCaller } from './lib/models.js';
import { engineSources } from './lib/programs.js';

const text = 'One two three four five. Six seven eight nine ten.';
const client = (d) => new Ollama({ host: d.url });
const post = (d, path, body) => d.fetch(path, { method: 'POST', body: JSON.stringify(body) });

test('tags: every name that is listed comes back', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text), tools: toolCaller(),
    vectors: embedding() } });
  const { models } = await client(d).list();
  assert.deepEqual(models.map((model) => model.name),
    ['m:latest', 'tools:latest', 'vectors:latest']);
  assert.match(models[0].digest, /^[0-9a-f]{64}$/);
  assert.ok(models[0].size > 0 && Date.parse(models[0].modified_at) > 0);
  for (const { name } of models) {
    const shown = await client(d).show({ model: name });
    assert.equal(shown.details.format, 'gguf');
    assert.ok(shown.model_info['general.architecture'].length > 0);
  }
  assert.equal((await d.chat('m:latest')).status, 200);
});

test('show: what a model can do', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text), tools: toolCaller(),
    vectors: embedding() } });
  const can = async (model) => (await client(d).show({ model })).capabilities;
  assert.deepEqual(await can('m'), ['completion']);
  assert.deepEqual(await can('tools'), ['completion', 'tools']);
  assert.deepEqual(await can('vectors'), ['embedding']);
  const info = (await client(d).show({ model: 'm' })).model_info;
  assert.ok(info[`${info['general.architecture']}.context_length`] > 0);
  await assert.rejects(client(d).show({ model: 'nobody' }),
    (err) => err.status_code === 404 && /There is no model 'nobody'/.test(err.message));
  const nameless = await post(d, '/api/show', {});
  assert.equal(nameless.status, 400);
  assert.match((await nameless.json()).error, /'model' is missing/);
});

test('show: the template, facts of the header, and parameters while loaded', async (t) => {
  const d = await Daemon.start(t, { models: { m: thinker(), bare: embedding() } });
  const shown = await client(d).show({ model: 'm' });
  assert.match(shown.template, /enable_thinking/);
  assert.deepEqual(shown.capabilities, ['completion', 'tools', 'thinking']);
  const info = shown.model_info;
  const arch = info['general.architecture'];
  assert.ok(info['general.parameter_count'] > 1000);
  for (const fact of ['context_length', 'embedding_length', 'block_count',
    'attention.head_count']) {
    assert.ok(info[`${arch}.${fact}`] > 0, fact);
  }
  assert.equal(info['tokenizer.chat_template'], undefined, 'it stands in template');
  assert.equal(info['tokenizer.ggml.tokens'], null, 'vocabularies are left out');
  assert.match(shown.details.parameter_size, /^\d+(\.\d)?[KMB]$/);
  assert.equal(shown.parameters, '');
  await client(d).chat({ ...hello });
  assert.match((await client(d).show({ model: 'm' })).parameters,
    /^num_ctx \d+\ntemperature [\d.]+\ntop_k \d+\n/);
  assert.equal((await client(d).show({ model: 'bare' })).template, '');
});

test('show: insert stands for a model that fills in the middle', async (t) => {
  const vocab = (name) => path.join(engineSources, 'models', `ggml-vocab-${name}.gguf`);
  const d = await Daemon.start(t, { models: { coder: random('--vocab', vocab('starcoder')),
    deep: random('--vocab', vocab('deepseek-coder')), m: spoken(text) } });
  const fill = (model) => client(d).generate({ model, prompt: 'def f(', suffix: 'return 1',
    options: { num_predict: 2 } });
  for (const model of ['coder', 'deep']) {
    assert.deepEqual((await client(d).show({ model })).capabilities, ['completion', 'insert']);
    assert.equal((await fill(model)).done, true);
  }
  await assert.rejects(fill('m'), /cannot fill in the middle/);
});

test('ps: when a loaded model leaves', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  assert.deepEqual((await client(d).ps()).models, []);
  await post(d, '/v1/chat/completions', chatBody('m', { ttl: 600 }));
  const [loaded] = (await client(d).ps()).models;
  assert.equal(loaded.name, 'm:latest');
  assert.ok(loaded.size > 0);
  const left = Date.parse(loaded.expires_at) - Date.now();
  assert.ok(left > 500e3 && left <= 601e3, `${left} ms`);
  await post(d, '/v1/chat/completions', chatBody('m', { ttl: -1 }));
  assert.ok(Date.parse((await client(d).ps()).models[0].expires_at) > Date.now() + 1e12);
});

test('version and root: clients see that a server is there', async (t) => {
  const d = await Daemon.start(t, { models: {} });
  const { version, doze } = await (await d.fetch('/api/version')).json();
  assert.match(version, /^\d+\.\d+\.\d+$/);
  assert.match(doze, /^\d/);
  for (const headers of [{ 'User-Agent': 'ollama/0.13.0', Accept: 'application/json' },
    { Accept: 'text/plain' }]) {
    const root = await d.fetch('/', { headers });
    assert.equal(await root.text(), 'Ollama is running');
    assert.equal((await d.fetch('/', { method: 'HEAD', headers })).status, 200);
  }
  const page = await d.fetch('/', { headers: { Accept: 'text/html,text/plain' } });
  assert.match(page.headers.get('content-type'), /text\/html/);
  const nothing = await d.fetch('/api/blobs/sha256:0');
  assert.equal(nothing.status, 404);
  assert.equal(typeof (await nothing.json()).error, 'string');
});

// The client writes into what it is given: it gets copies.
const hello = { model: 'm', messages: [{ role: 'user', content: 'Hello?' }] };
const weather = { type: 'function', function: { name: 'get_weather', description: 'The weather.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } };
const gather = async (stream) => {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
};
const left = (d) => ask(() => d.instances(), (all) => all.length === 0, 'it has left');
const figures = ['total_duration', 'load_duration', 'prompt_eval_count', 'prompt_eval_duration',
  'eval_count', 'eval_duration'];

test('chat: whole and in pieces, with how long it took', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const whole = await client(d).chat({ ...hello, keep_alive: '10m' });
  assert.equal(whole.message.content, text);
  assert.equal(whole.model, 'm');
  assert.equal((await d.instance('m')).ttl, 600);
  const parts = await gather(await client(d).chat({ ...hello, stream: true }));
  assert.ok(parts.length > 5, 'in pieces');
  assert.equal(parts.map((part) => part.message.content).join(''), text);
  for (const last of [whole, parts.at(-1)]) {
    assert.equal(last.done, true);
    assert.equal(last.done_reason, 'stop');
    for (const name of figures) assert.ok(Number.isSafeInteger(last[name]), name);
    assert.ok(last.total_duration >= last.eval_duration && last.total_duration > 1e5);
    assert.ok(Date.parse(last.created_at) > Date.now() - 60000);
  }
  const raw = await post(d, '/api/chat', hello);
  assert.equal(raw.headers.get('content-type'), 'application/x-ndjson');
  assert.ok((await raw.text()).trim().split('\n').every((line) => JSON.parse(line)));
  const cut = await client(d).chat({ ...hello, options: { num_predict: 3 } });
  assert.equal(cut.done_reason, 'length');
  assert.equal(cut.eval_count, 3);
});

test('chat: a tool is called with object arguments, and its result goes back', async (t) => {
  const d = await Daemon.start(t, { models: { m: toolCaller() } });
  const whole = await client(d).chat({ ...hello, tools: [weather] });
  const parts = await gather(await client(d).chat({ ...hello, tools: [weather], stream: true }));
  const streamed = parts.flatMap((part) => part.message.tool_calls ?? []);
  for (const [call] of [whole.message.tool_calls, streamed]) {
    assert.equal(call.function.name, 'get_weather');
    assert.deepEqual(call.function.arguments, { city: 'Paris' });
  }
  const next = await client(d).chat({ ...hello, tools: [weather], messages: [...hello.messages,
    whole.message, { role: 'tool', content: 'Sunny.', tool_name: 'get_weather' }] });
  assert.ok(next.eval_count > 0);
});

test('chat: thinking is apart, and not shown where it is switched off', async (t) => {
  const d = await Daemon.start(t, { models: { m: thinker() } });
  const shown = await client(d).chat({ ...hello, think: true });
  assert.match(shown.message.thinking, /Two and two/);
  assert.match(shown.message.content, /The answer is 4/);
  const hidden = await client(d).chat({ ...hello, think: false });
  assert.equal(hidden.message.thinking, undefined);
});

test('chat: a format is kept', async (t) => {
  const d = await Daemon.start(t, { models: { m: random() } });
  const format = { type: 'object', properties: { n: { enum: [1, 2] } }, required: ['n'],
    additionalProperties: false };
  const { message } = await client(d).chat({ ...hello, format, options: { num_predict: 200 } });
  assert.ok([1, 2].includes(JSON.parse(message.content).n), message.content);
});

test('generate: with the template, raw, and whole', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const prompt = { model: 'm', prompt: 'Hello?' };
  const whole = await client(d).generate(prompt);
  assert.equal(whole.response, text);
  const parts = await gather(await client(d).generate({ ...prompt, system: 'x', stream: true }));
  assert.equal(parts.map((part) => part.response).join(''), text);
  const raw = await client(d).generate({ ...prompt, raw: true });
  assert.ok(raw.prompt_eval_count < whole.prompt_eval_count, 'no template');
});

test('generate: the context of an answer goes on with its conversation', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const ask = (more) => client(d).generate({ model: 'm', prompt: 'Hello?', ...more });
  const first = await ask({ system: 'Be brief.' });
  const last = (await gather(await ask({ system: 'Be brief.', stream: true }))).at(-1);
  assert.deepEqual(last.context, first.context);
  const next = await ask({ context: first.context });
  const same = await client(d).chat({ model: 'm', messages: [
    { role: 'system', content: 'Be brief.' }, hello.messages[0],
    { role: 'assistant', content: text }, hello.messages[0]] });
  assert.equal(next.prompt_eval_count, same.prompt_eval_count);
  assert.ok(next.context.length > first.context.length);
  assert.equal((await ask({ raw: true })).context, undefined);
  await assert.rejects(ask({ context: [1, 2, 3] }), /must be what \/api\/generate answered/);
});

test('logprobs: of each token, with its rivals', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const check = (tokens, rivals) => {
    assert.ok(tokens.length > 2);
    for (const one of tokens) {
      assert.ok(one.logprob <= 0 && one.bytes.length > 0 && one.token.length > 0);
      assert.equal(one.top_logprobs?.length, rivals || undefined);
    }
  };
  const ask = { ...hello, logprobs: true, options: { num_predict: 5 } };
  check((await client(d).chat({ ...ask, top_logprobs: 2 })).logprobs, 2);
  const parts = await gather(await client(d).chat({ ...ask, stream: true }));
  check(parts.flatMap((part) => part.logprobs ?? []), 0);
  const said = await client(d).generate({ ...ask, messages: undefined, prompt: 'Hello?' });
  check(said.logprobs, 0);
  assert.equal((await client(d).chat({ ...hello })).logprobs, undefined);
  await assert.rejects(client(d).chat({ ...ask, top_logprobs: 21 }), /between 0 and 20/);
});

test('truncate: a long prompt is refused, or loses its middle', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) },
    settings: { models: { m: { context_length: 256 } } } });
  const long = { model: 'm', messages: [{ role: 'user', content: 'word '.repeat(1000) }] };
  await assert.rejects(client(d).chat(long), { status_code: 400 });
  assert.ok((await client(d).chat({ ...long, truncate: true })).prompt_eval_count <= 256);
});

test('an empty prompt loads, and keep_alive 0 unloads, also what was loaded to stay', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const load = await client(d).generate({ model: 'm:latest', prompt: '', keep_alive: -1 });
  assert.deepEqual([load.done, load.done_reason, load.response], [true, 'load', '']);
  assert.equal((await d.instance('m')).ttl, null);
  const leave = () => client(d).generate({ model: 'm:latest', prompt: '', keep_alive: 0 });
  assert.equal((await leave()).done_reason, 'unload');
  await left(d);
  assert.equal((await leave()).done_reason, 'unload', 'it need not be loaded');
  await d.json('POST', '/api/v1/models/load', { model: 'm' });
  assert.equal((await d.instance('m')).origin, 'explicit');
  await client(d).chat({ model: 'm', messages: [], keep_alive: 0 });
  await left(d);
  await assert.rejects(client(d).generate({ model: 'nobody', prompt: '', keep_alive: 0 }),
    { status_code: 404 });
});

test('an unload waits for the answers that run', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const stream = await client(d).chat({ ...hello, stream: true });
  await client(d).generate({ model: 'm', prompt: '', keep_alive: 0 });
  const parts = await gather(stream);
  assert.equal(parts.map((part) => part.message.content).join(''), text);
  await left(d);
});

const like = (a, b) => assert.ok(a.length === b.length &&
  a.every((value, i) => Math.abs(value - b[i]) < 1e-4), 'the same vector');

test('embed: one, many, and the older endpoint', async (t) => {
  const d = await Daemon.start(t, { models: { v: embedding(), m: spoken(text) } });
  const { embeddings, prompt_eval_count: count } = await client(d).embed({ model: 'v',
    input: ['One.', 'Two.'] });
  assert.equal(embeddings.length, 2);
  assert.ok(count > 0);
  const one = await client(d).embed({ model: 'v', input: 'One.' });
  like(one.embeddings[0], embeddings[0]);
  const older = await client(d).embeddings({ model: 'v', prompt: 'One.' });
  like(older.embedding, embeddings[0]);
  assert.deepEqual((await client(d).embed({ model: 'v', input: [] })).embeddings, []);
});

test('embed: a long text is cut at its end, or refused with truncate false', async (t) => {
  const d = await Daemon.start(t, { models: { v: embedding() } });
  const input = 'many words '.repeat(2000);
  const cut = await client(d).embed({ model: 'v', input });
  assert.ok(cut.prompt_eval_count > 100 && cut.prompt_eval_count < 2000);
  const same = await client(d).embed({ model: 'v', input: `${input} and more` });
  like(same.embeddings[0], cut.embeddings[0]);
  await assert.rejects(client(d).embed({ model: 'v', input, truncate: false }),
    { status_code: 400 });
  await assert.rejects(client(d).embeddings({ model: 'v', prompt: input }),
    { status_code: 400 });
});

test('errors are sentences with their status', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  await assert.rejects(client(d).chat({ ...hello, model: 'nobody' }),
    (err) => err.status_code === 404 && /no model 'nobody'/.test(err.message) &&
      /GET \/api\/tags lists/.test(err.message));
  await assert.rejects(client(d).chat({ ...hello, keep_alive: 'soon' }),
    (err) => err.status_code === 400 && /'keep_alive' must be/.test(err.message));
  const stream = client(d).chat({ ...hello, model: 'nobody', stream: true });
  await assert.rejects(stream, { status_code: 404 });
});

test('names: a tag is a quantization', async (t) => {
  const d = await Daemon.start(t, { models: { 'm-F32': spoken(text), 'm-Q8_0': random() } });
  const names = (await client(d).list()).models.map((model) => model.name);
  assert.equal(names.length, 2);
  assert.ok(names.includes('m:latest'), names.join());
  for (const name of names) {
    const part = await client(d).chat({ ...hello, model: name, options: { num_predict: 2 } });
    assert.equal(part.model, name);
    assert.deepEqual((await client(d).ps()).models.map((model) => model.name), [name]);
  }
});

test('pull: progress of the download, and the model is there at its end', async (t) => {
  const repo = 'people/Speaker-GGUF';
  const hub = await Hub.start(t, { [repo]: { 'speaker-q4_k_m.gguf': spoken(text) } });
  const d = await Daemon.start(t, { env: hub.env });
  const lines = await gather(await client(d).pull({ model: `hf.co/${repo}:Q4_K_M`,
    stream: true }));
  assert.equal(lines[0].status, 'pulling manifest');
  assert.equal(lines.at(-1).status, 'success');
  const last = lines.findLast((line) => line.total);
  assert.ok(last.total > 0 && last.completed === last.total);
  assert.match(last.digest, /^sha256:[0-9a-f]{64}$/);
  const said = await client(d).chat({ ...hello, model: `hf.co/${repo}:Q4_K_M` });
  assert.equal(said.message.content, text);
  assert.equal((await client(d).pull({ model: repo })).status, 'success', 'it is there already');
  assert.equal((await client(d).pull({ model: 'speaker:latest' })).status, 'success');
  await assert.rejects(client(d).pull({ model: 'llama3.2' }), /must be a repository such as/);
  await assert.rejects(client(d).pull({ model: 'no/thing' }), /no repository no\/thing/);
  const failed = gather(await client(d).pull({ model: 'no/thing', stream: true }));
  await assert.rejects(failed, /no repository no\/thing/);
});

test('delete: the model goes, also a loaded one; one that answers stays', async (t) => {
  const d = await Daemon.start(t, { models: { m: endless(), n: spoken(text) } });
  await client(d).chat({ ...hello, model: 'n' });
  assert.equal((await client(d).delete({ model: 'n:latest' })).status, 'success');
  assert.deepEqual((await client(d).list()).models.map((model) => model.name), ['m:latest']);
  const talk = new AbortController();
  const stream = await d.fetch('/api/chat', { method: 'POST', signal: talk.signal,
    body: JSON.stringify(hello) });
  await stream.body.getReader().read();
  await assert.rejects(client(d).delete({ model: 'm' }), { status_code: 409 });
  talk.abort();
  await assert.rejects(client(d).delete({ model: 'nobody' }), { status_code: 404 });
});

test('create, push and copy say what to do instead', async (t) => {
  const d = await Daemon.start(t, { models: {} });
  for (const [path, sentence] of [['create', /put a GGUF file/], ['push', /publishes no models/],
    ['copy', /model_aliases/]]) {
    const answer = await post(d, `/api/${path}`, { model: 'm' });
    assert.equal(answer.status, 400);
    assert.match((await answer.json()).error, sentence);
  }
});

const portFree = (port) => new Promise((resolve) => {
  const server = net.createServer().listen(port, '127.0.0.1', () =>
    server.close(() => resolve(true)));
  server.once('error', () => resolve(false));
});

test('keep_alive is doze\'s own, or five minutes if the settings say so', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const ttl = async () => (await d.instance('m')).ttl;
  await client(d).chat({ ...hello });
  assert.equal(await ttl(), 3600);
  await d.patch('/api/v1/settings', { ollama_default_keep_alive: true });
  await client(d).chat({ ...hello });
  assert.equal(await ttl(), 300);
  await client(d).chat({ ...hello, keep_alive: '10m' });
  assert.equal(await ttl(), 600);
  await d.chat('m');
  assert.equal(await ttl(), 600, 'of others it is no default');
});

test('keep_alive: in every form', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(text) } });
  const forms = [[60, 60], ['90', 90], ['5m', 300], ['1h30m', 5400], ['1.5h', 5400],
    [1000.5, 1000.5],    ['24h0m0s', 86400], [-1, null], ['-1', null], ['-1m', null], ['10m', 600]];
  for (const [form, ttl] of forms) {
    const answer = await client(d).generate({ model: 'm', prompt: '', keep_alive: form });
    assert.equal(answer.done_reason, 'load');
    assert.equal((await d.instance('m')).ttl, ttl, String(form));
  }
  for (const form of ['soon', '5 m', '', true, []]) {
    const answer = await post(d, '/api/generate', { model: 'm', keep_alive: form });
    assert.equal(answer.status, 400, String(form));
    assert.match((await answer.json()).error, /'keep_alive' must be seconds or a duration/);
  }
  assert.equal((await d.instance('m')).ttl, 600, 'what is refused changes nothing');
  for (const form of [0, '0', '0s', '0m']) {
    await client(d).generate({ model: 'm', prompt: '', keep_alive: '10m' });
    const answer = await client(d).chat({ model: 'm', messages: [], keep_alive: form });
    assert.equal(answer.done_reason, 'unload', String(form));
    await left(d);
  }
});

test('ollama_port: the server answers there, too, until the setting says no', async (t) => {
  const port = await freePort();
  const d = await Daemon.start(t, { models: { m: spoken(text) },
    settings: { ollama_port: port } });
  const there = new Ollama({ host: `http://127.0.0.1:${port}` });
  assert.equal((await there.chat({ ...hello })).message.content, text);
  const other = await freePort();
  await d.patch('/api/v1/settings', { ollama_port: other });
  assert.ok((await new Ollama({ host: `http://127.0.0.1:${other}` }).list()).models.length);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/api/version`));
  await d.patch('/api/v1/settings', { ollama_port: 0 });
  await assert.rejects(fetch(`http://127.0.0.1:${other}/api/version`));
});

test('ollama_port: a taken port is named in the log, and the server goes on', async (t) => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address();
  const d = await Daemon.start(t, { models: {}, settings: { ollama_port: port } });
  assert.equal((await d.get('/api/version')).status, 200);
  await ask(() => d.log, (log) => log.includes("Ollama's clients do not find this server"));
  assert.match(d.log, new RegExp(`${port}`));
});

test('serve --ollama listens where Ollama does', async (t) => {
  if (!await portFree(11434)) { t.skip('another server has the port'); return; }
  const d = await Daemon.start(t, { models: { m: spoken(text) }, args: ['--ollama'] });
  assert.equal((await new Ollama().list()).models.length, 1);
  await d.stop();
  assert.ok(await portFree(11434));
});
