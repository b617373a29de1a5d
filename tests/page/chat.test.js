/* SPDX-License-Identifier: MIT */
// The chat: what is sent, how answers are shown, and what the browser keeps.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { ask } from '../e2e/lib/ask.js';
import { embedding, endless, seeing, slowToLoad, spoken, thinker } from '../e2e/lib/models.js';
import { freeze } from '../e2e/lib/process.js';
import { spareOf } from '../e2e/lib/workers.js';
import { card, closeBrowser, copied, open, row, says, start, until } from './lib/browser.js';

after(closeBrowser);

const message = (page) => page.getByLabel('Message', { exact: true });
const turns = (page) => page.locator('.turns');

async function openChat(t, daemon, options) {
  const page = await open(t, daemon, { hash: 'chat', ...options });
  await message(page).waitFor();
  return page;
}

async function say(page, text) {
  await message(page).fill(text);
  await page.keyboard.press('Enter');
}

const isTyping = (page) =>
  until(page, () => document.activeElement.getAttribute('aria-label') === 'Message');

// The bodies of the chat requests that the page sends from now on.
function sentBodies(page) {
  const bodies = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/chat/completions')) bodies.push(request.postDataJSON());
  });
  return bodies;
}

const contents = (body) => body.messages.map((m) => `${m.role}: ${m.content}`);

test('a chat streams and shows its statistics; the curl command does the same', async (t) => {
  const daemon = await start(t, { models: { hello: spoken("It's a fine day.") } });
  const page = await openChat(t, daemon);
  await say(page, "What's up?");
  await says(turns(page), /hello.*It's a fine day\./);
  await says(
    page.locator('.stats'),
    /first token after [\d.]+ s · [\d.]+ tokens\/s · \d+ tokens · prompt \d+ tokens \(\d+ cached\)/,
  );
  await page.getByText('Show as a curl command').click();
  const command = await page.locator('.curl pre').textContent();
  const { stdout } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  assert.match(stdout, /data: .*"delta"/);
  await page.getByRole('button', { name: 'Copy the curl command' }).click();
  await copied(page, command);
});

test('a button of a model begins a chat with it, and leaves the one before', async (t) => {
  const models = { one: spoken('First.'), two: spoken('Second.'), vectors: embedding() };
  const daemon = await start(t, { models });
  const page = await open(t, daemon);
  await row(page, 'vectors').waitFor();
  assert.equal(await row(page, 'vectors').getByRole('button', { name: 'Chat' }).count(), 0);
  await row(page, 'one').getByRole('button', { name: 'Chat with one' }).click();
  await isTyping(page);
  await page.keyboard.type('Hi');
  await page.keyboard.press('Enter');
  await says(turns(page), /one.*First\./);
  await page.getByRole('link', { name: 'Models' }).click();
  await daemon.load('two', { identifier: 'mine' });
  await card(page, 'mine').getByRole('button', { name: 'Chat with mine' }).click();
  await isTyping(page);
  await page.keyboard.type('Hi');
  await page.keyboard.press('Enter');
  await says(turns(page), /mine.*Second\./);
  await page.locator('.conversations button.title').nth(1).click();
  await says(turns(page), /one.*First\./);
});

test('system prompt and sampling belong to the chat and are sent with it', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await openChat(t, daemon);
  const sent = sentBodies(page);
  await page.getByText('System prompt and sampling').click();
  await page.getByLabel('System prompt', { exact: true }).fill('Be brief.');
  await page.getByLabel('Temperature').fill('9');
  await says(page.locator('#option-temperature-error'), /Enter a number from 0 to 5/);
  assert.ok(await page.getByRole('button', { name: 'Send' }).isDisabled());
  await page.getByLabel('Temperature').fill('0.2');
  await page.getByLabel('ttl (idle minutes)').fill('5');
  await say(page, 'Hi');
  await says(turns(page), /Hello\./);
  assert.deepEqual(sent[0], {
    model: 'hello',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
    ],
    temperature: 0.2,
    ttl: 300,
    stream: true,
    stream_options: { include_progress: true },
  });
  assert.equal((await daemon.instance('hello')).ttl, 300);
  await says(page.locator('.options summary'), /3 set/);
});

test('a chat can be stopped; reasoning is shown apart', async (t) => {
  const daemon = await start(t, { models: { talker: endless('1M'), thinker: thinker() } });
  const page = await openChat(t, daemon);
  await page.getByLabel('Model').selectOption('talker');
  await say(page, 'Go on.');
  await says(turns(page), /tick tock/);
  await page.getByRole('button', { name: 'Stop' }).click();
  await says(page.locator('.stats'), /stopped/);
  await page.getByRole('button', { name: 'New chat' }).click();
  await page.getByLabel('Model').selectOption('thinker');
  await say(page, 'Two and two?');
  await says(turns(page), /Reasoning.*Two and two make four.*The answer is 4/);
  assert.doesNotMatch(await turns(page).textContent(), /<think>/);
});

test('the reasoning of a model can be switched off, for models that reason', async (t) => {
  const daemon = await start(t, { models: { plain: spoken('Hello.'), thinker: thinker() } });
  const page = await openChat(t, daemon);
  const sent = sentBodies(page);
  await page.getByText('System prompt and sampling').click();
  await page.getByLabel('Model').selectOption('thinker');
  await page.getByLabel('Reasoning').selectOption('Off');
  await say(page, 'Two and two?');
  await says(turns(page), /The answer is 4/);
  assert.equal(sent[0].reasoning_effort, 'none');
  await page.getByLabel('Model').selectOption('plain');
  await page.getByLabel('Reasoning').waitFor({ state: 'detached' });
  await say(page, 'And now?');
  await says(turns(page), /Hello\./);
  assert.equal(sent[1].reasoning_effort, undefined);
});

test('while a model loads, the chat says how far it is', async (t) => {
  const daemon = await start(t, { models: { slow: slowToLoad() } });
  const page = await openChat(t, daemon);
  const pid = await spareOf(daemon);
  const watch = await daemon.watch();
  await page.getByText('System prompt and sampling').click();
  await page.getByLabel('Maximum tokens').fill('2');
  await page.evaluate(() => {
    globalThis.shown = [];
    new MutationObserver(() => {
      const hint = document.querySelector('.turns .hint');
      if (hint) globalThis.shown.push(hint.textContent);
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
  await say(page, 'Hi');
  await watch.first((e) => e.name === 'progress');
  const goOn = freeze(t, pid); // so that the page has time to show it
  await until(page, () => /loading \d+%/.test(globalThis.shown.join()));
  goOn();
  await says(page.locator('.stats'), /tokens\/s/);
  assert.equal(await page.evaluate(() => globalThis.shown[0]), 'waiting…');
});

test('an error is shown in the chat, and the question can be tried again', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') }, settings: { jit: false } });
  const page = await openChat(t, daemon, { allow: { refusals: true } });
  await say(page, 'Hi');
  await says(turns(page).locator('.wrong'), /not loaded/);
  await daemon.load('hello');
  await page.getByRole('button', { name: 'Try again' }).click();
  await says(turns(page), /Hi.*Hello\./);
  assert.equal(await turns(page).locator('.wrong').count(), 0);
});

test('after a failed answer the next request has one user message, not two', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') }, settings: { jit: false } });
  const page = await openChat(t, daemon, { allow: { refusals: true } });
  const sent = sentBodies(page);
  await say(page, 'First');
  await says(turns(page).locator('.wrong'), /not loaded/);
  await daemon.load('hello');
  await say(page, 'Second');
  await says(turns(page), /Second.*Hello\..*prompt/);
  await say(page, 'Third');
  await says(turns(page), /Third.*Hello\..*prompt/);
  assert.deepEqual(sent.map(contents), [
    ['user: First'],
    ['user: Second'],
    ['user: Second', 'assistant: Hello.', 'user: Third'],
  ]);
});

test('an answer can be generated again, a question edited', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await openChat(t, daemon);
  const sent = sentBodies(page);
  await say(page, 'One');
  await says(turns(page), /One.*Hello\..*prompt/);
  await say(page, 'Two');
  await says(turns(page), /Two.*Hello\..*prompt/);
  const again = page.waitForRequest(/chat\/completions$/);
  await page.getByRole('button', { name: 'Regenerate' }).click();
  await again;
  await until(page, () => document.querySelectorAll('.turns .stats').length === 2);
  assert.deepEqual(contents(sent[2]), ['user: One', 'assistant: Hello.', 'user: Two']);

  await page.getByRole('button', { name: 'Edit' }).first().click();
  await page.getByLabel('Edit the message').fill('Uno');
  await page.keyboard.press('Enter');
  await says(turns(page), /Uno.*Hello\..*prompt/);
  assert.deepEqual(contents(sent[3]), ['user: Uno']);
  assert.doesNotMatch(await turns(page).textContent(), /One|Two/);

  await page.getByRole('button', { name: 'Edit' }).click();
  await page.keyboard.press('Escape');
  await says(turns(page), /Uno.*Hello\./);
});

test('Esc stops the answer and the next message can be typed at once', async (t) => {
  const daemon = await start(t, { models: { talker: endless('1M') } });
  const page = await openChat(t, daemon);
  await isTyping(page);
  await say(page, 'Go on.');
  await says(turns(page), /tick tock/);
  await page.keyboard.press('Escape');
  await says(page.locator('.stats'), /stopped/);
  await isTyping(page);
  await say(page, 'More.');
  await says(turns(page), /More\..*tick tock/);
  await page.getByRole('button', { name: 'Stop' }).click();
  await isTyping(page);
});

test('a reader who scrolled up stays there while the answer goes on', async (t) => {
  const daemon = await start(t, { models: { talker: endless('1M') } });
  const page = await openChat(t, daemon, { width: 600, height: 500 });
  await say(page, 'Go on.');
  const length = () =>
    page.evaluate(() => document.querySelector('.turns').lastElementChild?.textContent.length ?? 0);
  const grows = async (by) => {
    const least = (await length()) + by;
    while ((await length()) < least) await page.evaluate(() => new Promise(requestAnimationFrame));
  };
  const edges = () =>
    page.evaluate(() => {
      const box = document.querySelector('.turns').getBoundingClientRect();
      return { top: Math.round(box.top), bottom: Math.round(box.bottom) };
    });
  const drawn = () =>
    page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
  const atRest = async () => {
    const first = await edges();
    await drawn();
    return [first, await edges()];
  };
  await grows(4000);
  assert.ok((await edges()).bottom < 700, 'the end of the answer is in sight');
  await page.mouse.move(300, 200);
  const follow = page.getByRole('button', { name: 'Follow the answer' });
  const turnWheel = async () => {
    await page.mouse.wheel(0, -700);
    await drawn();
    return follow.isVisible();
  };
  await ask(turnWheel, Boolean); // the answer's next words may undo one turn
  const [before] = await ask(atRest, ([a, b]) => a.top === b.top);
  assert.ok(before.bottom > 800, 'the end of the answer is out of sight');
  await grows(2000);
  assert.equal((await edges()).top, before.top);
  await follow.click();
  await until(page, () => document.querySelector('.turns').getBoundingClientRect().bottom < 700);
});

const markdown = `# Plan

Some **bold** text, a [link](javascript:alert(1)) and <img src=x onerror=alert(2)>.

\`\`\`python
def add(a, b):
    return a + b  # sum
\`\`\`

| a | b |
|---|---|
| 1 | 2 |

![pixel](http://192.0.2.1/pixel.png)
`;

test('answers are Markdown with colored code that can be copied, and nothing else', async (t) => {
  const daemon = await start(t, { models: { writer: spoken(markdown) } });
  const page = await openChat(t, daemon);
  const elsewhere = [];
  page.on('request', (r) => {
    if (!r.url().startsWith(daemon.url)) elsewhere.push(r.url());
  });
  await say(page, 'Write.');
  const answer = page.locator('.turns .assistant');
  await answer.locator('h1', { hasText: 'Plan' }).waitFor();
  await answer.locator('strong', { hasText: 'bold' }).waitFor();
  await answer.locator('td', { hasText: '2' }).waitFor();
  await answer.locator('.hljs-keyword', { hasText: 'def' }).waitFor();
  await says(answer, /<img src=x onerror=alert\(2\)>/); // as text
  assert.equal(await answer.locator('img').count(), 0);
  assert.equal(await answer.locator('[href^="javascript"], [onerror]').count(), 0);
  assert.deepEqual(elsewhere, []);

  await answer.locator('[data-copy]').click();
  await copied(page, 'def add(a, b):\n    return a + b  # sum');
  await page.getByRole('button', { name: 'Copy the answer' }).click();
  await copied(page, markdown);
});

// In the page: the chats that the browser has stored.
const stored = () =>
  new Promise((resolve) => {
    indexedDB.open('doze').onsuccess = ({ target: { result: database } }) => {
      const all = database.transaction('conversations').objectStore('conversations').getAll();
      all.onsuccess = () => resolve(all.result);
      all.transaction.oncomplete = () => database.close();
    };
  });

// Resolves when it has stored this for good: a page that is left ends what is not yet done.
const keeps = (page, isSo) => ask(() => page.evaluate(stored), isSo);
const isAnswered = (chat) => chat.turns.at(-1).stats?.speed !== undefined;

test('a word in the table of an answer stays whole on a phone: the table scrolls', async (t) => {
  const table = '| Name | Measurement | Meaning |\n|---|---|---|\n| a | 1 | a long explanation |\n';
  const daemon = await start(t, { models: { writer: spoken(table) } });
  const page = await openChat(t, daemon, { width: 320, height: 640 });
  await say(page, 'Write.');
  const word = page.locator('.turns th', { hasText: 'Measurement' });
  const lines = await word.evaluate((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return range.getClientRects().length;
  });
  assert.equal(lines, 1);
});

test('a chat gets a name, and is found by words of its turns', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await openChat(t, daemon);
  const chats = page.locator('.conversations ul');
  await say(page, 'About apples');
  await says(turns(page), /Hello\..*prompt/);
  assert.equal(await page.getByLabel('Search chats').count(), 0);
  await page.getByRole('button', { name: 'New chat' }).click();
  await isTyping(page);
  await say(page, 'About pears');
  await says(turns(page), /Hello\..*prompt/);

  const name = page.getByLabel('Name of the chat');
  await page.getByRole('button', { name: 'Rename the chat About pears' }).click();
  await name.fill('Never');
  await page.keyboard.press('Escape');
  await says(chats, /About pears/);
  await page.getByRole('button', { name: 'Rename the chat About pears' }).click();
  await name.fill('Fruit of autumn');
  await page.keyboard.press('Enter');
  await says(chats, /Fruit of autumn/);
  await keeps(page, (chats) => chats.some((c) => c.name));
  await page.reload();
  await says(chats, /Fruit of autumn/);
  assert.doesNotMatch(await chats.textContent(), /pears|Never/);

  await page.getByLabel('Search chats').fill('PEARS hello');
  await until(
    page,
    () => !document.querySelector('.conversations ul').textContent.includes('apples'),
  );
  await says(chats, /Fruit of autumn/);
  await page.getByLabel('Search chats').fill('plums');
  await says(page.locator('.conversations'), /No chat has these words\./);
});

test('several chats are kept in the browser until they are deleted', async (t) => {
  const daemon = await start(t, { models: { hello: spoken('Hello.') } });
  const page = await openChat(t, daemon);
  const chats = page.locator('.conversations li');
  await say(page, 'About apples');
  await says(turns(page), /Hello\..*prompt/);
  await page.getByRole('button', { name: 'New chat' }).click();
  await isTyping(page);
  await say(page, 'About pears');
  await says(turns(page), /Hello\..*prompt/);
  await page.getByRole('button', { name: 'About apples', exact: true }).click();
  await says(turns(page), /About apples/);

  await keeps(page, (kept) => kept.length === 2 && kept.every(isAnswered));
  await page.reload();
  await says(chats, /About pears/);
  await page.getByRole('button', { name: 'About pears', exact: true }).click();
  await says(turns(page), /About pears.*Hello\./);
  await say(page, 'And plums?');
  await says(turns(page), /And plums\?.*Hello\..*prompt/);

  page.on('dialog', (dialog) => dialog.accept());
  await page.getByRole('button', { name: 'Delete the chat About pears' }).click();
  await until(page, () => !document.querySelector('.conversations').textContent.includes('pears'));
  await keeps(page, (kept) => kept.length === 1);
  await page.reload();
  await says(chats, /About apples/);
  assert.doesNotMatch(await page.locator('.conversations').textContent(), /pears/);
});

test('an answer goes on while another chat is open', async (t) => {
  const daemon = await start(t, { models: { talker: endless('1M'), hello: spoken('Hello.') } });
  const page = await openChat(t, daemon);
  await page.getByLabel('Model').selectOption('talker');
  await say(page, 'Count');
  await says(turns(page), /tick tock/);
  await page.getByRole('button', { name: 'New chat' }).click();
  await until(page, () => document.querySelector('.turns').childElementCount === 0);
  assert.ok(await page.getByRole('button', { name: 'Send' }).isDisabled());
  await page.getByRole('button', { name: 'Count', exact: true }).click();
  await page.getByRole('button', { name: 'Stop' }).click();
  await says(page.locator('.stats'), /stopped/);
});

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJ' +
  'RU5ErkJggg==';

test('an image is attached, shown and sent, where the model sees', async (t) => {
  const daemon = await start(t, { models: { see: seeing(), hello: spoken('Hello.') } });
  const page = await openChat(t, daemon);
  const sent = sentBodies(page);
  const add = page.getByRole('button', { name: 'Add images' });
  await page.getByLabel('Model').selectOption('hello');
  assert.equal(await add.count(), 0);
  await page.getByLabel('Model').selectOption('see');
  await add.waitFor();
  const file = { name: 'dot.png', mimeType: 'image/png', buffer: Buffer.from(PNG, 'base64') };
  await page.locator('input[type=file]').setInputFiles([file, file]);
  await page.getByRole('button', { name: 'Remove image 2' }).click();
  await page.getByText('System prompt and sampling').click();
  await page.getByLabel('Maximum tokens').fill('5');
  await say(page, 'What is this?');
  await says(page.locator('.stats'), /5 tokens/);
  assert.deepEqual(sent[0].messages, [
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
        { type: 'text', text: 'What is this?' },
      ],
    },
  ]);
  const image = turns(page).getByAltText('Image 1');
  assert.equal(await image.evaluate((img) => img.decode().then(() => img.naturalWidth)), 1);
  assert.equal(await page.locator('.composer img').count(), 0);
});
