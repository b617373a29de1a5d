/* SPDX-License-Identifier: MIT */
// openai-java and langchain4j, by java/*.java. Maven 3.8 has no file of checksums: jars.sha256 is
// one, and names every file.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before } from 'node:test';
import { clientTest, made, tool } from './compiled.js';

const folder = path.join(import.meta.dirname, 'java');
const jars = path.join(made, 'jars');
const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:2.8';

before(() => {
  const sums = path.join(folder, 'jars.sha256');
  const named = fs.readFileSync(sums, 'utf8').trimEnd().split('\n').map((line) => line.slice(66));
  const there = fs.existsSync(jars) ? fs.readdirSync(jars) : [];
  if (String(there.sort()) !== String(named)) {
    fs.rmSync(jars, { recursive: true, force: true });
    tool('mvn', ['-B', '-q', '-C', `${PLUGIN}:copy-dependencies`, `-DoutputDirectory=${jars}`],
      { cwd: folder });
  }
  assert.deepEqual(fs.readdirSync(jars).sort(), named);
  tool('sha256sum', ['--check', '--strict', '--quiet', sums], { cwd: jars });
});

for (const [name, file] of [['openai-java', 'OpenAi.java'], ['langchain4j', 'LangChain.java']])
  clientTest(name, () => ['java', '-cp', path.join(jars, '*'), path.join(folder, file)]);
