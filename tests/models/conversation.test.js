/* SPDX-License-Identifier: MIT */
// Conversations with trained models: the same again, after leaving, and as clients ask for it.
// Alone: threads that wait for one another in two programs at once take many times as long.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from '../e2e/lib/daemon.js';
import { prompts } from './lib/prompts.js';
import { gemma, smol } from './lib/trained.js';

// Without it the last bits depend on how prompts were cut into batches, and so on what else the
// machine does: the same words are promised with it alone.
const reproducible = { settings: { load: { reproducible: true } } };
const start = (t, more = {}) => Daemon.start(t, { models: { smol: smol(), gemma: gemma() },
  ...more });
const user = (content) => ({ role: 'user', content });
const assistant = (content) => ({ role: 'assistant', content });

async function chat(d, messages, more = {}) {
  const { status, body } = await d.post('/v1/chat/completions',
    { model: 'smol', messages, max_tokens: 32, temperature: 0, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  return { text: body.choices[0].message.content, ...body.usage };
}

for (const model of ['smol', 'gemma']) {
  test(`${model}: the same request gives the same text, always`, async (t) => {
    const d = await start(t, reproducible);
    const first = new Map();
    for (let round = 0; round < 3; round++) {
      for (const prompt of prompts.slice(0, 30)) {
        const { text } = await chat(d, [user(prompt)], { model, max_tokens: 24 });
        if (round === 0) first.set(prompt, text);
        assert.equal(text, first.get(prompt), `${prompt} in round ${round}`);
      }
    }
  });
}

// With several slots, too: an answer that is longer than its prompt does not send the prompt to
// another slot when it comes again.
test('smol: asked three times in a row it says the same', async (t) => {
  const d = await start(t, { settings: { load: { threads: 1 } } }); // whatever else runs
  for (const prompt of prompts.slice(12, 18)) {
    const ask = async () => (await chat(d, [user(prompt)], { max_tokens: 96 })).text;
    const first = await ask();
    for (let again = 0; again < 2; again++) assert.equal(await ask(), first, prompt);
  }
});

test('an early turn asked again does not cost the rest of its conversation', async (t) => {
  const d = await start(t);
  const begun = [user(prompts[38]), assistant('A keeper.'), user(prompts[39])];
  await chat(d, begun, { max_tokens: 8 });
  await chat(d, begun.slice(0, 1), { max_tokens: 8 });
  const back = await chat(d, begun, { max_tokens: 8 });
  assert.ok(back.prompt_tokens_details.cached_tokens > 0.9 * back.prompt_tokens);
});

// A conversation of three turns; leave() is called before the last.
async function threeTurns(d, leave) {
  const messages = [{ role: 'system', content: 'You are brief.' }, user(prompts[38])];
  messages.push(assistant((await chat(d, messages)).text), user('Who read it?'));
  messages.push(assistant((await chat(d, messages)).text), user('What did he have for supper?'));
  await leave?.();
  return chat(d, messages, { max_tokens: 48 });
}

test('after eviction, ttl and restart the text is as if it had never left', async (t) => {
  const stayed = await threeTurns(await start(t, reproducible));
  const d = await start(t, reproducible);
  const evicted = await threeTurns(d, () => chat(d, [user('Hello')], { model: 'gemma' }));
  const e = await start(t, reproducible);
  const slept = await threeTurns(e, async () => {
    const watch = await e.watch();
    await e.patch('/api/v1/settings', { default_ttl: 1 });
    await chat(e, [user('Hi')], { ttl: 1 });
    await watch.first((event) => event.cause === 'ttl' || event.reason === 'ttl');
  });
  const f = await start(t, reproducible);
  const restarted = await threeTurns(f, async () => {
    await f.stop();
    await f.launch();
  });
  for (const [how, back] of Object.entries({ evicted, slept, restarted })) {
    assert.equal(back.text, stayed.text, how);
    assert.ok(back.prompt_tokens_details.cached_tokens > 300, `${how}: it came from the store`);
  }
});

// The state of a sliding window cannot be cut; checkpoints at the turns' beginnings stand in.
test('sliding window: a turn that is asked otherwise goes on from the one before', async (t) => {
  const d = await start(t);
  const share = async (messages) => {
    const answer = await chat(d, messages, { model: 'gemma', max_tokens: 8 });
    return { ...answer, share: answer.prompt_tokens_details.cached_tokens / answer.prompt_tokens };
  };
  const begun = [user(prompts[39].repeat(2))];
  begun.push(assistant((await share(begun)).text));
  await share([...begun, user(prompts[38])]);
  assert.ok((await share([...begun, user('Something else?')])).share > 0.9);
  assert.ok((await share([begun[0], assistant('No.'), user('And?')])).share > 0.9);
  await d.unload('gemma');
  assert.ok((await share([...begun, user('Yet another?')])).share > 0.9, 'from the store, too');
});

test('an answer that was begun goes on', async (t) => {
  const d = await start(t);
  const begun = [user('What is the capital of France?'), assistant('The capital of')];
  const { text } = await chat(d, begun);
  assert.match(text, /^ France is Paris/);
  const closed = await chat(d, begun, { continue_final_message: false });
  assert.doesNotMatch(closed.text, /^ France/);
  const wrong = await d.post('/v1/chat/completions',
    { model: 'smol', messages: [user('Hi')], continue_final_message: true });
  assert.equal(wrong.status, 400);
  assert.match(wrong.body.error.message, /continue_final_message' needs a last message/);
  const reply = await d.post('/v1/messages', { model: 'smol', max_tokens: 32, temperature: 0,
    messages: begun });
  assert.match(reply.body.content[0].text, /^ France is Paris/);
});

test('an answer with a schema is JSON that fits it', async (t) => {
  const d = await start(t);
  const schema = { type: 'object', properties: { city: { type: 'string' },
    people: { type: 'integer' }, old: { type: 'boolean' } },
  required: ['city', 'people', 'old'], additionalProperties: false };
  for (const city of ['Paris', 'Rome', 'Tokyo', 'Berlin', '北京']) {
    const { text } = await chat(d, [user(`Describe ${city} as JSON.`)], { max_tokens: 200,
      response_format: { type: 'json_schema', json_schema: { name: 'city', schema } } });
    const value = JSON.parse(text);
    assert.deepEqual(Object.keys(value).sort(), ['city', 'old', 'people']);
    assert.equal(typeof value.city, 'string');
    assert.ok(Number.isInteger(value.people));
    assert.equal(typeof value.old, 'boolean');
  }
});

test('a grammar rules chats and completions', async (t) => {
  const d = await start(t);
  const grammar = 'root ::= "yes" | "no"';
  assert.match((await chat(d, [user('Is water wet?')], { grammar })).text, /^(yes|no)$/);
  const ask = (body) => d.post('/v1/completions',
    { model: 'smol', prompt: 'Is water wet?', max_tokens: 8, temperature: 0, ...body });
  assert.match((await ask({ grammar })).body.choices[0].text, /^(yes|no)$/);
  const wrong = await ask({ grammar: 'root ::= unknown' });
  assert.equal(wrong.status, 400);
});

test('typical_p and XTC choose other tokens', async (t) => {
  const d = await start(t);
  const draw = async (more) => (await chat(d, [user('Tell me a story.')],
    { temperature: 1, seed: 7, cache_prompt: false, ...more })).text;
  const plain = await draw();
  assert.equal(await draw(), plain);
  assert.notEqual(await draw({ typical_p: 0.2 }), plain);
  assert.notEqual(await draw({ xtc_probability: 1, xtc_threshold: 0.05 }), plain);
});

test('alternatives have distinct names, parts of characters too', async (t) => {
  const d = await start(t);
  const { text } = await d.fetch('/v1/completions', { method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'smol', prompt: '中文的', max_tokens: 12, temperature: 0,
      logprobs: 10 }) }).then(async (answer) => ({ text: await answer.text() }));
  const { top_logprobs: tops } = JSON.parse(text).choices[0].logprobs;
  for (const top of tops) assert.equal(Object.keys(top).length, 10);
  assert.match(JSON.stringify(tops), /"bytes:\\\\x[0-9a-f]{2}/);
});

test('a base model ends its answer where ChatML does', async (t) => {
  const d = await start(t);
  const { text } = await chat(d, [user('The capital of France is')], { model: 'gemma',
    max_tokens: 60 });
  assert.doesNotMatch(text, /<\|im_end\|>/);
});

test('ordinary use logs no warning of the engine', async (t) => {
  const d = await start(t);
  for (let i = 0; i < 4; i++) await chat(d, [user('Hello.'), assistant('Hi!'), user('Bye.')]);
  await chat(d, [user('Hello.')], { model: 'gemma' });
  await chat(d, [user('Hello.')]);
  await d.unload('smol');
  const alarming = d.log.split('\n').filter((line) => /\b(warn|error)\b|failed/i.test(line));
  assert.deepEqual(alarming, []);
});
