/* SPDX-License-Identifier: MIT */
// The stand-in hub of these tests is true to the real one: Hugging Face's own client lists and
// downloads from it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { Hub, sha256 } from './lib/hub.js';

const packages = path.resolve(import.meta.dirname, '../../build/deps/python/e2e');
const REPO = 'people/Speaker-GGUF';

// Runs the lines with huggingface_hub and answers what they print, as JSON.
async function python(t, hub, lines, env = {}) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-hf-'));
  t.after(() => fs.rmSync(home, { recursive: true }));
  const child = spawn('python3', ['-c', lines], { stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: home, HF_HOME: home, PYTHONPATH: packages,
      HF_HUB_DISABLE_XET: '1', HF_HUB_DISABLE_TELEMETRY: '1', ...hub.env, ...env } });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => { out += chunk; });
  child.stderr.on('data', (chunk) => { err += chunk; });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

test('huggingface_hub downloads the same bytes', async (t) => {
  const bytes = crypto.randomBytes(100000);
  const hub = await Hub.start(t, { [REPO]: { 'm-Q8_0.gguf': bytes } });
  const got = await python(t, hub, `
import json, hashlib
from huggingface_hub import hf_hub_download
path = hf_hub_download("${REPO}", "m-Q8_0.gguf")
print(json.dumps({"sha256": hashlib.sha256(open(path, "rb").read()).hexdigest(), "path": path}))`);
  assert.equal(got.sha256, sha256(bytes));
  assert.match(got.path, /models--people--Speaker-GGUF\/snapshots\/0123456789abcdef/);
});

test('huggingface_hub lists the same files, over pages, and revisions', async (t) => {
  const hub = await Hub.start(t, { [REPO]: { 'a.gguf': Buffer.from('a'),
    'b.gguf': Buffer.from('bb'), 'c.md': Buffer.from('ccc') } });
  hub.pageSize = 2;
  const got = await python(t, hub, `
import json
from huggingface_hub import HfApi
api = HfApi()
tree = [[f.path, f.size, f.lfs.sha256] for f in api.list_repo_tree("${REPO}", recursive=True)]
refs = [[b.name, b.target_commit] for b in api.list_repo_refs("${REPO}").branches]
found = [m.id for m in api.list_models(search="speaker", filter="gguf", limit=5)]
print(json.dumps({"tree": tree, "refs": refs, "found": found}))`);
  assert.deepEqual(got.tree.map(([name, size]) => [name, size]),
    [['a.gguf', 1], ['b.gguf', 2], ['c.md', 3]]);
  assert.equal(got.tree[0][2], sha256('a'));
  assert.equal(got.refs[0][0], 'main');
  assert.deepEqual(got.found, [REPO]);
});

test('huggingface_hub takes its refusals for what they are', async (t) => {
  const hub = await Hub.start(t, { [REPO]: { 'm.gguf': Buffer.from('m') } });
  hub.gated.add(REPO);
  const got = await python(t, hub, `
import json
from huggingface_hub import hf_hub_download
def kind(*args, **more):
    try:
        hf_hub_download(*args, **more)
        return "done"
    except Exception as e:
        return type(e).__name__
print(json.dumps([kind("${REPO}", "m.gguf"), kind("no/thing", "m.gguf"),
    kind("${REPO}", "m.gguf", token="hf_good"), kind("${REPO}", "x.gguf", token="hf_good"),
    kind("${REPO}", "m.gguf", token="hf_good", revision="v9")]))`);
  assert.deepEqual(got, ['GatedRepoError', 'RepositoryNotFoundError', 'done',
    'EntryNotFoundError', 'RevisionNotFoundError']);
});
