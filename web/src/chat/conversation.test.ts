/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import { messagesToSend, withLast, type Turn } from './conversation';

const user = (content: string): Turn => ({ role: 'user', content });
const model = (content: string, more: Partial<Turn> = {}): Turn => ({
  role: 'assistant',
  content,
  ...more,
});
const sent = (...turns: Turn[]) => messagesToSend(turns).map((m) => m.content);

describe('the messages that are sent', () => {
  it('are all turns and the new question', () => {
    expect(messagesToSend([user('a'), model('b', { reasoning: 'r' }), user('c')])).toEqual([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ]);
  });
  it('leave out a question whose answer failed', () => {
    expect(sent(user('a'), model('half', { error: 'x' }), user('c'))).toEqual(['c']);
    expect(sent(user('a'), model('b'), user('c'), model('', { error: 'x' }), user('d'))).toEqual([
      'a',
      'b',
      'd',
    ]);
  });
  it('leave out a question that was stopped before its answer began', () => {
    expect(sent(user('a'), model(''), user('c'))).toEqual(['c']);
  });
  it('keep an answer that was stopped halfway', () => {
    const stopped = { stats: { stopped: 'stopped' } };
    expect(sent(user('a'), model('half', stopped), user('c'))).toEqual(['a', 'half', 'c']);
  });
});

it('changes the last turn only', () => {
  const turns = [user('a'), model('b')];
  expect(withLast(turns, (t) => ({ content: `${t.content}c` }))).toEqual([user('a'), model('bc')]);
  expect(turns[1]).toEqual(model('b'));
});
