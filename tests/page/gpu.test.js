/* SPDX-License-Identifier: MIT */
// The graphics card on the page, which is Mesa's llvmpipe (docs/gpu.md).
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { env, skip } from '../e2e/lib/llvmpipe.js';
import { random } from '../e2e/lib/models.js';
import { card, closeBrowser, gone, open, row, says, start } from './lib/browser.js';

after(closeBrowser);

const large = ['--layers', '8', '--embd', '512', '--heads', '8', '--kv-heads', '8', '--ff', '512'];
const settings = { load: { reproducible: true, context_length: 4096 } };
const numberIn = async (locator, pattern) => {
  await says(locator, pattern);
  return Number(pattern.exec(await locator.textContent())[1]);
};

test(
  'a load says what it takes of the card, and the card is free again after it',
  { skip },
  async (t) => {
    const daemon = await start(t, { models: { large: random(...large) }, settings, env });
    const page = await open(t, daemon);
    const bar = page.locator('.memory.device');
    const before = await numberIn(bar, /llvmpipe.*free ([\d.]+) GB of [\d.]+ GB/);
    const dialog = page.locator('dialog[open]');
    const choose = async (share) => {
      await row(page, 'large').getByRole('button', { name: /^Load/ }).click();
      await dialog.getByLabel('Share on the graphics card').selectOption(share);
    };

    await choose('off');
    await says(dialog.locator('.estimate'), /Nothing of it is on the graphics card/);
    await dialog.getByLabel('Share on the graphics card').selectOption('max');
    const estimate = dialog.locator('.estimate');
    await says(estimate, /MB of it on llvmpipe.*GB free there now, [\d.]+ GB after it/);
    const expected = await numberIn(estimate, /([\d.]+) MB of it on/);
    await dialog.getByRole('button', { name: 'Load', exact: true }).click();
    await says(card(page, 'large'), /llvmpipe.*: 9 layers, [\d.]+ MB/);
    const whole = (await daemon.instance('large')).device_memory_bytes;
    // The estimate counts a context that is full; it grows until it is.
    assert.ok(whole > 30e6 && whole / 1e6 < expected, `${whole}, ${expected}`);
    await says(bar, /large [\d.]+ MB/);
    assert.ok((await numberIn(bar, /free ([\d.]+) GB/)) < before);

    await card(page, 'large')
      .getByRole('button', { name: /^Unload/ })
      .click();
    await gone(card(page, 'large'));
    await says(bar, new RegExp(`free ${before.toFixed(2)} GB`));

    await choose('0.5');
    await dialog.getByRole('button', { name: 'Load', exact: true }).click();
    await says(card(page, 'large'), /: 4 layers,/);
    assert.ok((await daemon.instance('large')).device_memory_bytes < whole);
  },
);

test('without a card the page shows none, and the setting is among the others', async (t) => {
  const daemon = await start(t, { models: { large: random('--seed', '11') } });
  const page = await open(t, daemon);
  await row(page, 'large').getByRole('button', { name: /^Load/ }).click();
  const dialog = page.locator('dialog[open]');
  await says(dialog.locator('.estimate'), /Needs about/);
  assert.equal(await page.locator('.memory.device').count(), 0);
  assert.ok(!(await dialog.getByLabel('Share on the graphics card').isVisible()));
  assert.doesNotMatch(await dialog.locator('.estimate').textContent(), /graphics card/);
  await dialog.getByText('More load settings').click();
  await dialog.getByLabel('Share on the graphics card').selectOption('0.5');
  await dialog.getByRole('button', { name: 'Load', exact: true }).click();
  await card(page, 'large').waitFor();
});
