/* SPDX-License-Identifier: MIT */
// What the page lives on, without the page: the live events, the log's tail, estimates.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from '../e2e/lib/daemon.js';
import { endless, spoken } from '../e2e/lib/models.js';
import { readEvents } from '../e2e/lib/sse.js';

const PATIENCE_MS = 60000; // a machine may stall

// What a stream of events says, in order, to be waited for.
class Heard {
  all = [];
  #look = () => {};

  async read(response) {
    try {
      for await (const { event, data } of readEvents(response)) {
        if (data === undefined) continue;
        this.all.push({
          name: event,
          at: performance.now(),
          ...JSON.parse(data),
        });
        this.#look();
      }
    } catch {
      // the test is over, or the daemon is
    }
  }

  named(name) {
    return this.all.filter((e) => e.name === name);
  }

  // Resolves when `fits` says yes to what has been heard.
  until(fits) {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`never heard: ${fits}\n${JSON.stringify(this.all.slice(-5))}`)),
        PATIENCE_MS,
      );
      this.#look = () => {
        const found = fits(this.all);
        if (!found) return;
        clearTimeout(limit);
        resolve(found);
      };
      this.#look();
    });
  }

  first(fits) {
    return this.until((all) => all.find(fits));
  }
}

async function follow(t, daemon, where) {
  const abort = new AbortController();
  t.after(() => abort.abort());
  const response = await daemon.fetch(where, { signal: abort.signal });
  assert.equal(response.status, 200);
  const heard = new Heard();
  heard.read(response);
  return heard;
}

test('a status comes at once, after a change, and while work is done at most twice a second',
  async (t) => {
  const daemon = await Daemon.start(t, { models: { talker: endless('1M') } });
  const began = performance.now();
  const heard = await follow(t, daemon, '/api/v1/events?live=true');
  const first = await heard.first((e) => e.name === 'status');
  assert.deepEqual(first.instances, []);
  assert.ok(first.memory.total_bytes > first.memory.available_bytes);

  const abort = new AbortController();
  const response = await daemon.stream('talker', { ttl: 60 }, { signal: abort.signal });
  const reading = response.text().catch(() => {});
  const busy = (e) =>
    e.name === 'status' && e.instances.some((i) => i.running === 1 && i.tokens_per_second > 0);
  await heard.first(busy);
  // Some may be late here, none is early: nine of them take at least the time of four pairs.
  await heard.until(() => heard.named('status').length >= 9);
  const took = heard.named('status')[8].at - began;
  assert.ok(took >= 4000, `nine in ${took} ms`);
  const [talker] = heard.all.findLast(busy).instances;
  assert.equal(talker.work, 'generating');
  assert.ok(talker.context_used > 0 && talker.context_used < talker.config.context_length);

  abort.abort();
  await reading;
  await heard.first(
    (e) =>
      e.name === 'status' && e.instances.some((i) => i.state === 'idle' && i.idle_expires_in > 50),
  );
});

test('who does not ask for it gets transitions only', async (t) => {
  const daemon = await Daemon.start(t, { models: { hello: spoken('Hello.') } });
  const heard = await follow(t, daemon, '/api/v1/events');
  await daemon.chat('hello');
  await daemon.settings({ default_ttl: 60 });
  await daemon.unload('hello');
  await heard.first((e) => e.to === 'absent');
  assert.deepEqual(
    [...new Set(heard.all.map((e) => e.name))].filter((n) => n !== 'progress'),
    ['snapshot', 'instance'],
  );
});

test('changes of settings, ttl, origin and models are told', async (t) => {
  const daemon = await Daemon.start(t, { models: { hello: spoken('Hello.') } });
  const heard = await follow(t, daemon, '/api/v1/events?live=true');
  await daemon.settings({ default_ttl: 77, api_key: 'secret' }).catch(() => {});
  const catalog = await heard.first((e) => e.name === 'catalog');
  assert.deepEqual([catalog.models, catalog.folders], [1, [daemon.modelsDir]]);
  const told = await heard.first((e) => e.name === 'settings');
  assert.equal(told.default_ttl, 77);
  assert.doesNotMatch(JSON.stringify(heard.all), /secret/);
  daemon.addModel('other', spoken('Other.'));
  await heard.first((e) => e.name === 'catalog' && e.models === 2);
});

test('a ttl that is changed by hand is told', async (t) => {
  const daemon = await Daemon.start(t, { models: { hello: spoken('Hello.') } });
  await daemon.load('hello', { ttl: 600 });
  const heard = await follow(t, daemon, '/api/v1/events?live=true');
  await daemon.patch('/api/v1/instances/hello', { ttl: 1234 });
  await heard.first((e) => e.name === 'status' && e.instances[0]?.ttl === 1234);
});

test('the log begins with its last lines when asked to', async (t) => {
  const daemon = await Daemon.start(t);
  const lines = await follow(t, daemon, '/api/v1/log?source=server&tail=1');
  await lines.first((e) => /listening/.test(e.text));
  assert.equal(lines.all.length, 1);
  const all = await follow(t, daemon, '/api/v1/log?source=server&tail=999999');
  await all.first((e) => /listening/.test(e.text));
  assert.ok(all.all.length > 1);
  const none = await follow(t, daemon, '/api/v1/log?source=server');
  await daemon.settings({ jit: false });
  daemon.addModel('hello', spoken('Hello.'));
  await none.first((e) => /1 model on disk/.test(e.text));
  assert.ok(!none.all.some((e) => /listening/.test(e.text)));
});

test('an estimate measures without loading; a longer context takes more', async (t) => {
  const daemon = await Daemon.start(t, { models: { hello: spoken('Hello.') } });
  const measure = (more) => daemon.post('/api/v1/models/estimate', { model: 'hello', ...more });
  const [small, large] = [
    await measure({ context_length: 256 }),
    await measure({ context_length: 2048 }),
  ];
  assert.equal(small.status, 200, JSON.stringify(small.body));
  assert.ok(large.body.context_bytes > small.body.context_bytes);
  assert.equal(small.body.total_bytes, small.body.model_bytes + small.body.context_bytes);
  assert.equal(small.body.fits, true);
  assert.deepEqual(await daemon.instances(), []);
  assert.equal((await daemon.post('/api/v1/models/estimate', { model: 'nobody' })).status, 404);
  assert.equal((await measure({ context_length: -5 })).status, 400);
  const tight = await daemon.settings({ memory_limit: 1000 });
  assert.equal(tight.memory_limit, 1000);
  assert.equal((await measure({})).body.fits, false);
});
