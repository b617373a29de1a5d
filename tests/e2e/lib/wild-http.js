/* SPDX-License-Identifier: MIT */
// Conversations over HTTP as no honest client has them: requests for the real routes whose
// fields, framing, headers and delivery are now and then wrong.
import net from 'node:net';
import zlib from 'node:zlib';
import { pick } from './random.js';

const message = { role: 'user', content: 'Hello?' };
const few = { model: 'm', max_tokens: 4 };
const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } };

// Routes that change nothing which another conversation needs.
const requests = [
  ['POST', '/v1/chat/completions', { ...few, messages: [message] }],
  ['POST', '/v1/chat/completions', { ...few, messages: [message], stream: true, tools: [tool] }],
  ['POST', '/v1/chat/completions', { ...few, messages: [message], response_format:
    { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } } }],
  ['POST', '/v1/completions', { ...few, prompt: 'Once', logprobs: 1, echo: true }],
  ['POST', '/v1/embeddings', { model: 'e', input: ['one', 'two'] }],
  ['POST', '/v1/responses', { model: 'm', input: 'Hello?', max_output_tokens: 4 }],
  ['GET', '/v1/responses/resp_0'],
  ['POST', '/v1/messages', { ...few, messages: [message], stream: true }],
  ['POST', '/v1/messages/count_tokens', { model: 'm', messages: [message] }],
  ['POST', '/api/chat', { model: 'm', messages: [message], options: { num_predict: 4 } }],
  ['POST', '/api/generate', { model: 'm', prompt: 'Hello?', stream: false }],
  ['POST', '/api/show', { model: 'm' }],
  ['POST', '/api/v1/chat', { model: 'm', input: 'Hello?', max_output_tokens: 4 }],
  ['POST', '/api/v1/models/load', { model: 'm', context_length: 512 }],
  ['POST', '/api/v1/models/estimate', { model: 'm', parallel: 2 }],
  ['POST', '/api/v1/models/unload', { instance_id: 'm' }],
  ['PATCH', '/api/v1/instances/m', { ttl: 60 }],
  ['PATCH', '/api/v1/settings', { default_ttl: 3600, switch_window_ms: 1000 }],
  ['GET', '/v1/models'], ['GET', '/api/v1/models'], ['GET', '/api/v1/explain?model=m'],
  ['GET', '/api/v1/events'], ['GET', '/api/v1/history?limit=3'], ['GET', '/metrics'],
  ['GET', '/health'], ['GET', '/'], ['GET', '/llm'], ['GET', '/nowhere/%00/%ff'],
];

const odd = [null, true, -1, 0, 1e308, 2 ** 53, '', 'x'.repeat(5000), '\u0000', '\ud800', [], {},
  [[[[[[]]]]]], { a: { b: { c: null } } }, [null, 1, 'm'], -0.5];

const copy = (value) => structuredClone(value);

// One place of a JSON value replaced, removed or doubled.
function mutate(random, value) {
  if (value === null || typeof value !== 'object' || random(4) === 0)
    return copy(pick(random, odd));
  const changed = copy(value);
  const keys = Object.keys(changed);
  if (keys.length === 0) return copy(pick(random, odd));
  const key = pick(random, keys);
  switch (random(4)) {
    case 0: delete changed[key]; break;
    case 1: changed[`${key}_`] = changed[key]; break;
    default: changed[key] = mutate(random, changed[key]);
  }
  return changed;
}

function flip(random, bytes) {
  const changed = Buffer.from(bytes);
  for (let n = random(4); n >= 0 && changed.length > 0; n--)
    changed[random(changed.length)] = random(256);
  return changed;
}

function body(random, value) {
  if (value === undefined) return Buffer.alloc(0);
  const bytes = Buffer.from(JSON.stringify(random(2) ? value : mutate(random, value)));
  switch (random(10)) {
    case 0: return flip(random, bytes);
    case 1: return bytes.subarray(0, random(bytes.length));
    case 2: return Buffer.concat([Buffer.from('\ufeff'), bytes]);
    case 3: return Buffer.from(`${'['.repeat(random(5000))}${bytes}`);
    default: return bytes;
  }
}

const oddLengths = ['0', 'fffffffff', 'zz', '-1'];

// A body in pieces, of which one may be of the wrong length.
function chunked(random, bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random(200);
    const piece = bytes.subarray(at, at + size);
    const told = random(30) ? piece.length.toString(16) : pick(random, oddLengths);
    parts.push(Buffer.from(`${told}${random(9) ? '' : ';a=b'}\r\n`), piece, Buffer.from('\r\n'));
    at += size;
  }
  parts.push(Buffer.from(random(20) ? '0\r\n\r\n' : '0\r\nTrailer: x\r\n\r\n'));
  return Buffer.concat(parts);
}

const oddHeaders = ['Expect: 100-continue', 'Expect: 200-maybe', 'Content-Length: 5',
  'Content-Length: 99999999999999999999', 'Content-Length: -1', 'Transfer-Encoding: gzip, chunked',
  'Connection: close', 'Connection: Upgrade\r\nUpgrade: websocket', 'Host: elsewhere.invalid',
  'Host:', 'Origin: http://elsewhere.invalid', 'Accept: text/event-stream', 'Last-Event-ID: 9-9',
  'Authorization: Bearer \x80\xff', 'Content-Type: text/plain', 'Range: bytes=0-',
  `X-Long: ${'y'.repeat(20000)}`, 'X-Folded: a\r\n b', 'No colon here', 'X-Nul: a\0b',
  'Content-Encoding: deflate', 'Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13',
  'Upgrade: h2c\r\nHTTP2-Settings: AA', 'Cookie: a=b', 'X-Doze-TTL: banana'];

const oddMethods = ['get', 'PRI', 'OPTIONS', 'HEAD', 'X'.repeat(99)];
const oddVersions = ['1.0', '2.0', '9', '1.1 x'];

function requestLine(random, method, path) {
  const told = random(30) ? method : pick(random, oddMethods);
  const target = random(40) ? path : `${path}/../${'a'.repeat(random(9000))}`;
  return `${told} ${target} HTTP/${random(40) ? '1.1' : pick(random, oddVersions)}`;
}

// The bytes of one request.
function request(random) {
  const [method, path, value] = pick(random, requests);
  let bytes = body(random, value);
  const lines = [requestLine(random, method, path), 'Host: 127.0.0.1',
    'Content-Type: application/json'];
  if (random(15) === 0) {
    lines.push('Content-Encoding: gzip');
    bytes = random(2) ? zlib.gzipSync(bytes) : flip(random, zlib.gzipSync(bytes));
  }
  for (let n = random(4) ? 0 : 1 + random(3); n > 0; n--) lines.push(pick(random, oddHeaders));
  if (random(3) === 0) {
    lines.push('Transfer-Encoding: chunked');
    bytes = chunked(random, bytes);
  } else if (random(20)) {
    lines.push(`Content-Length: ${random(20) ? bytes.length : random(2 * bytes.length + 2)}`);
  }
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  const whole = Buffer.concat([head, bytes]);
  return random(25) ? whole : flip(random, whole);
}

// One connection: up to four requests, behind one another, sent in one piece or in many; cut,
// half-closed or read to the end. Resolves with what was received, as text, when it is over.
export function converse(random, port) {
  const count = 1 + random(4);
  const bytes = Buffer.concat(Array.from({ length: count }, () => request(random)));
  const end = random(6) ? bytes.length : random(bytes.length);
  const piece = random(3) ? bytes.length : 1 + random(400);
  const leave = pick(random, ['read', 'read', 'read', 'half', 'cut', 'deaf']);
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let received = '', at = 0;
    socket.setTimeout(30 + random(random(8) ? 100 : 1000), () => socket.destroy()); // of silence
    const send = () => {
      while (at < end) {
        const next = bytes.subarray(at, Math.min(at + piece, end));
        at += next.length;
        if (!socket.write(next)) return void socket.once('drain', send);
        if (piece < bytes.length) return void setImmediate(send);
      }
      if (leave === 'half') socket.end();
      if (leave === 'cut') socket.destroy();
    };
    if (leave !== 'deaf') socket.on('data', (data) => { received += data.toString('latin1'); });
    socket.on('connect', send);
    socket.on('error', () => {}); // the server may close on what it cannot read
    socket.on('close', () => resolve({ received, sent: bytes }));
  });
}
