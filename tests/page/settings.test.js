/* SPDX-License-Identifier: MIT */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { spoken } from '../e2e/lib/models.js';
import { closeBrowser, open, says, start, until } from './lib/browser.js';

after(closeBrowser);

const two = () => ({ one: spoken('One.'), two: spoken('Two.') });

test('JIT loading off: a request for a model that is not loaded is refused; on: it is served',
  async (t) => {
  const daemon = await start(t, { models: two() });
  const page = await open(t, daemon, { hash: 'settings' });
  await page.getByLabel('Just-in-time model loading').uncheck();
  await says(page.locator('#jit-status'), /Saved/);
  assert.equal((await daemon.chat('one')).status, 404);
  await page.getByLabel('Just-in-time model loading').check();
  await says(page.locator('#jit-status'), /Saved/);
  assert.equal((await daemon.chat('one')).status, 200);
});

test('auto-evict off: two stay; on: the next one takes the place', async (t) => {
  const daemon = await start(t, { models: two() });
  const page = await open(t, daemon, { hash: 'settings' });
  await page.getByLabel(/^Off/).check();
  await says(page.locator('#auto_evict-status'), /Saved/);
  await daemon.chat('one');
  await daemon.chat('two');
  assert.deepEqual((await daemon.instances()).map((i) => i.id).sort(), ['one', 'two']);
  await page.getByLabel(/^As many as fit/).check();
  await says(page.locator('#auto_evict-status'), /Saved/);
  assert.equal((await daemon.get('/api/v1/settings')).body.auto_evict, 'fit');
  await page.getByLabel(/^On(?!e)/).check();
  await until(page, () =>
    document.querySelector('#auto_evict-status').textContent.includes('Saved'),
  );
  await daemon.unload('one');
  await daemon.unload('two');
  await daemon.chat('one');
  await daemon.chat('two');
  assert.deepEqual(
    (await daemon.instances()).map((i) => i.id),
    ['two'],
  );
});

test('the default ttl applies to the next load; a bad one is explained and changes nothing',
  async (t) => {
  const daemon = await start(t, { models: two() });
  const page = await open(t, daemon, {
    hash: 'settings',
    allow: { refusals: true },
  });
  const field = page.getByLabel('Default idle TTL (minutes)');
  await field.fill('many');
  await page.keyboard.press('Enter');
  await says(page.locator('#default_ttl-status'), /Enter minutes/);
  await field.fill('99999999');
  await page.keyboard.press('Enter');
  await says(page.locator('#default_ttl-status'), /default_ttl/);
  assert.equal((await daemon.get('/api/v1/settings')).body.default_ttl, 3600);
  await field.fill('2');
  await page.keyboard.press('Enter');
  await says(page.locator('#default_ttl-status'), /Saved/);
  await daemon.chat('one');
  assert.equal((await daemon.instance('one')).ttl, 120);
  await page.getByLabel('Auto unload unused JIT models').uncheck();
  await says(page.locator('#default_ttl-status'), /Saved/);
  await daemon.chat('two');
  assert.equal((await daemon.instance('two')).ttl, null);
});

test('a memory limit holds', async (t) => {
  const daemon = await start(t, { models: two() });
  const page = await open(t, daemon, { hash: 'settings' });
  await page.getByLabel('Limit the memory of all models').check();
  await page.getByLabel('Limit (GB)').fill('0.001');
  await page.keyboard.press('Enter');
  await until(page, () =>
    document.querySelector('.legend').textContent.includes('model limit 1.00'),
  );
  assert.equal((await daemon.chat('one')).status, 507);
});

test('CORS opens the server to other pages', async (t) => {
  const daemon = await start(t, { models: two() });
  const page = await open(t, daemon, { hash: 'settings' });
  const ask = () =>
    daemon.get('/v1/models', {
      headers: { origin: 'http://elsewhere.example' },
    });
  assert.equal((await ask()).status, 403);
  await page.getByLabel(/CORS/).check();
  await says(page.locator('#cors-status'), /Saved/);
  assert.equal((await ask()).status, 200);
});

test('what is changed elsewhere shows here: two pages agree', async (t) => {
  const daemon = await start(t, { models: two() });
  const [a, b] = [
    await open(t, daemon, { hash: 'settings' }),
    await open(t, daemon, { hash: 'settings' }),
  ];
  await a.getByLabel('Just-in-time model loading').uncheck();
  await until(b, () => !document.querySelector('[aria-describedby^="jit-hint"]').checked);
  await daemon.settings({ default_ttl: 300 });
  for (const page of [a, b]) {
    await until(page, () => document.querySelector('#default_ttl').value === '5');
  }
});
