/* SPDX-License-Identifier: MIT */
// The view of the fleet (docs/fleet.md), with a real etcd.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Etcd, missing as skip } from '../e2e/lib/etcd.js';
import { endless, spoken } from '../e2e/lib/models.js';
import { closeBrowser, gone, open, says, start } from './lib/browser.js';

after(closeBrowser);

const member = (t, etcd, node, models, more = {}) =>
  start(t, { models, settings: { fleet: { etcd: etcd.url, node, ...more } } });
const nodeCard = (page, name) => page.locator(`[data-node="${name}"]`);
const tab = (page) => page.getByRole('link', { name: 'Fleet', exact: true });

test('the tab of the fleet is there only while the server is in one', { skip }, async (t) => {
  const etcd = await Etcd.start(t);
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await open(t, daemon);
  assert.equal(await tab(page).count(), 0);
  await daemon.settings({ fleet: { etcd: etcd.url, node: 'desk' } });
  await tab(page).click();
  await says(page.locator('.fleet .hint').first(), /has answered since.*No other node is there/);
  await says(nodeCard(page, 'desk'), /this server.*free of.*1 model on its disk/);
  await daemon.settings({ fleet: { etcd: null } });
  await says(page.locator('.fleet'), /This server is alone: it is in no fleet/);
  await page.getByRole('link', { name: 'Models', exact: true }).click();
  await gone(tab(page));
});

test('nodes come, load, work and go, and the page follows', { skip }, async (t) => {
  const etcd = await Etcd.start(t);
  const [desk, attic] = await Promise.all([
    member(t, etcd, 'desk', { hello: spoken('Hello.') }),
    member(t, etcd, 'attic', { talker: endless('1M') }, { key: 'another' }),
  ]);
  const page = await open(t, desk, { hash: 'fleet' });
  await says(nodeCard(page, 'attic'), /another fleet key/);
  await attic.settings({ fleet: { key: null } });
  await gone(page.locator('.other-key'));
  await says(nodeCard(page, 'attic'), /nothing to do.*No model is loaded/);
  const names = await page.locator('.nodes h3').allTextContents();
  assert.deepEqual(names, ['desk', 'attic'], 'this server is the first');

  const abort = new AbortController();
  const response = await attic.stream('talker', { ttl: 600 }, { signal: abort.signal });
  const reading = response.text().catch(() => {});
  await says(nodeCard(page, 'attic').locator('[data-resident="talker"]'), /busy, 1 running/);
  await says(nodeCard(page, 'attic').locator('.tags'), /1 running/);
  abort.abort();
  await reading;
  await says(nodeCard(page, 'attic').locator('.resident'), /idle until \d\d:\d\d:\d\d talker/);
  await attic.stop();
  await gone(nodeCard(page, 'attic'));
});

test('the page says where a request would go, as it changes', { skip }, async (t) => {
  const etcd = await Etcd.start(t);
  const model = spoken('Hello.');
  const [desk, attic] = await Promise.all([
    member(t, etcd, 'desk', { hello: model, other: spoken('Other.') }),
    member(t, etcd, 'attic', { hello: model }),
  ]);
  const page = await open(t, desk, { hash: 'fleet' });
  await says(nodeCard(page, 'attic'), /1 model on its disk/);
  const where = page.locator('.where');
  await where.getByRole('combobox').selectOption('hello');
  await says(where, /it has the file and room for it.*alone:/);
  await attic.load('hello');
  await says(where.locator('[role="status"] > p'), /^attic: the model is loaded there/);
  await says(
    where.locator('.prospects'),
    /attic alone: the model is loaded.*desk alone: it has the/,
  );
  await where.getByRole('combobox').selectOption('other');
  await says(where.locator('[role="status"] > p'), /^desk: it has the file/);
  await gone(where.locator('.prospects'));
});

test('an etcd that is away is said plainly, and so is its return', { skip }, async (t) => {
  const etcd = await Etcd.start(t);
  const [desk, attic] = await Promise.all(
    ['desk', 'attic'].map((name) => member(t, etcd, name, { hello: spoken('Hello.') })),
  );
  const page = await open(t, desk, { hash: 'fleet' });
  await nodeCard(page, 'attic').waitFor();
  await etcd.stop();
  const alert = page.locator('.fleet [role="alert"]');
  await says(alert, /the list is the last one that is known/);
  await says(alert, /No etcd answers: this node serves alone/);
  await gone(nodeCard(page, 'attic'));
  assert.equal((await attic.chat('hello', { max_tokens: 2 })).status, 200);
  await etcd.launch();
  await nodeCard(page, 'attic').waitFor();
  await gone(alert);
});
