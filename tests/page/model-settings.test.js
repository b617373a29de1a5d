/* SPDX-License-Identifier: MIT */
// How models are loaded: all of them, one of them, this time.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { spoken } from '../e2e/lib/models.js';
import { card, closeBrowser, gone, open, row, says, start } from './lib/browser.js';

after(closeBrowser);

const dialog = (page) => page.locator('dialog[open]');
const field = (page, label) => dialog(page).getByLabel(label, { exact: true });
const openSettings = async (page, key) => {
  await row(page, key)
    .getByRole('button', { name: `Settings of ${key}…` })
    .click();
  await dialog(page).waitFor();
};
const kept = async (daemon) => (await daemon.get('/api/v1/settings')).body;

test('the settings of a model apply to its next load, until they are reset', async (t) => {
  const daemon = await start(t, { models: { one: spoken('One.'), two: spoken('Two.') } });
  const page = await open(t, daemon);
  await openSettings(page, 'one');
  await dialog(page)
    .getByLabel(/^after/)
    .check();
  await field(page, 'Idle minutes (ttl)').fill('5');
  await field(page, 'Context length (tokens)').fill('512');
  await dialog(page).getByText('More load settings').click();
  await field(page, 'Type of cached keys').selectOption('q8_0');
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  await gone(dialog(page));
  await says(row(page, 'one'), /own settings/);
  assert.deepEqual((await kept(daemon)).models, {
    one: { context_length: 512, kv_type_k: 'q8_0', ttl: 300 },
  });
  await daemon.chat('one');
  const { ttl, config } = await daemon.instance('one');
  assert.deepEqual([ttl, config.context_length], [300, 512]);

  await openSettings(page, 'one');
  assert.equal(await field(page, 'Context length (tokens)').inputValue(), '512');
  await says(dialog(page), /It is loaded now/);
  await dialog(page).getByRole('button', { name: 'Reset all' }).click();
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  await gone(dialog(page));
  assert.deepEqual((await kept(daemon)).models, {});
});

test('a wrong field of a model is explained and shown, and nothing is saved', async (t) => {
  const daemon = await start(t, { models: { one: spoken('One.') } });
  const page = await open(t, daemon, { allow: { refusals: true } });
  await openSettings(page, 'one');
  await dialog(page).getByText('More load settings').click();
  await field(page, 'CPU threads').fill('none');
  await dialog(page).getByText('More load settings').click();
  await page.keyboard.press('Tab');
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  await says(dialog(page).locator('#own-threads-error'), /whole number from 1 to 1,024/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'own-threads');
  assert.deepEqual((await kept(daemon)).models, {});
  await page.keyboard.press('Escape');
  await gone(dialog(page));
});

test('defaults for all models show where a model has none of its own', async (t) => {
  const daemon = await start(t, { models: { one: spoken('One.') } });
  const page = await open(t, daemon, { hash: 'settings' });
  const form = page.locator('form', { has: page.locator('#load-status') });
  await form.getByLabel('Context length (tokens)').fill('1024');
  await form.getByLabel('Parallel requests').fill('2');
  await form.getByRole('button', { name: 'Save' }).click();
  await says(page.locator('#load-status'), /Saved/);
  assert.deepEqual((await kept(daemon)).load, { context_length: 1024, parallel: 2 });
  await form.getByLabel('Parallel requests').fill('');
  await page.keyboard.press('Enter');
  await says(form, /Saved/);
  await form.getByRole('button', { name: 'Discard' }).waitFor({ state: 'detached' });
  assert.deepEqual((await kept(daemon)).load, { context_length: 1024 });

  await page.goto(`${daemon.url}/#models`);
  await openSettings(page, 'one');
  const context = field(page, 'Context length (tokens)');
  assert.equal(await context.getAttribute('placeholder'), '1024');
  assert.equal(await field(page, 'Parallel requests').getAttribute('placeholder'), 'automatic');
});

test('a load can have settings of its own', async (t) => {
  const daemon = await start(t, {
    models: { one: spoken('One.') },
    settings: { models: { one: { context_length: 512, ttl: 1200 } } },
  });
  const page = await open(t, daemon);
  await row(page, 'one').getByRole('button', { name: 'Load one…' }).click();
  await says(dialog(page).locator('.estimate'), /Needs about/);
  assert.equal(await field(page, 'Idle minutes (ttl)').inputValue(), '20');
  assert.equal(await field(page, 'Context length (tokens)').getAttribute('placeholder'), '512');
  await dialog(page).getByText('More load settings').click();
  await field(page, 'Flash attention').selectOption('Off');
  await field(page, 'Batch size (tokens)').fill('64');
  await dialog(page).getByRole('button', { name: 'Load', exact: true }).click();
  await card(page, 'one').waitFor();
  const { config, ttl } = await daemon.instance('one');
  assert.equal(ttl, 1200);
  assert.deepEqual(
    [config.context_length, config.eval_batch_size, config.flash_attention],
    [512, 64, false],
  );
});
