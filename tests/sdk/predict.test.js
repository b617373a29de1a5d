/* SPDX-License-Identifier: MIT */
// Predictions by LM Studio's SDK.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { endless, random, spoken, thinker, toolCaller } from '../e2e/lib/models.js';
import { speaking } from '../e2e/lib/stream.js';
import { gone } from '../e2e/lib/process.js';
import { connect, generations, Raw, start } from './lib/clients.js';

const sentence = 'Hello from the model.';

for (const generation of generations) {
  const named = (title) => `${title} (SDK ${generation.name})`;

  test(named('an answer, piece by piece, with its figures'), async (t) => {
    const daemon = await start(t, { models: { hello: spoken(sentence) } });
    const client = connect(daemon, generation);
    const model = await client.llm.model('hello', { verbose: false });
    const progress = [];
    const prediction = model.respond([{ role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello?' }],
    { temperature: 0, onPromptProcessingProgress: (p) => progress.push(p) });
    let text = '', fragments = 0;
    for await (const fragment of prediction) {
      text += fragment.content;
      fragments++;
    }
    const result = await prediction.result();
    assert.equal(text, sentence);
    assert.equal(result.content, sentence);
    assert.ok(fragments > 1);
    assert.equal(result.stats.stopReason, 'eosFound');
    assert.ok(result.stats.promptTokensCount > 0);
    assert.equal(result.stats.totalTokensCount,
      result.stats.promptTokensCount + result.stats.predictedTokensCount);
    assert.ok(result.stats.tokensPerSecond > 0);
    assert.equal(result.modelInfo.identifier, 'hello');
    assert.equal(progress.at(-1), 1);
  });

  test(named('limits and stop strings'), async (t) => {
    const daemon = await start(t, { models: { hello: spoken(sentence) } });
    const client = connect(daemon, generation);
    const model = await client.llm.model('hello', { verbose: false });
    const short = await model.respond('Hello?', { maxTokens: 2 });
    assert.equal(short.stats.stopReason, 'maxPredictedTokensReached');
    assert.equal(short.stats.predictedTokensCount, 2);
    const stopped = await model.respond('Hello?', { stopStrings: [' model'] });
    assert.equal(stopped.stats.stopReason, 'stopStringFound');
    assert.equal(stopped.content, 'Hello from the');
  });

  test(named('complete continues the text as it is'), async (t) => {
    const daemon = await start(t, { models: { noise: random() } });
    const client = connect(daemon, generation);
    const model = await client.llm.model('noise', { verbose: false });
    const done = await model.complete('once upon a time',
      { maxTokens: 12, temperature: 0, repeatPenalty: false });
    const http = await daemon.post('/v1/completions', { model: 'noise', prompt: 'once upon a time',
      max_tokens: 12, temperature: 0, repeat_penalty: 1 });
    assert.equal(done.content, http.body.choices[0].text);
  });

  test(named('tokens and templates'), async (t) => {
    const daemon = await start(t, { models: { hello: spoken(sentence) } });
    const client = connect(daemon, generation);
    const model = await client.llm.model('hello', { verbose: false });
    const tokens = await model.tokenize('Hello world');
    assert.ok(tokens.length > 0 && tokens.every(Number.isInteger));
    assert.equal(await model.countTokens('Hello world'), tokens.length);
    const long = 'Hello world '.repeat(30000); // its answer is far longer than 64 KB
    assert.equal((await model.tokenize(long)).length, await model.countTokens(long));
    assert.deepEqual(await model.tokenize(['a', 'b']),
      [await model.tokenize('a'), await model.tokenize('b')]);
    const prompt = await model.applyPromptTemplate([{ role: 'user', content: 'How are you?' }]);
    assert.match(prompt, /How are you\?/);
  });

  test(named('a client that changes its mind'), async (t) => {
    const daemon = await start(t, { models: { endless: endless() } });
    const client = connect(daemon, generation);
    const model = await client.llm.model('endless', { verbose: false });
    const prediction = model.respond('Hello?');
    for await (const fragment of prediction) {
      assert.ok(fragment.content.length > 0);
      break;
    }
    await prediction.cancel();
    assert.equal((await prediction.result()).stats.stopReason, 'userStopped');
    const abort = new AbortController();
    const second = model.respond('Hello?', { signal: abort.signal,
      onFirstToken: () => abort.abort() });
    await assert.rejects(second.result().then((r) => {
      if (r.stats.stopReason === 'userStopped') throw new Error('stopped');
    }));
    const watch = await daemon.watch();
    const [snapshot] = watch.all;
    if (snapshot.instances[0].state !== 'idle') await watch.reaches('endless', 'idle');
  });

  test(named('thinking is told from saying'), async (t) => {
    const daemon = await start(t, { models: { thinker: thinker() } });
    const client = connect(daemon, generation);
    const model = await client.llm.model('thinker', { verbose: false });
    const result = await model.respond('What is two and two?');
    assert.match(result.reasoningContent, /Two and two make four\./);
    assert.doesNotMatch(result.nonReasoningContent, /Two and two make four\./);
    assert.match(result.nonReasoningContent, /The answer is 4\./);
    assert.match(result.content, /<think>[^]*Two and two[^]*<\/think>[^]*The answer is 4\./);
  });

  test(named('tools are called, and their results go back'), async (t) => {
    const daemon = await start(t, { models: { caller: toolCaller() } });
    const client = connect(daemon, generation);
    const model = await client.llm.model('caller', { verbose: false });
    const asked = [], messages = [];
    const weather = generation.tool({ name: 'get_weather', description: 'The weather of a city',
      parameters: { city: z.string() },
      implementation: ({ city }) => { asked.push(city); return `sunny in ${city}`; } });
    await model.act('How is the weather in Paris?', [weather],
      { maxPredictionRounds: 2, onMessage: (m) => messages.push(m) });
    assert.deepEqual(asked, ['Paris']);
    assert.match(JSON.stringify(messages.map((m) => m.getRaw?.() ?? m)), /sunny in Paris/);
  });

  test(named('answers of a demanded form'), async (t) => {
    const daemon = await start(t, { models: { noise: random() } });
    const client = connect(daemon, generation);
    const model = await client.llm.model('noise', { verbose: false });
    const schema = z.object({ ok: z.boolean(), colour: z.enum(['red', 'green']) });
    const result = await model.respond('Say it.', { structured: schema, temperature: 0 });
    assert.doesNotThrow(() => schema.parse(result.parsed));
    const plain = await model.respond('Say it.', { temperature: 0, structured: { type: 'json',
      jsonSchema: { type: 'object', properties: { n: { type: 'boolean' } }, required: ['n'],
        additionalProperties: false } } });
    assert.equal(typeof JSON.parse(plain.content).n, 'boolean');
  });

  test(named('unloaded over HTTP in the middle of an answer'), async (t) => {
    const daemon = await start(t, { models: { endless: endless() } });
    const client = connect(daemon, generation);
    const model = await client.llm.model('endless', { verbose: false });
    const prediction = model.respond('Hello?');
    for await (const fragment of prediction) {
      assert.ok(fragment);
      await daemon.unload('endless');
      break;
    }
    assert.equal((await prediction.result()).stats.stopReason, 'modelUnloaded');
  });

  test(named('the daemon is killed in the middle of an answer'), async (t) => {
    const daemon = await start(t, { models: { endless: endless() } });
    const client = connect(daemon, generation);
    const model = await client.llm.model('endless', { verbose: false });
    const prediction = model.respond('Hello?');
    await assert.rejects(async () => {
      for await (const fragment of prediction) {
        if (fragment) daemon.kill('SIGKILL');
      }
    });
    await gone(daemon.pid);
  });
}

// One prediction by hand, for what the typed SDK cannot say: its messages.
async function predictRaw(raw, channelId, fields) {
  raw.send({ type: 'channelCreate', endpoint: 'predict', channelId, creationParameter: {
    modelSpecifier: { type: 'query', query: {} },
    history: { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello?' }] }] },
    predictionConfigStack: { layers: [{ layerName: 'apiOverride', config: {
      fields: Object.entries(fields)
        .map(([key, value]) => ({ key: `llm.prediction.${key}`, value })) } }] } } });
  const end = await raw.ended(channelId);
  assert.equal(end.type, 'channelClose', JSON.stringify(end));
  return raw.messages(channelId);
}
const textOf = (messages) => messages.filter((m) => m.type === 'fragment')
  .map((m) => m.fragment.content).join('');

test('a grammar, a template, log probabilities, biases, a seed', async (t) => {
  const daemon = await start(t, { models: { noise: random() } });
  const client = connect(daemon);
  const model = await client.llm.model('noise', { verbose: false });
  const raw = await Raw.open(daemon, 'llm');
  const few = { maxPredictedTokens: { checked: true, value: 5 } };
  const structured = { type: 'gbnf', gbnfGrammar: 'root ::= "ba" | "na"' };
  const formed = await predictRaw(raw, 1, { ...few, structured });
  assert.ok(['ba', 'na'].includes(textOf(formed)), textOf(formed).slice(0, 40));
  const likely =
    await predictRaw(raw, 2, { ...few, temperature: 0, logProbs: { checked: true, value: 2 } });
  const tokens = likely.filter((m) => m.type === 'fragment')
    .flatMap((m) => m.fragment.tokens ?? []);
  assert.equal(tokens.length, 5);
  for (const token of tokens) {
    assert.ok(Number.isInteger(token.id) && token.logProb <= 0);
    assert.equal(token.candidates.length, 2);
    assert.equal(token.candidates[0].id, token.id); // at temperature 0 the likeliest is chosen
  }
  const banned = await predictRaw(raw, 3, { ...few, temperature: 0,
    'llama.logitBias': [[tokens[0].id, -100000]] });
  assert.notEqual(textOf(banned), textOf(likely));
  const seeded = { ...few, temperature: 1, seed: { checked: true, value: 42 } };
  assert.equal(textOf(await predictRaw(raw, 4, seeded)), textOf(await predictRaw(raw, 5, seeded)));
  const { result } = await raw.call(6, 'applyPromptTemplate', {
    specifier: { type: 'query', query: {} }, opts: {},
    history: { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] },
    predictionConfigStack: { layers: [{ layerName: 'apiOverride', config: { fields: [{
      key: 'llm.prediction.promptTemplate', value: { type: 'manual', stopStrings: [],
        manualPromptTemplate: { beforeSystem: '', afterSystem: '', beforeUser: 'User said "',
          afterUser: '"\n', beforeAssistant: 'Answer: ', afterAssistant: '' } } }] } }] } });
  assert.equal(result.formatted, 'User said "Hi"\nAnswer: ');
  await assert.rejects(async () => {
    await model.respond('Hello?', { raw: { fields: [] },
      promptTemplate: { type: 'jinja', stopStrings: [],
        jinjaPromptTemplate: { template: '{% for %}' } } });
  }, /template/);
});

test('a text longer than the context, as the client wants it', async (t) => {
  const daemon = await start(t, { models: { endless: endless('1M') } });
  const client = connect(daemon);
  const model =
    await client.llm.load('endless', { verbose: false, config: { contextLength: 256 } });
  const long = 'tick tock '.repeat(2000);
  const stop = { contextOverflowPolicy: 'stopAtLimit', maxTokens: 600 };
  await assert.rejects(async () => { await model.respond(long, stop); },
    /maximum context length is 256/);
  const full = await model.respond('Hello?', stop);
  assert.equal(full.stats.stopReason, 'contextLengthReached');
  for (const contextOverflowPolicy of ['truncateMiddle', 'rollingWindow']) {
    for (const text of [long, 'Hello?']) {
      const result = await model.respond(text, { contextOverflowPolicy, maxTokens: 600 });
      assert.equal(result.stats.stopReason, 'maxPredictedTokensReached');
      assert.equal(result.stats.predictedTokensCount, 600);
      assert.ok(result.stats.promptTokensCount < 256);
    }
  }
  assert.equal((await model.respond('Hello?', stop)).stats.stopReason, 'contextLengthReached');
});

test('two SDK clients and an HTTP client at once, all speak', async (t) => {
  const daemon = await start(t, { models: { endless: endless() } });
  const [a, b] = generations.map((g) => connect(daemon, g));
  const models = await Promise.all([a, b].map((c) => c.llm.model('endless', { verbose: false })));
  const stream = await speaking(daemon, 'endless');
  const predictions = models.map((m) => m.respond('Hello?'));
  await Promise.all(predictions.map(async (p) => {
    let length = 0;
    for await (const fragment of p) if ((length += fragment.content.length) > 60) break;
  }));
  await stream.reached(60);
  await Promise.all(predictions.map((p) => p.cancel()));
  await daemon.unload('endless');
  await stream.ended;
});

test('an instance is seen at work', async (t) => {
  const daemon = await start(t, { models: { endless: endless() } });
  const client = connect(daemon);
  const model = await client.llm.model('endless', { verbose: false });
  assert.deepEqual(await model.getInstanceProcessingState(), { status: 'idle', queued: 0 });
  const prediction = model.respond('Hello?');
  for await (const fragment of prediction) {
    assert.ok(fragment);
    assert.deepEqual(await model.getInstanceProcessingState(), { status: 'generating', queued: 1 });
    break;
  }
  await prediction.cancel();
  await prediction.result();
});

test('a slow reader holds up its own answer only', async (t) => {
  const daemon = await start(t, { models: { hello: spoken(sentence), endless: endless('1M') },
    settings: { auto_evict: 'off' } });
  const raw = await Raw.open(daemon, 'llm');
  raw.send({ type: 'channelCreate', endpoint: 'getOrLoad', channelId: 0,
    creationParameter: { identifier: 'endless', loadConfigStack: { layers: [] } } });
  await raw.ended(0);
  raw.ws.pause();
  for (let i = 1; i <= 3; i++) {
    raw.send({ type: 'channelCreate', endpoint: 'predict', channelId: i, creationParameter: {
      modelSpecifier: { type: 'query', query: {} },
      history: { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello?' }] }] },
      predictionConfigStack: { layers: [] } } });
  }
  const client = connect(daemon);
  const model = await client.llm.model('hello', { verbose: false });
  for (let i = 0; i < 5; i++) assert.equal((await model.respond('Hello?')).content, sentence);
  raw.ws.resume();
  await raw.first((m) => m.message?.type === 'fragment');
});
