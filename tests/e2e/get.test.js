/* SPDX-License-Identifier: MIT */
// `doze get`: from a name to a model that answers.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Command, run } from './lib/cli.js';
import { Daemon } from './lib/daemon.js';
import { freePort } from './lib/etcd.js';
import { Hub } from './lib/hub.js';
import { spoken } from './lib/models.js';

const REPO = 'people/Speaker-GGUF';

async function start(t, repos = { [REPO]: { 'speaker-q4_k_m.gguf': spoken('Hello there.') } }) {
  const hub = await Hub.start(t, repos);
  return { hub, d: await Daemon.start(t, { env: hub.env }) };
}

test('get brings a model that then answers', async (t) => {
  const { d } = await start(t);
  const got = await run(d, ['get', REPO]);
  assert.equal(got.code, 0, got.err);
  assert.match(got.out, /speaker is ready/);
  assert.match(got.err, /speaker-q4_k_m\.gguf \(/);
  const answer = await run(d, ['run', 'speaker', 'Hi']);
  assert.equal(answer.out.trim(), 'Hello there.');
  const again = await run(d, ['get', REPO]);
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /there already/);
});

test('get names the model that came, not one of the same repository', async (t) => {
  const { d } = await start(t, { [REPO]: { 'speaker-q4_k_m.gguf': spoken('Hello there.'),
    'speaker-q8_0.gguf': spoken('Hello again.') } });
  assert.match((await run(d, ['get', REPO])).out, /^speaker is ready/);
  for (let i = 0; i < 2; i++) {
    const { out } = await run(d, ['get', `${REPO}@q8_0`]);
    const [, key] = out.match(/^(\S+) is ready: `\S+ run \1`$/m);
    assert.equal((await run(d, ['run', key, 'Hi'])).out, 'Hello again.\n');
  }
});

test('run gets a model that is missing, and only the answer is printed', async (t) => {
  const { d } = await start(t);
  const first = await run(d, ['run', REPO, 'Hi']);
  assert.equal(first.code, 0, first.err);
  assert.equal(first.out, 'Hello there.\n');
  assert.equal((await run(d, ['run', REPO, 'Hi'])).out, 'Hello there.\n');
  const unknown = await run(d, ['run', 'no/thing', 'Hi']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /no repository no\/thing/);
});

test('get --json prints a line for each change, and the end', async (t) => {
  const { d } = await start(t);
  const { code, out, err } = await run(d, ['get', '--json', REPO]);
  assert.equal(code, 0, err);
  const lines = out.trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(lines.at(-1).status, 'completed');
  assert.equal(lines.at(-1).model, REPO);
});

test('get with words lists what the hub has; -y takes the first', async (t) => {
  const { d } = await start(t);
  const listed = await run(d, ['get', 'speaker']);
  assert.equal(listed.code, 1);
  assert.match(listed.out, /people\/Speaker-GGUF +Q4_K_M +.* yes +1000/);
  assert.match(listed.err, /Name one of these models, or take the first with -y/);
  const taken = await run(d, ['get', '-y', 'speaker']);
  assert.equal(taken.code, 0, taken.err);
  const none = await run(d, ['get', '-y', 'nothing']);
  assert.equal(none.code, 1);
  assert.match(none.err, /no GGUF model for 'nothing'/);
});

test('get without a name lists what is downloaded most', async (t) => {
  const { d, hub } = await start(t);
  const listed = await run(d, ['get']);
  assert.match(listed.out, /people\/Speaker-GGUF +Q4_K_M +.* yes +1000/);
  assert.match(listed.err, /Name one of these models/);
  assert.equal(listed.code, 1);
  assert.ok(hub.requests.every((r) => r.port === 'api'), 'nothing was downloaded');
});

test('what is on the disk is there, also while the hub cannot be asked', async (t) => {
  const models = { 'people/Speaker-GGUF/speaker-q4_k_m': spoken('Hello there.') };
  const d = await Daemon.start(t, { models }); // HF_HUB_OFFLINE
  for (const name of [REPO, `${REPO}@q4_k_m`, `hf.co/${REPO}`, 'speaker']) {
    const { code, out, err } = await run(d, ['get', name]);
    assert.equal(code, 0, err);
    assert.equal(out, 'speaker is there already: `doze run speaker`\n');
    assert.match(err, /The hub could not be asked: HF_HUB_OFFLINE is set/);
  }
  const line = JSON.parse((await run(d, ['get', '--json', REPO])).out);
  assert.deepEqual([line.status, line.key], ['already_downloaded', 'speaker']);
  for (const args of [[`${REPO}@q8_0`], [REPO, '--revision', 'v2'], ['listener']]) {
    const { code, err } = await run(d, ['get', ...args]);
    assert.equal(code, 1, args.join(' '));
    assert.match(err, /HF_HUB_OFFLINE is set/);
  }
});

test('what is on the disk is there while nobody answers for the hub', async (t) => {
  const { hub, d } = await start(t);
  assert.equal((await run(d, ['get', REPO])).code, 0);
  hub.api.closeAllConnections();
  hub.api.close();
  const { code, out, err } = await run(d, ['get', REPO]);
  assert.equal(code, 0, err);
  assert.match(out, /^speaker is there already/);
  assert.match(err, /The hub could not be asked: The hub cannot be reached/);
});

test('a hub without https is used on this machine only', async (t) => {
  const d = await Daemon.start(t, { env: { HF_ENDPOINT: 'http://192.0.2.1', HF_HUB_OFFLINE: '' } });
  const { code, err } = await run(d, ['get', REPO]);
  assert.equal(code, 1);
  assert.match(err, /HF_ENDPOINT.*https/);
});

test('what cannot be got says why and exits with 1', async (t) => {
  const { d, hub } = await start(t);
  const unknown = await run(d, ['get', 'no/thing']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /no repository no\/thing/);
  hub.faults.push({ wrongByteAt: 9 }, { wrongByteAt: 9 });
  const damaged = await run(d, ['get', '--quiet', REPO]);
  assert.equal(damaged.code, 1);
  assert.match(damaged.err, /checksum/);
});

test('Ctrl-C pauses; the same command goes on', async (t) => {
  const { d, hub } = await start(t, { [REPO]: { 'm-q8_0.gguf': crypto.randomBytes(2000000) } });
  hub.always = { bytesPerSecond: 500000 };
  const first = new Command(d, ['get', '--json', REPO]);
  await first.shows(/"downloaded_bytes":[1-9]/);
  first.child.kill('SIGINT');
  await first.ended;
  assert.equal(first.code, 1);
  assert.match(first.err, /Paused; `doze get people\/Speaker-GGUF` continues it/);
  hub.always = {};
  const second = await run(d, ['get', '--quiet', REPO]);
  assert.equal(second.code, 0, second.err);
  assert.match(hub.requests.findLast((r) => r.port === 'content').range, /^bytes=\d+-$/);
  assert.ok(fs.existsSync(path.join(d.modelsDir, REPO, 'm-q8_0.gguf')));
});

test('without a server get says how to start one', async (t) => {
  const d = await Daemon.start(t, { args: ['--port', String(await freePort())] });
  await d.stop();
  const { code, err } = await run({ ...d, folder: d.folder, port: d.port }, ['get', REPO]);
  assert.equal(code, 3);
  assert.match(err, /doze server start/);
});
