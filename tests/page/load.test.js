/* SPDX-License-Identifier: MIT */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { endless, slowToLoad, spoken } from '../e2e/lib/models.js';
import { card, closeBrowser, gone, open, row, says, start } from './lib/browser.js';

after(closeBrowser);

const dialog = (page) => page.locator('dialog[open]');
const openDialog = async (page, key) => {
  await row(page, key).getByRole('button', { name: /^Load/ }).click();
  await dialog(page).waitFor();
};

test('a model loaded with a ttl from the dialog counts down, jumps back on a request, and leaves', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await open(t, daemon);
  await openDialog(page, 'hello');
  await says(dialog(page).locator('.estimate'), /Takes about [\d.]+ [KMG]B/);
  await page.getByLabel('Idle minutes (ttl)').fill('0.05');
  await page.keyboard.press('Enter');
  await card(page, 'hello').waitFor();
  await gone(dialog(page));
  const ring = card(page, 'hello').getByRole('timer');
  await says(ring, /2 s/);
  await daemon.chat('hello');
  await says(ring, /3 s/);
  await says(ring, /1 s/);
  await gone(card(page, 'hello'));
  await says(page.locator('.departures'), /hello: its idle ttl ran out/);
});

test('the ttl can be changed, and a model pinned and unpinned', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await open(t, daemon);
  await daemon.chat('hello', { ttl: 600 });
  await says(card(page, 'hello'), /loaded by a request/);
  await says(card(page, 'hello').getByRole('timer'), /9:5\d|10:00/);

  await card(page, 'hello')
    .getByRole('button', { name: /^Change the ttl/ })
    .click();
  const field = card(page, 'hello').getByLabel(/Idle minutes/);
  await field.fill('soon');
  await page.keyboard.press('Enter');
  await says(card(page, 'hello').locator('.wrong'), /Give minutes/);
  await field.fill('2');
  await page.keyboard.press('Enter');
  await says(card(page, 'hello').getByRole('timer'), /1:5\d|2:00/);
  assert.equal((await daemon.instance('hello')).ttl, 120);

  await card(page, 'hello').getByRole('button', { name: /^Pin/ }).click();
  await says(card(page, 'hello').getByRole('timer'), /stays/);
  await says(card(page, 'hello'), /pinned/);
  assert.equal((await daemon.instance('hello')).origin, 'explicit');
  await card(page, 'hello')
    .getByRole('button', { name: /^Unpin/ })
    .click();
  await says(card(page, 'hello'), /loaded by a request/);
  assert.equal((await daemon.instance('hello')).ttl, 3600);
});

test('what the server refuses is said beside the field', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await open(t, daemon, { allow: { refusals: true } });
  await daemon.load('hello', { identifier: 'mine' });
  await openDialog(page, 'hello');
  await page.getByLabel('Identifier').fill('mine');
  await page.keyboard.press('Enter');
  await says(page.locator('#load-identifier-wrong'), /in use/);
  await page.getByLabel('Identifier').fill('yours');
  await page.getByLabel(/^Context length/).fill('0');
  await page.keyboard.press('Enter');
  await says(page.locator('#load-context_length-wrong'), /from 1 to/);
  await page.getByLabel(/^Context length/).fill('256');
  await page.getByLabel('Keep it until I unload it').check();
  await page.getByRole('button', { name: 'Load', exact: true }).click();
  await card(page, 'yours').waitFor();
  const { ttl, config } = await daemon.instance('yours');
  assert.equal(ttl, null);
  assert.equal(config.context_length, 256);
});

test('a load shows how far it is and can be cancelled', async (t) => {
  const daemon = await start(t, { models: { slow: slowToLoad() } });
  const page = await open(t, daemon);
  const watch = await daemon.watch();
  await page.evaluate(() => {
    // Presses the button as soon as it is there: the load takes some hundred milliseconds.
    new MutationObserver((_, self) => {
      const button = document.querySelector('[aria-label="Cancel loading slow"]');
      if (button) {
        self.disconnect();
        button.click();
      }
    }).observe(document.body, { childList: true, subtree: true });
  });
  const loading = daemon.post('/api/v1/models/load', { model: 'slow' });
  const left = await watch.reaches('slow', 'absent');
  assert.equal((await loading).status === 200, false);
  assert.ok(left);
  await gone(card(page, 'slow'));
});

test('unloading while it streams ends the answer and the card', async (t) => {
  const daemon = await start(t, { models: { talker: endless('1M') } });
  const page = await open(t, daemon);
  const response = await daemon.stream('talker', { ttl: 600 });
  const text = response.text();
  await says(card(page, 'talker'), /busy: answering/);
  await says(card(page, 'talker'), /[\d.]+ tokens\/s/);
  await says(card(page, 'talker'), /1 running/);
  await card(page, 'talker').getByRole('button', { name: 'Unload talker' }).click();
  assert.match(await text, /model_unloaded/);
  await gone(card(page, 'talker'));
  await says(page.locator('.departures'), /talker: unloaded by hand/);
});
