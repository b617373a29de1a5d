/* SPDX-License-Identifier: MIT */
// Workers and the daemon are killed at random while many clients ask: each request is answered
// in full or fails clearly, and afterwards all is well. DOZE_CHAOS=<requests> makes it longer,
// DOZE_CHAOS_SEED=<number> repeats a run.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { spoken } from './lib/models.js';
import { childrenOf, gone } from './lib/process.js';
import { randomFrom } from './lib/random.js';

const CLIENTS = 8;
const REQUESTS = Number(process.env.DOZE_CHAOS ?? 160);
const WORKER_EVERY = 8;
const DAEMON_EVERY = 50;
const texts = { alpha: 'Alpha speaking. All is well.', beta: 'Beta is here, as you asked.' };

class Chaos {
  begun = 0;
  run = 0; // of the daemon
  down = false;
  answered = 0;
  failed = 0;
  lost = 0;

  constructor(d, random) {
    this.d = d;
    this.random = random;
    this.ready = Promise.resolve();
  }

  killWorker() {
    const workers = this.down ? [] : childrenOf(this.d.pid);
    if (workers.length === 0) return;
    try {
      process.kill(workers[this.random(workers.length)], 'SIGKILL');
    } catch (error) {
      assert.equal(error.code, 'ESRCH'); // it has just ended
    }
  }

  async killDaemon() {
    const workers = childrenOf(this.d.pid);
    this.down = true;
    this.d.kill('SIGKILL');
    await this.d.exited;
    await Promise.all(workers.map((pid) => gone(pid)));
    await this.d.launch();
    this.down = false;
  }

  async ask() {
    await this.ready;
    const model = this.random(2) ? 'alpha' : 'beta';
    const { run } = this;
    let answer;
    try {
      answer = await this.d.chat(model);
    } catch (error) {
      assert.notEqual(run, this.run, `lost without a reason: ${error.cause ?? error}`);
      this.lost++;
      return;
    }
    if (answer.status === 200) {
      assert.equal(answer.body.choices[0].message.content, texts[model]);
      this.answered++;
    } else {
      assert.ok([429, 500, 502, 503].includes(answer.status), `status ${answer.status}`);
      assert.ok(answer.body.error.message, JSON.stringify(answer.body));
      this.failed++;
    }
  }

  async client() {
    while (this.begun < REQUESTS) {
      const number = ++this.begun;
      if (number % DAEMON_EVERY === 0) {
        this.run++;
        this.ready = this.killDaemon();
      } else if (number % WORKER_EVERY === 0) {
        this.killWorker();
      }
      await this.ask();
    }
  }
}

test('each request is answered or fails clearly, whatever is killed', async (t) => {
  const seed = Number(process.env.DOZE_CHAOS_SEED ?? Date.now() % 2 ** 32);
  const d = await Daemon.start(t, { settings: { auto_evict: 'off' },
    models: { alpha: spoken(texts.alpha), beta: spoken(texts.beta) } });
  const chaos = new Chaos(d, randomFrom(seed));
  t.diagnostic(`seed ${seed}`);
  await Promise.all(Array.from({ length: CLIENTS }, () => chaos.client()));
  await chaos.ready;
  t.diagnostic(`${chaos.answered} answered, ${chaos.failed} failed, ${chaos.lost} with the daemon`);
  assert.equal(chaos.answered + chaos.failed + chaos.lost, REQUESTS);
  assert.ok(chaos.answered > 0);
  assert.equal((await d.get('/health')).status, 200);
  await d.stop();
});
