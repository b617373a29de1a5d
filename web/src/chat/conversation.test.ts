/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import {
  hasWords,
  messagesToSend,
  newConversation,
  titleOf,
  withEditedQuestion,
  withLastTurn,
  withoutLastAnswer,
  withQuestion,
  type Turn,
} from './conversation';

const user = (content: string): Turn => ({ role: 'user', content });
const model = (content: string, more: Partial<Turn> = {}): Turn => ({
  role: 'assistant',
  content,
  ...more,
});
const of = (...turns: Turn[]) => ({ ...newConversation('x', 0), turns });
const sent = (...turns: Turn[]) => messagesToSend(of(...turns)).map((m) => m.content);

describe('images', () => {
  const seen = withQuestion(of(), 'What?', ['data:a', 'data:b']);
  const image = (url: string) => ({ type: 'image_url', image_url: { url } });
  it('are sent before the text of their question', () => {
    const content = [image('data:a'), image('data:b'), { type: 'text', text: 'What?' }];
    expect(messagesToSend(seen)).toEqual([{ role: 'user', content }]);
    expect(messagesToSend(withQuestion(of(), '', ['data:a']))).toEqual([
      { role: 'user', content: [image('data:a')] },
    ]);
  });
  it('stay with an edited question', () => {
    expect(withEditedQuestion(seen, 0, 'Where?').turns).toEqual([
      { role: 'user', content: 'Where?', images: ['data:a', 'data:b'] },
    ]);
  });
  it('give a chat without words a title', () => {
    expect(titleOf(withQuestion(of(), '', ['data:a']))).toBe('Image');
  });
});

describe('the messages that are sent', () => {
  it('are all turns and the new question', () => {
    const turns = [user('a'), model('b', { reasoning: 'r', model: 'm' }), user('c')];
    expect(messagesToSend(of(...turns))).toEqual([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ]);
  });
  it('begin with the system prompt if there is one', () => {
    expect(messagesToSend({ ...of(user('a')), system: 'Be brief.' })[0]).toEqual({
      role: 'system',
      content: 'Be brief.',
    });
    expect(messagesToSend({ ...of(user('a')), system: '  ' })).toHaveLength(1);
  });
  it('leave out a question whose answer failed', () => {
    expect(sent(user('a'), model('half', { error: 'x' }), user('c'))).toEqual(['c']);
    expect(sent(user('a'), model('b'), user('c'), model('', { error: 'x' }), user('d'))).toEqual([
      'a',
      'b',
      'd',
    ]);
  });
  it('leave out a question without an answer', () => {
    expect(sent(user('a'), model(''), user('c'))).toEqual(['c']);
    expect(sent(user('a'), user('c'))).toEqual(['c']); // the page was closed meanwhile
  });
  it('keep an answer that was stopped halfway', () => {
    const stopped = { stats: { stopped: 'stopped' } };
    expect(sent(user('a'), model('half', stopped), user('c'))).toEqual(['a', 'half', 'c']);
  });
});

describe('the title', () => {
  it('is the beginning of the first question', () => {
    expect(titleOf(of())).toBe('New chat');
    expect(titleOf(of(user(' What\n is  it? '), model('x')))).toBe('What is it?');
    expect(titleOf(of(user('x'.repeat(80))))).toBe(`${'x'.repeat(59)}…`);
  });
});

describe('changes', () => {
  const talk = of(user('a'), model('b'), user('c'), model('d'));
  const contents = (c: { turns: Turn[] }) => c.turns.map((t) => t.content);
  it('add a question', () => {
    expect(contents(withQuestion(talk, 'e'))).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
  it('of a question drop all turns after it', () => {
    expect(contents(withEditedQuestion(talk, 2, 'C'))).toEqual(['a', 'b', 'C']);
    expect(contents(withEditedQuestion(talk, 0, 'A'))).toEqual(['A']);
  });
  it('drop the last answer, but never a question', () => {
    expect(contents(withoutLastAnswer(talk))).toEqual(['a', 'b', 'c']);
    expect(contents(withoutLastAnswer(of(user('a'))))).toEqual(['a']);
  });
  it('of the last turn leave the others alone', () => {
    const changed = withLastTurn(talk, (t) => ({ content: `${t.content}!` }));
    expect(contents(changed)).toEqual(['a', 'b', 'c', 'd!']);
    expect(contents(talk)).toEqual(['a', 'b', 'c', 'd']);
    expect(withLastTurn(of(), () => ({ content: 'x' })).turns).toEqual([]);
  });
});

describe('a name', () => {
  const chat = { ...of(user('About pears'), model('They are sweet.')), name: 'Fruit' };
  it('stands for the first question, unless it is empty', () => {
    expect(titleOf(chat)).toBe('Fruit');
    expect(titleOf({ ...chat, name: '' })).toBe('About pears');
  });
  it('is searched together with the turns, for all words', () => {
    for (const words of ['fruit', 'PEARS', 'sweet about', 'fru pea']) {
      expect(hasWords(chat, words)).toBe(true);
    }
    expect(hasWords(chat, 'pears sour')).toBe(false);
  });
});
