/* SPDX-License-Identifier: MIT */
// What docs/clients.md says of rooms and of SDKs, as it is printed but for the address. Those from
// npm are what sdks.test.js uses.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { build, doze } from '../../e2e/lib/programs.js';
import { printedCode, printedRoom } from '../lib/printed.js';
import { run } from '../lib/program.js';
import { assertAnswer, start } from '../lib/world.js';

const here = import.meta.dirname;
test('room for a model', async (t) => {
  const d = await start(t);
  const { code, err } = await run('sh', ['-c', printedRoom()], { seconds: 20, env: {
    HOME: path.join(d.folder, 'home'), PATH: `${path.dirname(doze)}:${process.env.PATH}`,
    M: 'caller', DOZE_PORT: String(d.port) } });
  assert.equal(code, 0, err);
  assert.equal((await d.load('caller', { echo_load_config: true })).load_config.context_length,
    32768);
});

// By list of requirements, the rows that printed.py knows. The first piece of code is tried; what
// comes after it names what takes the same.
const python = {
  '': ['`openai` (Python)', '`anthropic` (Python)', '`pydantic-ai`', '`langchain-openai`',
    '`langchain-anthropic`', '`litellm`', '`ollama` (Python)', '`langchain-ollama`'],
  '-instructor': ['`instructor`'],
  '-llamaindex': ['`llama-index-llms-openai-like`', '`llama-index-llms-lmstudio`',
    '`llama-index-llms-ollama`'],
};
for (const [list, rows] of Object.entries(python)) {
  for (const row of rows) {
    test(row, async (t) => {
      const d = await start(t);
      const code = printedCode(row, d).slice(0, row === '`pydantic-ai`' ? 2 : 1);
      const ended = await run('python3', [path.join(here, 'printed.py'), row, ...code], {
        seconds: 100, env: { HOME: path.join(d.folder, 'home'),
          PYTHONPATH: path.join(build, `deps/python/clients${list}`) } });
      assert.equal(ended.code, 0, `${ended.err}\n${d.log}`);
      for (const answer of JSON.parse(ended.out.trim().split('\n').at(-1))) assertAnswer(answer);
    });
  }
}

// What compiles is in programs of ours word for word, and runs in tests of their own. By row: the
// file, and what stands there for the printed words.
const compiled = {
  '`openai-go`': ['go/main.go', { 'os.Args[1]+"': '"URL' }],
  '`openai-java`': ['java/OpenAi.java', { 'args[0] + "': '"URL' }],
  '`langchain4j-open-ai`': ['java/LangChain.java', { '(url)': '("URL/v1")', '"nobody"': 'm' }],
  '`ollama-rs`': ['rust-ollama/src/main.rs', { 'try_new(url)': 'try_new("URL")' }],
  '`async-openai` (Rust)': ['rust/src/main.rs', { 'format!("{url}': '"URL' }],
};
for (const [row, [file, words]] of Object.entries(compiled)) {
  test(row, () => {
    const [code] = printedCode(row, { url: 'URL' });
    let source = fs.readFileSync(path.join(here, file), 'utf8');
    for (const [ours, theirs] of Object.entries(words)) source = source.replaceAll(ours, theirs);
    const plain = (text) => text.replaceAll(/[\s()]/g, '');
    assert.ok(plain(source).includes(plain(code)), code);
  });
}
