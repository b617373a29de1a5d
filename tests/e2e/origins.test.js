/* SPDX-License-Identifier: MIT */
// Which names of the server and which web pages it answers to.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';

// fetch would not send these headers.
async function ask(d, headers, method = 'GET') {
  const request = http.request({ port: d.port, path: '/v1/models', method, headers });
  request.end();
  const [response] = await once(request, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, headers: response.headers, body };
}

test('a name of the owner is answered once it is allowed, and no other', async (t) => {
  const d = await Daemon.start(t);
  const refused = await ask(d, { host: 'llm.example' });
  assert.equal(refused.status, 403);
  assert.match(refused.body, /setting allowed_hosts/);
  await d.settings({ allowed_hosts: 'llm.example, *.lan.example' });
  assert.equal((await ask(d, { host: 'llm.example:1234' })).status, 200);
  assert.equal((await ask(d, { host: 'box.lan.example' })).status, 200);
  assert.equal((await ask(d, { host: 'evil.example' })).status, 403);
});

test('an allowed page may read the answer, and no other', async (t) => {
  const d = await Daemon.start(t, { settings: { allowed_origins: 'https://*.friend.example' } });
  const origin = 'https://chat.friend.example';
  const answer = await ask(d, { origin });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['access-control-allow-origin'], origin);
  assert.equal(answer.headers.vary, 'Origin');
  const evil = await ask(d, { origin: 'https://evil.example' });
  assert.equal(evil.status, 403);
  assert.equal(evil.headers['access-control-allow-origin'], undefined);
  assert.match(evil.body, /setting allowed_origins/);
});

test('an app and a foreign name come in with a key, a web site does not', async (t) => {
  const d = await Daemon.start(t);
  const preflight = { 'access-control-request-method': 'GET' };
  const app = { origin: 'app://obsidian.md' };
  assert.equal((await ask(d, app)).status, 403); // nobody needs a key yet: it proves nothing
  assert.equal((await ask(d, { ...app, ...preflight }, 'OPTIONS')).status, 403);
  const { body: { key } } = await d.post('/api/v1/keys', { name: 'me', permissions: ['admin'] });
  const mine = { authorization: `Bearer ${key}` };
  for (const origin of ['app://obsidian.md', 'vscode-webview://1a', 'tauri://localhost', 'null']) {
    const answer = await ask(d, { origin, ...mine });
    assert.equal(answer.status, 200, origin);
    assert.equal(answer.headers['access-control-allow-origin'], origin);
    assert.equal((await ask(d, { origin, ...preflight }, 'OPTIONS')).status, 204);
    assert.match((await ask(d, { origin })).body, /has to send an API key/);
    assert.equal((await ask(d, { origin, authorization: 'Bearer wrong' })).status, 403);
  }
  assert.equal((await ask(d, { host: 'proxy.example', ...mine })).status, 200);
  assert.equal((await ask(d, { host: 'proxy.example' })).status, 403);
  assert.equal((await ask(d, { origin: 'https://evil.example', ...mine })).status, 403);
});
