/* SPDX-License-Identifier: MIT */
// The page over https.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { makeCertificate } from '../e2e/lib/certificate.js';
import { spoken } from '../e2e/lib/models.js';
import { closeBrowser, open, row, says, start } from './lib/browser.js';

after(closeBrowser);

test('over https: the live list, a chat, a change of the settings', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-tls-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const { cert, key } = makeCertificate(folder);
  const daemon = await start(t, {
    models: { hello: spoken('Hello there.') },
    settings: { tls_cert: cert, tls_key: key },
  });
  assert.match(daemon.url, /^https:/);
  const page = await open(t, daemon);
  await row(page, 'hello').waitFor();
  await page.goto(`${daemon.url}/#chat`);
  await page.getByLabel('Message', { exact: true }).fill('Hi');
  await page.keyboard.press('Enter');
  await says(page.locator('.turns'), /Hello there\./);
  await page.goto(`${daemon.url}/#settings`);
  await page.getByLabel('Just-in-time model loading').uncheck();
  await says(page.locator('#jit-status'), /Saved/);
});

test('a certificate is set and removed on the page, which follows the server', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-tls-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const { cert, key } = makeCertificate(folder);
  const daemon = await start(t);
  const allow = { refusals: true, offline: true };
  const page = await open(t, daemon, { hash: 'settings', secure: true, allow });
  const set = async (certFile, keyFile) => {
    await page.getByLabel('Certificate, a PEM file').fill(certFile);
    await page.getByLabel('Its key, if it is in another file').fill(keyFile);
    await page.locator('form', { hasText: 'Certificate (TLS)' }).getByRole('button').click();
  };
  await set('/nowhere/cert.pem', '');
  await says(page.locator('#tls_cert-status'), /\/nowhere\/cert\.pem cannot be read/);
  await set(cert, key);
  await page.waitForURL(/^https:.*#settings/);
  assert.equal(await page.getByLabel('Certificate, a PEM file').inputValue(), cert);
  await set('', '');
  await page.waitForURL(/^http:.*#settings/);
  await says(page.locator('header'), /running/);
});
