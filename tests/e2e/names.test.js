/* SPDX-License-Identifier: MIT */
// Odd names below the models folder: every answer stays valid JSON in UTF-8, and the good models
// are there.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { spoken } from './lib/models.js';
import { doze } from './lib/programs.js';

const strict = new TextDecoder('utf-8', { fatal: true });

function furnish(folder, model) {
  const odd = Buffer.concat([`${folder}/caf`, [0xe9], '.gguf'].map((part) => Buffer.from(part)));
  fs.copyFileSync(model, odd);
  const quoted = path.join(folder, 'a"b\\c\n\x01');
  fs.mkdirSync(quoted);
  fs.copyFileSync(model, path.join(quoted, 'quo"ted\t.gguf'));
  fs.mkdirSync(path.join(folder, 'folder.gguf'));
  execFileSync('mkfifo', [path.join(folder, 'pipe.gguf')]);
  fs.symlinkSync('self.gguf', path.join(folder, 'self.gguf'));
  fs.symlinkSync('..', path.join(folder, 'folder.gguf', 'up'));
  fs.mkdirSync(path.join(folder, ...Array(40).fill('deep')), { recursive: true });
}

test('odd names are listed with a reason or left out, and answers stay valid', async (t) => {
  const d = await Daemon.start(t, { models: { alpha: spoken('Alpha speaking.') } });
  await d.stop();
  furnish(d.modelsDir, spoken('Alpha speaking.'));
  await d.launch();
  for (const where of ['/api/v1/models', '/api/v0/models', '/v1/models', '/api/v1/history']) {
    const bytes = await (await d.fetch(where)).arrayBuffer();
    JSON.parse(strict.decode(bytes));
  }
  const listed = spawnSync(doze, ['ls', '--json', '--port', String(d.port)]);
  assert.equal(listed.status, 0, listed.stderr.toString());
  const text = strict.decode(listed.stdout);
  JSON.parse(text);
  assert.match(text, /not valid UTF-8; rename it/);
  assert.match(text, /not a regular file/);
  assert.match(text, /Too many levels of symbolic links/);
  assert.equal((await d.chat('alpha')).status, 200);
  const refused = await d.chat('caf\ufffd\u0000"');
  assert.ok(refused.status >= 400 && refused.body.error.message, JSON.stringify(refused.body));
});
