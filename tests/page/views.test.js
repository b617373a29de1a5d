/* SPDX-License-Identifier: MIT */
// Log and timeline.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ask } from '../e2e/lib/ask.js';
import { spoken } from '../e2e/lib/models.js';
import { card, closeBrowser, open, says, start, until } from './lib/browser.js';

after(closeBrowser);

test('the log follows, filters, pauses, and shows prompts and answers when asked', async (t) => {
  const daemon = await start(t, {
    models: { one: spoken('One speaks.'), two: spoken('Two speaks.') },
  });
  const page = await open(t, daemon, { hash: 'log' });
  const list = page.getByRole('log');
  await says(list, /is listening on/); // from before the page was open
  await daemon.chat('one');
  await says(list, /one: absent -> loading/);
  const follows = page.waitForResponse(/\/api\/v1\/log\?filter=input/);
  await page.getByLabel('Prompts and answers').check();
  await follows;
  await daemon.chat('one');
  await says(list, /one: One speaks\./);
  // The lines from before are sent again with the new stream, but shown once.
  assert.equal((await list.textContent()).split('is listening on').length, 2);
  await says(list, /Hello\?/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await daemon.chat('two');
  await says(page.getByRole('button', { name: /^Resume/ }), /\d+ new/);
  assert.doesNotMatch(await list.textContent(), /Two speaks/);
  await page.getByRole('button', { name: /^Resume/ }).click();
  await says(list, /Two speaks/);
  await page.locator('.log select').nth(1).selectOption('two');
  await until(page, () => !document.querySelector('.lines').textContent.includes('One speaks'));
  await page.locator('.log select').nth(0).selectOption('error');
  await says(page.locator('section.log'), /No line matches/);
});

test('the timeline tells why each model left', async (t) => {
  const daemon = await start(t, {
    models: { one: spoken('One.'), two: spoken('Two.') },
  });
  await daemon.chat('one');
  await daemon.chat('two');
  await daemon.unload('two');
  const page = await open(t, daemon, { hash: 'timeline' });
  const table = page.locator('table.lifetimes');
  await says(table, /two.*unloaded manually.*one.*evicted to load two/);
  const title = page.getByRole('heading', { level: 2 });
  assert.equal(await title.textContent(), 'Last 24 hours');
  await page.getByRole('button', { name: '10 minutes' }).click();
  await says(title, /^Last 10 minutes$/);
  await says(table, /evicted to load two/);
  await daemon.chat('one');
  await says(table, /still loaded/);
  // Zoomed to a part long ago, nothing is left of it.
  await page.getByRole('button', { name: 'Earlier' }).click();
  await page.getByRole('button', { name: 'Earlier' }).click();
  await page.getByRole('button', { name: 'Earlier' }).click();
  await says(title, /^(today|yesterday) \d\d:\d\d – (today )?\d\d:\d\d$/);
  await says(page.locator('section.timeline'), /No model was loaded in this period/);
});

test('the timeline remembers across a restart', async (t) => {
  const daemon = await start(t, { models: { one: spoken('One.') } });
  await daemon.chat('one');
  await daemon.stop();
  await daemon.launch();
  const page = await open(t, daemon, { hash: 'timeline' });
  await says(page.locator('table.lifetimes'), /one.*server stopped/);
});

test('dragging in the chart zooms in, pointing at it reads it', async (t) => {
  const daemon = await start(t, { models: { one: spoken('One.') } });
  await daemon.chat('one');
  const page = await open(t, daemon, { hash: 'timeline' });
  await page.getByRole('button', { name: '10 minutes' }).click();
  const box = await page.locator('.chart .u-over').first().boundingBox();
  const y = box.y + 12;
  await page.mouse.move(box.x + box.width - 1, y);
  await says(page.locator('.reading'), /one, loaded by a request/);
  await page.mouse.move(box.x + box.width * 0.5, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, y, { steps: 4 });
  await page.mouse.up();
  await until(page, () => document.querySelector('.timeline [aria-pressed="true"]') === null);
});

test('the timeline has the memory of parked workers, and follows their end', async (t) => {
  const daemon = await start(t, {
    models: { one: spoken('One.') },
    settings: { parked_workers: 'on' },
    env: { MEMORY_PRESSURE_WATCH: '/dev/null' },
  });
  const watch = await daemon.watch();
  await daemon.chat('one', { ttl: 0 });
  await watch.reaches('one', 'absent');
  const page = await open(t, daemon, { hash: 'timeline' });
  await page.getByRole('button', { name: '10 minutes' }).click();
  await says(page.locator('table.lifetimes'), /one.*ttl/);
  const box = await page.locator('.chart .u-over').nth(1).boundingBox();
  const point = (x) => page.mouse.move(box.x + box.width - x, box.y + 12);
  const reading = page.locator('.reading');
  await point(1);
  await says(reading, /models 0 B, parked [\d.]+ MB, in use/);
  const fetched = page.waitForResponse(/\/api\/v1\/history/);
  await daemon.unload('one');
  await fetched;
  await ask(
    async () => {
      await point(2);
      await point(1);
      return reading.textContent();
    },
    (text) => /models 0 B, in use/.test(text),
  );
});

test('the card of an instance in another view is the same when one comes back', async (t) => {
  const daemon = await start(t, { models: { one: spoken('One.') } });
  const page = await open(t, daemon);
  await daemon.load('one', { ttl: 600 });
  await card(page, 'one').waitFor();
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('heading', { name: 'Server settings' }).waitFor();
  await page.goBack();
  await says(card(page, 'one').getByRole('timer'), /9:\d\d|10:00/);
});
