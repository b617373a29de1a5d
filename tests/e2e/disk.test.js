/* SPDX-License-Identifier: MIT */
// A disk that is full: requests are answered all the same, what cannot be kept is logged once, and
// a change that cannot be written is refused. A limit on the size of files stands for the disk: the
// daemon's files can be begun, but not grow.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { spoken } from './lib/models.js';
import { until } from './lib/process.js';

const texts = { alpha: 'Alpha speaking. All is well.', beta: 'Beta is here, as you asked.' };
const full = { wrap: ['env', '--ignore-signal=XFSZ', 'prlimit', '--fsize=2048'] };

const start = (t) => Daemon.start(t, { ...full,
  models: { alpha: spoken(texts.alpha), beta: spoken(texts.beta) } });

test('on a full disk every request is answered, and models change as before', async (t) => {
  const d = await start(t);
  for (let round = 0; round < 3; round++) {
    for (const [model, text] of Object.entries(texts)) {
      const { status, body } = await d.chat(model);
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body.choices[0].message.content, text);
    }
  }
  await d.stop();
});

test('on a full disk an answer that cannot be stored is given, and the log says so', async (t) => {
  const d = await start(t);
  const { status, body } = await d.post('/v1/responses', { model: 'alpha', input: 'Hello?' });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.output[0].content[0].text, texts.alpha);
  const kept = await d.get(`/v1/responses/${body.id}`);
  assert.equal(kept.status, 500); // nobody knows what the file would hold
  assert.match(kept.body.error.message, /responses\.db cannot be used/);
  await until(() => /warn .*responses cannot be stored/.test(d.log), 30000, 'the log says so');
});

test('on a full disk a setting that cannot be written is refused and not applied', async (t) => {
  const d = await start(t);
  const aliases = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [`alias-of-alpha-${i}`, 'alpha']));
  const before = fs.readFileSync(d.settingsFile, 'utf8');
  const { status, body } = await d.patch('/api/v1/settings', { model_aliases: aliases });
  assert.equal(status, 500); // there may be room for it later
  assert.match(body.error.message, /^Cannot write .*settings\.json: File too large\./);
  assert.deepEqual((await d.get('/api/v1/settings')).body.model_aliases, {});
  assert.equal(fs.readFileSync(d.settingsFile, 'utf8'), before, 'no half of a file is left');
  await d.settings({ default_ttl: 60 }); // what fits is written as before
});
