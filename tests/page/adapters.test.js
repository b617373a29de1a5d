/* SPDX-License-Identifier: MIT */
// LoRA adapters and a draft model in the dialogs.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { chatBody } from '../e2e/lib/daemon.js';
import { adapter, modelFile, random } from '../e2e/lib/models.js';
import { card, closeBrowser, gone, open, row, says, start } from './lib/browser.js';

after(closeBrowser);

const dialog = (page) => page.locator('dialog[open]');
async function openDialog(page, key, button) {
  await row(page, key).getByRole('button', { name: button }).click();
  await dialog(page).getByText('More load settings').click();
}
const config = async (daemon, id) => (await daemon.instance(id)).config;

test('a model is loaded with adapters, each with its scale', async (t) => {
  const model = random('--seed', '21');
  const file = adapter(model, '--seed', '1');
  const daemon = await start(t, { models: { m: model } });
  const page = await open(t, daemon, { allow: { refusals: true } });
  await openDialog(page, 'm', /^Load/);
  const add = dialog(page).getByRole('button', { name: 'Add an adapter' });
  const load = dialog(page).getByRole('button', { name: 'Load', exact: true });
  await add.click();
  await dialog(page).getByLabel('Scale of adapter 1').fill('much');
  await load.click();
  await says(dialog(page).locator('.adapters .wrong'), /Enter a file for each adapter/);
  await dialog(page).getByLabel('File of adapter 1').fill('/no/such.gguf');
  await dialog(page).getByLabel('Scale of adapter 1').fill('0.5');
  await load.click();
  await says(dialog(page).locator('.adapters .wrong'), /There is no adapter '\/no\/such.gguf'/);
  await dialog(page).getByLabel('File of adapter 1').fill(file);
  await add.click();
  await dialog(page).getByLabel('File of adapter 2').fill('wrong');
  await dialog(page).getByRole('button', { name: 'Remove adapter 2' }).click();
  await says(dialog(page), /More load settings \(1 set\)/);
  await says(dialog(page).locator('.estimate'), /Needs about/);
  await load.click();
  await says(card(page, 'm'), /Adapters.*0\.5/);
  assert.deepEqual((await config(daemon, 'm')).adapters, [{ path: file, scale: 0.5 }]);
});

test('the settings of a model have adapters, which a load shows', async (t) => {
  const model = random('--seed', '21');
  const file = adapter(model, '--seed', '1');
  const own = { m: { tensor_split: [1], adapters: [{ path: file }] } };
  const daemon = await start(t, { models: { m: model }, settings: { models: own } });
  const page = await open(t, daemon);
  await openDialog(page, 'm', /^Load/);
  await says(dialog(page).locator('.adapters'), new RegExp(`Those of the settings: ${file}`));
  await page.keyboard.press('Escape');
  await openDialog(page, 'm', /^Settings/);
  await dialog(page).getByLabel('Scale of adapter 1').fill('-2');
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  await dialog(page).waitFor({ state: 'detached' });
  const { m } = (await daemon.get('/api/v1/settings')).body.models;
  assert.deepEqual(m.adapters, [{ path: file, scale: -2 }]);
  assert.deepEqual(m.tensor_split, [1], 'what nobody touched stays');
});

test('a load without the adapters that its model has in the settings', async (t) => {
  const model = random('--seed', '21');
  const own = { m: { adapters: [{ path: adapter(model, '--seed', '1') }] } };
  const daemon = await start(t, { models: { m: model }, settings: { models: own } });
  const watch = await daemon.watch();
  const page = await open(t, daemon, { width: 320, height: 740 });
  await openDialog(page, 'm', /^Load/);
  const without = dialog(page).getByLabel('Without them');
  const add = dialog(page).getByRole('button', { name: 'Add an adapter' });
  await without.check();
  await says(dialog(page), /More load settings \(1 set\)/);
  await add.click(); // a row is another decision
  await gone(without);
  await dialog(page).getByRole('button', { name: 'Remove adapter 1' }).click();
  await without.focus();
  await page.keyboard.press('Space');
  assert.ok(await without.isChecked());
  const wide = await dialog(page).evaluate((d) => d.scrollWidth - d.clientWidth);
  assert.ok(wide <= 0, `${wide} pixels too wide`);
  await dialog(page).getByRole('button', { name: 'Load', exact: true }).click();
  await watch.reaches('m', 'idle'); // or the unload would end the page's load
  await card(page, 'm').waitFor();
  assert.equal((await config(daemon, 'm')).adapters, undefined);
  await daemon.unload('m');
  await daemon.chat('m');
  assert.equal((await config(daemon, 'm')).adapters.length, 1, 'the settings are as they were');
});

test('the settings of a model say which share each GPU has', async (t) => {
  const daemon = await start(t, { models: { m: random('--seed', '21') } });
  const page = await open(t, daemon);
  await openDialog(page, 'm', /^Settings/);
  const field = dialog(page).getByLabel('Share of each GPU');
  const save = dialog(page).getByRole('button', { name: 'Save' });
  await field.fill('a, b');
  await save.click();
  await says(dialog(page).locator('#own-tensor_split-error'), /Enter up to 16 numbers/);
  assert.ok(await field.evaluate((el) => el === document.activeElement), 'it has the focus');
  await field.fill('3, 1');
  await save.click();
  await dialog(page).waitFor({ state: 'detached' });
  const { m } = (await daemon.get('/api/v1/settings')).body.models;
  assert.deepEqual(m, { tensor_split: [3, 1] });
  await openDialog(page, 'm', /^Load/);
  assert.equal(await field.getAttribute('placeholder'), '3, 1');
});

const saying = (name) => modelFile('spoken', '--loop', '--text', 'and so on, ', '--name', name);

test('a draft model is picked from those on the disk', async (t) => {
  const daemon = await start(t, { models: { m: saying('m'), d: saying('d') } });
  const page = await open(t, daemon, { allow: { refusals: true } });
  await openDialog(page, 'm', /^Load/);
  const field = dialog(page).getByLabel('Draft model', { exact: true });
  const list = await field.getAttribute('list');
  const names = await page
    .locator(`datalist#${list} option`)
    .evaluateAll((o) => o.map((x) => x.value));
  assert.deepEqual(names.sort(), ['d', 'm']);
  await field.fill('nobody');
  await dialog(page).getByRole('button', { name: 'Load', exact: true }).click();
  await says(dialog(page).locator('#load-draft_model-error'), /nobody/);
  await field.fill('d');
  await dialog(page).getByRole('button', { name: 'Load', exact: true }).click();
  await card(page, 'm').waitFor();
  const { body } = await daemon.post('/api/v0/chat/completions', chatBody('m', { max_tokens: 8 }));
  assert.equal(body.stats.draft_model, 'd');
});
