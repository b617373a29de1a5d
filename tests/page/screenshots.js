/* SPDX-License-Identifier: MIT */
// npm run screenshots: makes docs/page-*.png with the release build.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { Etcd } from '../e2e/lib/etcd.js';
import { Hub } from '../e2e/lib/hub.js';
import { env as cardEnv, skip as noCard } from '../e2e/lib/llvmpipe.js';
import { endless, random, spoken, thinker } from '../e2e/lib/models.js';
import { card, closeBrowser, open, row, says, start } from './lib/browser.js';

const docs = fileURLToPath(new URL('../../docs', import.meta.url));
const answer = `Split the work, then join it:

\`\`\`python
def mean(values: list[float]) -> float:
    """Average of at least one value."""
    return sum(values) / len(values)  # raises for []
\`\`\`

- **Time**: linear
- **Memory**: none beyond the list
`;
const models = () => ({
  'doze-demo-hello': spoken('Hello from doze.'),
  'doze-demo-guide': spoken('Put models into the models folder and ask for them by name.'),
  'doze-demo-thinker': thinker(),
  'doze-demo-talker': endless('10M'),
  'doze-demo-coder': spoken(answer),
});

// What a day with four models may have been: [model, hours ago, hours there, why it left, bytes].
const day = [
  ['qwen3-8b', 23, 2.2, 'evicted_by:gemma-3-4b', 6.1e9],
  ['gemma-3-4b', 20.8, 1.4, 'ttl', 3.4e9],
  ['qwen2.5-coder-7b', 18.5, 3.1, 'user', 5.2e9],
  ['nomic-embed-text', 18, 17.9, 'user', 0.3e9],
  ['qwen3-8b', 14, 1.2, 'worker_died', 6.1e9],
  ['qwen2.5-coder-7b', 11, 2.6, 'evicted_by:qwen3-8b', 5.2e9],
  ['qwen3-8b', 8.4, 4, 'evicted_by:gemma-3-4b', 6.1e9],
  ['gemma-3-4b', 4.3, 0.9, 'ttl', 3.4e9],
  ['qwen2.5-coder-7b', 3.2, 2.9, 'ttl', 5.2e9],
];

function night(now) {
  const events = [];
  const memory = [];
  const hour = 3_600_000;
  for (const [id, ago, there, reason, bytes] of day) {
    const from = now - ago * hour;
    const end = from + there * hour;
    const say = (at, was, to, why) =>
      events.push({
        seq: events.length,
        run: 1,
        at,
        id,
        model: id,
        from: was,
        to,
        reason: why,
        origin: 'jit',
        generation: 1,
        memory_bytes: bytes,
      });
    say(from, 'absent', 'loading', 'request');
    say(from + 60_000, 'loading', 'busy', 'request');
    for (let at = from + 0.2 * hour; at < end - 0.5 * hour; at += (0.3 + (at % 7) / 20) * hour) {
      say(at, 'busy', 'idle', 'done');
      say(at + 0.1 * hour, 'idle', 'busy', 'request');
    }
    say(end - 0.2 * hour, 'busy', 'idle', 'done');
    if (reason !== 'worker_died') say(end - 50, 'idle', 'unloading', reason);
    say(
      end,
      reason === 'worker_died' ? 'idle' : 'unloading',
      'absent',
      reason === 'worker_died' ? reason : 'exited',
    );
  }
  events.sort((a, b) => a.at - b.at);
  const there = new Map();
  for (const e of events) {
    if (e.to === 'absent') there.delete(e.id);
    else there.set(e.id, e.memory_bytes);
    const instances = [...there].map(([id, bytes]) => ({ id, bytes }));
    const used = 2.4e9 + instances.reduce((sum, i) => sum + i.bytes, 0);
    memory.push({
      at: e.at,
      total_bytes: 16e9,
      available_bytes: 16e9 - used,
      instances,
      parked: [],
    });
  }
  return {
    from: now - 24 * hour,
    until: now,
    events,
    memory,
    truncated: false,
  };
}

// Some history to look at.
async function live(daemon) {
  await daemon.chat('doze-demo-hello', { ttl: 1 });
  await daemon.chat('doze-demo-guide');
  await daemon.chat('doze-demo-thinker', { ttl: 600 });
  await daemon.load('doze-demo-guide', { ttl: 1200 });
}

const found = Object.fromEntries(
  ['coder-3b', 'writer-7b', 'tiny-chat', 'translator'].map((name, n) => [
    `doze-demo/${name}-GGUF`,
    {
      [`${name}-q4_k_m.gguf`]: Buffer.alloc(3e6 + 5e5 * n, n),
      [`${name}-q8_0.gguf`]: Buffer.alloc(6e6, n),
    },
  ]),
);

for (const scheme of ['light', 'dark']) {
  test(`screenshots, ${scheme}`, async (t) => {
    const hub = await Hub.start(t, found);
    const env = { ...hub.env, HF_HUB_OFFLINE: '', HF_TOKEN: '' };
    const daemon = await start(t, { models: models(), env });
    const page = await open(t, daemon, { scheme, width: 1200, height: 860 });
    const shoot = (name) =>
      page.screenshot({ path: path.join(docs, `page-${name}-${scheme}.png`) });
    await live(daemon);
    await daemon.settings({ auto_evict: 'fit' });
    const abort = new AbortController();
    const talk = (
      await daemon.stream('doze-demo-talker', { ttl: 300 }, { signal: abort.signal })
    ).text();
    await says(card(page, 'doze-demo-talker'), /[1-9][\d.]* tokens\/s/);
    await shoot('models');
    await row(page, 'doze-demo-hello').getByRole('button', { name: /^Load/ }).click();
    await says(page.locator('dialog[open] .estimate'), /Needs about/);
    await shoot('load');
    await page.keyboard.press('Escape');
    await row(page, 'doze-demo-coder')
      .getByRole('button', { name: /^Settings/ })
      .click();
    await page.locator('dialog[open]').getByText('More load settings').click();
    await shoot('model-settings');
    await page.keyboard.press('Escape');
    await page.route('**/api/v1/history*', (route) => route.fulfill({ json: night(Date.now()) }));
    await page.goto(`${daemon.url}/#timeline`);
    await page.getByRole('button', { name: '24 hours' }).hover();
    await says(page.locator('table.lifetimes'), /evicted to load/);
    await shoot('timeline');
    await page.goto(`${daemon.url}/#chat`);
    await page.getByLabel('Model').selectOption('doze-demo-coder');
    await page.getByLabel('Message', { exact: true }).fill('How do I average a list in Python?');
    await page.keyboard.press('Enter');
    await page.locator('.hljs-keyword').first().waitFor();
    await says(page.locator('.stats'), /tokens\/s/);
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.getByLabel('Message', { exact: true }).fill('And without a loop?');
    await page.keyboard.press('Enter');
    await page.locator('.hljs-keyword').first().waitFor();
    await says(page.locator('.stats'), /tokens\/s/);
    await page.getByRole('button', { name: 'How do I average', exact: false }).first().click();
    await page.locator('.hljs-keyword').first().waitFor();
    await page.evaluate(() => scrollTo(0, 0));
    await shoot('chat');
    await page.goto(`${daemon.url}/#discover`);
    hub.always = { bytesPerSecond: 400_000 };
    await page.getByRole('button', { name: 'Download doze-demo/coder-3b-GGUF' }).click();
    await says(page.locator('[data-download]'), /KB\/s/);
    await page.evaluate(() => document.activeElement.blur());
    await shoot('discover');
    await page.goto(`${daemon.url}/#settings`);
    await page.getByRole('heading', { name: 'Server settings' }).waitFor();
    await shoot('settings');
    await page
      .getByRole('heading', { name: 'API keys' })
      .evaluate((heading) => heading.scrollIntoView());
    await shoot('access');
    abort.abort();
    await talk.catch(() => {});
  });
}

// The nodes are on one machine, but the page does not say so.
for (const scheme of ['light', 'dark']) {
  test(`screenshots of a fleet, ${scheme}`, async (t) => {
    const etcd = await Etcd.start(t);
    const node = (name, own) => {
      const fleet = { etcd: etcd.url, node: name, url: `http://${name}.lan:1234` };
      return start(t, { models: own, settings: { auto_evict: 'fit', fleet } });
    };
    const { 'doze-demo-hello': hello, 'doze-demo-talker': talker, ...more } = models();
    const [desk, attic] = await Promise.all([
      node('desk', { 'doze-demo-hello': hello, 'doze-demo-talker': talker }),
      node('attic', { 'doze-demo-hello': hello, 'doze-demo-talker': talker, ...more }),
      node('cellar', { 'doze-demo-talker': talker }),
    ]);
    await attic.load('doze-demo-hello', { ttl: 3600 });
    await attic.load('doze-demo-coder', { identifier: 'coder' });
    const abort = new AbortController();
    const body = { ttl: 300 };
    const talk = (await desk.stream('doze-demo-talker', body, { signal: abort.signal })).text();
    const page = await open(t, desk, { hash: 'fleet', scheme, width: 1200, height: 860 });
    await page.locator('.where select').selectOption('doze-demo-hello');
    await says(page.locator('.where'), /alone/);
    await says(page.locator('.nodes'), /[1-9]\d+ tokens\/s/);
    await page.evaluate(() => document.activeElement.blur());
    await page.screenshot({ path: path.join(docs, `page-fleet-${scheme}.png`) });
    abort.abort();
    await talk.catch(() => {});
  });
}

// The same card before and after unloading: docs/gpu.md.
test('screenshots of a graphics card', { skip: noCard }, async (t) => {
  const settings = { auto_evict: 'fit', load: { reproducible: true, context_length: 4096 } };
  const shape = ['--layers', '8', '--embd', '512', '--heads', '8', '--kv-heads', '8'];
  const own = { 'doze-demo-large': random(...shape, '--ff', '2048') };
  const daemon = await start(t, { models: { ...models(), ...own }, settings, env: cardEnv });
  const page = await open(t, daemon, { width: 1200, height: 700 });
  const shoot = (name) => page.screenshot({ path: path.join(docs, `page-gpu-${name}.png`) });
  await daemon.load('doze-demo-large', { ttl: 600 });
  await daemon.load('doze-demo-guide', { ttl: 1200 });
  await says(page.locator('.memory.device'), /doze-demo-large.*doze-demo-guide/);
  await shoot('loaded');
  await daemon.unload('doze-demo-large');
  await daemon.unload('doze-demo-guide');
  await says(page.locator('.unloads'), /doze-demo-large.*|doze-demo-guide/);
  await page.locator('[data-instance]').first().waitFor({ state: 'detached' });
  await shoot('unloaded');
  await row(page, 'doze-demo-large').getByRole('button', { name: /^Load/ }).click();
  await says(page.locator('dialog[open] .estimate'), /after it/);
  await page.locator('dialog[open]').screenshot({ path: path.join(docs, 'page-gpu-load.png') });
});

test('close', closeBrowser);
