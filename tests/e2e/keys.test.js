/* SPDX-License-Identifier: MIT */
// API keys: created once, for what they are for, until they are revoked.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { run } from './lib/cli.js';
import { Daemon, chatBody } from './lib/daemon.js';
import { spoken } from './lib/models.js';
import { says } from './lib/says.js';

const hello = () => spoken('Hello from the model.');
const as = (key) => ({ headers: { authorization: `Bearer ${key}` } });

async function create(d, body, key) {
  const answer = await d.post('/api/v1/keys', body, key && as(key));
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

const admin = (d) => create(d, { name: 'me', permissions: ['admin'] });

test('without keys everybody may, with one nobody without; it is shown once', async (t) => {
  const d = await Daemon.start(t);
  assert.equal((await d.get('/api/v1/keys')).body.required, false);
  const me = await admin(d);
  assert.match(me.key, /^sk-lm-[0-9A-Za-z]{8}:[0-9A-Za-z]{20}$/);
  const refused = await d.get('/v1/models');
  assert.equal(refused.status, 401);
  assert.equal(refused.headers.get('www-authenticate'), 'Bearer');
  assert.equal(refused.body.error.code, 'invalid_api_key');
  await says(d, /refused a client at 127\.0\.0\.1: it sent no API key/);
  for (const header of ['x-api-key', 'api-key'])
    assert.equal((await d.get('/v1/models', { headers: { [header]: me.key } })).status, 200);
  assert.equal((await d.get('/v1/models',
    { headers: { authorization: `bEaReR ${me.key}` } })).status, 200);
  const listed = (await d.get('/api/v1/keys', as(me.key))).body;
  assert.equal(listed.required, true);
  assert.equal(listed.keys.length, 1);
  assert.ok(listed.keys[0].last_used_at);
  const secret = me.key.slice(-20);
  assert.ok(!JSON.stringify(listed).includes(secret));
  assert.ok(!fs.readFileSync(path.join(d.stateDir, 'keys.json'), 'utf8').includes(secret));
  assert.ok(!d.log.includes(secret));
});

// One request for each permission, and what only admin may.
const wanted = [
  ['inference', 'POST', '/v1/chat/completions', chatBody('hello')],
  ['inference', 'POST', '/v1/messages', { model: 'hello', max_tokens: 4,
    messages: [{ role: 'user', content: 'Hi' }] }],
  ['inference', 'POST', '/api/chat', chatBody('hello')],
  ['models', 'POST', '/api/v1/models/scan', {}],
  ['models', 'GET', '/api/v1/downloads'],
  ['settings', 'GET', '/api/v1/settings'],
  ['settings', 'PATCH', '/api/v1/settings', { default_ttl: 60 }],
  ['events', 'GET', '/api/v1/history'],
  ['events', 'GET', '/metrics'],
  ['admin', 'GET', '/api/v1/keys'],
  ['admin', 'POST', '/api/v1/keys', { name: 'x' }],
  ['admin', 'PATCH', '/api/v1/settings', { api_key: 'mine' }],
  ['admin', 'PATCH', '/api/v1/settings', { fleet: { key: 'mine' } }],
];

test('each permission opens its own routes, and any key the lists', async (t) => {
  const d = await Daemon.start(t, { models: { hello: hello() } });
  const me = await admin(d);
  const words = ['inference', 'models', 'settings', 'events'];
  for (const word of words) {
    const { key } = await create(d, { name: word, permissions: [word] }, me.key);
    assert.equal((await d.get('/v1/models', as(key))).status, 200);
    for (const [needs, method, where, body] of wanted) {
      if (needs === 'inference' && word === 'inference') continue; // below, it loads
      const { status, body: said } = await d.json(method, where, body, as(key));
      assert.equal(status, needs === word ? 200 : 403,
        `${word}: ${method} ${where}: ${JSON.stringify(said)}`);
      if (status === 403) assert.match(JSON.stringify(said), /does not have the permission/);
    }
  }
  const { key } = await create(d, { name: 'app' }, me.key);
  const unload = await d.post('/api/generate', { model: 'hello', keep_alive: 0 }, as(key));
  assert.equal(unload.status, 403);
  assert.match(unload.body.error, /permission 'models'/);
});

test('a key for some models is for no others, by whatever name', async (t) => {
  const d = await Daemon.start(t, {
    models: { hello: hello(), other: spoken('Another model speaks.') },
    settings: { model_aliases: { nick: 'other' } } });
  const me = await admin(d);
  const { key } = await create(d, { name: 'app', models: ['HELLO'] }, me.key);
  assert.equal((await d.chat('hello', {}, as(key))).status, 200);
  for (const name of ['other', 'nick', 'test/other']) {
    const { status, body } = await d.chat(name, {}, as(key));
    assert.equal(status, 403, name);
    assert.match(body.error.message, /not for the model 'other'/);
  }
  assert.deepEqual((await d.get('/api/v1/models', as(key))).body.models
    .filter((m) => m.key === 'other')[0].loaded_instances, []);
  const unknown = await d.post('/api/v1/keys', { name: 'b', models: ['none'] }, as(me.key));
  assert.equal(unknown.status, 404);
});

test('a revoked key is worth nothing; the last one goes only on purpose', async (t) => {
  const d = await Daemon.start(t);
  const me = await admin(d);
  const app = await create(d, { name: 'app' }, me.key);
  assert.equal((await d.get('/v1/models', as(app.key))).status, 200);
  const revoke = (id, more = '') =>
    d.json('DELETE', `/api/v1/keys/${id}${more}`, undefined, as(me.key));
  assert.deepEqual((await revoke(app.id)).body, { id: app.id, revoked: true });
  assert.equal((await d.get('/v1/models', as(app.key))).status, 401);
  assert.equal((await revoke(app.id)).status, 404);
  assert.equal((await revoke(me.id)).status, 400);
  assert.equal((await d.get('/v1/models')).status, 401);
  assert.equal((await revoke(me.id, '?open=true')).status, 200);
  assert.equal((await d.get('/v1/models')).status, 200);
});

test('keys survive a restart, and a damaged file opens nothing', async (t) => {
  const d = await Daemon.start(t);
  const me = await admin(d);
  const file = path.join(d.stateDir, 'keys.json');
  await d.stop();
  await d.launch();
  assert.equal((await d.get('/v1/models', as(me.key))).status, 200);
  assert.equal((await d.get('/v1/models')).status, 401);
  await d.stop();
  fs.truncateSync(file, fs.statSync(file).size / 2);
  await d.launch();
  await says(d, /keys\.json is damaged/);
  assert.equal((await d.get('/v1/models')).status, 401);
  assert.equal((await d.get('/v1/models', as(me.key))).status, 401);
});

test('the setting api_key goes on working beside keys, and may do everything', async (t) => {
  const d = await Daemon.start(t, { settings: { api_key: 'sesame' } });
  const app = await create(d, { name: 'app' }, 'sesame');
  assert.equal((await d.get('/api/v1/keys', as('sesame'))).status, 200);
  assert.equal((await d.get('/api/v1/keys', as(app.key))).status, 403);
  assert.equal((await d.get('/v1/models')).status, 401);
});

test('from the command line: created, listed, used, revoked', async (t) => {
  const d = await Daemon.start(t);
  const first = await run(d, ['token', 'create', 'app']);
  assert.equal(first.code, 1);
  assert.match(first.err, /first key must have the permission "admin".*create me -P admin`/);
  const made = await run(d, ['token', 'create', 'me', '--permissions', 'admin']);
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /^sk-lm-.{29}\n$/);
  assert.match(made.err, /shown once/);
  const env = { DOZE_API_KEY: made.out.trim() };
  assert.match((await run(d, ['ls'])).err, /requires an API key/);
  const app = await run(d, ['token', 'create', 'app', '--expires', '30d', '--json'], { env });
  const { id } = JSON.parse(app.out);
  const list = await run(d, ['token', 'ls'], { env });
  assert.match(list.out, /ID +NAME +PERMISSIONS +MODELS +EXPIRES +LAST USED/);
  assert.match(list.out, new RegExp(`${id} +app +inference +all +in 29d.* +never`));
  assert.match(list.out, /me +admin +all +never +\S+ ago/); // used just now, not in the future
  const gone = await run(d, ['token', 'revoke', id], { env });
  assert.equal(gone.out, `Revoked ${id}.\n`);
  assert.match((await run(d, ['token', 'revoke', id], { env })).err, /`doze token ls` lists/);
});

test('a stored response is its own key\'s; an admin sees all', async (t) => {
  const d = await Daemon.start(t, { models: { hello: hello() } });
  const me = await admin(d);
  const [one, other] = [await create(d, { name: 'one', permissions: ['inference'] }, me.key),
    await create(d, { name: 'other', permissions: ['inference'] }, me.key)];
  const ask = (key, more) => d.post('/v1/responses',
    { model: 'hello', input: 'Hi', max_output_tokens: 16, ...more }, as(key));
  const { id } = (await ask(one.key)).body;
  const read = async (key) => (await d.get(`/v1/responses/${id}`, as(key))).status;
  assert.equal(await read(one.key), 200);
  assert.equal(await read(other.key), 404);
  assert.equal((await ask(other.key, { previous_response_id: id })).status, 400);
  assert.equal((await ask(one.key, { previous_response_id: id })).status, 200);
  const remove = (key) => d.json('DELETE', `/v1/responses/${id}`, undefined, as(key));
  assert.equal((await remove(other.key)).status, 404);
  assert.equal(await read(me.key), 200);
  assert.equal((await remove(me.key)).status, 200);
});
