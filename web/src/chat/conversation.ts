/* SPDX-License-Identifier: MIT */
// A conversation, how it changes, and what of it is sent. Pure.
import type { Message, Part, SentMessage, Stats } from './completion';
import { noOptions, type Options } from './options';

export interface Turn extends Message {
  role: 'user' | 'assistant';
  images?: string[]; // of a question, as data: URLs
  model?: string; // that answered
  reasoning?: string;
  stats?: Stats;
  error?: string; // why there is no, or no complete, answer
}

// How long a model reasons before it answers, for those that do.
export const efforts = {
  '': 'Default',
  none: 'Off',
  low: 'Short',
  medium: 'Medium',
  high: 'Long',
};
export type Effort = keyof typeof efforts;

export interface Conversation {
  id: string;
  changed: number; // Unix ms
  name?: string; // given by the user; empty: none
  model: string; // chosen by the user; empty: none chosen; may no longer exist
  system: string; // the system prompt; empty: none
  options: Options;
  reasoning?: Effort; // absent: as the model does
  turns: Turn[];
}

export const newConversation = (id: string, now: number): Conversation => ({
  id,
  changed: now,
  model: '',
  system: '',
  options: noOptions,
  turns: [],
});

const TITLE_LENGTH = 60;

// Its name, else the beginning of the first question.
export function titleOf(c: Conversation): string {
  if (c.name) return c.name;
  const text = c.turns[0]?.content.trim().replace(/\s+/g, ' ') ?? '';
  if (text === '') return c.turns[0]?.images ? 'Image' : 'New chat';
  return text.length > TITLE_LENGTH ? `${text.slice(0, TITLE_LENGTH - 1)}…` : text;
}

// Whether each of the words is in the title or in a turn, in capitals or not.
export function hasWords(c: Conversation, words: string): boolean {
  const text = [titleOf(c), ...c.turns.map((t) => t.content)].join('\n').toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

const isAnswer = (t: Turn | undefined): boolean =>
  t !== undefined && t.role === 'assistant' && !t.error && t.content !== '';

// Images stand before the text that asks about them.
function contentOf({ content, images = [] }: Turn): string | Part[] {
  if (images.length === 0) return content;
  const parts: Part[] = images.map((url) => ({ type: 'image_url', image_url: { url } }));
  return content ? [...parts, { type: 'text', text: content }] : parts;
}

// A question whose answer failed, or was stopped before it began, is left out together with the
// answer: chat templates expect the roles to alternate.
export function messagesToSend(c: Pick<Conversation, 'system' | 'turns'>): SentMessage[] {
  const messages: SentMessage[] = c.system.trim() ? [{ role: 'system', content: c.system }] : [];
  c.turns.forEach((turn, n) => {
    const isLast = n === c.turns.length - 1;
    const answer = turn.role === 'user' ? c.turns[n + 1] : turn;
    if (isAnswer(answer) || (isLast && turn.role === 'user')) {
      messages.push({ role: turn.role, content: contentOf(turn) });
    }
  });
  return messages;
}

export const withQuestion = (
  c: Conversation,
  content: string,
  images: string[] = [],
): Conversation => ({
  ...c,
  turns: [...c.turns, { role: 'user', content, ...(images.length > 0 && { images }) }],
});

// Question n with another text and the same images; all turns after it are dropped.
export const withEditedQuestion = (c: Conversation, n: number, content: string): Conversation => ({
  ...c,
  turns: [...c.turns.slice(0, n), { ...c.turns[n], role: 'user', content }],
});

// Without the answer at the end, so that it can be generated again.
export function withoutLastAnswer(c: Conversation): Conversation {
  const last = c.turns.at(-1);
  return last?.role === 'assistant' ? { ...c, turns: c.turns.slice(0, -1) } : c;
}

// With the last turn changed.
export function withLastTurn(c: Conversation, change: (last: Turn) => Partial<Turn>): Conversation {
  const last = c.turns.at(-1);
  if (!last) return c;
  return { ...c, turns: [...c.turns.slice(0, -1), { ...last, ...change(last) }] };
}

// Newest first.
export const byChange = (a: Conversation, b: Conversation): number => b.changed - a.changed;
