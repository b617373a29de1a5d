/* SPDX-License-Identifier: MIT */
// For everybody: keyboard alone, screen readers, contrast, small and large screens. And the
// headers.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, test } from 'node:test';
import { Hub } from '../e2e/lib/hub.js';
import { adapter, broken, embedding, spoken } from '../e2e/lib/models.js';
import { card, closeBrowser, open, row, says, start, until } from './lib/browser.js';

after(closeBrowser);

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
// Every kind of token, for its contrast.
const code = `\`\`\`python
@cached
def add(a: int, b=1.5):
    """Adds."""
    return print(a + b)  # sum
\`\`\`

| a | b |
|---|---|
| 1 | \`2\` |

> quoted
`;

const views = ['models', 'discover', 'chat', 'timeline', 'log', 'settings'];

// A hub whose only model is being downloaded.
async function hubFor(t) {
  const hub = await Hub.start(t, { 'people/Speaker-GGUF': { 'a-q4_k_m.gguf': spoken('A.') } });
  hub.always = { bytesPerSecond: 20_000 };
  return { ...hub.env, HF_HUB_OFFLINE: '', HF_TOKEN: '' };
}

const downloadOne = async (daemon) => {
  const { status } = await daemon.post('/api/v1/models/download', { model: 'people/Speaker-GGUF' });
  assert.equal(status, 200);
};

const settled = async (page, view) => {
  await page.waitForSelector(`main[data-view="${view}"] h2`);
  if (view === 'discover') await page.locator('[data-offer]').waitFor();
};

const unfold = (page) =>
  page.evaluate(() => {
    for (const details of document.querySelectorAll('main details')) details.open = true;
  });

async function violations(page) {
  // The page's own policy forbids inline scripts, so axe comes in beside it.
  await page.addInitScript({ path: axe });
  await page.reload();
  await page.waitForSelector('.state.live');
  return async () => {
    const { violations: found } = await page.evaluate(() =>
      globalThis.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      }),
    );
    return found.map(
      (v) => `${v.id}: ${v.nodes.map((n) => `${n.html} ${n.failureSummary}`).join('; ')}`,
    );
  };
}

for (const scheme of ['light', 'dark']) {
  test(`axe finds nothing in any view, ${scheme}`, async (t) => {
    const daemon = await start(t, {
      env: await hubFor(t),
      models: {
        hello: spoken('Hello.'),
        writer: spoken(code),
        torn: broken('truncated'),
        vectors: embedding(),
      },
    });
    await daemon.load('hello', { ttl: 600 });
    await downloadOne(daemon);
    await daemon.chat('hello');
    await daemon.load('vectors');
    await daemon.unload('vectors');
    const page = await open(t, daemon, { scheme, allow: { refusals: true } });
    const check = await violations(page);
    for (const view of views) {
      await page.goto(`${daemon.url}/#${view}`);
      await settled(page, view);
      await unfold(page);
      assert.deepEqual(await check(), [], view);
    }
    await page.goto(`${daemon.url}/#chat`);
    await page.getByLabel('Model').selectOption('writer');
    await page.getByText('System prompt and sampling').click();
    await page.getByLabel('Temperature').fill('9');
    await page.getByLabel('Temperature').fill('1');
    await page.getByLabel('Message', { exact: true }).fill('Write.');
    await page.keyboard.press('Enter');
    await page.locator('.turns .hljs-comment').waitFor();
    await says(page.locator('.turns .stats'), /tokens\/s/);
    assert.deepEqual(await check(), [], 'answer');
    await page.getByRole('button', { name: 'Edit' }).click();
    assert.deepEqual(await check(), [], 'edit form');
    await page.goto(`${daemon.url}/#models`);
    await row(page, 'hello').getByRole('button', { name: /^Load/ }).click();
    await says(page.locator('dialog[open] .estimate'), /Needs about/);
    await page.locator('dialog[open]').getByText('More load settings').click();
    assert.deepEqual(await check(), [], 'load dialog');
    await page.keyboard.press('Escape');
    await row(page, 'hello')
      .getByRole('button', { name: /^Settings/ })
      .click();
    await page.locator('dialog[open]').getByText('More load settings').click();
    assert.deepEqual(await check(), [], 'settings of a model');
    await page.keyboard.press('Escape');
    await row(page, 'hello')
      .getByRole('button', { name: /^Delete/ })
      .click();
    await says(page.locator('dialog[open]'), /1 file/);
    assert.deepEqual(await check(), [], 'delete dialog');
    await page.keyboard.press('Escape');
    await card(page, 'hello')
      .getByRole('button', { name: /^Change the ttl/ })
      .click();
    assert.deepEqual(await check(), [], 'ttl form');
  });
}

for (const width of [320, 390]) {
  test(`axe finds nothing in any view and dialog at ${width} pixels`, async (t) => {
    const models = { hello: spoken('Hello.') };
    const daemon = await start(t, { env: await hubFor(t), models });
    await downloadOne(daemon);
    await daemon.load('hello', { ttl: 600 });
    const page = await open(t, daemon, { width, height: 740, scheme: 'dark' });
    const check = await violations(page);
    for (const view of views) {
      await page.goto(`${daemon.url}/#${view}`);
      await settled(page, view);
      await unfold(page);
      assert.deepEqual(await check(), [], view);
    }
    const adapters = [{ path: adapter(models.hello, '--seed', '1') }]; // which a load may leave out
    await daemon.settings({ models: { hello: { adapters } } });
    await page.goto(`${daemon.url}/#models`);
    for (const name of [/^Load hello/, /^Settings of/]) {
      await row(page, 'hello').getByRole('button', { name }).click();
      const dialog = page.locator('dialog[open]');
      await dialog.getByText('More load settings').click();
      await dialog.locator('.adapters input').first().waitFor();
      assert.deepEqual(await check(), [], `${name}`);
      const wide = await dialog.evaluate((d) => d.scrollWidth - d.clientWidth);
      assert.ok(wide <= 0, `${name} is ${wide} pixels too wide`);
      await page.keyboard.press('Escape');
    }
  });
}

for (const [width, scheme] of [
  [320, 'dark'],
  [1280, 'light'],
]) {
  test(`axe finds nothing among API keys at ${width} pixels`, async (t) => {
    const daemon = await start(t, { models: { hello: spoken('Hello.') } });
    const page = await open(t, daemon, { width, height: 740, scheme });
    const check = await violations(page);
    await page.goto(`${daemon.url}/#settings`);
    await page.getByRole('button', { name: 'Create a key' }).click();
    await page.locator('#key-name').fill('me');
    await page.locator('summary', { hasText: 'All models' }).click();
    assert.deepEqual(await check(), [], 'form');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.locator('[data-key]').waitFor();
    await until(page, () => document.activeElement.matches('.made'));
    assert.deepEqual(await check(), [], 'key');
    const wide = await page.evaluate(() => document.body.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} pixels too wide`);
  });
}

// Presses Tab until what has the focus fits.
async function tabTo(page, name) {
  for (let n = 0; n < 80; n++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const el = document.activeElement;
      return el.getAttribute('aria-label') ?? el.labels?.[0]?.textContent ?? el.textContent;
    });
    if (name.test(at)) return;
  }
  throw new Error(`Tab never came to ${name}`);
}

test('keyboard alone: load for a while, change the ttl, chat, change a setting, unload',
  async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello there.') } });
  const page = await open(t, daemon);
  await row(page, 'hello').waitFor();
  await tabTo(page, /^Load hello/);
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').waitFor();
  await tabTo(page, /^Idle minutes/);
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('30');
  await page.keyboard.press('Enter');
  await says(card(page, 'hello').getByRole('timer'), /29:\d\d|30:00/);

  await page.evaluate(() => document.activeElement.blur());
  await tabTo(page, /^Change the ttl of hello/);
  await page.keyboard.press('Enter');
  await page.keyboard.press('ControlOrMeta+a'); // the focus is in the field already
  await page.keyboard.type('20');
  await page.keyboard.press('Enter');
  await says(card(page, 'hello').getByRole('timer'), /19:\d\d|20:00/);
  await until(page, () => document.activeElement.matches('[data-opens="ttl"]'));

  await tabTo(page, /^Chat$/);
  await page.keyboard.press('Enter');
  await page.locator('main[data-view="chat"]').waitFor();
  await tabTo(page, /^Message$/);
  await page.keyboard.type('Hi');
  await page.keyboard.press('Enter');
  await says(page.locator('.turns'), /Hello there\./);

  await page.evaluate(() => document.activeElement.blur());
  await tabTo(page, /^Settings$/);
  await page.keyboard.press('Enter');
  await page.getByLabel('Just-in-time model loading').waitFor();
  await tabTo(page, /^Just-in-time/);
  await page.keyboard.press('Space');
  await says(page.locator('#jit-status'), /Saved/);

  await page.evaluate(() => document.activeElement.blur());
  await tabTo(page, /^Models$/);
  await page.keyboard.press('Enter');
  await card(page, 'hello').waitFor();
  await tabTo(page, /^Unload hello/);
  await page.keyboard.press('Enter');
  await says(page.locator('.unloads'), /unloaded manually/);
  await until(page, () => document.activeElement.id === 'loaded-title');
});

test('keyboard alone: download, pause, settings of a model, delete', async (t) => {
  const models = { hello: spoken('Hello.') };
  const daemon = await start(t, { env: await hubFor(t), models });
  const page = await open(t, daemon, { hash: 'discover' });
  await settled(page, 'discover');
  await tabTo(page, /^Download people/);
  await page.keyboard.press('Enter');
  await page.locator('[data-download]').waitFor();
  await page.evaluate(() => document.activeElement.blur());
  await tabTo(page, /^Pause: people/);
  await page.keyboard.press('Space');
  await says(page.locator('[data-download]'), /Paused/);

  await page.goto(`${daemon.url}/#models`);
  await row(page, 'hello').waitFor();
  await tabTo(page, /^Settings of hello/);
  await page.keyboard.press('Enter');
  await says(page.locator('dialog[open]'), /Settings of hello/);
  await tabTo(page, /^Parallel requests/);
  await page.keyboard.type('2');
  await page.keyboard.press('Enter');
  await says(row(page, 'hello'), /own settings/);
  await until(page, () => document.activeElement.ariaLabel === 'Settings of hello…');

  await tabTo(page, /^Delete hello/);
  await page.keyboard.press('Enter');
  await says(page.locator('dialog[open]'), /1 file/);
  await tabTo(page, /^Delete$/);
  await page.keyboard.press('Enter');
  await row(page, 'hello').waitFor({ state: 'detached' });
});

for (const [width, height] of [
  [320, 740],
  [390, 740],
  [768, 1024],
  [960, 700],
  [1280, 900],
  [3840, 2160],
]) {
  test(`nothing is cut off at ${width} pixels`, async (t) => {
    const long =
      'a-model-with-a-name-that-goes-on-and-on-until-nobody-wants-to-read-it-any-more-q4-k-m';
    const daemon = await start(t, {
      env: await hubFor(t),
      models: { hello: spoken('Hello.'), [long]: spoken('A long name.') },
    });
    await daemon.load('hello', { ttl: 600 });
    await daemon.load(long);
    await downloadOne(daemon);
    const page = await open(t, daemon, {
      width,
      height,
      allow: { refusals: true },
    });
    for (const view of views) {
      await page.goto(`${daemon.url}/#${view}`);
      await settled(page, view);
      await unfold(page);
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.ok(wide <= 0, `${view} is ${wide} pixels too wide`);
    }
  });
}

test('the page is served compressed, cached by its name, and framed by nobody', async (t) => {
  const daemon = await start(t);
  const page = await daemon.fetch('/');
  const html = await page.text();
  assert.equal(page.status, 200);
  assert.equal(page.headers.get('x-frame-options'), 'DENY');
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(page.headers.get('cache-control'), 'no-cache');
  const policy = page.headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.doesNotMatch(html, /<script(?![^>]*src=)|<style|\son\w+=|https?:\/\//);

  const again = await daemon.fetch('/', {
    headers: { 'if-none-match': page.headers.get('etag') },
  });
  assert.equal(again.status, 304);

  let total = html.length;
  for (const [, path] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
    const asset = await daemon.fetch(path, {
      headers: { 'accept-encoding': 'gzip' },
    });
    assert.equal(asset.status, 200, path);
    assert.match(asset.headers.get('cache-control'), /immutable/);
    total += Number(asset.headers.get('content-length'));
  }
  assert.ok(total < 150 * 1024, `${total} bytes`);
  const plain = await daemon.fetch(/src="([^"]+\.js)"/.exec(html)[1], {
    headers: { 'accept-encoding': 'identity' },
  });
  assert.equal(plain.status, 406);
  assert.equal((await daemon.fetch('/assets/none.js')).status, 404);
  assert.equal((await daemon.fetch('/assets/../../etc/passwd')).status, 404);
});
