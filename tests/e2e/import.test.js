/* SPDX-License-Identifier: MIT */
// `doze import`: whole files only, all or none, and the server knows them afterwards.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { run } from './lib/cli.js';
import { Daemon } from './lib/daemon.js';
import { broken, spoken } from './lib/models.js';
import { doze } from './lib/programs.js';

const text = 'Alpha speaking. All is well.';
const alpha = () => spoken(text);

// A file outside of the models folder.
function outside(d, where, file = alpha()) {
  const full = path.join(d.folder, where);
  fs.mkdirSync(path.dirname(full), { recursive: true });
  fs.copyFileSync(file, full);
  return full;
}

const inModels = (d, where) => path.join(d.modelsDir, where);

test('import moves, and the model is there at once', async (t) => {
  const d = await Daemon.start(t);
  const file = outside(d, 'Downloads/mine.gguf');
  const result = await run(d, ['import', file]);
  assert.equal(result.code, 0, result.err);
  assert.equal(result.out, `${inModels(d, 'local/mine/mine.gguf')}: the model mine\n`);
  assert.ok(!fs.existsSync(file));
  assert.equal((await run(d, ['run', 'mine', 'hello'])).out, `${text}\n`);
});

test('copy, links and a folder of one\'s own', async (t) => {
  const d = await Daemon.start(t);
  const file = outside(d, 'x/one.gguf');
  const modes = { '-c': 'a/copy', '-L': 'a/hard', '-l': 'a/soft' };
  for (const [flag, repo] of Object.entries(modes)) {
    const result = await run(d, ['import', flag, '--user-repo', repo, file]);
    assert.equal(result.code, 0, result.err);
  }
  const here = fs.statSync(file);
  const at = (repo) => inModels(d, `${repo}/one.gguf`);
  assert.deepEqual(fs.readFileSync(at('a/copy')), fs.readFileSync(file));
  assert.notEqual(fs.statSync(at('a/copy')).ino, here.ino);
  assert.equal(fs.lstatSync(at('a/hard')).ino, here.ino);
  assert.equal(fs.readlinkSync(at('a/soft')), file);
  const again = await run(d, ['import', '-l', '--user-repo', 'a/soft', file, '--json']);
  assert.equal(again.code, 0, again.err);
  const move = await run(d, ['import', '--user-repo', 'a/soft', file]);
  assert.equal(move.code, 1, 'the link would lead nowhere');
  assert.match(move.err, /exists already/);
  assert.ok(fs.existsSync(file));
});

test('a dry run changes nothing', async (t) => {
  const d = await Daemon.start(t);
  const file = outside(d, 'x/one.gguf');
  const result = await run(d, ['import', '--dry-run', '--json', file]);
  assert.equal(result.code, 0, result.err);
  assert.deepEqual(JSON.parse(result.out).map((f) => [f.to, f.imported]),
    [[inModels(d, 'local/one/one.gguf'), false]]);
  assert.deepEqual(fs.readdirSync(d.modelsDir), []);
});

test('broken, missing and foreign files: nothing moves', async (t) => {
  const d = await Daemon.start(t);
  const good = outside(d, 'x/good.gguf');
  const bad = outside(d, 'x/bad.gguf', broken('truncated'));
  const text = outside(d, 'x/notes.txt');
  for (const [file, reason] of [[bad, /bad\.gguf: .*cut short/],
    [text, /is not a \.gguf file/], [path.join(d.folder, 'no.gguf'), /No such file/]]) {
    const result = await run(d, ['import', good, file]);
    assert.equal(result.code, 1, result.out);
    assert.match(result.err, reason);
    assert.ok(fs.existsSync(good));
  }
  assert.deepEqual(fs.readdirSync(d.modelsDir), []);
  assert.equal((await run(d, ['import', '-c', '-l', good])).code, 2);
  assert.equal((await run(d, ['import', '--user-repo', 'a/../b', good])).code, 2);
});

test('a split set comes whole or not at all, with its projector', async (t) => {
  const d = await Daemon.start(t);
  const part = (n) => `set/big-0000${n}-of-00002.gguf`;
  outside(d, part(1));
  const missing = await run(d, ['import', path.join(d.folder, part(1))]);
  assert.equal(missing.code, 1);
  assert.match(missing.err, /big-00002-of-00002\.gguf: No such file/);
  outside(d, part(2));
  outside(d, 'set/mmproj-big-f16.gguf');
  const result = await run(d, ['import', '-c', path.join(d.folder, part(2))]);
  assert.equal(result.code, 0, result.err);
  assert.deepEqual(fs.readdirSync(inModels(d, 'local/big')).sort(),
    ['big-00001-of-00002.gguf', 'big-00002-of-00002.gguf', 'mmproj-big-f16.gguf']);
});

test('a file of the Hugging Face cache keeps its owner and name', async (t) => {
  const d = await Daemon.start(t);
  const blob = outside(d, 'hub/models--Some--Thing-GGUF/blobs/abc');
  const link = path.join(d.folder, 'hub/models--Some--Thing-GGUF/snapshots/1/thing.gguf');
  fs.mkdirSync(path.dirname(link), { recursive: true });
  fs.symlinkSync('../../blobs/abc', link);
  const move = await run(d, ['import', link]);
  assert.match(move.err, /is a link; use --copy/);
  const result = await run(d, ['import', '--hard-link', link]);
  assert.equal(result.code, 0, result.err);
  assert.equal(fs.statSync(inModels(d, 'Some/Thing-GGUF/thing.gguf')).ino, fs.statSync(blob).ino);
});

test('without a server; a question on a terminal', async (t) => {
  const d = await Daemon.start(t);
  await d.stop();
  const file = outside(d, 'x/one.gguf');
  const env = { DOZE_MODELS_DIR: `${d.modelsDir}:/other` };
  const nobody = { folder: d.folder, port: 1 }; // the port it had may be another server's by now
  const no = await run(nobody, ['-qec', `${doze} import ${file}`, '/dev/null'],
    { program: 'script', env, input: 'n\n' });
  assert.match(no.out, /Move .*one\.gguf[^]*Nothing was imported/);
  assert.ok(fs.existsSync(file));
  const result = await run(nobody, ['import', file], { env });
  assert.equal(result.code, 0, result.err);
  assert.equal(result.out, `${inModels(d, 'local/one/one.gguf')}\n`);
});
