/* SPDX-License-Identifier: MIT */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { endless, slowToLoad, spoken } from '../e2e/lib/models.js';
import { freeze } from '../e2e/lib/process.js';
import { spareOf } from '../e2e/lib/workers.js';
import { card, closeBrowser, gone, open, row, says, start, until } from './lib/browser.js';

after(closeBrowser);

const dialog = (page) => page.locator('dialog[open]');
const openDialog = async (page, key) => {
  await row(page, key).getByRole('button', { name: /^Load/ }).click();
  await dialog(page).waitFor();
};

// Notes all seconds that the ring shows, however short; it shows a whole minute and more else.
const noteSeconds = (page) =>
  page.evaluate(() => {
    globalThis.seconds = [];
    new MutationObserver(() => {
      const [, left] = /^(\d+) s$/.exec(document.querySelector('.ring span')?.textContent) ?? [];
      if (left) globalThis.seconds.push(Number(left));
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
const isAtSix = () => globalThis.seconds.some((n) => n <= 6);
const jumpedBack = () => globalThis.seconds.some((n, i, all) => n >= all[i - 1] + 2);

test('a model loaded with a ttl from the dialog counts down, jumps back on a request, and leaves',
  async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await open(t, daemon);
  await openDialog(page, 'hello');
  await says(dialog(page).locator('.estimate'), /Needs about [\d.]+ [KMG]B/);
  await noteSeconds(page);
  await page.getByLabel('Idle minutes (ttl)').fill('0.15');
  await page.keyboard.press('Enter');
  await card(page, 'hello').waitFor();
  await gone(dialog(page));
  await until(page, isAtSix);
  await daemon.chat('hello');
  await until(page, jumpedBack);
  await gone(card(page, 'hello'));
  await says(page.locator('.unloads'), /hello: idle ttl expired/);
});

test('the ttl can be changed, and a model pinned and unpinned', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await open(t, daemon);
  await daemon.chat('hello', { ttl: 600 });
  await says(card(page, 'hello'), /loaded by a request/);
  await says(card(page, 'hello').getByRole('timer'), /9:\d\d|10:00/);

  await card(page, 'hello')
    .getByRole('button', { name: /^Change the ttl/ })
    .click();
  const field = card(page, 'hello').getByLabel(/Idle minutes/);
  await field.fill('soon');
  await page.keyboard.press('Enter');
  await says(card(page, 'hello').locator('.wrong'), /Enter minutes/);
  await field.fill('2');
  await page.keyboard.press('Enter');
  await says(card(page, 'hello').getByRole('timer'), /1:\d\d|2:00/);
  assert.equal((await daemon.instance('hello')).ttl, 120);

  await card(page, 'hello').getByRole('button', { name: /^Pin/ }).click();
  await says(card(page, 'hello').getByRole('timer'), /no ttl/);
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
  await says(page.locator('#load-identifier-error'), /already exists/);
  await page.getByLabel('Identifier').fill('yours');
  await page.getByLabel(/^Context length/).fill('0');
  await page.keyboard.press('Enter');
  await says(page.locator('#load-context_length-error'), /from 16 to/);
  await page.getByLabel(/^Context length/).fill('256');
  await page.getByLabel('until I unload it').check();
  await page.getByRole('button', { name: 'Load', exact: true }).click();
  await card(page, 'yours').waitFor();
  const { ttl, config } = await daemon.instance('yours');
  assert.equal(ttl, null);
  assert.equal(config.context_length, 256);
});

test('a load shows how far it is and can be cancelled', async (t) => {
  const daemon = await start(t, { models: { slow: slowToLoad() } });
  const page = await open(t, daemon);
  const goOn = freeze(t, await spareOf(daemon));
  const watch = await daemon.watch();
  const loading = daemon.post('/api/v1/models/load', { model: 'slow' });
  await says(card(page, 'slow').getByRole('timer'), /0%/);
  await page.getByRole('button', { name: 'Cancel loading slow' }).click();
  await watch.reaches('slow', 'unloading');
  goOn();
  await watch.reaches('slow', 'absent');
  assert.equal((await loading).status === 200, false);
  await gone(card(page, 'slow'));
});

test('unloading while it streams ends the answer and the card', async (t) => {
  const daemon = await start(t, { models: { talker: endless('1M') } });
  const page = await open(t, daemon);
  const response = await daemon.stream('talker', { ttl: 600 });
  const text = response.text();
  await says(card(page, 'talker'), /busy: generating/);
  await says(card(page, 'talker'), /[\d.]+ tokens\/s/);
  await says(card(page, 'talker'), /1 running/);
  await card(page, 'talker').getByRole('button', { name: 'Unload talker' }).click();
  assert.match(await text, /model_unloaded/);
  await gone(card(page, 'talker'));
  await says(page.locator('.unloads'), /talker: unloaded manually/);
});

test('an invalid value is explained beside its field, not measured for ever', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await open(t, daemon);
  await openDialog(page, 'hello');
  await says(dialog(page).locator('.estimate'), /\d [KMG]B/);
  await page.getByLabel(/^Context length/).fill('many');
  await says(dialog(page).locator('.estimate'), /once every field is valid/);
  await page.keyboard.press('Tab');
  await says(page.locator('#load-context_length-error'), /whole number from 16 to/);
  await page.getByLabel(/^Context length/).fill('512');
  await says(dialog(page).locator('.estimate'), /\d [KMG]B/);
  assert.equal(await page.locator('#load-context_length-error').textContent(), '');
});

test('the dialog says how its ttl differs from that of `doze load`', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await open(t, daemon);
  await openDialog(page, 'hello');
  await says(dialog(page), /Without --ttl, doze load keeps a model until you unload it/);
  await daemon.settings({ explicit_ttl: 5400 });
  await says(dialog(page), /Without --ttl, doze load unloads a model after 1 h 30 min/);
});

test('cancelling a load that the page began is not an error', async (t) => {
  const daemon = await start(t, { models: { slow: slowToLoad() } });
  const page = await open(t, daemon, { allow: { refusals: true } });
  const goOn = freeze(t, await spareOf(daemon));
  const watch = await daemon.watch();
  await openDialog(page, 'slow');
  await page.getByRole('button', { name: 'Load', exact: true }).click();
  // The dialog may be in front of it until the load has begun.
  await page.getByLabel('Cancel loading slow').evaluate((button) => button.click());
  await watch.reaches('slow', 'unloading');
  goOn();
  await watch.reaches('slow', 'absent');
  await says(page.locator('.notice'), /Loading slow was cancelled/);
  assert.equal(await page.locator('.notice').count(), 1);
  assert.equal(await page.locator('.notice.bad').count(), 0);
});

test('a notice replaces the one before about the same model, and covers no button', async (t) => {
  const models = { one: spoken('One.'), two: spoken('Two.'), three: spoken('Three.') };
  const daemon = await start(t, { models });
  const page = await open(t, daemon, { width: 390, height: 700 });
  await daemon.load('one', { ttl: 600 });
  await card(page, 'one').getByRole('button', { name: /^Pin/ }).click();
  await says(page.locator('.notice'), /one stays/);
  await card(page, 'one')
    .getByRole('button', { name: /^Unpin/ })
    .click();
  await says(page.locator('.notice'), /one can/);
  assert.equal(await page.locator('.notice').count(), 1);

  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  const last = row(page, 'two').getByRole('button', { name: /^Load/ });
  const covered = await last.evaluate((button) => {
    const box = button.getBoundingClientRect();
    const notice = document.querySelector('.notice').getBoundingClientRect();
    return notice.top < box.bottom && notice.bottom > box.top;
  });
  assert.equal(covered, false);
});
