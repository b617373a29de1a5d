/* SPDX-License-Identifier: MIT */
// Finding models on a hub and downloading them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, test } from 'node:test';
import { Hub } from '../e2e/lib/hub.js';
import { spoken } from '../e2e/lib/models.js';
import { closeBrowser, gone, open, row, says, start, until } from './lib/browser.js';

after(closeBrowser);

const REPO = 'people/Speaker-GGUF';
const repos = () => ({
  [REPO]: { 'speaker-q4_k_m.gguf': spoken('Hello there.'), 'speaker-q8_0.gguf': spoken('Hello.') },
  'people/Other-GGUF': { 'other-q4_k_m.gguf': spoken('Other.') },
});

async function discover(t, options = {}) {
  const hub = await Hub.start(t, repos());
  const daemon = await start(t, { env: { ...hub.env, HF_HUB_OFFLINE: '', HF_TOKEN: '' } });
  const page = await open(t, daemon, { hash: 'discover', ...options });
  await page.getByRole('heading', { name: 'Discover models' }).waitFor();
  return { hub, daemon, page };
}

const offer = (page, repo = REPO) => page.locator(`[data-offer="${repo}"]`);
const job = (page) => page.locator(`[data-download="${REPO}"]`);
const press = (where, name) => where.getByRole('button', { name }).click();
const searchFor = async (page, text) => {
  await page.getByLabel('Search for models').fill(text);
  await page.keyboard.press('Enter');
};

test('a search shows sizes and what fits; a download ends with a model to load', async (t) => {
  const { page } = await discover(t);
  await says(page.locator('.found'), /downloaded most/);
  await offer(page, 'people/Other-GGUF').waitFor();
  await searchFor(page, 'speaker');
  await says(page.locator('.found'), /1 found for “speaker”/);
  await says(offer(page), /1,000 downloads.*Q4_K_M.*[KM]B.*fits/);
  await press(offer(page), `Download ${REPO}`);
  await says(job(page), /Downloaded · .*[KM]B/);
  await says(page.locator('.notice'), /is downloaded/);
  await says(offer(page), /on disk/);
  await press(job(page), /^Load/);
  await says(page.locator('dialog[open] .estimate'), /Needs about/);
  await page.keyboard.press('Escape');
  await press(job(page), /^Clear/);
  await gone(job(page));
  await page.getByRole('link', { name: 'Models', exact: true }).first().click();
  await row(page, 'speaker').waitFor();
});

test('another quantization has its own size and is what is downloaded', async (t) => {
  const { daemon, page } = await discover(t);
  await offer(page).waitFor();
  await page.getByLabel(`Quantization of ${REPO}`).selectOption('Q8_0');
  await says(offer(page), /[\d.]+ [KM]B.*fits/);
  await press(offer(page), `Download ${REPO}`);
  await says(job(page), /Q8_0.*Downloaded/);
  assert.deepEqual(fs.readdirSync(`${daemon.modelsDir}/${REPO}`), ['speaker-q8_0.gguf']);
});

test('a download shows how far it is, is paused, resumed and removed', async (t) => {
  const { hub, daemon, page } = await discover(t);
  hub.always = { bytesPerSecond: 30_000 };
  await offer(page).waitFor();
  await press(offer(page), `Download ${REPO}`);
  await says(job(page), /[\d.]+ [KM]B of [\d.]+ MB · [\d.]+ KB\/s/);
  assert.ok(await job(page).locator('progress').isVisible());
  await press(job(page), /^Pause/);
  await says(job(page), /Paused ·/);
  await press(job(page), /^Resume/);
  await job(page)
    .getByRole('button', { name: /^Pause/ })
    .waitFor();
  page.on('dialog', (dialog) => dialog.accept());
  await press(job(page), /^Remove/);
  await gone(job(page));
  assert.deepEqual((await daemon.get('/api/v1/downloads')).body.downloads, []);
  await until(page, () => document.activeElement.id === 'downloads-title');
});

test('a full name needs no search; what cannot be had is explained', async (t) => {
  const { hub, page } = await discover(t, { allow: { refusals: true } });
  await searchFor(page, `${REPO}@q8_0`);
  await says(offer(page), /Q8_0.*fits/);
  await searchFor(page, 'nobody/nothing');
  await says(page.locator('.discover [role="alert"]'), /nobody\/nothing/);
  hub.gated.add(REPO);
  await searchFor(page, 'speaker');
  await press(offer(page), `Download ${REPO}`);
  await says(page.locator('.discover'), /gated|licen[cs]e|token/i);
});

test('what others download shows here too', async (t) => {
  const { daemon, page } = await discover(t);
  await offer(page).waitFor();
  await daemon.post('/api/v1/models/download', { model: REPO });
  await says(job(page), /Downloaded ·/);
});
