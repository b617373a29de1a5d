/* SPDX-License-Identifier: MIT */
// Chat, log, timeline.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { endless, spoken, thinker } from '../e2e/lib/models.js';
import { card, closeBrowser, open, says, start, until } from './lib/browser.js';

after(closeBrowser);

test('a chat streams, tells its figures and sets the ttl; the curl command does the same', async (t) => {
  const daemon = await start(t, {
    models: { hello: spoken("It's a fine day.") },
  });
  const page = await open(t, daemon, { hash: 'try' });
  await page.getByLabel('ttl, in idle minutes').fill('5');
  await page.getByLabel('Message').fill("What's up?");
  await page.keyboard.press('Enter');
  await says(page.locator('.turns'), /It's a fine day\./);
  await says(
    page.locator('.figures'),
    /first token after [\d.]+ s · [\d.]+ tokens\/s · \d+ tokens · prompt \d+ tokens, \d+ cached/,
  );
  assert.equal((await daemon.instance('hello')).ttl, 300);
  await page.getByText('The same with curl').click();
  const command = await page.locator('.curl pre').textContent();
  const { stdout } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  assert.match(stdout, /data: .*"delta"/);
  await page.getByRole('button', { name: 'Copy the curl command' }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), command);
});

test('a chat can be stopped; thinking is kept apart', async (t) => {
  const daemon = await start(t, {
    models: { talker: endless('1M'), thinker: thinker() },
  });
  const page = await open(t, daemon, { hash: 'try' });
  await page.getByLabel('Model').selectOption('talker');
  await page.getByLabel('Message').fill('Go on.');
  await page.keyboard.press('Enter');
  await says(page.locator('.turns'), /tick tock/);
  await page.getByRole('button', { name: 'Stop' }).click();
  await says(page.locator('.figures'), /stopped by you/);
  await page.getByRole('button', { name: 'New chat' }).click();
  await page.getByLabel('Model').selectOption('thinker');
  await page.getByLabel('Message').fill('Two and two?');
  await page.keyboard.press('Enter');
  await says(page.locator('.turns'), /What it thought.*Two and two make four.*The answer is 4/);
});

test('an error of the server is shown in the chat', async (t) => {
  const daemon = await start(t, {
    models: { hello: spoken('Hello.') },
    settings: { jit: false },
  });
  const page = await open(t, daemon, {
    hash: 'try',
    allow: { refusals: true },
  });
  await page.getByLabel('Message').fill('Hi');
  await page.keyboard.press('Enter');
  await says(page.locator('.turns .wrong'), /not loaded/);
});

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
  await says(list, /Hello\?/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await daemon.chat('two');
  await says(page.getByRole('button', { name: /^Go on/ }), /\d+ new/);
  assert.doesNotMatch(await list.textContent(), /Two speaks/);
  await page.getByRole('button', { name: /^Go on/ }).click();
  await says(list, /Two speaks/);
  await page.locator('.log select').nth(1).selectOption('two');
  await until(page, () => !document.querySelector('.lines').textContent.includes('One speaks'));
  await page.locator('.log select').nth(0).selectOption('error');
  await says(page.locator('section.log'), /Nothing yet that passes these filters/);
});

test('the timeline tells why each model left', async (t) => {
  const daemon = await start(t, {
    models: { one: spoken('One.'), two: spoken('Two.') },
  });
  await daemon.chat('one');
  await daemon.chat('two');
  await daemon.unload('two');
  const page = await open(t, daemon, { hash: 'timeline' });
  const table = page.locator('table.lives');
  await says(table, /two.*unloaded by hand.*one.*made room for two/);
  await page.getByRole('button', { name: '10 minutes' }).click();
  await says(table, /made room for two/);
  await daemon.chat('one');
  await says(table, /is loaded/);
  // Zoomed to a part long ago, nothing is left of it.
  await page.getByRole('button', { name: 'Earlier' }).click();
  await page.getByRole('button', { name: 'Earlier' }).click();
  await page.getByRole('button', { name: 'Earlier' }).click();
  await says(page.locator('section.timeline'), /No model was loaded in this time/);
});

test('the timeline remembers across a restart', async (t) => {
  const daemon = await start(t, { models: { one: spoken('One.') } });
  await daemon.chat('one');
  await daemon.stop();
  await daemon.launch();
  const page = await open(t, daemon, { hash: 'timeline' });
  await says(page.locator('table.lives'), /one.*the server was stopped/);
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

test('the card of an instance in another view is the same when one comes back', async (t) => {
  const daemon = await start(t, { models: { one: spoken('One.') } });
  const page = await open(t, daemon);
  await daemon.load('one', { ttl: 600 });
  await card(page, 'one').waitFor();
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('heading', { name: 'Server settings' }).waitFor();
  await page.goBack();
  await says(card(page, 'one').getByRole('timer'), /9:5\d|10:00/);
});
