/* SPDX-License-Identifier: MIT */
// TLS: the clients people have, certificates that change, clients that do not play by the rules.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import { makeCertificate } from './lib/certificate.js';
import { run } from './lib/cli.js';
import { Daemon, chatBody } from './lib/daemon.js';
import { embedding, endless, spoken } from './lib/models.js';
import { doze } from './lib/programs.js';
import { says } from './lib/says.js';

const hello = () => spoken('Hello from the model.');

function folder(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-tls-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

// A daemon with a certificate; d.ca is what its clients trust.
async function start(t, options = {}) {
  const files = makeCertificate(folder(t));
  const d = await Daemon.start(t, { ...options,
    settings: { tls_cert: files.cert, tls_key: files.key, ...options.settings } });
  assert.match(d.url, /^https:/);
  return Object.assign(d, files, { ca: fs.readFileSync(files.cert) });
}

// One request: {status, text, peer}; peer: the server's certificate.
function ask(d, where, { body, method = body ? 'POST' : 'GET', ...more } = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request(d.url + where, { ca: d.ca, agent: false, method,
      headers: { 'content-type': 'application/json' }, ...more }, (answer) => {
      let text = '';
      const peer = answer.socket.getPeerCertificate();
      answer.on('data', (chunk) => { text += chunk; });
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, text, peer }));
    });
    request.on('error', reject);
    request.end(body && JSON.stringify(body));
  });
}

// A program to its end: {code, out, err}.
async function tool(program, args, { env = {}, input = '' } = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env } });
  const got = { out: '', err: '' };
  child.stdout.on('data', (chunk) => { got.out += chunk; });
  child.stderr.on('data', (chunk) => { got.err += chunk; });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  [got.code] = await once(child, 'close');
  return got;
}

const sclient = (d, ...more) =>
  tool('openssl', ['s_client', '-connect', `127.0.0.1:${d.port}`, '-CAfile', d.cert, ...more],
    { input: 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' });

test('curl and openssl s_client, TLS 1.2 and 1.3, ALPN; TLS 1.1 is refused', async (t) => {
  const d = await start(t);
  const curl = await tool('curl', ['-sS', '--cacert', d.cert, `${d.url}/health`]);
  assert.equal(JSON.parse(curl.out).status, 'ok', curl.err);
  for (const [flag, version] of [['-tls1_2', 'TLSv1.2'], ['-tls1_3', 'TLSv1.3']]) {
    const { out } = await sclient(d, flag, '-ign_eof', '-alpn', 'h2,http/1.1');
    assert.match(out, new RegExp(`Protocol *: ${version}|New, ${version}`));
    assert.match(out, /ALPN protocol: http\/1\.1/);
    assert.match(out, /Verify return code: 0 \(ok\)/);
    assert.match(out, /HTTP\/1\.1 200 OK/);
  }
  const old = await sclient(d, '-tls1_1', '-cipher', 'ALL@SECLEVEL=0');
  assert.match(old.err, /alert protocol version/);
  await says(d, /warn +no TLS with a client at 127\.0\.0\.1: unsupported protocol/);
});

// In a process of its own, which trusts the certificate as a person would make it do.
const script = (d, code) => tool(process.execPath, ['--input-type=module', '-e', code],
  { env: { NODE_EXTRA_CA_CERTS: d.cert, URL: d.url, PORT: String(d.port) } });

test('fetch of Node and the OpenAI SDK, streamed and not', async (t) => {
  const d = await start(t, { models: { hello: hello() } });
  const fetched = await script(d, `
    const answer = await fetch(process.env.URL + '/v1/chat/completions', { method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: ${JSON.stringify(JSON.stringify(chatBody('hello')))} });
    console.log((await answer.json()).choices[0].message.content);`);
  assert.equal(fetched.out, 'Hello from the model.\n', fetched.err);
  const sdk = await tool(process.execPath, ['--input-type=module', '-e', `
    import OpenAI from 'openai';
    const client = new OpenAI({ baseURL: process.env.URL + '/v1', apiKey: 'none' });
    const stream = await client.chat.completions.create({ model: 'hello', stream: true,
      messages: [{ role: 'user', content: 'Hi' }] });
    for await (const chunk of stream)
      process.stdout.write(chunk.choices[0]?.delta?.content ?? '');`],
  { env: { NODE_EXTRA_CA_CERTS: d.cert, URL: d.url } });
  assert.equal(sdk.out, 'Hello from the model.', sdk.err);
});

test('the command line finds TLS and trusts its own daemon, but no other', async (t) => {
  const d = await start(t, { models: { hello: hello() } });
  const mine = { env: { DOZE_STATE_DIR: d.stateDir } };
  const status = await run(d, ['server', 'status', '-v'], mine);
  assert.match(status.out, new RegExp(`^Address: https://127\\.0\\.0\\.1:${d.port}$`, 'm'));
  const answer = await run(d, ['run', 'hello', 'Hi'], mine);
  assert.equal(answer.out, 'Hello from the model.\n', answer.err);
  const stranger = { env: { DOZE_STATE_DIR: d.folder } };
  const refused = await run(d, ['ls'], stranger);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /certificate of https:\S+ is not trusted; set SSL_CERT_FILE/);
  const told = { env: { DOZE_STATE_DIR: d.folder, SSL_CERT_FILE: d.cert } };
  assert.equal((await run(d, ['ls'], told)).code, 0);
  assert.equal((await run(d, ['ls', '--host', 'https://localhost'], told)).code, 0);
  const plain = await Daemon.start(t);
  const none = await run(plain, ['ls', '--host', 'https://127.0.0.1'], mine);
  assert.equal(none.code, 1);
  assert.match(none.err, /There is no TLS with https:/);
});

test('the command line sends a key to another machine only when it knows of TLS', async (t) => {
  const heard = [];
  const spy = http.createServer((request, response) => {
    heard.push([request.url, request.headers.authorization]);
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end('{"error":{"code":"tls_required","message":"This port speaks TLS."}}');
  });
  t.after(() => spy.close());
  spy.listen(0, '0.0.0.0');
  await once(spy, 'listening');
  const { code } = await run({ folder: folder(t), port: spy.address().port },
    ['ls', '--host', os.hostname()], { env: { DOZE_API_KEY: 'sk-secret' } });
  assert.equal(code, 1);
  assert.deepEqual(heard, [['/health', undefined]]);
});

test('server start says https', async (t) => {
  const home = folder(t);
  const { cert, key } = makeCertificate(home);
  const state = path.join(home, 'state');
  fs.mkdirSync(state);
  fs.writeFileSync(path.join(state, 'settings.json'),
    JSON.stringify({ tls_cert: cert, tls_key: key }));
  const at = { folder: home, port: 0 };
  const started = await run(at, ['server', 'start', '--json', '--state-dir', state, '--',
    '--models-dir', home]);
  assert.equal(started.code, 0, started.err);
  const { url, pid, port } = JSON.parse(started.out);
  t.after(() => { try { process.kill(pid, 'SIGKILL'); } catch { /* it ended */ } });
  assert.equal(url, `https://127.0.0.1:${port}`);
  const stopped = await run({ ...at, port }, ['server', 'stop'],
    { env: { DOZE_STATE_DIR: state } });
  assert.equal(stopped.code, 0, stopped.err);
});

test('plain HTTP on a TLS port is told to use https', async (t) => {
  const d = await start(t);
  const answer = await fetch(`http://127.0.0.1:${d.port}/v1/models`);
  assert.equal(answer.status, 400);
  const { error } = await answer.json();
  assert.equal(error.code, 'tls_required');
  assert.match(error.message, /use https:\/\//);
});

test('LM Studio\'s port stays plain: its clients on this machine know no TLS', async (t) => {
  const d = await start(t, { env: { DOZE_LOG_LEVEL: 'info' } });
  const found = /LM Studio's clients find this server on port (\d+)/.exec(d.log);
  if (!found) {
    t.skip('all of LM Studio\'s ports are in use here');
    return;
  }
  const greeting = await fetch(`http://127.0.0.1:${found[1]}/lmstudio-greeting`);
  assert.deepEqual(await greeting.json(), { lmstudio: true });
});

// ---- certificates that change ----

async function streaming(d, body) {
  const request = https.request(`${d.url}/v1/chat/completions`, { ca: d.ca, agent: false,
    method: 'POST', headers: { 'content-type': 'application/json' } });
  request.end(JSON.stringify(body));
  const [answer] = await once(request, 'response');
  answer.setEncoding('utf8');
  const s = { request, text: '', pieces: 0, broken: null };
  answer.on('data', (chunk) => { s.text += chunk; s.pieces += 1; s.wake?.(); });
  answer.on('error', (error) => { s.broken = error; s.wake?.(); });
  answer.on('aborted', () => { s.broken ??= new Error('aborted'); s.wake?.(); });
  // Resolves after `count` more pieces.
  s.more = (count) => new Promise((resolve, reject) => {
    const until = s.pieces + count;
    s.wake = () => { if (s.broken) reject(s.broken); else if (s.pieces >= until) resolve(); };
    s.wake();
  });
  return s;
}

test('SIGHUP, a change of the settings, and a client read a new certificate; streams go on',
  async (t) => {
    const d = await start(t, { models: { clock: endless('10M') } });
    const s = await streaming(d, chatBody('clock', { stream: true, max_tokens: 100000 }));
    await s.more(3);
    const replace = (name) => {
      makeCertificate(path.dirname(d.cert), name);
      d.ca = fs.readFileSync(d.cert);
    };
    assert.equal((await ask(d, '/health')).peer.subject.CN, 'doze');

    replace('second');
    d.kill('SIGHUP');
    await says(d, /(TLS with the certificate[^]*){2}/);
    assert.equal((await ask(d, '/health')).peer.subject.CN, 'second');

    replace('third');
    const set = await ask(d, '/api/v1/settings',
      { method: 'PATCH', body: { max_ttl: 77 }, rejectUnauthorized: false });
    assert.equal(set.status, 200);
    assert.equal((await ask(d, '/health')).peer.subject.CN, 'third');

    replace('fourth'); // nobody tells the server: it looks, once a second, when a client comes
    const peer = async () => (await ask(d, '/health', { rejectUnauthorized: false })).peer;
    while ((await peer()).subject.CN !== 'fourth');
    await s.more(3);
    s.request.destroy();
  });

test('a damaged certificate leaves the former one in use, and the log says so', async (t) => {
  const d = await start(t);
  fs.writeFileSync(d.cert, 'damaged');
  d.kill('SIGHUP');
  await says(d, /warn +The certificate stays as it was: \S+cert\.pem has no usable certificate/);
  assert.equal((await ask(d, '/health')).status, 200);
  const other = makeCertificate(folder(t), 'other');
  const refused = await ask(d, '/api/v1/settings', { method: 'PATCH',
    body: { tls_key: other.key } });
  assert.equal(refused.status, 400);
  assert.equal(JSON.parse(refused.text).error.param, 'tls_cert');
  const gone = await ask(d, '/api/v1/settings', { method: 'PATCH',
    body: { tls_cert: '/nowhere/cert.pem' } });
  assert.match(gone.text, /\/nowhere\/cert\.pem cannot be read \(No such file/);
  const settings = JSON.parse((await ask(d, '/api/v1/settings')).text);
  assert.deepEqual([settings.tls_cert, settings.tls_key], [d.cert, d.key]);
});

test('TLS goes on and off without a restart', async (t) => {
  const d = await Daemon.start(t);
  const { cert, key } = makeCertificate(folder(t));
  await d.settings({ tls_cert: cert, tls_key: key });
  const secure = { url: d.url.replace('http:', 'https:'), ca: fs.readFileSync(cert) };
  assert.equal((await ask(secure, '/health')).status, 200);
  const off = await ask(secure, '/api/v1/settings', { method: 'PATCH',
    body: { tls_cert: null, tls_key: null } });
  assert.equal(off.status, 200, off.text);
  assert.equal((await d.get('/health')).status, 200);
  const relative = await d.patch('/api/v1/settings', { tls_cert: 'cert.pem' });
  assert.equal(relative.status, 400);
  assert.match(relative.body.error.message, /absolute path/);
});

test('without its certificate the server does not start, and says why', async (t) => {
  const state = folder(t);
  fs.writeFileSync(path.join(state, 'settings.json'), '{"tls_cert": "/nowhere/cert.pem"}');
  const { code, err } = await tool(doze, ['serve', '--port', '0', '--state-dir', state,
    '--models-dir', state], { env: { HOME: state } });
  assert.equal(code, 1);
  assert.match(err, /error +\/nowhere\/cert\.pem cannot be read \(No such file[^\n]*tls_cert/);
  assert.doesNotMatch(err, /listening/);
});

// ---- clients that hurt nobody ----

test('slow handshakes, garbage and half-closed clients stall nobody', async (t) => {
  const d = await start(t, { models: { clock: endless('10M') } });
  const s = await streaming(d, chatBody('clock', { stream: true, max_tokens: 100000 }));
  const sockets = [];
  const connect = async () => {
    const socket = net.connect(d.port, '127.0.0.1');
    socket.on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  for (let i = 0; i < 100; i += 1) (await connect()).write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
  for (const first of [0x16, 0x47, 0x80]) {
    const socket = await connect();
    socket.end(Buffer.concat([Buffer.from([first]), Buffer.alloc(9999, 0xa5)]));
    socket.resume();
    await new Promise((resolve) => { socket.once('close', resolve); }); // or it was reset
  }
  const renegotiating = tls.connect({ port: d.port, host: '127.0.0.1', ca: d.ca,
    maxVersion: 'TLSv1.2', allowHalfOpen: true });
  renegotiating.on('error', () => {});
  await once(renegotiating, 'secureConnect');
  renegotiating.renegotiate({}, () => {});
  renegotiating.end('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
  renegotiating.resume();
  await s.more(3);
  const waits = []; // the machine may stall once
  for (let i = 0; i < 3; i += 1) {
    const begin = performance.now();
    assert.equal((await ask(d, '/health')).status, 200);
    waits.push(performance.now() - begin);
  }
  assert.ok(Math.min(...waits) < 2000, `answered beside 100 slow handshakes: ${waits} ms`);
  await s.more(3);
  s.request.destroy();
  renegotiating.destroy();
});

test('a client that reads slowly gets an answer of 1 MB whole', async (t) => {
  const d = await start(t, { models: { e: embedding() } });
  const body = { model: 'e', input: Array.from({ length: 1500 }, (_, i) => `word ${i}`) };
  const whole = (await ask(d, '/v1/embeddings', { body })).text;
  assert.ok(whole.length > 1e6, `${whole.length} bytes`);
  const vectors = (json) => JSON.parse(json).data.map((one) => one.embedding);
  const socket = tls.connect({ port: d.port, host: '127.0.0.1', ca: d.ca });
  await once(socket, 'secureConnect');
  const text = JSON.stringify(body);
  socket.write('POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
    `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  socket.pause();
  for (let i = 0; i < 5; i += 1) assert.equal((await ask(d, '/health')).status, 200);
  const chunks = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.resume();
  await once(socket, 'end');
  const answer = Buffer.concat(chunks).toString();
  const [first, second] = [whole, answer.slice(answer.indexOf('\r\n\r\n') + 4)].map(vectors);
  assert.equal(second.length, 1500);
  // How many texts share a batch moves their last bits.
  second.forEach((vector, i) => assert.ok(vector.length === first[i].length &&
    vector.every((x, k) => Math.abs(x - first[i][k]) < 1e-3), `text ${i}`));
});

// ---- what is said about an open server ----

test('status and log warn of a server that the network reaches without key or TLS', async (t) => {
  const open = await Daemon.start(t, { args: ['--host', '0.0.0.0'] });
  const said = /Every machine that reaches 0\.0\.0\.0 can use this server, and read what others/;
  await says(open, said);
  assert.match((await run(open, ['server', 'status'])).out, said);
  await open.post('/api/v1/keys', { name: 'me', permissions: ['admin'] });
  const { warning } = JSON.parse((await run(open, ['server', 'status', '--json'])).out);
  assert.match(warning, /^Keys and prompts cross the network to 0\.0\.0\.0 readable/);
  const closed = await Daemon.start(t);
  assert.equal((await closed.get('/health')).body.warning, undefined);
});
