/* SPDX-License-Identifier: MIT */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { random, spoken } from '../e2e/lib/models.js';
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

test('a place for more models that requests load', async (t) => {
  const daemon = await start(t, { models: two() });
  const page = await open(t, daemon, { hash: 'settings' });
  await page.getByLabel('Models to keep').fill('65');
  await page.keyboard.press('Enter');
  await says(page.locator('#jit_limit-status'), /from 1 to 64/);
  await page.getByLabel('Models to keep').fill('2');
  await page.keyboard.press('Enter');
  await says(page.locator('#jit_limit-status'), /Saved/);
  await daemon.chat('one');
  await daemon.chat('two');
  assert.deepEqual((await daemon.instances()).map((i) => i.id).sort(), ['one', 'two']);
});

test('a ttl for models that are loaded by name', async (t) => {
  const daemon = await start(t, { models: two() });
  const page = await open(t, daemon, { hash: 'settings' });
  await page.getByLabel('Auto unload models that you loaded yourself').check();
  await page.getByLabel('Idle time (minutes)').fill('15');
  await page.keyboard.press('Enter');
  await until(page, () => document.querySelector('#explicit_ttl-status').textContent === 'Saved.');
  await daemon.load('one');
  assert.equal((await daemon.instance('one')).ttl, 900);
});

test('saved prompts are listed by model and can be deleted', async (t) => {
  const daemon = await start(t, { models: { r: random('--seed', '11') } });
  const page = await open(t, daemon, { hash: 'settings' });
  await says(page.locator('.settings'), /No prompts are saved on disk/);
  const watch = await daemon.watch();
  const messages = [{ role: 'user', content: 'Tell me something. '.repeat(40) }];
  await daemon.chat('r', { messages, max_tokens: 4 });
  await daemon.unload('r');
  await watch.reaches('r', 'absent');
  const entry = page.locator('[data-prompts="r"]');
  await says(entry, /[\d.]+ [KM]B.*today/);
  await says(page.locator('.summary'), /1 conversation, .* of at most 4\.29 GB/);
  page.on('dialog', (dialog) => dialog.accept());
  await entry.getByRole('button', { name: 'Delete the saved prompts of r' }).click();
  await says(page.locator('.settings'), /No prompts are saved on disk/);
  assert.equal((await daemon.get('/api/v1/prompts')).body.entries, 0);
  await page.getByLabel('Keep nothing').check();
  await says(page.locator('#prompt_store-status'), /Saved/);
  assert.equal((await daemon.get('/api/v1/settings')).body.prompt_store, 'off');
});

test('a client’s name for a model is added, works, and is removed', async (t) => {
  const daemon = await start(t, { models: two() });
  const page = await open(t, daemon, { hash: 'settings' });
  await page.getByText('More server settings').click();
  await page.getByLabel('Name', { exact: true }).fill('gpt-*');
  await page.getByLabel('Model', { exact: true }).selectOption('two');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await says(page.locator('.aliases'), /gpt-\* is two/);
  const answer = await daemon.chat('gpt-9');
  assert.equal(answer.body.choices[0].message.content, 'Two.');
  await page.getByRole('button', { name: 'Remove the name gpt-*' }).click();
  await page.locator('.aliases').waitFor({ state: 'detached' });
  assert.deepEqual((await daemon.get('/api/v1/settings')).body.model_aliases, {});
});

test('settings that few people need can be changed', async (t) => {
  const daemon = await start(t, { models: two() });
  const page = await open(t, daemon, { hash: 'settings' });
  await page.getByText('More server settings').click();
  await page.getByLabel('Use the longest').check();
  await says(page.locator('#ttl_update-status'), /Saved/);
  for (const [label, text, name] of [
    ['Time to finish before a switch (seconds)', '2.5', 'switch_window_ms'],
    ['Requests that may wait for one model', '16', 'max_waiting'],
    ['Largest request (MB)', '32', 'body_limit'],
  ]) {
    await page.getByLabel(label).fill(text);
    await page.keyboard.press('Enter');
    await says(page.locator(`#${name}-status`), /Saved/);
  }
  await page.getByLabel('Keep a worker ready').uncheck();
  await says(page.locator('#standby-status'), /Saved/);
  const { body } = await daemon.get('/api/v1/settings');
  const { ttl_update, switch_window_ms, max_waiting, body_limit, standby } = body;
  assert.deepEqual(
    { ttl_update, switch_window_ms, max_waiting, body_limit, standby },
    {
      ttl_update: 'longest',
      switch_window_ms: 2500,
      max_waiting: 16,
      body_limit: 32e6,
      standby: false,
    },
  );
});
