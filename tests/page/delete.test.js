/* SPDX-License-Identifier: MIT */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, test } from 'node:test';
import { broken, spoken } from '../e2e/lib/models.js';
import { card, closeBrowser, gone, open, row, says, start, until } from './lib/browser.js';

after(closeBrowser);

const dialog = (page) => page.locator('dialog[open]');
const ask = async (page, key) => {
  await row(page, key)
    .getByRole('button', { name: `Delete ${key}…` })
    .click();
  await says(dialog(page), /1 file, .*\.gguf/);
};
const button = (page, name) => dialog(page).getByRole('button', { name, exact: true });

test('a model is deleted after its files were named, not when that is cancelled', async (t) => {
  const daemon = await start(t, { models: { one: spoken('One.'), two: spoken('Two.') } });
  const page = await open(t, daemon);
  await ask(page, 'one');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Cancel');
  await page.keyboard.press('Enter');
  await gone(dialog(page));
  assert.ok(fs.existsSync(`${daemon.modelsDir}/test/one/one.gguf`));

  await ask(page, 'one');
  await button(page, 'Delete').click();
  await gone(row(page, 'one'));
  await says(page.locator('.notice'), /one was deleted/);
  assert.ok(!fs.existsSync(`${daemon.modelsDir}/test/one/one.gguf`));
  await row(page, 'two').waitFor();
  await until(page, () => document.activeElement.id === 'models-title');
});

test('a loaded model is unloaded first, and the question says so', async (t) => {
  const daemon = await start(t, { models: { one: spoken('One.') } });
  const page = await open(t, daemon);
  await daemon.load('one');
  await card(page, 'one').waitFor();
  await ask(page, 'one');
  await says(dialog(page), /It is loaded \(one\) and will be unloaded first/);
  await button(page, 'Delete').click();
  await gone(card(page, 'one'));
  await gone(row(page, 'one'));
});

test('a model that was loaded after the question is not deleted', async (t) => {
  const daemon = await start(t, { models: { one: spoken('One.') } });
  const page = await open(t, daemon, { allow: { refusals: true } });
  await ask(page, 'one');
  await daemon.load('one');
  await button(page, 'Delete').click();
  await says(dialog(page).locator('.wrong'), /loaded/);
  assert.ok(fs.existsSync(`${daemon.modelsDir}/test/one/one.gguf`));
});

test('a broken file can be deleted', async (t) => {
  const daemon = await start(t, { models: { torn: broken('truncated') } });
  const page = await open(t, daemon);
  await ask(page, 'torn');
  await button(page, 'Delete').click();
  await gone(row(page, 'torn'));
  await says(page.locator('main'), /No models found/);
});
