/* SPDX-License-Identifier: MIT */
// What LM Studio's SDK configures: that it counts, and that it comes back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slowToLoad, spoken } from '../e2e/lib/models.js';
import { connect, generations, start } from './lib/clients.js';

for (const generation of generations) {
  const named = (title) => `${title} (SDK ${generation.name})`;

  test(named('get-or-load waits for an instance that is still loading'), async (t) => {
    const daemon = await start(t, { models: { slow: slowToLoad() } });
    const client = connect(daemon, generation);
    const watch = await daemon.watch();
    const load = client.llm.load('slow', { identifier: 'mine', verbose: false });
    await watch.reaches('mine', 'loading');
    const found = await client.llm.model('mine', { verbose: false });
    const loaded = await load;
    assert.equal(found.identifier, 'mine');
    assert.equal((await found.getModelInfo()).instanceReference,
      (await loaded.getModelInfo()).instanceReference);
    assert.equal((await daemon.instances()).length, 1);
  });
}
