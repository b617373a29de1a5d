/* SPDX-License-Identifier: MIT */
// The conversation with a model, and the answer that is being generated.
import { computed, signal } from '@preact/signals';
import { errorMessage } from '../server/api';
import { instances, models } from '../server/store';
import { minutesToSeconds } from '../ui/format';
import { streamChat } from './completion';
import { messagesToSend, withLast, type Turn } from './conversation';

export const model = signal(''); // chosen by the user; may no longer exist
export const minutes = signal(''); // ttl; empty: the server's default
export const draft = signal('');
export const turns = signal<Turn[]>([]);
export const progress = signal(''); // "loading 42%"; empty once the answer begins
export const running = signal(false);

let abort = new AbortController();

// Instances with a name of their own, then models.
export const choices = computed(() => {
  const named = instances.value.filter((i) => i.id !== i.model).map((i) => i.id);
  const keys = (models.value ?? []).filter((m) => !m.problem && m.type === 'llm').map((m) => m.key);
  return [...new Set([...named, ...keys])];
});

// The user's choice, else a model that is loaded, else the first.
export const chosen = computed(() => {
  if (choices.value.includes(model.value)) return model.value;
  const loaded = instances.value.find((i) => choices.value.includes(i.id));
  return loaded?.id ?? choices.value[0] ?? '';
});

// Seconds; undefined: the server's default; null: not valid.
export const ttl = computed(() =>
  minutes.value.trim() ? minutesToSeconds(minutes.value) : undefined,
);

function changeAnswer(change: (answer: Turn) => Partial<Turn>): void {
  turns.value = withLast(turns.value, change);
}

async function streamAnswer(): Promise<void> {
  const body = {
    model: chosen.peek(),
    messages: messagesToSend(turns.peek()),
    ...(typeof ttl.peek() === 'number' && { ttl: ttl.peek()! }),
  };
  turns.value = [...turns.peek(), { role: 'assistant', content: '' }];
  await streamChat(body, abort.signal, {
    onProgress: (text) => {
      progress.value = text;
    },
    onContent: (text) => {
      progress.value = '';
      changeAnswer((t) => ({ content: t.content + text }));
    },
    onReasoning: (text) => {
      progress.value = '';
      changeAnswer((t) => ({ reasoning: (t.reasoning ?? '') + text }));
    },
    onStats: (stats) => changeAnswer((t) => ({ stats: { ...t.stats, ...stats } })),
  });
}

export async function send(): Promise<void> {
  const content = draft.peek().trim();
  if (!content || running.peek() || !chosen.peek() || ttl.peek() === null) return;
  draft.value = '';
  turns.value = [...turns.peek(), { role: 'user', content }];
  abort = new AbortController();
  running.value = true;
  try {
    await streamAnswer();
  } catch (e) {
    if (abort.signal.aborted) changeAnswer((t) => ({ stats: { ...t.stats, stopped: 'stopped' } }));
    else changeAnswer(() => ({ error: errorMessage(e) }));
  }
  progress.value = '';
  running.value = false;
}

export function stop(): void {
  abort.abort();
}

export function clear(): void {
  turns.value = [];
}
