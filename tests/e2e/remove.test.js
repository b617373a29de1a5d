/* SPDX-License-Identifier: MIT */
// Removing models: DELETE /api/v1/models/{key} and `doze rm`.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { run } from './lib/cli.js';
import { Daemon } from './lib/daemon.js';
import { broken, endless, spoken } from './lib/models.js';
import { doze } from './lib/programs.js';
import { speaking } from './lib/stream.js';

const alpha = () => spoken('Alpha speaking. All is well.');
const keys = async (d) => (await d.get('/api/v1/models')).body.models.map((m) => m.key);

// A file of its own: Daemon.start only links.
function place(d, where, file) {
  const full = path.join(d.modelsDir, where);
  fs.mkdirSync(path.dirname(full), { recursive: true });
  fs.copyFileSync(file, full);
  return full;
}

async function withFile(t, more = {}) {
  const d = await Daemon.start(t, more);
  const file = place(d, 'me/mine/mine.gguf', alpha());
  await d.stop();
  await d.launch();
  return { d, file };
}

test('DELETE: the files, their bytes, and the catalog without them', async (t) => {
  const { d, file } = await withFile(t);
  const plan = await d.json('DELETE', '/api/v1/models/mine?dry_run=true');
  assert.equal(plan.status, 200, JSON.stringify(plan.body));
  assert.deepEqual(plan.body.files, [file]);
  assert.ok(fs.existsSync(file));
  const { status, body } = await d.json('DELETE', '/api/v1/models/mine');
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.removed, true);
  assert.equal(body.bytes, fs.statSync(alpha()).size);
  assert.deepEqual(await keys(d), []);
  assert.ok(!fs.existsSync(path.join(d.modelsDir, 'me')));
  assert.equal((await d.json('DELETE', '/api/v1/models/mine')).status, 404);
});

test('DELETE refuses a loaded model; force unloads it first', async (t) => {
  const { d, file } = await withFile(t);
  await d.load('mine', { identifier: 'one' });
  const refused = await d.json('DELETE', '/api/v1/models/mine');
  assert.equal(refused.status, 409);
  assert.equal(refused.body.error.code, 'model_in_use');
  assert.match(refused.body.error.message, /loaded as 'one'/);
  assert.ok(fs.existsSync(file));
  const forced = await d.json('DELETE', '/api/v1/models/mine?force=true');
  assert.equal(forced.status, 200, JSON.stringify(forced.body));
  assert.ok(!fs.existsSync(file));
  assert.deepEqual(await d.instances(), []);
});

test('DELETE with force ends a running answer', async (t) => {
  const d = await Daemon.start(t, { models: { slow: endless() } });
  const answer = await speaking(d, 'slow');
  assert.equal((await d.json('DELETE', '/api/v1/models/slow?force=true')).status, 200);
  assert.equal((await answer.ended).error.code, 'model_unloaded');
  assert.deepEqual(await keys(d), []);
  assert.ok(fs.existsSync(endless()), 'what the link led to stays');
});

test('a whole key is asked for', async (t) => {
  const { d, file } = await withFile(t);
  for (const name of ['min', 'mine.gguf', 'me%2Fmine'])
    assert.equal((await d.json('DELETE', `/api/v1/models/${name}`)).status, 404, name);
  assert.ok(fs.existsSync(file));
});

test('a model of the Hugging Face cache only with foreign; its blob goes too', async (t) => {
  const d = await Daemon.start(t);
  const blob = place(d, 'models--o--hugged/blobs/abc', alpha());
  const link = path.join(d.modelsDir, 'models--o--hugged/snapshots/1/hugged.gguf');
  fs.mkdirSync(path.dirname(link), { recursive: true });
  fs.symlinkSync('../../blobs/abc', link);
  await d.stop();
  await d.launch();
  const refused = await d.json('DELETE', '/api/v1/models/hugged');
  assert.equal(refused.status, 403);
  const rm = await run(d, ['rm', 'hugged', '-y']);
  assert.equal(rm.code, 1);
  assert.match(rm.err, /another program.*--foreign/);
  const gone = await run(d, ['rm', 'hugged', '-y', '--foreign', '--json']);
  assert.equal(gone.code, 0, gone.err);
  assert.equal(JSON.parse(gone.out)[0].files.length, 2);
  assert.ok(!fs.existsSync(blob) && !fs.existsSync(link));
});

test('rm: several or none; a part of a key; broken ones; a question on a terminal', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: alpha(), alpine: alpha(),
    bad: broken('truncated') } });
  const both = await run(d, ['rm', 'bad', 'nosuch', '-y']);
  assert.equal(both.code, 1);
  assert.match(both.err, /There is no model 'nosuch'/);
  assert.deepEqual((await keys(d)).length, 2, 'one file under two names is one model');
  assert.equal((await run(d, ['rm', 'bad'])).code, 2, 'nobody to ask');
  const no = await run(d, ['-qec', `${doze} rm bad`, '/dev/null'], { program: 'script',
    input: 'n\n' });
  assert.match(no.out, /bad\.gguf[^]*Nothing was removed/);
  const yes = await run(d, ['-qec', `${doze} rm ba`, '/dev/null'], { program: 'script',
    input: 'y\n' });
  assert.match(yes.out, /bad removed/);
  await d.load('alpha');
  const loaded = await run(d, ['rm', 'alph', '-y']);
  assert.equal(loaded.code, 1);
  assert.match(loaded.err, /loaded as alpha; --force/);
  assert.equal((await run(d, ['rm', 'alph', '-y', '--force'])).code, 0);
});
