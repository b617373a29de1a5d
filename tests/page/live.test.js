/* SPDX-License-Identifier: MIT */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, test } from 'node:test';
import { freePort } from '../e2e/lib/etcd.js';
import { broken, embedding, endless, random, spoken } from '../e2e/lib/models.js';
import { card, closeBrowser, gone, open, row, says, start, until } from './lib/browser.js';

after(closeBrowser);

test('a worker that is killed: the page says so', async (t) => {
  const daemon = await start(t, { models: { talker: endless('1M') } });
  const page = await open(t, daemon);
  const response = await daemon.stream('talker');
  const text = response.text();
  await says(card(page, 'talker'), /busy: generating/);
  process.kill((await daemon.instance('talker')).pid, 'SIGKILL');
  await text;
  await gone(card(page, 'talker'));
  await says(page.locator('.unloads'), /talker: worker process died/);
});

test('the server goes and comes back: the page says so and recovers by itself', async (t) => {
  const port = await freePort();
  const daemon = await start(t, { models: { hello: spoken('Hello.') },
    args: ['--port', String(port)] });
  const page = await open(t, daemon, { allow: { offline: true } });
  await daemon.load('hello', { ttl: 600 });
  await says(card(page, 'hello').getByRole('timer'), /9:\d\d|10:00/);
  daemon.kill('SIGKILL');
  await daemon.exited;
  await says(page.locator('.banner'), /Connection lost/);
  assert.ok(await page.getByRole('button', { name: 'Unload hello' }).isDisabled());
  await daemon.launch();
  assert.equal(daemon.port, port);
  await page.waitForSelector('.state.live');
  await gone(card(page, 'hello'));
  await daemon.chat('hello');
  await card(page, 'hello').waitFor();
});

test('a parked worker: shown beside what is loaded, and ended by its button', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') },
    settings: { parked_workers: 'on' },
    env: { MEMORY_PRESSURE_WATCH: '/dev/null' } });
  const page = await open(t, daemon);
  await daemon.chat('hello', { ttl: 0 });
  const parked = page.locator('[data-parked="hello"]');
  await says(parked, /parked\s*hello, [\d.]+ MB/);
  await gone(card(page, 'hello')); // not as loaded
  const bar = page.locator('header .memory').first();
  await says(bar, /parked [\d.]+ MB\s*other programs/);
  assert.match(await bar.getByRole('img').getAttribute('aria-label'), /parked [\d.]+ MB/);
  await parked.getByRole('button', { name: 'End the parked worker of hello' }).click();
  await gone(parked);
  assert.equal(await page.getByRole('list', { name: 'Parked workers' }).count(), 0);
  await gone(bar.getByText('parked'));
});

test('a long answer: the ring waits, the context fills', async (t) => {
  const daemon = await start(t, { models: { talker: endless('1M') } });
  const page = await open(t, daemon);
  const abort = new AbortController();
  const response = await daemon.stream('talker', { ttl: 60 }, { signal: abort.signal });
  await says(card(page, 'talker').getByRole('timer'), /1 min/);
  await says(card(page, 'talker'), /[1-9][\d,]* of [\d,]+ tokens/);
  abort.abort();
  await response.text().catch(() => {});
  await says(card(page, 'talker').getByRole('timer'), /^5\d s/);
});

test('files that come and go are seen; a broken one is listed with its reason', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await open(t, daemon);
  await row(page, 'hello').waitFor();
  daemon.addModel('torn', broken('truncated'));
  await says(row(page, 'torn'), /Broken: .+/);
  const buttons = await row(page, 'torn').getByRole('button').allTextContents();
  assert.deepEqual(buttons, ['Delete…']);
  fs.rmSync(`${daemon.modelsDir}/test/hello`, { recursive: true });
  await gone(row(page, 'hello'));
});

test('no model at all, and two hundred', async (t) => {
  const daemon = await start(t);
  const page = await open(t, daemon);
  await says(page.locator('main .empty'), new RegExp(`into ${daemon.modelsDir}[;,.]`));
  await says(page.locator('main .empty'), /^No model is loaded\.$/); // there is none below
  assert.equal(await page.getByLabel('Search models').count(), 0);
  const file = random();
  for (let n = 0; n < 200; n++) {
    // copies: links to one file are one model
    fs.copyFileSync(file, `${daemon.modelsDir}/model-${String(n).padStart(3, '0')}.gguf`);
  }
  await until(page, () => document.querySelectorAll('[data-model]').length === 200);
  await page.getByLabel('Search models').fill('model-19');
  await until(page, () => document.querySelectorAll('[data-model]').length === 10);
  await page.getByRole('button', { name: /^Model/ }).click(); // descending
  await until(page, () => document.querySelector('[data-model]').dataset.model === 'model-199');
});

test('nothing is asked again and again: an idle page makes no requests', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await open(t, daemon);
  await daemon.load('hello', { ttl: 600 });
  await card(page, 'hello').waitFor();
  const asked = [];
  page.on('request', (r) => asked.push(r.url()));
  await daemon.patch('/api/v1/instances/hello', { ttl: 2 });
  await gone(card(page, 'hello')); // two seconds of counting down, and the end
  assert.deepEqual(asked, []);
});

test('with an API key, the page asks for it and keeps it to itself', async (t) => {
  const daemon = await start(t, {
    models: { hello: spoken('Hello.') },
    settings: { api_key: 'sesame' },
  });
  const page = await open(t, daemon, {
    wait: 'dialog[open]',
    allow: { refusals: true },
  });
  await page.locator('#key').fill('wrong');
  await page.keyboard.press('Enter');
  await says(page.locator('dialog[open]'), /Incorrect key/);
  const [label, field] = await Promise.all(
    ['label[for=key]', '#key'].map((name) => page.locator(name).boundingBox()),
  );
  assert.ok(label.y + label.height <= field.y, 'the label is over its field');
  await page.locator('#key').fill('sesame');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.state.live');
  await row(page, 'hello').waitFor();
  const kept = await page.evaluate(() =>
    JSON.stringify([localStorage, sessionStorage, document.cookie]),
  );
  assert.doesNotMatch(kept, /sesame/);
});

test('language and embedding models evict one another: the page suggests per_type', async (t) => {
  const daemon = await start(t, { models: { talks: spoken('Hello.'), vectors: embedding() } });
  const page = await open(t, daemon);
  for (let i = 0; i < 4; i++) {
    await daemon.chat('talks');
    await daemon.post('/v1/embeddings', { model: 'vectors', input: 'one' });
  }
  await says(page.locator('.advice'), /per_type/);
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await gone(page.locator('.advice'));
});
