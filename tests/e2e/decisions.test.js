/* SPDX-License-Identifier: MIT */
// POST /v1/decisions: probabilities of given answers, from the scores of a chat model.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { embedding, spoken } from './lib/models.js';

const questions = [
  { type: 'predicate', name: 'angry', instructions: 'Is the customer angry?' },
  { type: 'choice', instructions: 'Which team?',
    choices: [{ value: 'billing' }, { value: 'shipping', description: 'parcels' },
      { value: true }] },
  { type: 'score', instructions: 'How urgent?', levels: [{ label: 'low' }, { label: 'high' }] }];
const sum = (list) => list.reduce((all, p) => all + p.probability, 0);
const near = (a, b) => assert.ok(Math.abs(a - b) < 0.01, `${a} is not ${b}`);

test('a model that says B takes the second option of each question', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken(' B because.') } });
  const { status, body } = await d.post('/v1/decisions',
    { model: 'm', input: 'My parcel never came!', questions });
  assert.equal(status, 200, JSON.stringify(body));
  const [angry, team, urgency] = body.answers;
  assert.deepEqual([angry.type, angry.name], ['predicate', 'angry']);
  near(angry.probability, 0);
  assert.deepEqual([team.type, team.name, team.choice], ['choice', null, 'shipping']);
  assert.deepEqual(team.probabilities.map((p) => p.value), ['billing', 'shipping', true]);
  near(sum(team.probabilities), 1);
  near(team.confidence, team.probabilities[1].probability);
  assert.deepEqual(urgency.probabilities.map((p) => [p.label, p.value]), [['low', 0], ['high', 1]]);
  near(urgency.score, urgency.probabilities[1].probability);
  assert.equal(body.usage.total_tokens, body.usage.input_tokens + body.usage.output_tokens);
});

test('a model that says something else declines, one that cannot chat is refused', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hello there.'), e: embedding() } });
  const body = { input: 'x', questions: questions.slice(0, 1) };
  const declined = await d.post('/v1/decisions', { ...body, model: 'm' });
  assert.deepEqual(declined.body.answers, [{ type: 'refusal', name: 'angry' }]);
  const refused = await d.post('/v1/decisions', { ...body, model: 'e' });
  assert.equal(refused.status, 400);
  assert.match(refused.body.error.message, /choose a language model/);
});
