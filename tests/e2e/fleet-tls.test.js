// SPDX-License-Identifier: MIT
// Nodes of a fleet that answer by https, and an etcd that does: docs/fleet.md, Security.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ask } from './lib/ask.js';
import { makeCertificate } from './lib/certificate.js';
import { Daemon } from './lib/daemon.js';
import { Etcd, missing as skip } from './lib/etcd.js';
import { embedding, endless, spoken } from './lib/models.js';
import { readChunks } from './lib/sse.js';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // of the test's own requests; the nodes look

const fleet = async (d) => (await d.get('/api/v1/fleet')).body;
const answeredBy = (answer) => answer.headers.get('x-doze-node');

// A certificate for each name, and a file with all of them.
function certificates(t, names) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-fleet-tls-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const made = Object.fromEntries(names.map((name) => {
    const own = path.join(folder, name);
    fs.mkdirSync(own);
    return [name, makeCertificate(own, name)];
  }));
  const all = path.join(folder, 'all.pem');
  fs.writeFileSync(all, names.map((name) => fs.readFileSync(made[name].cert, 'utf8')).join(''));
  return { ...made, all };
}

async function node(t, etcd, name, models, { cert, key }, env) {
  const d = await Daemon.start(t, { models, env, settings: { tls_cert: cert, tls_key: key,
    fleet: { etcd: etcd.url, node: name, key: 'the key of the fleet' } } });
  assert.match(d.url, /^https:/);
  return d;
}
const knows = (d, count) => ask(() => fleet(d), ({ nodes }) => nodes.length === count
  && nodes.every((n) => n.models.length > 0), `knows ${count} nodes`);

test('nodes with https forward to each other, and reach etcd by it', { skip }, async (t) => {
  const files = certificates(t, ['etcd', 'a', 'b']);
  const etcd = await Etcd.start(t, '127.0.0.1', { tls: files.etcd });
  const env = { SSL_CERT_FILE: files.all };
  const [a, b] = await Promise.all([
    node(t, etcd, 'a', { one: spoken('I am one.') }, files.a, env),
    node(t, etcd, 'b', { two: spoken('I am two.'), e: embedding(), talker: endless('1M') },
      files.b, env)]);
  for (const d of [a, b]) await knows(d, 2);
  assert.deepEqual((await fleet(a)).nodes.map((n) => n.url), [a.url, b.url]);
  const there = await a.chat('two', { max_tokens: 8 });
  assert.equal(there.status, 200, JSON.stringify(there.body));
  assert.equal(answeredBy(there), 'b');
  assert.equal(there.body.choices[0].message.content, 'I am two.');
  const back = await b.chat('one', { max_tokens: 8 });
  assert.equal(answeredBy(back), 'a');
  const vectors = await a.post('/v1/embeddings', { model: 'e', input: 'x' });
  assert.equal(answeredBy(vectors), 'b');
  const stream = await a.stream('two', { max_tokens: 8 });
  let text = '';
  for await (const { choices } of readChunks(stream)) text += choices[0].delta.content ?? '';
  assert.equal(text, 'I am two.');
  // A client that leaves ends the work there.
  const abort = new AbortController();
  const long = await a.stream('talker', {}, { signal: abort.signal });
  assert.equal(answeredBy(long), 'b');
  await ask(() => b.instance('talker'), (i) => i?.running === 1, 'b works');
  abort.abort();
  await long.text().catch(() => {});
  await ask(() => b.instance('talker'), (i) => i?.running === 0, 'b has stopped');
});

test('a certificate that is not trusted gets no prompt, and the error says what to do', { skip },
  async (t) => {
    const files = certificates(t, ['a', 'b']);
    const etcd = await Etcd.start(t);
    const model = { two: spoken('I am two.') };
    const [a, b] = await Promise.all([
      node(t, etcd, 'a', { one: spoken('I am one.') }, files.a, { SSL_CERT_FILE: files.a.cert }),
      node(t, etcd, 'b', model, files.b, { SSL_CERT_FILE: files.b.cert })]);
    for (const d of [a, b]) await knows(d, 2);
    const answer = await a.chat('two', { max_tokens: 8 });
    assert.equal(answer.status, 404, JSON.stringify(answer.body));
    assert.match(answer.body.error.message, new RegExp("^The node 'b' of the fleet has this model, "
      + 'but its certificate is not trusted here .*SSL_CERT_FILE'));
    assert.deepEqual(await b.instances(), []);
    const own = await a.chat('one', { max_tokens: 8 });
    assert.equal(answeredBy(own), 'a');
  });

test('a node that gets a certificate has another URL, and requests go there', { skip },
  async (t) => {
    const files = certificates(t, ['b']);
    const etcd = await Etcd.start(t);
    const start = (name, models, env) => Daemon.start(t, { models, env,
      settings: { fleet: { etcd: etcd.url, node: name } } });
    const [a, b] = await Promise.all([
      start('a', { one: spoken('I am one.') }, { SSL_CERT_FILE: files.b.cert }),
      start('b', { two: spoken('I am two.') })]);
    for (const d of [a, b]) await knows(d, 2);
    assert.equal(answeredBy(await a.chat('two', { max_tokens: 1 })), 'b');
    await b.settings({ tls_key: files.b.key, tls_cert: files.b.cert });
    await ask(() => fleet(a), ({ nodes }) => nodes[1].url === b.url.replace('http:', 'https:'));
    const answer = await a.chat('two', { max_tokens: 1 });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answeredBy(answer), 'b');
  });
