/* SPDX-License-Identifier: MIT */
// What LM Studio's SDK for Python sends, and what it demands of an answer: it raises an exception
// where a required field is missing or of another type, and ends its session at a message that is
// neither of a call nor of a channel. It names models by identifier, and counts calls and channels
// apart, both from 1.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { embedding, random, spoken, toolCaller } from '../e2e/lib/models.js';
import { Raw, start } from './lib/clients.js';

const text = (v) => typeof v === 'string';
const whole = (v) => Number.isSafeInteger(v);
const number = (v) => typeof v === 'number';
const bool = (v) => typeof v === 'boolean';
const list = (fits) => (v) => Array.isArray(v) && v.every(fits);
const one = (...words) => (v) => words.includes(v);
const maybe = (fits) => (v) => v === undefined || v === null || fits(v);
const object = (v) => v !== null && typeof v === 'object' && !Array.isArray(v);
const shape = (table) => (v) => object(v) &&
  Object.entries(table).every(([name, fits]) => fits(v[name]));
const checked = (fits) => (v) => object(v) && bool(v.checked) && (!v.checked || fits(v.value));

// Its records, field by field; what is not here it does not read.
const model = { modelKey: text, path: text, displayName: text, sizeBytes: whole,
  format: one('gguf', 'safetensors', 'onnx', 'ggml', 'mlx_placeholder', 'torch_safetensors'),
  maxContextLength: whole, paramsString: maybe(text), architecture: maybe(text) };
const instance = { identifier: text, instanceReference: text, contextLength: whole };
const llm = { ...model, type: one('llm'), vision: bool, trainedForToolUse: bool };
const vectors = { ...model, type: one('embedding') };
const stats = { stopReason: one('userStopped', 'modelUnloaded', 'failed', 'eosFound',
  'stopStringFound', 'toolCalls', 'maxPredictedTokensReached', 'contextLengthReached'),
  tokensPerSecond: maybe(number), numGpuLayers: maybe(number), timeToFirstTokenSec: maybe(number),
  promptTokensCount: maybe(whole), predictedTokensCount: maybe(whole),
  totalTokensCount: maybe(whole), usedDraftModelKey: maybe(text) };
const fragment = { content: text, tokensCount: whole, containsDrafted: bool,
  reasoningType: one('none', 'reasoning', 'reasoningStartTag', 'reasoningEndTag') };
const toolCall = { type: one('function'), name: text, id: maybe(text), arguments: maybe(object) };
const file = { identifier: text, sizeBytes: whole, fileType: one('image', 'text/plain',
  'application/pdf', 'application/word', 'text/other', 'unknown') };
const templates = one('jinja', 'manual');

// Configuration that comes back is read by key: these and no others.
const keys = {
  contextLength: whole, numExperts: whole, seed: checked(whole), 'llama.evalBatchSize': whole,
  'llama.flashAttention': bool, 'llama.useFp16ForKVCache': bool, 'llama.keepModelInMemory': bool,
  'llama.tryMmap': bool, 'llama.ropeFrequencyBase': checked(number),
  'llama.ropeFrequencyScale': checked(number),
  'llama.acceleration.offloadRatio': (v) => text(v) || (number(v) && v >= 0 && v <= 1),
};
const predictionKeys = {
  temperature: number, maxPredictedTokens: checked(whole), topKSampling: number,
  topPSampling: checked(number), minPSampling: checked(number), repeatPenalty: checked(number),
  stopStrings: list(text), toolCallStopStrings: list(text), 'llama.cpuThreads': whole,
  contextOverflowPolicy: one('stopAtLimit', 'truncateMiddle', 'rollingWindow'),
  structured: shape({ type: one('none', 'json', 'gbnf') }),
  tools: shape({ type: one('none', 'toolArray') }),
  promptTemplate: shape({ type: templates, stopStrings: list(text) }),
  'reasoning.parsing': shape({ enabled: bool, startString: text, endString: text }),
};
const config = (domain, table) => (v) => object(v) && list(object)(v.fields) &&
  v.fields.every(({ key, value }) => {
    const name = key.startsWith(`${domain}.`) ? key.slice(domain.length + 1) : '';
    return text(key) && value !== undefined && (!(name in table) || table[name](value));
  });
const success = { stats: shape(stats), modelInfo: shape({ ...llm, ...instance }),
  loadModelConfig: config('llm.load', keys),
  predictionConfig: config('llm.prediction', predictionKeys) };

function check(value, table) {
  assert.ok(object(value), JSON.stringify(value));
  for (const [name, fits] of Object.entries(table)) {
    assert.ok(fits(value[name]), `${name}: ${JSON.stringify(value[name])}`);
  }
}

// Whole numbers are written without a point.
const integers = ['sizeBytes', 'maxContextLength', 'contextLength', 'tokensCount', 'tokenCount',
  'promptTokensCount', 'predictedTokensCount', 'totalTokensCount', 'callId', 'channelId'];

class Session {
  calls = 0;
  channels = 0;

  static async open(daemon, namespace) {
    const session = new Session();
    session.raw = await Raw.open(daemon, namespace, { passkey: randomUUID() });
    assert.equal(session.raw.verdict.success, true);
    session.raw.ws.on('message', (data) => session.look(String(data)));
    return session;
  }

  look(message) {
    const { callId, channelId, type } = JSON.parse(message);
    const strange = callId === undefined && channelId === undefined;
    if (strange) this.complaint = `ends the session: ${message}`;
    if (type === 'communicationWarning') this.complaint = message;
    for (const name of integers) {
      if (new RegExp(`"${name}":-?\\d*[.eE]`).test(message)) this.complaint = `${name}: ${message}`;
    }
  }

  async call(endpoint, parameter) {
    const answer = await this.raw.call(++this.calls, endpoint, parameter);
    assert.equal(this.complaint, undefined);
    return answer;
  }

  async result(endpoint, parameter) {
    const answer = await this.call(endpoint, parameter);
    assert.equal(answer.type, 'rpcResult', JSON.stringify(answer));
    return answer.result;
  }

  create(endpoint, creationParameter) {
    const channelId = ++this.channels;
    this.raw.send({ type: 'channelCreate', endpoint, channelId, creationParameter });
    return channelId;
  }

  // All that a channel said, once it has closed.
  async channel(endpoint, parameter) {
    const id = this.create(endpoint, parameter);
    const end = await this.raw.ended(id);
    assert.equal(this.complaint, undefined);
    assert.equal(end.type, 'channelClose', JSON.stringify(end));
    return this.raw.messages(id);
  }
}

const named = (identifier) => ({ type: 'query', query: { identifier } });
const override = (fields, ...more) => ({ layers: [
  { layerName: 'apiOverride', config: { fields: Object.entries(fields)
    .map(([key, value]) => ({ key, value })) } }, ...more] });
const says = (words) =>
  ({ messages: [{ role: 'user', content: [{ type: 'text', text: words }] }] });
const hello = () => spoken('Hello from the model.');

function checkLoad(messages) {
  const last = messages.at(-1);
  assert.ok(['success', 'loadSuccess', 'alreadyLoaded'].includes(last.type), last.type);
  check(last.info, { identifier: text, instanceReference: text, path: text });
  for (const message of messages.slice(0, -1)) {
    assert.ok(['resolved', 'startLoading', 'progress', 'loadProgress', 'unloadingOtherJITModel']
      .includes(message.type), message.type);
    if (message.type === 'unloadingOtherJITModel') check(message.info, { modelKey: text });
    if (/rogress/.test(message.type)) assert.ok(message.progress >= 0 && message.progress <= 1);
    assert.ok(!('ambiguous' in message));
  }
}

function checkPrediction(messages) {
  for (const message of messages.slice(0, -1)) {
    if (message.type === 'fragment') check(message.fragment, fragment);
    else if (message.type === 'promptProcessingProgress') check(message, { progress: number });
    else if (message.type === 'toolCallGenerationEnd') check(message.toolCallRequest, toolCall);
    else assert.match(message.type, /^toolCallGeneration/);
  }
  assert.equal(messages.at(-1).type, 'success');
  check(messages.at(-1), success);
  return messages.filter((m) => m.type === 'fragment').map((m) => m.fragment.content).join('');
}

test('models on disk, loaded, described', async (t) => {
  const daemon = await start(t, { models: { hello: hello(), vectors: embedding(),
    odd: random('--arch', 'qwen2') } });
  const found = await (await Session.open(daemon, 'system')).result('listDownloadedModels');
  assert.equal(found.length, 3);
  for (const entry of found) check(entry, entry.type === 'embedding' ? vectors : llm);

  const llms = await Session.open(daemon, 'llm');
  checkLoad(await llms.channel('loadModel', { modelKey: 'hello', identifier: 'mine',
    ttlMs: 3600000, loadConfigStack: override({ 'llm.load.contextLength': 512,
      'llm.load.seed': { checked: true, value: 7 }, 'llm.load.llama.tryMmap': false,
      'llm.load.llama.acceleration.offloadRatio': 0.5,
      'load.gpuSplitConfig': { disabledGpus: [], strategy: 'evenly', priority: [],
        customRatio: [] } }) }));
  checkLoad(await llms.channel('getOrLoad', { identifier: 'odd', loadTtlMs: 3600000,
    loadConfigStack: override({}) }));
  checkLoad(await llms.channel('getOrLoad', { identifier: 'mine', loadTtlMs: 3600000,
    loadConfigStack: override({}) }));
  const loaded = await llms.result('listLoaded');
  assert.deepEqual(loaded.map((m) => m.identifier).sort(), ['mine', 'odd']);
  for (const entry of loaded) check(entry, { ...llm, ...instance });
  const specifier = named('mine');
  const info = await llms.result('getModelInfo', { specifier, throwIfNotFound: true });
  check(info, { ...llm, ...instance });
  assert.equal(info.contextLength, 512);
  const how = await llms.result('getLoadConfig', { specifier });
  assert.ok(config('llm.load', keys)(how), JSON.stringify(how));
  for (const key of ['contextLength', 'seed', 'llama.tryMmap']) {
    assert.ok(how.fields.some((f) => f.key === `llm.load.${key}`), key);
  }
  assert.equal(await llms.result('unloadModel', { identifier: 'mine' }), undefined);
});

test('predictions: chat, completion, tools, cancelled', async (t) => {
  const daemon = await start(t, { models: { hello: hello(), tools: toolCaller() } });
  const llms = await Session.open(daemon, 'llm');
  checkLoad(await llms.channel('getOrLoad', { identifier: 'hello', loadTtlMs: 3600000,
    loadConfigStack: override({}) }));
  const modelSpecifier = named('hello');
  const asked = { modelSpecifier, history: says('Hello?') };
  const full = await llms.channel('predict', { ...asked, predictionConfigStack: override({
    'llm.prediction.temperature': 0.5, 'llm.prediction.topKSampling': 20,
    'llm.prediction.maxPredictedTokens': { checked: true, value: 50 },
    'llm.prediction.minPSampling': { checked: true, value: 0.05 },
    'llm.prediction.topPSampling': { checked: true, value: 0.9 },
    'llm.prediction.repeatPenalty': { checked: true, value: 1.1 },
    'llm.prediction.stopStrings': ['never'],
    'llm.prediction.contextOverflowPolicy': 'stopAtLimit' }) });
  assert.equal(checkPrediction(full), 'Hello from the model.');

  const template = { type: 'jinja', stopStrings: [], jinjaPromptTemplate: {
    bosToken: '', eosToken: '',
    template: "{% for message in messages %}{{ message['content'] }}{% endfor %}",
    inputConfig: { messagesConfig: { contentConfig: { type: 'string' } }, useTools: false } } };
  const completed = await llms.channel('predict', { ...asked,
    predictionConfigStack: override({}, { layerName: 'completeModeFormatting', config: {
      fields: [{ key: 'llm.prediction.promptTemplate', value: template }] } }) });
  checkPrediction(completed);
  assert.ok(completed.at(-1).stats.promptTokensCount < full.at(-1).stats.promptTokensCount);

  const id = llms.create('predict', { ...asked, predictionConfigStack: override({}) });
  llms.raw.send({ type: 'channelSend', channelId: id, message: { type: 'cancel' } });
  await llms.raw.ended(id);
  checkPrediction(llms.raw.messages(id));
  assert.match(llms.raw.messages(id).at(-1).stats.stopReason, /^(userStopped|eosFound)$/);

  checkLoad(await llms.channel('getOrLoad', { identifier: 'tools', loadTtlMs: 3600000,
    loadConfigStack: override({}) }));
  const called = await llms.channel('predict', { modelSpecifier: named('tools'),
    history: says('How is the weather?'), predictionConfigStack: override({
      'llm.prediction.tools': { type: 'toolArray', tools: [{ type: 'function', function: {
        name: 'get_weather', description: 'Tells the weather.', parameters: { type: 'object',
          properties: { city: { type: 'string' } }, required: ['city'] } } }] } }) });
  checkPrediction(called);
  const { toolCallRequest } = called.find((m) => m.type === 'toolCallGenerationEnd');
  assert.deepEqual([toolCallRequest.name, toolCallRequest.arguments],
    ['get_weather', { city: 'Paris' }]);

});

test('tokens, templates, vectors, files', async (t) => {
  const daemon = await start(t, { models: { hello: hello(), vectors: embedding() } });
  for (const [part, key] of [['llm', 'hello'], ['embedding', 'vectors']]) {
    const session = await Session.open(daemon, part);
    checkLoad(await session.channel('getOrLoad', { identifier: key, loadTtlMs: 3600000,
      loadConfigStack: override({}) }));
    const specifier = named(key);
    const how = await session.result('getLoadConfig', { specifier });
    assert.ok(config(`${part}.load`, keys)(how), JSON.stringify(how));
    check(await session.result('tokenize', { specifier, inputString: 'Hello' }),
      { tokens: list(whole) });
    check(await session.result('countTokens', { specifier, inputString: 'Hello' }),
      { tokenCount: whole });
    if (part === 'llm') {
      check(await session.result('applyPromptTemplate', { specifier, history: says('Hi'),
        predictionConfigStack: { layers: [] }, opts: {} }), { formatted: text });
    } else {
      check(await session.result('embedString', { modelSpecifier: specifier, inputString: 'x' }),
        { embedding: list(number) });
    }
  }
  const files = await Session.open(daemon, 'files');
  check(await files.result('uploadFileBase64', { name: 'a.txt', contentBase64: 'YWJj' }), file);
});

test('what is not there or not offered is an error that can be read', async (t) => {
  const daemon = await start(t, { models: { hello: hello() } });
  const llms = await Session.open(daemon, 'llm');
  const repository = await Session.open(daemon, 'repository');
  const nobody = await llms.call('getModelInfo', { specifier: named('none'),
    throwIfNotFound: true });
  assert.equal(nobody.error.displayData.code, 'generic.noModelMatchingQuery');
  const answers = [nobody, await llms.call('unloadModel', { identifier: 'none' }),
    await repository.call('searchModels', { opts: { searchTerm: 'x' } })];
  const channels = [['loadModel', { modelKey: 'none', loadConfigStack: override({}) }],
    ['predict', { modelSpecifier: named('none'), history: says('Hi'),
      predictionConfigStack: override({}) }]];
  for (const [endpoint, parameter] of channels) {
    answers.push(await llms.raw.ended(llms.create(endpoint, parameter)));
  }
  for (const { type, error } of answers) {
    assert.match(type, /Error$/);
    check(error, { title: text, rootTitle: text });
  }
  assert.equal(llms.complaint ?? repository.complaint, undefined);
});
