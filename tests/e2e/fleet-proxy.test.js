// SPDX-License-Identifier: MIT
// Waits: until the leases of killed nodes end.
// Requests that another node of the fleet answers: docs/fleet.md.
import test from 'node:test';
import assert from 'node:assert/strict';
import { ask } from './lib/ask.js';
import { run } from './lib/cli.js';
import { Daemon } from './lib/daemon.js';
import { Etcd, freePort, missing as skip } from './lib/etcd.js';
import { embedding, endless, random, reranker, slowToLoad, spoken } from './lib/models.js';
import { readEvents } from './lib/sse.js';
import { speaking } from './lib/stream.js';

const fleet = async (d) => (await d.get('/api/v1/fleet')).body;
const answeredBy = (answer) => answer.headers.get('x-doze-node');

// Nodes a, b, …, each with the models given, that know each other's models.
async function nodes(t, models, settings = {}) {
  const etcd = await Etcd.start(t);
  const names = models.map((_, i) => 'abcdef'[i]);
  const ports = await Promise.all(models.map(freePort)); // a node that comes back has its port
  const list = await Promise.all(models.map((own, i) => Daemon.start(t, { models: own,
    args: ['--port', String(ports[i])],
    settings: { ...settings,
      fleet: { etcd: etcd.url, node: names[i], key: 'a key of the fleet' } } })));
  for (const d of list) {
    await ask(() => fleet(d), (answer) => answer.nodes.length === models.length
      && answer.nodes.every((n, i) => n.models.length === Object.keys(models[i]).length),
    'knows all models');
  }
  return Object.assign(list, { etcd });
}

const sees = (d, name, model, state = /idle|busy/) => ask(() => fleet(d), (answer) => answer.nodes
  .some((n) => n.node === name && n.resident.some((r) => r.model === model && state.test(r.state))),
`sees ${model} on ${name}`);

const messages = [{ role: 'user', content: 'Hello.' }];
const requests = (model, stream) => ({
  '/v1/chat/completions': { model, messages, stream, max_tokens: 8 },
  '/v1/completions': { model, prompt: 'Hello', stream, max_tokens: 8 },
  '/v1/messages': { model, messages, stream, max_tokens: 8 },
  '/v1/responses': { model, input: 'Hello', stream, max_output_tokens: 8, store: false },
  '/api/chat': { model, messages, stream, options: { num_predict: 8 } },
  '/api/generate': { model, prompt: 'Hello', stream, options: { num_predict: 8 } },
  '/api/v0/chat/completions': { model, messages, stream, max_tokens: 8 },
  '/api/v1/chat': { model, input: 'Hello', stream, max_output_tokens: 8, store: false },
});

// What differs from one answer to the next: ids, times and speeds.
const DIFFERS = ['id', 'item_id', 'created', 'created_at', 'completed_at', 'model_instance_id',
  'response_id', 'generation_time', 'tokens_per_second', '\\w*time_to_first_token\\w*',
  '\\w*duration\\w*', '\\w+_ms', '\\w*_seconds'].join('|');
const timeless = (text) =>
  text.replace(new RegExp(`"(${DIFFERS})":\\s*("[^"]*"|[\\d.e-]+)`, 'g'), '"$1":0');

test('the node that has the model answers, in every dialect, with the same bytes', { skip },
  async (t) => {
    const [a, b] = await nodes(t, [{}, { m: spoken('It is so.') }]);
    for (const stream of [false, true]) {
      for (const [path, body] of Object.entries(requests('m', stream))) {
        await b.post(path, body); // the first one processes the prompt
        const [own, other] = [await b.fetch(path, json(body)), await a.fetch(path, json(body))];
        const what = `${path} stream ${stream}`;
        assert.equal(other.status, 200, `${what}: ${await other.clone().text()}`);
        assert.equal(answeredBy(own), 'b', what);
        assert.equal(answeredBy(other), 'b', what);
        const [ownText, text] = [await own.text(), await other.text()];
        assert.equal(timeless(text), timeless(ownText), what);
        assert.equal(other.headers.get('content-type'), own.headers.get('content-type'), what);
        assert.equal(other.headers.has('content-length'), own.headers.has('content-length'), what);
        for (const name of ['x-request-id', 'cache-control', 'x-doze-cache']) {
          assert.equal(other.headers.get(name)?.length, own.headers.get(name)?.length,
            `${what} ${name}`);
        }
      }
    }
    assert.equal((await a.instances()).length, 0);
  });

const json = (body) => ({ method: 'POST', headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body) });

test('vectors and scores come from the node that has their model', { skip }, async (t) => {
  const [a, b] = await nodes(t, [{}, { v: embedding(), r: reranker() }]);
  const bodies = {
    '/v1/embeddings': { model: 'v', input: ['one', 'two'] },
    '/api/v0/embeddings': { model: 'v', input: 'one' },
    '/api/embed': { model: 'v', input: 'one' },
    '/v1/rerank': { model: 'r', query: 'one', documents: ['one', 'two'] },
  };
  for (const [path, body] of Object.entries(bodies)) {
    const [own, other] = [await b.fetch(path, json(body)), await a.fetch(path, json(body))];
    assert.equal(other.status, 200, `${path}: ${await other.clone().text()}`);
    assert.equal(answeredBy(other), 'b');
    assert.equal(timeless(await other.text()), timeless(await own.text()), path);
  }
});

test('without etcd requests go by the last list, then stay here; streams go on', { skip },
  async (t) => {
    const list = await nodes(t, [{}, { m: spoken('Hi.'), e: endless('10M') }],
      { auto_evict: 'fit' });
    const [a] = list;
    const leave = new AbortController();
    const stream = await speaking(a, 'e', {}, { signal: leave.signal });
    await list.etcd.stop('SIGKILL'); // a polite stop may take as long as the list lasts
    assert.equal((await a.chat('m')).status, 200);
    await ask(() => fleet(a), ({ nodes: n }) => n.length === 1, 'a is alone');
    assert.equal((await a.chat('m')).status, 404);
    await stream.reached(stream.text.length + 100);
    await a.settings({ fleet: null });
    await stream.reached(stream.text.length + 100);
    assert.equal((await fleet(a)).etcd, null);
    leave.abort();
  });

test('errors of the other node come back as they are; unknown models are this node\'s', { skip },
  async (t) => {
    const [a] = await nodes(t, [{}, { m: spoken('Hi.') }]);
    const bad = await a.chat('m', { messages: [{ role: 'user', content: 'x' }], max_tokens: 1,
      temperature: 'hot' });
    assert.equal(bad.status, 400);
    const unknown = await a.chat('nobody-has-it');
    assert.equal(unknown.status, 404);
    assert.equal(answeredBy(unknown), 'a');
  });

test('a node that is told to stop lets a stream of another node end', { skip }, async (t) => {
  const [a] = await nodes(t, [{}, { e: endless('10M') }]);
  const stream = await speaking(a, 'e', { max_tokens: 400 });
  a.kill('SIGTERM');
  await stream.ended;
  assert.equal(stream.finish, 'length');
  assert.equal((await a.exited).code, 0);
});

test('a burst is spread over the nodes that have the model', { skip }, async (t) => {
  const models = { m: spoken('One two three four.') };
  const [a, b, c] = await nodes(t, [{}, models, models]);
  for (const [d, name] of [[b, 'b'], [c, 'c']]) {
    await d.load('m');
    await sees(a, name, 'm');
  }
  const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => a.chat('m', {
    max_tokens: 4, messages: [{ role: 'user', content: `Question ${i}` }] })));
  const by = answers.map(answeredBy);
  t.diagnostic(by.join(''));
  for (const name of ['b', 'c'])
    assert.ok(by.filter((n) => n === name).length >= 4, `${name} has some of them: ${by}`);
});

test('a client that leaves: the other node stops too', { skip }, async (t) => {
  const [a, b] = await nodes(t, [{}, { e: endless('10M') }]);
  const leave = new AbortController();
  const stream = await speaking(a, 'e', {}, { signal: leave.signal });
  assert.equal(stream.status, 200);
  await ask(() => b.instance('e'), (i) => i?.state === 'busy');
  leave.abort();
  await ask(() => b.instance('e'), (i) => i?.state === 'idle', 'b is idle');
});

// Errors that say what to do; anything else that is no answer is a bug.
const isClear = (answer) => [502, 503].includes(answer.status)
  && /node '\w' of the fleet/.test(JSON.stringify(answer.body));

test('the node dies before its first byte: another one answers, or one clear error comes',
  { skip }, async (t) => {
    const model = spoken('Still here.');
    const [a, b, c] = await nodes(t, [{}, { m: model, only: spoken('Only here.') }, { m: model }]);
    await b.load('m');
    await sees(a, 'b', 'm');
    b.kill('SIGKILL');
    await b.exited;
    const answer = await a.chat('m');
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answeredBy(answer), 'c');
    const failed = await a.chat('only');
    assert.ok(isClear(failed), JSON.stringify(failed));
    assert.equal(failed.headers.get('retry-after'), '5');
    assert.equal((await c.instances()).length, 1);
  });

test('the node dies within a stream: an error event ends it', { skip }, async (t) => {
  const [a, b] = await nodes(t, [{}, { e: endless('10M') }]);
  const stream = await speaking(a, 'e');
  const messagesStream = await a.fetch('/v1/messages', json({ model: 'e', messages, stream: true,
    max_tokens: 100000 }));
  const events = readEvents(messagesStream);
  assert.equal((await events.next()).value.event, 'message_start');
  b.kill('SIGKILL');
  await stream.ended;
  assert.ok(stream.error || stream.broken, 'it does not seem complete');
  assert.equal(stream.finish, null);
  if (stream.error) assert.match(stream.error.message, /node 'b' of the fleet was lost/);
  const names = [];
  try {
    for await (const event of events) names.push(event.event);
    assert.equal(names.at(-1), 'error');
  } catch (cause) {
    assert.match(String(cause), /terminated|aborted/);
  }
});

test('a request is forwarded once at most', { skip }, async (t) => {
  const [a] = await nodes(t, [{}, { m: spoken('Hi.') }]);
  const answer = await a.chat('m', {}, { headers: { 'x-doze-hop': '1' } });
  assert.equal(answer.status, 404);
  assert.equal(answeredBy(answer), 'a');
});

test('a wrong fleet key is refused, and who has none is not asked', { skip }, async (t) => {
  const [a, b] = await nodes(t, [{}, { m: spoken('Hi.') }]);
  await b.settings({ fleet: { key: 'another' } });
  await ask(() => fleet(a), ({ nodes: n }) => n[1].same_key === false);
  const unknown = await a.chat('m');
  assert.equal(unknown.status, 404);
  const forged = await b.chat('m', {}, { headers: { 'x-doze-hop': '1',
    'x-doze-pass': `a ${Date.now()} ${'0'.repeat(64)}` } });
  assert.equal(forged.status, 401);
  assert.match(forged.body.error.message, /The node 'a' does not have the fleet key of 'b'/);
  assert.match(b.log, /refused a client at 127.0.0.1: The node 'a' does not have the fleet key/);
});

test('a client\'s key is checked by the node that it asks', { skip }, async (t) => {
  const models = { m: spoken('Hi.'), n: spoken('Ho.') };
  const [a, b] = await nodes(t, [models, models]);
  for (const model of ['m', 'n']) {
    await b.load(model);
    await sees(a, 'b', model);
  }
  await b.settings({ api_key: 'of b' });
  const { body: { key: admin } } = await a.post('/api/v1/keys', { name: 'admin',
    permissions: ['admin'] });
  const made = await a.post('/api/v1/keys', { name: 'k', permissions: ['inference'],
    models: ['m'] }, { headers: { authorization: `Bearer ${admin}` } });
  const headers = { authorization: `Bearer ${made.body.key}` };
  assert.equal((await a.chat('m')).status, 401);
  const answer = await a.chat('m', {}, { headers });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answeredBy(answer), 'b');
  assert.equal((await a.chat('n', {}, { headers })).status, 403);
});

test('a node that is frozen is left after some seconds', { skip }, async (t) => {
  const model = spoken('Still here.');
  const [a, b] = await nodes(t, [{}, { m: model }, { m: model }]);
  await b.load('m');
  await sees(a, 'b', 'm');
  b.kill('SIGSTOP');
  const begun = Date.now();
  const answer = await a.chat('m');
  t.diagnostic(`answered after ${Date.now() - begun} ms`);
  b.kill('SIGKILL');
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answeredBy(answer), 'c');
});

test('one cold load in the whole fleet', { skip }, async (t) => {
  const model = slowToLoad();
  const list = await nodes(t, [{ m: model }, { m: model }, { m: model }]);
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) =>
    list[i % 3].chat('m', { max_tokens: 1 })));
  for (const answer of answers) assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(new Set(answers.map(answeredBy)).size, 1);
  const loaded = await Promise.all(list.map((d) => d.instances()));
  assert.equal(loaded.flat().length, 1);
  await ask(() => list.etcd.keys('/doze/claim/'), (keys) => Object.keys(keys).length === 0,
    'the claim is gone');
});

test('the load of another model of the same name is not waited for', { skip }, async (t) => {
  const list = await nodes(t, [{ m: spoken('I am of a.') }, { m: random() }, {}]);
  const [a, , c] = list;
  await list.etcd.put('/doze/claim/m', { node: 'b', cold: true, since: Date.now() });
  for (const d of [a, c]) {
    const answer = await d.chat('m');
    assert.equal(answer.body.choices[0].message.content, 'I am of a.');
    assert.equal(answeredBy(answer), 'a');
    await a.unload('m');
  }
});

test('explain says where a request would go and why', { skip }, async (t) => {
  const [a, b] = await nodes(t, [{}, { m: spoken('Hi.') }]);
  const { body: before } = await a.get('/api/v1/explain?model=m');
  assert.equal(before.fleet.node, 'b');
  assert.equal(before.fleet.rule, 'room');
  await b.load('m');
  await sees(a, 'b', 'm');
  const { body } = await a.get('/api/v1/explain?model=m');
  assert.equal(body.fleet.rule, 'resident');
  assert.match(body.fleet.sentence, /^b: the model is loaded there/);
  const { body: none } = await a.get('/api/v1/explain?model=nobody-has-it');
  assert.equal(none.fleet.node, null);
  assert.deepEqual(none.fleet.nodes, []);
});

test('explain, the list and doze fleet say what each node could do', { skip }, async (t) => {
  const model = spoken('Hi.');
  const [a, b, c] = await nodes(t, [{}, { m: model }, { m: model }]);
  await c.load('m');
  await sees(a, 'c', 'm');
  const { fleet: explained } = (await a.get('/api/v1/explain?model=m')).body;
  const { request, nodes: listed } = (await a.get('/api/v1/fleet?model=m')).body;
  assert.equal(listed.length, 3);
  for (const { node, rule, nodes: prospects } of [explained, request]) {
    assert.deepEqual([node, rule], ['c', 'resident']);
    assert.deepEqual(prospects.map((p) => [p.node, p.rule]), [['c', 'resident'], ['b', 'room']]);
    assert.ok(prospects[0].first_token_seconds <= prospects[1].first_token_seconds);
    assert.match(prospects[1].sentence, /^b: it has the file and room for it/);
  }
  assert.equal(answeredBy(await a.chat('m', { max_tokens: 1 })), 'c');

  const { out } = await run(b, ['fleet', '--model', 'm']);
  assert.match(out, new RegExp('^c: the model is loaded there; .*\nEach node alone:\n'
    + '  c: .*\n  This node: .* \\(b\\)\n$'));
  assert.match((await run(b, ['explain', 'm'])).out, /\nIn the fleet: c: .*\nEach node alone:\n/);
  assert.match((await run(b, ['fleet', '--model', 'nobody-has-it'])).out,
    /^No node of the fleet has this model; download it on one of them\.\n$/);
  await c.load('m', { identifier: 'mine' });
  assert.match((await run(c, ['fleet', '--model', 'mine'])).out, /an instance here/);
  assert.equal((await c.get('/api/v1/fleet?model=mine')).body.request, null);
});

test('metrics count what goes to each node, what is tried again, and claims', { skip },
  async (t) => {
    const model = spoken('One two three four.');
    const [a, b, c] = await nodes(t, [{}, { m: model }, { m: model }]);
    const metrics = async (d) => (await d.fetch('/metrics')).text();
    assert.match(await metrics(a), /\ndoze_fleet_nodes 3\n[^]*\ndoze_fleet_etcd_up 1\n/);
    const first = answeredBy(await a.chat('m', { max_tokens: 1 }));
    const [one, other] = first === 'b' ? [b, c] : [c, b];
    await sees(a, first, 'm');
    await a.chat('m', { max_tokens: 1 });
    const before = await metrics(a);
    assert.match(before, new RegExp(`\ndoze_fleet_forwarded_total\\{node="${first}"\\} 2\n`));
    assert.match(before, new RegExp(`\ndoze_fleet_retries_total\\{node="${first}"\\} 0\n`));
    assert.match(await metrics(one), /\ndoze_fleet_received_total 2\n/);
    assert.match(await metrics(one), /\ndoze_fleet_claims_total\{result="won"\} 1\n/);
    one.kill('SIGKILL');
    await one.exited;
    const answer = await a.chat('m', { max_tokens: 1 });
    assert.notEqual(answeredBy(answer), first);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.match(await metrics(a),
      new RegExp(`\ndoze_fleet_retries_total\\{node="${first}"\\} 1\n`));
    assert.match(await metrics(other), /\ndoze_fleet_received_total 1\n/);
  });

test('60 requests while nodes are killed and come back: each is answered or fails clearly',
  { skip }, async (t) => {
    const model = spoken('One two three four five six seven eight nine ten.');
    const [a, b, c] = await nodes(t, [{}, { m: model }, { m: model }]);
    const outcomes = { answered: 0, failed: 0 };
    const request = async (i) => {
      const answer = await a.chat('m', { max_tokens: 12,
        messages: [{ role: 'user', content: `Request ${i}` }] });
      if (answer.status === 200) outcomes.answered++;
      else if (isClear(answer)) outcomes.failed++;
      else assert.fail(`${answer.status} ${JSON.stringify(answer.body)}`);
      return answer;
    };
    const batch = (first) => Promise.all(Array.from({ length: 15 }, (_, i) => request(first + i)));
    await request(-1);
    for (const [round, victim] of [b, c, b, c].entries()) {
      const running = batch(15 * round);
      victim.kill('SIGKILL');
      await victim.exited;
      await running;
      await victim.launch();
      await ask(() => fleet(a), ({ nodes: n }) => n.some((x) => x.url === victim.url), 'is back');
    }
    assert.equal(outcomes.answered + outcomes.failed, 61);
    t.diagnostic(JSON.stringify(outcomes));
    assert.ok(outcomes.answered >= 40, JSON.stringify(outcomes));
  });

test('a conversation goes on where its answers are stored, whichever node is asked', { skip },
  async (t) => {
    const model = spoken('So it goes.');
    const [a, b, c] = await nodes(t, [{}, { m: model }, {}]);
    for (const path of ['/v1/responses', '/api/v1/chat']) {
      const body = { model: 'm', input: 'One.' };
      const first = await a.post(path, body);
      assert.equal(first.status, 200, JSON.stringify(first.body));
      assert.equal(answeredBy(first), 'b');
      const id = first.body.id ?? first.body.response_id;
      const second = await c.post(path, { ...body, previous_response_id: id });
      assert.equal(second.status, 200, JSON.stringify(second.body));
      assert.equal(answeredBy(second), 'b');
      for (const d of [a, b, c]) {
        const stored = await d.get(`/v1/responses/${id}`);
        assert.equal(stored.status, 200, JSON.stringify(stored.body));
        assert.equal(stored.body.id, id);
      }
      const next = second.body.id ?? second.body.response_id;
      const where = `/v1/responses/${next}/input_items?order=asc&limit=2`;
      const [items, own] = [await a.get(where), await b.get(where)];
      assert.equal(items.body.data.length, 2, JSON.stringify(items.body));
      assert.deepEqual(items.body, own.body);
      assert.equal((await a.fetch(`/v1/responses/${id}`, { method: 'DELETE' })).status, 200);
      assert.equal((await b.get(`/v1/responses/${id}`)).status, 404);
      assert.equal((await c.get(`/v1/responses/${id}`)).status, 404);
    }
  });

test('a request goes to the node that has the model parked, not to where it is loaded from disk',
  { skip }, async (t) => {
    const model = spoken('It wakes.');
    const [a, b, c] = await nodes(t, [{}, { m: model }, { m: model }], { parked_workers: 'on' });
    const first = answeredBy(await a.chat('m')); // where a cold load belongs
    await { b, c }[first].unload('m');
    const [name, other] = first === 'b' ? ['c', c] : ['b', b];
    await other.load('m', { ttl: 0.2 });
    await ask(() => fleet(a), ({ nodes: n }) => n.every((node) => node.resident.length === 0)
      && n.some((node) => node.node === name && node.parked.join() === 'm'), 'it is parked');
    const { body: { request } } = await a.get('/api/v1/fleet?model=m');
    assert.deepEqual([request.node, request.rule], [name, 'parked'], request.sentence);
    const answer = await a.chat('m');
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answeredBy(answer), name);
    assert.match(other.log, /m: its parked worker takes up the load/);
  });

// Tokens of the prompt that were processed already, by the header.
const cached = (answer) => Number(/tokens=(\d+)/.exec(answer.headers.get('x-doze-cache'))[1]);

test('a conversation returns after a restart, too, when its prompt is in files', { skip },
  async (t) => {
    const model = spoken('So it goes.');
    const list = await nodes(t, [{ m: model }, { m: model }]);
    const [a, b] = list;
    const turn = (d, said) => d.chat('m', { max_tokens: 4, messages: said });
    const known = () => ask(() => list.etcd.keys('/doze/prefixes/'),
      (keys) => '/doze/prefixes/a' in keys, 'etcd has it');
    await a.load('m');
    const said = [{ role: 'user', content: `Tell me of ${'this and that, '.repeat(300)}please.` }];
    const first = await turn(a, said);
    assert.equal(answeredBy(first), 'a');
    await known();
    await a.stop();
    await b.load('m');
    await a.launch();
    await known();
    await ask(() => fleet(b), ({ nodes: n }) => n.length === 2, 'both are there');
    await sees(a, 'b', 'm');
    await a.load('m');
    await sees(b, 'a', 'm');
    said.push(first.body.choices[0].message, { role: 'user', content: 'And more?' });
    const second = await turn(b, said);
    assert.equal(answeredBy(second), 'a', JSON.stringify(second.body));
    assert.ok(cached(second) >= 1000, second.headers.get('x-doze-cache'));
  });

test('a conversation returns to the node that has its prompt', { skip }, async (t) => {
  const model = spoken('So it goes.');
  const list = await nodes(t, [{ m: model }, { m: model }, { m: model }],
    { prompt_store: 'memory' });
  const [a, b, c] = list;
  const turn = (d, said) => d.chat('m', { max_tokens: 4, messages: said });
  const knows = (prompt) => ask(() => list.etcd.keys('/doze/prefixes/'),
    (keys) => Object.keys(keys).join() === prompt, `etcd has ${prompt}`);
  await a.load('m');
  await sees(b, 'a', 'm');
  const said = [{ role: 'user', content: `Tell me of ${'this and that, '.repeat(300)}please.` }];
  const first = await turn(b, said);
  assert.equal(answeredBy(first), 'a');
  await knows('/doze/prefixes/a');
  for (const [d, name] of [[b, 'b'], [c, 'c']]) {
    await d.load('m');
    await Promise.all(list.map((other) => sees(other, name, 'm')));
  }
  said.push(first.body.choices[0].message, { role: 'user', content: 'And more?' });
  const second = await turn(c, said);
  assert.equal(answeredBy(second), 'a', 'through another node, while the others are idle');
  assert.ok(cached(second) >= 1000, second.headers.get('x-doze-cache'));
  const other = await turn(c, [{ role: 'user', content: `Not ${said[0].content}` }]);
  assert.equal(answeredBy(other), 'c', 'another conversation stays where it is asked');
  const keys = JSON.stringify(await list.etcd.keys('/doze/prefixes/'));
  assert.doesNotMatch(keys, /this and that/);

  await a.unload('m'); // without files its prompts are gone
  await knows('/doze/prefixes/c');
  await ask(() => fleet(c), ({ nodes: n }) => n[0].resident.length === 0, 'it is told');
  assert.equal(answeredBy(await turn(c, said)), 'c');
});
