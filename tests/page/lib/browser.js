/* SPDX-License-Identifier: MIT */
// Chromium and the page in it. A test fails if the page logs an error or breaks its own policy.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { ask } from '../../e2e/lib/ask.js';
import { Daemon } from '../../e2e/lib/daemon.js';
import { endAll, tidyAfter } from '../../e2e/lib/tidy.js';

export const executablePath = process.env.DOZE_CHROMIUM ?? '/usr/bin/chromium';
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--disable-smooth-scrolling', // a turn of the wheel scrolls at once
];

// One browser for each test file; each call of open() has a profile of its own.
let launching;
const launch = () => (launching ??= chromium.launch({ executablePath, args }));
export const closeBrowser = async () => (await launching)?.close();

// A daemon; the pages of its test are closed, and judged, before it and others are stopped.
const pages = new WeakMap();
function closePages(t) {
  if (pages.has(t)) return;
  const closers = [];
  pages.set(t, closers);
  tidyAfter(t, () => endAll(closers));
}

// It asks no hub but one that a test names in `env`.
export async function start(t, options = {}) {
  closePages(t);
  const env = { HF_HUB_OFFLINE: '1', ...options.env };
  return Daemon.start(t, { ...options, env });
}

// The server going away on purpose shows as failed requests: allow those with `offline`.
function complain(page, { offline = false, refusals = false } = {}) {
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    const text = message.text();
    if (offline && /net::ERR_/.test(text)) return;
    if (refusals && /status of 4\d\d|status of 50[0-9]/.test(text)) return;
    complaints.push(text);
  });
  return complaints;
}

export async function open(
  t,
  daemon,
  {
    hash = '',
    width = 1280,
    height = 900,
    scheme = 'light',
    wait = '.state.live',
    allow = {},
    secure = daemon.url.startsWith('https:'),
  } = {},
) {
  const browser = await launch();
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    permissions: ['clipboard-read', 'clipboard-write'],
    ignoreHTTPSErrors: secure, // the certificates of tests sign themselves
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60000); // a machine may stall
  const complaints = complain(page, allow);
  pages.get(t).push(async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  });
  await page.goto(`${daemon.url}/#${hash}`);
  if (wait) await page.waitForSelector(wait);
  return page;
}

export const card = (page, id) => page.locator(`[data-instance="${id}"]`);
export const row = (page, key) => page.locator(`[data-model="${key}"]`);

// Resolves when the text of what is found fits.
export async function says(locator, pattern) {
  const fitting = locator.filter({ hasText: new RegExp(pattern.source, 's') });
  try {
    await fitting.first().waitFor({ state: 'attached' });
  } catch (error) {
    const texts = await locator.allTextContents();
    throw new Error(`never said ${pattern}: ${texts.join(' | ')}`, {
      cause: error,
    });
  }
}

// Resolves when fn, run in the page, says true. (The page's policy forbids what playwright has for
// this.)
export const until = (page, fn) => ask(() => page.evaluate(fn), Boolean, fn.toString());

// Resolves when the clipboard has it: a click does not wait for that.
export const copied = (page, text) =>
  ask(() => page.evaluate(() => navigator.clipboard.readText()), (read) => read === text, text);

export const gone = (locator) => locator.waitFor({ state: 'detached' });
