/* SPDX-License-Identifier: MIT */
// Alone: it measures what lists of many models cost
// Not sanitized: what is measured is not theirs, and every other test has lists.
// A list of sixteen times as many models costs some sixteen times as much, in every dialect: what
// is measured is the processor time of the daemon, not how long it takes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';

const FEW = 500, MANY = 8000;
const one = '/v1/models/model-00499';
const lists = ['/v1/models', '/api/v0/models', '/api/v1/models', '/api/tags', one];

const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b; };
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
const string = (text) => Buffer.concat([u64(Buffer.byteLength(text)), Buffer.from(text)]);

// The header of a model and one tensor without data to speak of; each differs from the others.
function header(name) {
  const pairs = [['general.architecture', 'llama'], ['general.name', name]];
  const head = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(1), u64(pairs.length),
    ...pairs.flatMap(([key, value]) => [string(key), u32(8), string(value)]),
    string('token_embd.weight'), u32(1), u64(32), u32(0), u64(0)]);
  return Buffer.concat([head, Buffer.alloc((32 - head.length % 32) % 32 + 128)]);
}

function addModels(d, from, to) {
  for (let i = from; i < to; i++) {
    const name = `model-${String(i).padStart(5, '0')}`;
    const folder = path.join(d.modelsDir, `publisher-${i % 50}`, name);
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, `${name}.gguf`), header(name));
  }
}

// utime and stime of the process, in ticks of 10 ms.
function ticks(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

// The answer about one model has no list.
const countOf = (body) => (body.data ?? body.models ?? [body]).length;

// Ticks for each request, over enough requests for the clock's resolution.
async function cost(d, url, models) {
  const { body } = await d.get(url);
  assert.equal(countOf(body), url === one ? 1 : models, url);
  const begin = ticks(d.pid);
  let requests = 0;
  for (; requests < 5 || (ticks(d.pid) - begin < 20 && requests < 300); requests++) {
    const answer = await d.fetch(url);
    await answer.arrayBuffer();
  }
  return Math.max(ticks(d.pid) - begin, 1) / requests;
}

test('lists grow with the number of models and not with its square', async (t) => {
  const d = await Daemon.start(t);
  const costs = new Map();
  for (const [from, to] of [[0, FEW], [FEW, MANY]]) {
    addModels(d, from, to);
    await d.post('/api/v1/models/scan');
    for (const url of lists) costs.set(`${url} ${to}`, await cost(d, url, to));
  }
  for (const url of lists) {
    const few = costs.get(`${url} ${FEW}`);
    let many = costs.get(`${url} ${MANY}`);
    // Squared it would be 256 times as much; large buffers and noise double and treble the rest.
    const most = few * 8 * MANY / FEW;
    // The daemon may have scanned its files meanwhile.
    for (let i = 0; i < 2 && many >= most; i++) many = Math.min(many, await cost(d, url, MANY));
    t.diagnostic(`${url}: ${(10 * few).toFixed(2)} and ${(10 * many).toFixed(2)} ms`);
    assert.ok(many < most, `${url}: ${many / few} times as much`);
  }
});
