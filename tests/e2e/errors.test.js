/* SPDX-License-Identifier: MIT */
// Errors are part of the product: status, shape and a sentence that helps.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import zlib from 'node:zlib';
import { Daemon, chatBody } from './lib/daemon.js';
import { embedding, modelFile, spoken } from './lib/models.js';

const start = (t, more) => Daemon.start(t, { models: { m: spoken('Hello there.') }, ...more });

// A request with headers that fetch does not let through.
function raw(d, { method = 'GET', path = '/v1/models', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port: d.port, method, path, headers },
      (response) => {
        let text = '';
        response.on('data', (chunk) => { text += chunk; });
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, text }));
      });
    request.on('error', reject);
    request.end(body);
  });
}

test('a body may begin with a byte order mark, a path may end with a slash', async (t) => {
  const d = await start(t);
  const body = `\ufeff${JSON.stringify(chatBody('m'))}`;
  const answer = await raw(d, { method: 'POST', path: '/v1/chat/completions/',
    headers: { 'content-type': 'application/json' }, body });
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await raw(d, { path: '/v1/models/' })).status, 200);
});

test('half a character in a body is replaced, and the conversation goes on', async (t) => {
  const d = await start(t);
  for (const half of ['\\ud83d', '\\ude00 and \\ud83d\\ude00']) {
    const { status, text } = await raw(d, { method: 'POST', path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json' },
      body: `{"model":"m","messages":[{"role":"user","content":"cut ${half}"}]}` });
    assert.equal(status, 200, text);
  }
});

test('bad JSON: line and column', async (t) => {
  const d = await start(t);
  const response = await d.fetch('/v1/chat/completions', { method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{\n  "model": "m",\n  "messages": [}\n}' });
  const { error } = await response.json();
  assert.equal(response.status, 400);
  assert.equal(error.type, 'invalid_request_error');
  assert.match(error.message, /line 3/);
  assert.match(error.message, /column 16/);
});

test('a known field of a wrong type is refused with its name', async (t) => {
  const d = await start(t);
  const wrong = { temperature: 'hot', max_tokens: '5', stream: 'yes', messages: 'hi', stop: 5,
    tools: {}, seed: 1.5, top_p: [], n: 17, logit_bias: 3, response_format: 'json', top_k: true };
  for (const [field, value] of Object.entries(wrong)) {
    const { status, body } = await d.chat('m', { [field]: value });
    assert.equal(status, 400, `${field}: ${JSON.stringify(body)}`);
    assert.match(body.error.param ?? '', new RegExp(`^${field}`), JSON.stringify(body));
    assert.match(body.error.message, new RegExp(field));
  }
  assert.deepEqual(await d.instances(), []);
});

test('messages that are missing or misshapen', async (t) => {
  const d = await start(t);
  for (const messages of [undefined, [], [1], [{ content: 'x' }], [{ role: 7, content: 'x' }]]) {
    const { status, body } = await d.post('/v1/chat/completions', { model: 'm', messages });
    assert.equal(status, 400, JSON.stringify(messages));
    assert.match(body.error.message, /messages|role/);
  }
});

test('unknown path, wrong method', async (t) => {
  const d = await start(t);
  const path = await d.get('/v1/nonsense');
  assert.equal(path.status, 404);
  assert.match(path.body.error.message, /\/v1\/nonsense/);
  const method = await d.get('/v1/chat/completions');
  assert.equal(method.status, 405);
  assert.match(method.headers.get('allow'), /POST/);
  assert.equal(typeof method.body.error.message, 'string');
  const other = await d.post('/v1/models', {});
  assert.equal(other.status, 405);
  assert.match(other.headers.get('allow'), /GET/);
});

test('an endpoint that doze does not have (/v1/audio/speech): a sentence says where all are',
  async (t) => {
    const d = await start(t);
    const { status, body } = await d.post('/v1/audio/speech',
      { model: 'tts-1', input: 'Hello.', voice: 'alloy' });
    assert.equal(status, 404);
    assert.equal(body.error.message, 'There is no endpoint POST /v1/audio/speech; check the base ' +
      'URL, or find it in GET /api/openapi.json.');
    const { body: all } = await d.get('/api/openapi.json');
    assert.ok(all.paths['/v1/chat/completions'].post);
    assert.equal(all.paths['/v1/audio/speech'], undefined);
  });

test('each API says how it lists models itself', async (t) => {
  const d = await start(t);
  const asks = [
    ['/v1/chat/completions', chatBody('nope'), 'GET /v1/models'],
    ['/v1/messages', { ...chatBody('nope'), max_tokens: 4 }, 'GET /v1/models'],
    ['/api/v0/chat/completions', chatBody('nope'), 'GET /api/v0/models'],
    ['/api/v1/chat', { model: 'nope', input: 'Hi' }, 'GET /api/v1/models'],
    ['/api/v1/models/load', { model: 'nope' }, 'GET /api/v1/models'],
    ['/api/chat', chatBody('nope'), 'GET /api/tags'],
    ['/api/show', { model: 'nope' }, 'GET /api/tags'],
  ];
  for (const [path, body, listing] of asks) {
    const answer = await d.post(path, body);
    const { error } = answer.body;
    assert.equal(answer.status, 404, path);
    assert.match(error.message ?? error, new RegExp(` ${listing} lists`), path);
  }
});

test('a body that is too large: 413, and the daemon lives on', async (t) => {
  const d = await start(t);
  const answer = await raw(d, { method: 'POST', path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json', 'content-length': String(65 << 20) } });
  assert.equal(answer.status, 413);
  assert.equal(typeof JSON.parse(answer.text).error.message, 'string');
  assert.equal((await d.chat('m')).status, 200);
});

test('errors of a stream that has not begun have a status', async (t) => {
  const d = await start(t);
  for (const more of [{ temperature: 'x' }, { ttl: 'x' }]) {
    const response = await d.stream('m', more);
    assert.equal(response.status, 400);
    assert.match(response.headers.get('content-type'), /^application\/json/);
    await response.text();
  }
  const unknown = await d.stream('nope');
  assert.equal(unknown.status, 404);
  await unknown.text();
});

test('no CORS header by default; foreign Host and Origin are refused', async (t) => {
  const d = await start(t);
  const plain = await raw(d);
  assert.equal(plain.status, 200);
  assert.equal(plain.headers['access-control-allow-origin'], undefined);
  for (const headers of [{ host: 'evil.example' }, { origin: 'https://evil.example' },
    { host: `evil.example:${d.port}` }, { origin: 'null' },
    { origin: `http://127.0.0.1:${d.port + 1}` }]) {
    const { status, text } = await raw(d, { headers });
    assert.equal(status, 403, JSON.stringify(headers));
    assert.equal(typeof JSON.parse(text).error.message, 'string');
  }
  for (const headers of [{ host: `localhost:${d.port}` }, { host: '127.0.0.1' }, { host: '[::1]' },
    { origin: `http://127.0.0.1:${d.port}` },
    { origin: `http://localhost:${d.port}`, host: `localhost:${d.port}` }])
    assert.equal((await raw(d, { headers })).status, 200, JSON.stringify(headers));
});

test('cors: true opens it, preflight included', async (t) => {
  const d = await start(t);
  const preflight = () => raw(d, { method: 'OPTIONS', path: '/v1/chat/completions', headers: {
    origin: 'https://app.example', 'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type, authorization' } });
  assert.equal((await preflight()).headers['access-control-allow-origin'], undefined);
  await d.settings({ cors: true });
  const answer = await preflight();
  assert.ok(answer.status === 200 || answer.status === 204);
  assert.match(answer.headers['access-control-allow-origin'], /^(\*|https:\/\/app\.example)$/);
  assert.match(answer.headers['access-control-allow-methods'], /POST/);
  assert.match(answer.headers['access-control-allow-headers'], /content-type|\*/i);
  const get = await raw(d, { headers: { origin: 'https://app.example' } });
  assert.equal(get.status, 200);
  assert.match(get.headers['access-control-allow-origin'], /^(\*|https:\/\/app\.example)$/);
});

test('a body without a content type, and with an odd one, is read as JSON', async (t) => {
  const d = await start(t);
  for (const type of [undefined, 'text/plain', 'application/json; charset=utf-8']) {
    const body = JSON.stringify(chatBody('m'));
    const answer = await raw(d, { method: 'POST', path: '/v1/chat/completions', body,
      headers: type ? { 'content-type': type } : {} });
    assert.equal(answer.status, 200, `${type}: ${answer.text}`);
  }
});

test('a body may be compressed; what it inflates to has the limit of any body', async (t) => {
  const d = await start(t);
  const send = (coding, body) => raw(d, { method: 'POST', path: '/v1/chat/completions', body,
    headers: { 'content-type': 'application/json', 'content-encoding': coding } });
  const text = JSON.stringify(chatBody('m'));
  assert.equal((await send('gzip', zlib.gzipSync(text))).status, 200);
  assert.equal((await send('deflate', zlib.deflateSync(text))).status, 200);
  const bomb = await send('gzip', zlib.gzipSync(Buffer.alloc(64e6, ' ')));
  assert.equal(bomb.status, 413, bomb.text);
  assert.equal((await send('gzip', text)).status, 400);
  const unknown = await send('br', zlib.brotliCompressSync(text));
  assert.equal(unknown.status, 415);
  assert.equal(unknown.headers['accept-encoding'], 'gzip, deflate');
});

test('hostile bodies: no UTF-8, deep nesting, huge numbers, NUL, nothing at all', async (t) => {
  const d = await start(t);
  const bodies = ['', 'null', '[]', '"x"', '{', `${'['.repeat(100000)}`,
    `{"model":"m","messages":${'['.repeat(500)}${']'.repeat(500)}}`,
    Buffer.from('{"model":"m","messages":[{"role":"user","content":"\xff\xfe"}]}', 'latin1'),
    '{"model":"m\\u0000x","messages":[{"role":"user","content":"x"}]}',
    '{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":1e400}',
    '{"model":"m","messages":[{"role":"user","content":"x"}],"seed":99999999999999999999999}'];
  for (const body of bodies) {
    const answer = await raw(d, { method: 'POST', path: '/v1/chat/completions', body,
      headers: { 'content-type': 'application/json' } });
    assert.ok([400, 404].includes(answer.status), `${String(body).slice(0, 60)}: ${answer.status}`);
    assert.equal(typeof JSON.parse(answer.text).error.message, 'string');
  }
  assert.equal((await d.chat('m')).status, 200);
});

test('images are refused with a sentence where the model reads text only', async (t) => {
  const d = await start(t);
  const { status, body } = await d.chat('m', { messages: [{ role: 'user', content: [
    { type: 'text', text: 'What is it?' },
    { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }] });
  assert.equal(status, 400, JSON.stringify(body));
  assert.match(body.error.message, /image/i);
  assert.equal((await d.chat('m')).status, 200);
});

test('refuse before evicting: what a model is not made for costs no other its place', async (t) => {
  const d = await start(t, { models: { e: embedding(), m: spoken('Hi.') } });
  await d.chat('m', { max_tokens: 1 });
  const chat = await d.post('/v1/chat/completions',
    { model: 'e', messages: [{ role: 'user', content: 'x' }] });
  assert.equal(chat.status, 400);
  assert.match(chat.body.error.message, /embedding model/);
  assert.deepEqual((await d.instances()).map((i) => [i.id, i.state]), [['m', 'idle']]);
});

test('shorter vectors come from models that were trained for them only', async (t) => {
  const d = await start(t, { models: { e: embedding(), m: spoken('Hi.'),
    'nomic-embed-text-v1.5': modelFile('embedding', '--seed', '9') } });
  await d.chat('m', { max_tokens: 1 });
  const embed = (model, dimensions) => d.post('/v1/embeddings', { model, input: 'x', dimensions });
  const length = (vector) => Math.hypot(...vector);
  for (const dimensions of [8, 1e6]) {
    const refused = await embed('e', dimensions);
    assert.equal(refused.status, 400);
    assert.equal(refused.body.error.param, 'dimensions');
  }
  assert.deepEqual((await d.instances()).map((i) => i.id), ['m'], 'nothing was loaded for it');
  const whole = (await embed('nomic-embed-text-v1.5')).body.data[0].embedding;
  const { body } = await embed('nomic-embed-text-v1.5', 8);
  const short = body.data[0].embedding;
  assert.equal(short.length, 8);
  assert.ok(Math.abs(length(short) - 1) < 1e-5);
  assert.ok(Math.abs(short[3] * length(whole.slice(0, 8)) - whole[3]) < 1e-5);
  assert.equal((await embed('e', whole.length)).body.data[0].embedding.length, whole.length);
});

test('an embedding request to a model that talks, a chat to one that embeds', async (t) => {
  const d = await start(t, { models: { e: embedding() } });
  const { status, body } = await d.chat('e');
  assert.equal(status, 400, JSON.stringify(body));
  assert.match(body.error.message, /\w+ \w+/);
});
