/* SPDX-License-Identifier: MIT */
// Where things are on the screen: nothing jumps, overlaps or is clipped.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { spoken } from '../e2e/lib/models.js';
import { card, closeBrowser, open, row, says, start } from './lib/browser.js';

after(closeBrowser);

const top = (page, selector) =>
  page.locator(selector).evaluate((el) => Math.round(el.getBoundingClientRect().top));

test('losing the server does not move the header', async (t) => {
  const daemon = await start(t);
  const page = await open(t, daemon, { allow: { offline: true } });
  const before = [await top(page, 'header .state'), await top(page, 'header .memory')];
  daemon.kill('SIGKILL');
  await daemon.exited;
  await page.locator('[role="alert"]').waitFor();
  assert.deepEqual([await top(page, 'header .state'), await top(page, 'header .memory')], before);
});

test('a click on the tab that is open already does not scroll', async (t) => {
  const models = Object.fromEntries(
    ['one', 'two', 'three'].map((name) => [name, spoken(`I am ${name}.`)]),
  );
  const daemon = await start(t, { models });
  for (const name of Object.keys(models)) await daemon.load(name);
  const page = await open(t, daemon, { width: 390, height: 500 });
  await card(page, 'three').waitFor();
  await row(page, 'three').waitFor();
  for (const tab of ['Models', 'Settings', 'Settings', 'Models', 'Models']) {
    await page.getByRole('link', { name: tab, exact: true }).click();
    await page.locator('main h2').first().waitFor();
    assert.equal(await page.evaluate(() => scrollY), 0, tab);
  }
});

for (const width of [320, 390]) {
  test(`every tab and every legend fits at ${width} pixels`, async (t) => {
    const daemon = await start(t);
    const page = await open(t, daemon, { hash: 'settings', width, height: 800 });
    await page.locator('legend').first().waitFor();
    const clipped = await page.evaluate(() => {
      const bounds = document.querySelector('nav').getBoundingClientRect();
      return [...document.querySelectorAll('nav a')]
        .filter((a) => {
          const range = document.createRange();
          range.selectNodeContents(a);
          const text = range.getBoundingClientRect();
          return text.left < bounds.left || text.right > bounds.right;
        })
        .map((a) => a.textContent);
    });
    assert.deepEqual(clipped, [], 'tabs');
    const broken = await page.evaluate(() =>
      [...document.querySelectorAll('legend')]
        .filter((legend) => {
          const line = parseFloat(getComputedStyle(legend).lineHeight);
          const box = legend.getBoundingClientRect();
          const border = legend.parentElement.getBoundingClientRect();
          // A second line would lie on the fieldset's border.
          return box.height > 1.5 * line && box.top < border.top + 1;
        })
        .map((legend) => legend.textContent),
    );
    assert.deepEqual(broken, [], 'legends');
  });
}

// Pixels by which the ring around a focused field covers the words of its label.
function ringOverlaps() {
  const overlaps = [];
  for (const field of document.querySelectorAll('main :is(input, select), dialog[open] input')) {
    if (field.disabled || !field.labels?.length) continue;
    field.focus({ focusVisible: true, preventScroll: true });
    const style = getComputedStyle(field);
    const reach = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
    const ring = field.getBoundingClientRect();
    const words = document.createTreeWalker(field.labels[0], NodeFilter.SHOW_TEXT);
    for (let node = words.nextNode(); node; node = words.nextNode()) {
      if (field.contains(node) || !node.textContent.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const word of range.getClientRects()) {
        const x = Math.min(ring.right + reach, word.right) - Math.max(ring.left - reach, word.left);
        const y = Math.min(ring.bottom + reach, word.bottom) - Math.max(ring.top - reach, word.top);
        if (x > 0.5 && y > 0.5) overlaps.push(`${node.textContent}: ${x} × ${y}`);
      }
    }
  }
  return overlaps;
}

for (const width of [390, 1280]) {
  test(`no focus ring covers a label at ${width} pixels`, async (t) => {
    const daemon = await start(t, { models: { hello: spoken('Hello.') } });
    const page = await open(t, daemon, { hash: 'settings', width });
    await page.locator('#default_ttl').waitFor();
    assert.deepEqual(await page.evaluate(ringOverlaps), [], 'settings');
    for (const view of ['chat', 'log']) {
      await page.goto(`${daemon.url}/#${view}`);
      await page.waitForSelector(`main[data-view="${view}"] select`);
      assert.deepEqual(await page.evaluate(ringOverlaps), [], view);
    }
    await page.goto(`${daemon.url}/#models`);
    await row(page, 'hello').getByRole('button', { name: /^Load/ }).click();
    await says(page.locator('dialog[open] .estimate'), /\d/);
    assert.deepEqual(await page.evaluate(ringOverlaps), [], 'load dialog');
  });
}

for (const width of [410, 1200, 1280]) {
  test(`the buttons of a card stand in one line at ${width} pixels`, async (t) => {
    const daemon = await start(t, { models: { pinned: spoken('Pinned.'), other: spoken('No.') } });
    await daemon.load('pinned');
    await daemon.load('other', { ttl: 600 });
    const page = await open(t, daemon, { width });
    for (const id of ['pinned', 'other']) {
      const buttons = card(page, id).locator('.row button');
      await says(buttons.first(), /Chat/);
      const tops = await buttons.evaluateAll((all) => all.map((b) => b.offsetTop));
      assert.deepEqual(new Set(tops).size, 1, `${id}: ${tops}`);
    }
  });
}
