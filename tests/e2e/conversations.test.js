/* SPDX-License-Identifier: MIT */
// Wild conversations (lib/wild-http.js) with the real server: it answers each in a documented
// way or closes, and serves honest clients as before. DOZE_WILD_SECONDS makes it longer;
// DOZE_WILD_SEED=<number> has other things said, the same for the same number, though what meets
// what is never the same.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { embedding, spoken } from './lib/models.js';
import { connections, until } from './lib/process.js';
import { sanitized } from './lib/programs.js';
import { randomFrom } from './lib/random.js';
import { converse } from './lib/wild-http.js';

const LASTS_MS = 1000 * Number(process.env.DOZE_WILD_SECONDS ?? (sanitized ? 30 : 10));
const AT_ONCE = 12;
const HEALTH_MS = sanitized ? 5000 : 1000;
const STALLS = 3; // of the machine: so often it may take longer, though not much
const STALL_MS = 10000;
const SAID = 'Alpha speaking. All is well.';

// 500 and 501 would be faults of ours; 502 and 503 happen when an instance is unloaded under a
// request, 507 when a load asks for more than there is.
const ALLOWED = /^(10[01]|20[0-9]|30[1-8]|4[0-9][0-9]|502|503|507)$/;

const statuses = (received) =>
  [...received.matchAll(/(?:^|[\n}\]])HTTP\/1\.[01] (\d+)/g)].map((found) => found[1]);

// times: how long /health took, ms.
async function honest(d, times) {
  const begun = performance.now();
  assert.equal((await d.get('/health')).status, 200);
  times.push(performance.now() - begun);
  for (;;) { // a wild client may just have unloaded the model
    const { status, body } = await d.chat('m');
    if (status === 502 || status === 503) continue;
    assert.equal(status, 200, JSON.stringify(body));
    assert.ok(SAID.startsWith(body.choices[0].message.content));
    return;
  }
}

test('whatever clients send, it is answered as documented, and others are served', async (t) => {
  const seed = Number(process.env.DOZE_WILD_SEED ?? 20261127);
  const random = randomFrom(seed);
  t.diagnostic(`seed ${seed}`);
  const d = await Daemon.start(t, { models: { m: spoken(SAID), e: embedding() },
    settings: { auto_evict: 'off' } });
  const times = [];
  await honest(d, times);
  const seen = new Map(), end = performance.now() + LASTS_MS;
  const client = async () => {
    while (performance.now() < end) {
      const { received, sent } = await converse(random, d.port);
      for (const status of statuses(received)) {
        assert.match(status, ALLOWED, `seed ${seed}: ${sent.toString('latin1').slice(0, 9000)}\n`
          + `was answered\n${received.slice(0, 2000)}`);
        seen.set(status, (seen.get(status) ?? 0) + 1);
      }
    }
  };
  const guard = async () => {
    while (performance.now() < end) await honest(d, times);
  };
  await Promise.all([...Array.from({ length: AT_ONCE }, client), guard()]);
  t.diagnostic(JSON.stringify(Object.fromEntries([...seen].sort())));
  const slow = times.filter((ms) => ms >= HEALTH_MS).map(Math.round);
  assert.ok(slow.length <= STALLS && slow.every((ms) => ms < STALL_MS),
    `/health answers in time: ${slow} ms of ${times.length} answers`);
  assert.ok(seen.get('200') > 0 && seen.get('400') > 0, 'both kinds of requests came through');
  await d.settings({ default_ttl: 3600 }); // it can still be told what to do
  // What is left then are those of this test, which fetch() keeps.
  await until(() => connections(d.port) <= 8, 30000, 'the connections of wild clients are closed');
  await d.stop();
});
