/* SPDX-License-Identifier: MIT */
// doze says what the engine's library says by itself, whatever it keeps, shares and batches.
// Alone: threads that wait for one another in two programs at once take many times as long.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from '../e2e/lib/daemon.js';
import { prompts } from './lib/prompts.js';
import { gemma, minilm, reference, smol } from './lib/trained.js';

const TOKENS = 20;
// Kernels round in different ways, which moves logits by up to some tenths: where the two
// likeliest are nearer than that, either is right.
const NEAR_TIE = 0.3;
// As the library by itself has the weights when it begins.
const settings = { load: { repack: 'first' } };

const complete = async (d, model, prompt, more = {}) => {
  const { status, body } = await d.post('/v1/completions',
    { model, prompt, max_tokens: TOKENS, temperature: 0, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  return { text: body.choices[0].text, ...body.usage };
};

// null, or what is wrong. Bytes, as a token may be a part of a character.
function compare(expected, text) {
  const got = Buffer.from(text);
  let at = 0;
  for (const [i, hex] of expected.pieces.entries()) {
    const piece = Buffer.from(hex, 'hex');
    const here = got.subarray(at, at + piece.length);
    const cut = at + piece.length > got.length; // doze drops half a character at the end
    if (!(cut ? piece.subarray(0, here.length).equals(here) : here.equals(piece)))
      return expected.gaps[i] < NEAR_TIE ? null : `token ${i}, gap ${expected.gaps[i]}`;
    at += piece.length;
  }
  return null;
}

for (const [name, file] of [['smol', smol], ['gemma', gemma]]) {
  test(`${name}: the text of 40 prompts is the library's own`, async (t) => {
    const expected = reference(file(), ['generate', String(TOKENS)], prompts);
    const d = await Daemon.start(t, { models: { [name]: file() }, settings });
    const wrong = [];
    let same = 0;
    for (const [i, prompt] of prompts.entries()) {
      const got = await complete(d, name, prompt);
      assert.equal(got.prompt_tokens, expected[i].prompt_tokens, prompt);
      const whole = Buffer.from(expected[i].pieces.join(''), 'hex').toString();
      same += whole.startsWith(got.text) ? 1 : 0;
      const fault = compare(expected[i], got.text);
      if (fault) wrong.push({ prompt: prompt.slice(0, 40), fault, got: got.text, whole });
    }
    t.diagnostic(`${same} of ${prompts.length} equal, the others after a near tie`);
    assert.ok(same >= prompts.length - 2);
    assert.deepEqual(wrong, []);
  });

  test(`${name}: streaming is not streaming`, async (t) => {
    const d = await Daemon.start(t, { models: { [name]: file() },
      settings: { load: { reproducible: true } } });
    for (const prompt of prompts.slice(10, 36)) {
      const whole = await complete(d, name, prompt, { cache_prompt: false });
      const answer = await d.fetch('/v1/completions', { method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: name, prompt, max_tokens: TOKENS, temperature: 0,
          stream: true, cache_prompt: false }) });
      const pieces = (await answer.text()).split('\n\n')
        .filter((line) => line.startsWith('data: {')).map((line) => JSON.parse(line.slice(6)));
      assert.equal(pieces.map((p) => p.choices[0]?.text ?? '').join(''), whole.text, prompt);
    }
  });
}

test('an embedding is the library\'s own', async (t) => {
  const texts = prompts.slice(0, 36);
  const expected = reference(minilm(), ['embed'], texts);
  const d = await Daemon.start(t, { models: { minilm: minilm() } });
  const { status, body } = await d.post('/v1/embeddings', { model: 'minilm', input: texts });
  assert.equal(status, 200, JSON.stringify(body));
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const cosine = (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  for (const [i, { embedding }] of body.data.entries())
    assert.ok(cosine(embedding, expected[i].embedding) > 0.99999, texts[i]);
  const vector = async (text) =>
    (await d.post('/v1/embeddings', { model: 'minilm', input: text })).body.data[0].embedding;
  const [dog, puppy, tax] = [await vector('A dog runs in the park.'),
    await vector('A puppy is running outside.'), await vector('The tax form is due in April.')];
  assert.ok(cosine(dog, puppy) > cosine(dog, tax) + 0.2, 'it knows what is alike');
});
