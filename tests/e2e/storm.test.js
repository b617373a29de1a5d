/* SPDX-License-Identifier: MIT */
// A thousand requests while clients leave and workers are killed, by a seed: each one is answered
// or refused, none is lost, and afterwards nothing is left.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask } from './lib/ask.js';
import { Daemon } from './lib/daemon.js';
import { random as randomModel, spoken } from './lib/models.js';
import { childrenOf, residentBytes } from './lib/process.js';
import { sanitized } from './lib/programs.js';
import { pick, randomFrom } from './lib/random.js';
import { Stream } from './lib/stream.js';

const SEED = Number(process.env.DOZE_STORM_SEED ?? 20);
const REQUESTS = Number(process.env.DOZE_STORM_REQUESTS ?? 1000);
const AT_ONCE = 24;
const models = ['alpha', 'beta', 'gamma'];

// What may become of a request that was not left by its client.
function outcome(status, body) {
  if (status === 200) return 'answered';
  assert.equal(typeof body.error?.message, 'string', `${status} ${JSON.stringify(body)}`);
  // Two workers that are killed while they load are a failed load.
  const failed = status === 500 && /killed by signal 9/.test(body.error.message);
  assert.ok(failed || [429, 502, 503].includes(status), `${status} ${body.error.message}`);
  return body.error.code ?? body.error.type;
}

async function plain(d, model, more, signal) {
  const { status, body } = await d.chat(model, more, { signal });
  return outcome(status, body);
}

async function streamed(d, model, more, signal) {
  const response = await d.stream(model, more, { signal });
  if (response.status !== 200) return outcome(response.status, await response.json());
  const stream = await new Stream(response).ended;
  if (signal.aborted) return 'left';
  if (stream.error) return stream.error.code ?? 'error';
  assert.ok(stream.done && stream.finish, `a stream without an end: ${stream.broken}`);
  return 'answered';
}

async function one(d, random) {
  const abort = new AbortController();
  const more = { max_tokens: 1 + random(12), ttl: pick(random, [0, 0.05, 1, 60]) };
  const send = pick(random, [plain, streamed]);
  const answer = send(d, pick(random, models), more, abort.signal)
    .catch((cause) => { if (abort.signal.aborted) return 'left'; throw cause; });
  if (random(100) < 15) {
    let turns = random(200);
    const leave = () => (turns-- > 0 ? setImmediate(leave) : abort.abort());
    leave();
  }
  return answer;
}

function killSomeWorker(d, random) {
  const pids = childrenOf(d.pid);
  if (pids.length) {
    try { process.kill(pick(random, pids), 'SIGKILL'); } catch { /* it was faster */ }
  }
}

// What a person at the page or the command line might do meanwhile.
async function meddle(d, random) {
  const model = pick(random, models);
  const deed = pick(random, [
    () => d.unload(pick(random, [model, `${model}:2`])),
    () => d.post('/api/v1/models/load', { model, ttl: pick(random, [0, 0.1, 0.5]) }),
    () => d.patch(`/api/v1/instances/${model}`,
      { origin: pick(random, ['jit', 'explicit']), ttl: 1 }),
    () => d.patch('/api/v1/settings', { auto_evict: pick(random, ['on', 'off', 'fit']) }),
    () => d.get('/api/v1/models'),
  ]);
  const { status, body } = await deed();
  if (status !== 404) outcome(status, body);
}

async function storm(d, random, count, { meddling = 0 } = {}) {
  const tally = {};
  let begun = 0;
  const worker = async () => {
    while (begun < count) {
      begun++;
      if (random(100) < 2) killSomeWorker(d, random);
      if (random(100) < meddling) await meddle(d, random);
      const end = await one(d, random);
      tally[end] = (tally[end] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return tally;
}

const start = (t) => Daemon.start(t, { models: { alpha: spoken('Alpha speaking. All is well.'),
  beta: spoken('Beta is here, as you asked.'), gamma: randomModel('--seed', '9') },
  settings: { switch_window_ms: 20 } });

// Nobody waits, nothing runs, no worker is left, and the daemon is as small as before.
async function assertCalm(d, before) {
  for (const { id } of await d.instances()) await d.unload(id);
  await ask(() => d.instances(), (list) => list.length === 0, 'all instances leave');
  await d.settings({ standby: false });
  await ask(() => childrenOf(d.pid), (pids) => pids.length === 0, 'no worker is left');
  const { body } = await d.get('/metrics');
  assert.doesNotMatch(body, /^doze_instance_(running|waiting)\{.*\} [1-9]/m);
  const grown = residentBytes(d.pid) - before;
  assert.ok(grown < (sanitized ? 128 << 20 : 2 << 20), `the daemon grew by ${grown} bytes`);
  await d.load('alpha'); // by hand: a model whose last load was killed is backing off
  assert.equal((await d.chat('alpha')).status, 200);
}

test('a thousand requests while clients leave and workers are killed', async (t) => {
  const d = await start(t);
  const random = randomFrom(SEED);
  await storm(d, random, 50); // buffers and pools have their size now
  const before = residentBytes(d.pid);
  const tally = await storm(d, random, REQUESTS);
  t.diagnostic(`seed ${SEED}: ${JSON.stringify(tally)}`);
  assert.equal(Object.values(tally).reduce((a, b) => a + b, 0), REQUESTS, 'none is lost');
  assert.ok(tally.answered > REQUESTS / 3);
  await assertCalm(d, before);
});

test('the same while models are loaded and unloaded by hand and settings change', async (t) => {
  const d = await start(t);
  const random = randomFrom(SEED + 1);
  await storm(d, random, 50, { meddling: 10 });
  const before = residentBytes(d.pid);
  const count = Math.ceil(REQUESTS / 2);
  const tally = await storm(d, random, count, { meddling: 10 });
  t.diagnostic(`seed ${SEED + 1}: ${JSON.stringify(tally)}`);
  assert.equal(Object.values(tally).reduce((a, b) => a + b, 0), count, 'none is lost');
  assert.ok(tally.answered > count / 4);
  await d.settings({ auto_evict: 'on' });
  await assertCalm(d, before);
});
