/* SPDX-License-Identifier: MIT */
// Every endpoint of GET /api/openapi.json, with what schemathesis makes of the schemas: good
// requests and bad ones. No answer is a 5xx, and each is as the document says.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import test from 'node:test';
import { Daemon } from '../e2e/lib/daemon.js';
import { embedding, spoken } from '../e2e/lib/models.js';
import { build } from '../e2e/lib/programs.js';

const packages = path.join(build, 'deps/python/api');

// Endpoints that stream for as long as the server lives.
const ENDLESS = '(/log|/events)$';

// It creates keys, too: from the first on, who has none is refused everything.
const owner = { authorization: 'Bearer sesame' };

async function schemathesis(d) {
  const run = spawn('python3', [path.join(packages, 'bin/schemathesis'), 'run',
    `${d.url}/api/openapi.json`, '--seed', '1', '--max-examples', '10', '--no-color',
    '--phases', 'coverage,fuzzing', '--request-timeout', '30',
    '--header', `Authorization: ${owner.authorization}`,
    '--exclude-path-regex', ENDLESS, '--checks', 'not_a_server_error,' +
      'status_code_conformance,content_type_conformance,response_schema_conformance'],
  { cwd: d.folder, env: { ...process.env, PYTHONPATH: packages },
    stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  run.stdout.on('data', (piece) => { text += piece; });
  run.stderr.on('data', (piece) => { text += piece; });
  const [code] = await once(run, 'close');
  return { code, text };
}

test('what the server says of itself is true, and nothing makes it fail', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hello there.'), vectors: embedding() },
    settings: { api_key: 'sesame' } });
  const { body: document } = await d.get('/api/openapi.json', { headers: owner });
  assert.equal(document.openapi, '3.1.0');
  const { code, text } = await schemathesis(d);
  assert.equal(code, 0, text);
  const [, cases] = /(\d+) generated, \d+ passed/.exec(text);
  assert.ok(Number(cases) > 1000, `${cases} cases`);
  t.diagnostic(`${cases} cases`);
  const { body } = await d.get('/health');
  assert.deepEqual([body.status, body.pid], ['ok', d.pid]);
});
