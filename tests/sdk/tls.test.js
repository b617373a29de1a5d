/* SPDX-License-Identifier: MIT */
// LM Studio's SDK over wss.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { makeCertificate } from '../e2e/lib/certificate.js';
import { Daemon } from '../e2e/lib/daemon.js';
import { spoken } from '../e2e/lib/models.js';
import { connect, latest, start } from './lib/clients.js';

// A process of its own, which is told to trust the certificate.
async function script(cert, url, code) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code],
    { env: { ...process.env, NODE_EXTRA_CA_CERTS: cert, URL: url } });
  const got = { out: '', err: '' };
  child.stdout.on('data', (chunk) => { got.out += chunk; });
  child.stderr.on('data', (chunk) => { got.err += chunk; });
  [got.code] = await once(child, 'close');
  return got;
}

test('lms finds its way in without TLS: the file names the port that stays plain', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-tls-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const { cert, key } = makeCertificate(folder);
  const d = await start(t, { settings: { tls_cert: cert, tls_key: key } });
  const read = (file) => fs.readFileSync(path.join(d.folder, '.lmstudio/.internal', file), 'utf8');
  const { port } = JSON.parse(read('http-server.json'));
  if (port === d.port) {
    t.skip('all of LM Studio\'s ports are in use here');
    return;
  }
  const client = connect(d, latest, { baseUrl: `ws://127.0.0.1:${port}`,
    clientIdentifier: 'lms-cli', clientPasskey: `the baked-in half ${read('lms-key-2').trim()}` });
  assert.deepEqual(await client.llm.listLoaded(), []);
});

for (const [version, name] of [['2.0.0', '@lmstudio/sdk'], ['1.5.0', 'lmstudio-sdk-1']]) {
  test(`SDK ${version}: lists and answers over wss`, async (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-tls-'));
    t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
    const { cert, key } = makeCertificate(folder);
    const d = await Daemon.start(t, { models: { hello: spoken('Hello from the model.') },
      settings: { tls_cert: cert, tls_key: key } });
    const { out, err } = await script(cert, d.url.replace('https:', 'wss:'), `
      import { LMStudioClient } from '${name}';
      const client = new LMStudioClient({ baseUrl: process.env.URL });
      const model = await client.llm.model('hello');
      let text = '';
      for await (const { content } of model.respond('Hi')) text += content;
      console.log(text);
      await client[Symbol.asyncDispose]();
      process.exit(0);`);
    assert.match(out, /^Hello from the model\.$/m, err);
  });
}
