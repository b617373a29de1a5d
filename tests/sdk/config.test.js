/* SPDX-License-Identifier: MIT */
// What LM Studio's SDK configures: that it counts, and that it comes back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endless, modelFile, random, slowToLoad, spoken, template } from '../e2e/lib/models.js';
import { connect, generations, Raw, start } from './lib/clients.js';

for (const generation of generations) {
  const named = (title) => `${title} (SDK ${generation.name})`;

  test(named('get-or-load waits for an instance that is still loading'), async (t) => {
    const daemon = await start(t, { models: { slow: slowToLoad() } });
    const client = connect(daemon, generation);
    const watch = await daemon.watch();
    const load = client.llm.load('slow', { identifier: 'mine', verbose: false });
    await watch.reaches('mine', 'loading');
    const found = await client.llm.model('mine', { verbose: false });
    const loaded = await load;
    assert.equal(found.identifier, 'mine');
    assert.equal((await found.getModelInfo()).instanceReference,
      (await loaded.getModelInfo()).instanceReference);
    assert.equal((await daemon.instances()).length, 1);
  });
}

// The prediction's configuration as the server tells it.
const counted = (result) => Object.fromEntries(result.predictionConfig.fields.map(
  ({ key, value }) => [key.replace('llm.prediction.', ''), value]));

const words = 'one two three four five six seven eight nine ten ';

// llm.load.llama.ropeFrequencyBase and ropeFrequencyScale.
test('rope overrides of a load count', async (t) => {
  const daemon = await start(t, { models: { noise: random() } });
  const client = connect(daemon);
  const say = async (config) => {
    const model = await client.llm.load('noise', { verbose: false, config });
    const { content } = await model.respond('Hello?', { maxTokens: 12, temperature: 0 });
    const told = await model.getLoadConfig();
    await model.unload();
    return [content, told.ropeFrequencyBase, told.ropeFrequencyScale];
  };
  const [plain] = await say({});
  const [based, base] = await say({ ropeFrequencyBase: 500 });
  const [scaled, , scale] = await say({ ropeFrequencyScale: 0.25 });
  assert.equal(new Set([plain, based, scaled]).size, 3);
  assert.deepEqual([base, scale], [500, 0.25]);
});

// Of two candidates, both above the threshold, XTC always excludes the likelier one.
test('XTC takes the second choice', async (t) => {
  const daemon = await start(t, { models: { noise: random() } });
  const client = connect(daemon);
  const model = await client.llm.model('noise', { verbose: false });
  const say = (more) => model.respond('Hello?', { maxTokens: 8, repeatPenalty: false, ...more });
  const likeliest = await say({ temperature: 0 });
  const cut = { temperature: 1, topKSampling: 2, topPSampling: false, minPSampling: false,
    raw: { fields: [ // the SDK has names for these, but does not send them
      { key: 'llm.prediction.llama.xtcProbability', value: { checked: true, value: 1 } },
      { key: 'llm.prediction.llama.xtcThreshold', value: { checked: true, value: 0.01 } }] } };
  const [one, two] = [await say(cut), await say(cut)];
  assert.equal(one.content, two.content);
  assert.notEqual(one.content, likeliest.content);
  assert.deepEqual(counted(one)['llama.xtcProbability'], { checked: true, value: 1 });
  assert.deepEqual(counted(one)['llama.xtcThreshold'], { checked: true, value: 0.01 });
});

test('what counted comes back, also what nobody said', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const client = connect(daemon);
  const model = await client.llm.model('hello', { verbose: false });
  const config = counted(await model.respond('Hello?', { maxTokens: 5 }));
  assert.deepEqual(config, {
    temperature: 0.8,
    maxPredictedTokens: { checked: true, value: 5 },
    topKSampling: 40,
    topPSampling: { checked: true, value: 0.95 },
    minPSampling: { checked: true, value: 0.05 },
    repeatPenalty: { checked: false, value: 1 }, // else the clients would believe 1.1
    contextOverflowPolicy: 'truncateMiddle',
  });
});

test('a load brings its prompt template; a request may bring another', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const client = connect(daemon);
  const jinja = (template) => ({ type: 'jinja', jinjaPromptTemplate: { template } });
  const promptTemplate = jinja("{% for m in messages %}[{{ m['content'] }}]{% endfor %}");
  const load = (template) => client.llm.load('hello', { verbose: false,
    config: { promptTemplate: template, physicalBatchSize: 64,
      reasoningBudgetMessage: 'Enough.' } });
  const model = await load(promptTemplate);
  const chat = [{ role: 'user', content: 'Hi' }];
  assert.equal(await model.applyPromptTemplate(chat), '[Hi]');
  const loadConfig = await model.getLoadConfig();
  assert.deepEqual(loadConfig.promptTemplate, promptTemplate);
  assert.equal(loadConfig.physicalBatchSize, 64);
  assert.equal(loadConfig.reasoningBudgetMessage, 'Enough.');
  const plain = await client.llm.load('hello', { identifier: 'plain', verbose: false });
  assert.notEqual(await plain.applyPromptTemplate(chat), '[Hi]');
  const own = { ...jinja("<{{ messages[0]['content'] }}>"), stopStrings: [] };
  const log = daemon.log.length;
  const answer = await model.respond(chat, { promptTemplate: own });
  assert.equal(answer.stats.promptTokensCount, await model.countTokens('<Hi>'),
    daemon.log.slice(log));
  await assert.rejects(load(jinja('{% for %}')), /template/);
});

test('without a policy a text that is too long loses its middle', async (t) => {
  const daemon = await start(t, { models: { clock: endless('1M') } });
  const client = connect(daemon);
  const model = await client.llm.load('clock', { verbose: false, config: { contextLength: 256 } });
  const text = words.repeat(60);
  const answer = await model.respond(text, { maxTokens: 4 });
  assert.equal(answer.stats.stopReason, 'maxPredictedTokensReached');
  assert.ok(answer.stats.promptTokensCount < 256);
  await assert.rejects(model.respond(text, { maxTokens: 4, contextOverflowPolicy: 'stopAtLimit' })
    .result(), /256/);
});

test('a preset is refused, as there is none', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const model = await connect(daemon).llm.model('hello', { verbose: false });
  const asked = [() => model.respond('Hi', { preset: 'mine' }),
    () => model.complete('Hi', { preset: 'mine' })];
  for (const ask of asked) await assert.rejects(async () => (await ask()).content, /preset/i);
});

test('a stop string of tool calls is told as such', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello from the model.') } });
  const client = connect(daemon);
  const model = await client.llm.model('hello', { verbose: false });
  const call = await model.respond('Hello?', { toolCallStopStrings: [' model'] });
  assert.equal(call.stats.stopReason, 'toolCalls');
  assert.equal(call.stats.stopString, ' model');
  assert.equal(call.content, 'Hello from the');
});

test('thinking ends where its budget does', async (t) => {
  const thoughtful = spoken('One thing, another thing, and a third one.\n</think>\n\nSo be it.',
    '--chat-template', template('deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja'));
  const daemon = await start(t, { models: { thoughtful } });
  const client = connect(daemon);
  const model = await client.llm.load('thoughtful', { verbose: false,
    config: { contextLength: 512, reasoningBudgetMessage: ' Enough.' } });
  const short = await model.respond('Well?', { temperature: 0, maxTokens: 30, reasoningBudget: 4 });
  assert.match(short.reasoningContent, /One thing.* Enough\./s);
  assert.doesNotMatch(short.reasoningContent, /third/);
  const long = await model.respond('Well?', { temperature: 0, maxTokens: 30 });
  assert.match(long.reasoningContent, /third one/);
});

test('a draft model is loaded with its model, and its guesses are told', async (t) => {
  const saying = (name) => modelFile('spoken', '--loop', '--text', 'and so on, ', '--name', name);
  const daemon = await start(t, { models: { large: saying('large'), small: saying('small') } });
  const client = connect(daemon);
  const load = (speculativeDraftModel) => client.llm.load('large', { verbose: false, config: {
    speculativeDraftSimple: true, speculativeDraftModel, speculativeDraftMaxTokens: 5,
  } });
  await assert.rejects(load('none'), /no draft model 'none'/);
  const model = await load('small');
  const { stats } = await model.respond('Go on', { temperature: 0, maxTokens: 60 });
  // More than the first trial only where guesses save time, as they hardly do with equal models.
  assert.ok(stats.acceptedDraftTokensCount >= 12, JSON.stringify(stats));
  assert.equal(stats.usedDraftModelKey, 'small');
  assert.equal((await daemon.instances())[0].draft_model, 'small');
});

// Keys that the SDK has no option for, and keys that mean nothing here.
test('rare keys of a load count or do no harm', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const raw = await Raw.open(daemon, 'llm');
  const fields = Object.entries({ 'llama.cpuThreadPoolSize': 1, 'llama.physicalBatchSize': 3,
    numParallelSessions: 5, 'llama.tryDirectIO': true, 'llama.useFp16ForKVCache': false,
    'llama.speculativeDecoding.draftMtp': true, numCpuExpertLayersRatio: 'max',
    'llama.argumentsOverride': { enabled: true, disabledParameters: [], overrideParameters: [],
      excludeAllConfig: true } }).map(([key, value]) => ({ key: `llm.load.${key}`, value }));
  raw.send({ type: 'channelCreate', endpoint: 'loadModel', channelId: 1, creationParameter: {
    modelKey: 'hello',
    loadConfigStack: { layers: [{ layerName: 'apiOverride', config: { fields } }] } } });
  assert.equal((await raw.ended(1)).type, 'channelClose');
  const { result } =
    await raw.call(2, 'getLoadConfig', { specifier: { type: 'query', query: {} } });
  const told = Object.fromEntries(result.fields.map(
    ({ key, value }) => [key.replace('llm.load.', ''), value]));
  assert.equal(told['llama.cpuThreadPoolSize'], 1);
  assert.equal(told['llama.physicalBatchSize'], 5); // a token for each of the predictions
  assert.equal(told.numParallelSessions, 5);
  assert.equal(told['llama.useFp16ForKVCache'], false);
  assert.deepEqual(told['llama.kCacheQuantizationType'], { checked: true, value: 'f32' });
  assert.equal(told['llama.tryDirectIO'], undefined);
});
