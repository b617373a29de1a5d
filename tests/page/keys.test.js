/* SPDX-License-Identifier: MIT */
// API keys on the page.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { chatBody } from '../e2e/lib/daemon.js';
import { spoken } from '../e2e/lib/models.js';
import { closeBrowser, gone, open, says, start } from './lib/browser.js';

after(closeBrowser);

const two = () => ({ one: spoken('One.'), two: spoken('Two.') });
const as = (key) => ({ headers: { authorization: `Bearer ${key}` } });
const listed = (page, name) => page.locator('[data-key]', { hasText: name });

async function create(page, name, choose = async () => {}) {
  await page.getByRole('button', { name: 'Create a key' }).click();
  await page.getByLabel('Name', { exact: true }).first().fill(name);
  await choose();
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await says(page.locator('.made'), new RegExp(`The key of ${name}`));
  return page.locator('.made .secret').textContent();
}

test('a first key, shown once, one for less, and both revoked', async (t) => {
  const daemon = await start(t, { models: two() });
  const page = await open(t, daemon, { hash: 'settings', allow: { refusals: true } });
  await says(page.locator('.settings'), /There is no key: everybody/);
  const me = await create(page, 'me');
  assert.match(me, /^sk-lm-[0-9A-Za-z]{8}:[0-9A-Za-z]{20}$/);
  await page.getByRole('button', { name: 'Copy the new key' }).click();
  await says(page.locator('.made'), /Copied/);
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), me);
  assert.equal((await daemon.get('/v1/models')).status, 401);
  await says(listed(page, 'me'), /Everything.*all.*never/);
  await page.getByRole('button', { name: 'I have it' }).click();
  await gone(page.locator('.made'));
  assert.ok(!(await page.content()).includes(me));

  const guest = await create(page, 'guest', async () => {
    await page.locator('summary', { hasText: 'All models' }).click();
    await page.getByLabel('one', { exact: true }).check();
    await page.getByLabel('Expires').selectOption('In 30 days');
  });
  await says(listed(page, 'guest'), /Answers.*one/);
  const { body } = await daemon.get('/api/v1/keys', as(me));
  const [, stored] = body.keys;
  assert.deepEqual([stored.permissions, stored.models], [['inference'], ['one']]);
  const days = (Date.parse(stored.expires_at) - Date.parse(stored.created_at)) / 86400000;
  assert.equal(Math.round(days), 30);
  const chat = (model) => daemon.post('/v1/chat/completions', chatBody(model), as(guest));
  assert.equal((await chat('one')).status, 200);
  assert.equal((await chat('two')).status, 403);

  page.on('dialog', (dialog) => void dialog.accept());
  await listed(page, 'guest').getByRole('button').click();
  await gone(listed(page, 'guest'));
  assert.equal((await chat('one')).status, 401);
  await listed(page, 'me').getByRole('button').click();
  await says(page.locator('.settings'), /There is no key: everybody/);
  assert.equal((await daemon.get('/v1/models')).status, 200);
});

test('keys are in one place: that of the setting api_key is in the list, and can go', async (t) => {
  const daemon = await start(t, { models: two(), settings: { api_key: 'sesame' } });
  const page = await open(t, daemon, { hash: 'settings', wait: 'dialog[open]',
    allow: { refusals: true } });
  await page.locator('#key').fill('sesame');
  await page.keyboard.press('Enter');
  await says(listed(page, 'api_key'), /the setting.*Everything.*all.*never/);
  assert.equal(await page.getByText('API key', { exact: true }).filter({ visible: true }).count(),
    0, 'there is no field for it');
  page.on('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: 'Remove the key of the setting api_key' }).click();
  await says(page.locator('.settings'), /There is no key: everybody/);
  assert.equal((await daemon.get('/v1/models')).status, 200);
  await page.getByLabel('Just-in-time model loading').uncheck();
  await says(page.locator('#jit-status'), /Saved/);
});

test('a wish without a name or a permission is not sent; refusals are shown', async (t) => {
  const daemon = await start(t);
  const page = await open(t, daemon, { hash: 'settings', allow: { refusals: true } });
  await page.getByRole('button', { name: 'Create a key' }).click();
  const submit = page.getByRole('button', { name: 'Create', exact: true });
  await submit.click();
  await says(page.locator('#new-key-problem'), /Enter a name/);
  await page.getByLabel('Name', { exact: true }).first().fill('app');
  await page.getByLabel('Everything').uncheck();
  await submit.click();
  await says(page.locator('#new-key-problem'), /Choose what the key may do/);
  await page.getByLabel('Answers').check();
  await submit.click();
  await says(page.locator('#new-key-problem'), /admin/);
  assert.deepEqual((await daemon.get('/api/v1/keys')).body.keys, []);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await gone(page.locator('#new-key-problem'));
});

test('a page whose key is for less says what is missing', async (t) => {
  const daemon = await start(t);
  const me = (await daemon.post('/api/v1/keys', { name: 'me', permissions: ['admin'] })).body.key;
  const some = await daemon.post(
    '/api/v1/keys',
    { name: 'some', permissions: ['inference', 'settings', 'events', 'models'] },
    as(me),
  );
  const page = await open(t, daemon, {
    hash: 'settings',
    wait: 'dialog[open]',
    allow: { refusals: true },
  });
  await page.locator('#key').fill(some.body.key);
  await page.keyboard.press('Enter');
  await says(page.locator('.settings'), /does not have the permission/);
});
