/* SPDX-License-Identifier: MIT */
// SDK connections stay on one server of a fleet: what a client hears of a model that another has.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '../e2e/lib/ask.js';
import { Etcd, missing as skip } from '../e2e/lib/etcd.js';
import { spoken } from '../e2e/lib/models.js';
import { connect, generations, start } from './lib/clients.js';

const node = (t, etcd, name, models) =>
  start(t, { models, settings: { fleet: { etcd: etcd.url, node: name } } });

for (const generation of generations) {
  test(`a model of another node: the error says where it is (SDK ${generation.name})`, { skip },
    async (t) => {
      const etcd = await Etcd.start(t);
      const a = await node(t, etcd, 'a', { one: spoken('I am one.') });
      const b = await node(t, etcd, 'b', { two: spoken('I am two.') });
      await ask(() => a.get('/api/v1/fleet'), ({ body }) => body.nodes[1]?.models.length === 1);
      const client = connect(a, generation);
      const where = new RegExp(`the node 'b' of the fleet has it.*connect to ${b.url}`, 's');
      await assert.rejects(client.llm.model('two', { verbose: false }), where);
      await assert.rejects(client.llm.load('two', { verbose: false }), where);
      await assert.rejects(client.llm.load('three', { verbose: false }), /must match "three"/);
      assert.deepEqual(await b.instances(), []);
      const model = await connect(b, generation).llm.model('two', { verbose: false });
      assert.equal((await model.respond('Hi')).content, 'I am two.');
    });
}
