/* SPDX-License-Identifier: MIT */
// The chat: streaming, stopping, scrolling, and what is sent.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { endless, spoken, thinker } from '../e2e/lib/models.js';
import { closeBrowser, open, says, start, until } from './lib/browser.js';

after(closeBrowser);

async function say(page, text) {
  await page.getByLabel('Message').fill(text);
  await page.keyboard.press('Enter');
}

// The bodies of the chat requests that the page sends from now on.
function sentBodies(page) {
  const bodies = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/chat/completions')) bodies.push(request.postDataJSON());
  });
  return bodies;
}

test('a chat streams, shows its statistics and sets the ttl; the curl command does the same',
  async (t) => {
  const daemon = await start(t, { models: { hello: spoken("It's a fine day.") } });
  const page = await open(t, daemon, { hash: 'try' });
  await page.getByLabel('ttl (idle minutes)').fill('5');
  await say(page, "What's up?");
  await says(page.locator('.turns'), /It's a fine day\./);
  await says(
    page.locator('.stats'),
    /first token after [\d.]+ s · [\d.]+ tokens\/s · \d+ tokens · prompt \d+ tokens \(\d+ cached\)/,
  );
  assert.equal((await daemon.instance('hello')).ttl, 300);
  await page.getByText('Show as a curl command').click();
  const command = await page.locator('.curl pre').textContent();
  const { stdout } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  assert.match(stdout, /data: .*"delta"/);
  await page.getByRole('button', { name: 'Copy the curl command' }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), command);
});

test('a chat can be stopped; reasoning is shown apart', async (t) => {
  const daemon = await start(t, { models: { talker: endless('1M'), thinker: thinker() } });
  const page = await open(t, daemon, { hash: 'try' });
  await page.getByLabel('Model').selectOption('talker');
  await say(page, 'Go on.');
  await says(page.locator('.turns'), /tick tock/);
  await page.getByRole('button', { name: 'Stop' }).click();
  await says(page.locator('.stats'), /stopped/);
  await page.getByRole('button', { name: 'New chat' }).click();
  await page.getByLabel('Model').selectOption('thinker');
  await say(page, 'Two and two?');
  await says(page.locator('.turns'), /Reasoning.*Two and two make four.*The answer is 4/);
});

test('an error of the server is shown in the chat', async (t) => {
  const daemon = await start(t, {
    models: { hello: spoken('Hello.') },
    settings: { jit: false },
  });
  const page = await open(t, daemon, { hash: 'try', allow: { refusals: true } });
  await say(page, 'Hi');
  await says(page.locator('.turns .wrong'), /not loaded/);
});

test('after a failed answer the next request has one user message, not two', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') }, settings: { jit: false } });
  const page = await open(t, daemon, { hash: 'try', allow: { refusals: true } });
  const sent = sentBodies(page);
  await say(page, 'First');
  await says(page.locator('.turns .wrong'), /not loaded/);
  await daemon.load('hello');
  await say(page, 'Second');
  await says(page.locator('.turns'), /Hello\./);
  await say(page, 'Third');
  await says(page.locator('.turns'), /Hello\..*Hello\./);
  assert.deepEqual(
    sent.map((body) => body.messages.map((m) => `${m.role}: ${m.content}`)),
    [['user: First'], ['user: Second'], ['user: Second', 'assistant: Hello.', 'user: Third']],
  );
});

test('Esc stops the answer and the next message can be typed at once', async (t) => {
  const daemon = await start(t, { models: { talker: endless('1M') } });
  const page = await open(t, daemon, { hash: 'try' });
  await say(page, 'Go on.');
  await says(page.locator('.turns'), /tick tock/);
  await page.keyboard.press('Escape');
  await says(page.locator('.stats'), /stopped/);
  await until(page, () => document.activeElement.getAttribute('aria-label') === 'Message');
  await say(page, 'More.');
  await says(page.locator('.turns'), /More\..*tick tock/);
  await page.getByRole('button', { name: 'Stop' }).click();
  await until(page, () => document.activeElement.getAttribute('aria-label') === 'Message');
});

test('a reader who scrolled up stays there while the answer goes on', async (t) => {
  const daemon = await start(t, { models: { talker: endless('1M') } });
  const page = await open(t, daemon, { hash: 'try', width: 600, height: 500 });
  await say(page, 'Go on.');
  const length = () =>
    page.evaluate(() => document.querySelector('.turns').lastElementChild.textContent.length);
  const grows = async (by) => {
    const least = (await length()) + by;
    while ((await length()) < least) await page.evaluate(() => new Promise(requestAnimationFrame));
  };
  const place = () =>
    page.evaluate(() => {
      const box = document.querySelector('.turns').getBoundingClientRect();
      return { top: Math.round(box.top), bottom: Math.round(box.bottom) };
    });
  await grows(4000);
  assert.ok((await place()).bottom < 700, 'the end of the answer is in sight');
  await page.mouse.move(300, 250);
  await page.mouse.wheel(0, -700);
  await until(page, () => document.querySelector('.turns').getBoundingClientRect().bottom > 800);
  const before = await place();
  await grows(2000);
  assert.equal((await place()).top, before.top);
});
