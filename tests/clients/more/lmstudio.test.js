/* SPDX-License-Identifier: MIT */
// LM Studio's own tests of its SDK for Python, which only the source package has. They want models
// of the hub by name: here each has one that says what the tests look for.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { before } from 'node:test';
import { Daemon } from '../../e2e/lib/daemon.js';
import { Hub } from '../../e2e/lib/hub.js';
import { modelFile, spoken, template } from '../../e2e/lib/models.js';
import { build } from '../../e2e/lib/programs.js';
import { run } from '../lib/program.js';
import { made, tool } from './compiled.js';

const here = path.join(import.meta.dirname, 'lmstudio');
const folder = path.join(made, 'lmstudio');
const packages = [path.join(folder, 'packages'), path.join(build, 'deps/python/clients')];
const suite = path.join(folder, 'lmstudio-1.5.0');
const SECONDS = 300;

// Tests that doze does not pass, and why.
const KNOWN = {
  'tests/test_logging.py::test_invalid_endpoint_request_stream':
    'LM Studio lets who calls what it does not know wait for ever; doze answers with an error',
};

before(() => {
  const lists = ['requirements.txt', 'suite.txt'].map((name) => path.join(here, name));
  const wanted = lists.map((list) => fs.readFileSync(list, 'utf8')).join('');
  const mark = path.join(folder, 'lists');
  if (fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === wanted) return;
  fs.rmSync(folder, { recursive: true, force: true });
  const pip = (...args) => tool('python3', ['-m', 'pip', '--disable-pip-version-check', ...args,
    '--quiet', '--no-deps', '--require-hashes'],
  { env: { ...process.env, PYTHONPATH: packages[0] } });
  pip('install', '--target', packages[0], '--requirement', lists[0]);
  pip('download', '--no-binary', 'lmstudio', '--no-build-isolation', '--dest', folder,
    '--requirement', lists[1]);
  tool('tar', ['-xzf', `${suite}.tar.gz`, '-C', folder]);
  fs.writeFileSync(mark, wanted);
});

const qwen = ['--chat-template', template('Qwen-Qwen2.5-7B-Instruct.jinja')];
const calling = (before, name, args, then) => spoken(
  `${before}<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`,
  '--then', then, ...qwen);

// The models that the tests' README names, and one that they load on demand. LM Studio's keys of
// embedding models begin with text-embedding-.
const models = (says, calls) => ({
  'hugging-quants/llama-3.2-1b-instruct/llama-3.2-1b-instruct': spoken(says),
  'Qwen/Qwen2.5-7B-Instruct-1M-GGUF/qwen2.5-7b-instruct-1m': calls,
  'ZiangWu/MobileVLM_V2-1.7B-GGUF/mobilevlm_v2-1.7b': [spoken('The image has a purple figure.'),
    modelFile('projector', '--embd', '256')],
  'nomic-ai/nomic-embed-text-v1.5/text-embedding-nomic-embed-text-v1.5':
    modelFile('embedding', '--embd', '768', '--context', '2048'),
  'HuggingFaceTB/SmolLM2-135M-Instruct-GGUF/smollm2-135m-instruct': spoken('Hello there.'),
});
const LOADED = ['llama-3.2-1b-instruct', 'mobilevlm_v2-1.7b', 'qwen2.5-7b-instruct-1m',
  'text-embedding-nomic-embed-text-v1.5'];

// These want another text, or another call: the quotation mark ends a string of JSON, the rest is
// for the one that cancels. The SDK sorts the names of a tool's parameters.
const OTHERS = 'structured or concurrent or cancel or connect_and or error_handling';
const robot = `I am a robot?" ${Array.from({ length: 300 }, (_, i) => `${i} and `).join('')}`;

const runs = {
  'most of it': [`not (${OTHERS})`, () => models('Hello, world!', calling('Hi. ', 'add',
    { a: 123, b: 3210 }, 'The sum is 3333.'))],
  'structured output, crowds, a tool that fails': [OTHERS, () => models(robot,
    calling('', 'divide', { denominator: 0, numerator: 1 }, 'One cannot divide by zero.'))],
};

async function start(t, has) {
  const hub = await Hub.start(t, { 'people/SmolLM2-135M-GGUF': {
    'smollm2-135m-q8_0.gguf': spoken('Hello there.') } });
  const d = await Daemon.start(t, { models: has, env: hub.env });
  for (const key of LOADED) await d.load(key);
  return d;
}

for (const [name, [selection, has]] of Object.entries(runs)) {
  test(`lmstudio's own tests: ${name}`, { timeout: 2 * SECONDS * 1000 }, async (t) => {
    const d = await start(t, has());
    const report = path.join(d.folder, 'report.json');
    // Its examples of plugins, which it runs, are not in the package.
    const ended = await run('python3', ['-m', 'pytest', '-p', 'no:cacheprovider', '-p',
      'of_this_daemon', '--ignore=tests/test_plugin_examples.py', '--tb=short', '-q', '-k',
      selection], { cwd: suite, seconds: SECONDS, env: { HOME: path.join(d.folder, 'home'),
      PYTHONPATH: [...packages, here].join(':'), PYTHONDONTWRITEBYTECODE: '1',
      DOZE_PORT: String(d.port), DOZE_REPORT: report } });
    assert.ok([0, 1].includes(ended.code), `${ended.out}\n${ended.err}\n${d.log}`);
    const outcomes = Object.entries(JSON.parse(fs.readFileSync(report, 'utf8')));
    const failed = outcomes.filter(([, how]) => how === 'failed').map(([id]) => id);
    t.diagnostic(`${outcomes.length - failed.length} of ${outcomes.length} passed`);
    const known = Object.keys(KNOWN).filter((id) => outcomes.some(([one]) => one === id));
    assert.deepEqual(failed.sort(), known.sort(), ended.out);
  });
}
