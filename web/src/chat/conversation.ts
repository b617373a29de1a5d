/* SPDX-License-Identifier: MIT */
// The turns of a conversation, and what of them is sent. Pure.
import type { Message, Stats } from './completion';

export interface Turn extends Message {
  reasoning?: string;
  stats?: Stats;
  error?: string; // why there is no, or no complete, answer
}

// A question whose answer failed or was stopped before it began is left out together with the
// answer: chat templates expect the roles to alternate.
export function messagesToSend(turns: readonly Turn[]): Message[] {
  const messages: Message[] = [];
  turns.forEach((turn, n) => {
    const answer = turn.role === 'user' ? turns[n + 1] : turn;
    if (answer && !isAnswer(answer)) return;
    messages.push({ role: turn.role, content: turn.content });
  });
  return messages;
}

const isAnswer = (t: Turn) => t.role === 'assistant' && !t.error && t.content !== '';

// The turns with the last one changed.
export function withLast(turns: readonly Turn[], change: (last: Turn) => Partial<Turn>): Turn[] {
  const last = turns[turns.length - 1]!;
  return [...turns.slice(0, -1), { ...last, ...change(last) }];
}
