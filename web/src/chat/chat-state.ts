/* SPDX-License-Identifier: MIT */
// The conversations, the one that is open, and the answer that is being generated.
import { batch, computed, effect, signal } from '@preact/signals';
import { errorMessage } from '../server/api';
import { instances, models } from '../server/store';
import { streamChat, type ChatRequest, type Stats } from './completion';
import {
  byChange,
  messagesToSend,
  newConversation,
  withEditedQuestion,
  withLastTurn,
  withoutLastAnswer,
  withQuestion,
  type Conversation,
  type Turn,
} from './conversation';
import { optionsAreValid, optionsToSend } from './options';
import { deleteConversation, loadConversations, saveConversation } from './storage';

const FLUSH_MS = 40; // new text is drawn at most this often
const SAVE_MS = 1000;

// Newest first. The first one may be empty and is then not kept.
export const conversations = signal<Conversation[]>([newConversation(newId(), Date.now())]);
export const openId = signal(conversations.peek()[0]!.id);
export const draft = signal('');
export const attached = signal<string[]>([]); // images of the draft, as data: URLs
export const progress = signal(''); // "loading 42%"; empty once the answer begins
export const canStore = signal(true); // false: the browser keeps nothing

interface Run {
  conversation: string; // its id
  abort: AbortController;
}
export const run = signal<Run | null>(null); // the answer that is being generated

export const open = computed<Conversation>(
  () => conversations.value.find((c) => c.id === openId.value) ?? conversations.value[0]!,
);
export const isRunning = computed(() => run.value?.conversation === open.value.id);

function newId(): string {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
}

// Instances with an identifier of their own, then models.
export const choices = computed(() => {
  const named = instances.value.filter((i) => i.id !== i.model).map((i) => i.id);
  const keys = (models.value ?? []).filter((m) => !m.problem && m.type === 'llm').map((m) => m.key);
  return [...new Set([...named, ...keys])];
});

// The conversation's model, else one that is loaded, else the first.
export const model = computed(() => {
  if (choices.value.includes(open.value.model)) return open.value.model;
  const loaded = instances.value.find((i) => choices.value.includes(i.id));
  return loaded?.id ?? choices.value[0] ?? '';
});

// name: of a model or an instance.
function capabilitiesOf(name: string) {
  const key = instances.value.find((i) => i.id === name)?.model ?? name;
  return models.value?.find((m) => m.key === key)?.capabilities;
}

export const canReason = (name: string): boolean => capabilitiesOf(name)?.reasoning !== undefined;
export const canSee = (name: string): boolean => capabilitiesOf(name)?.vision === true;

export const canSend = computed(
  () => run.value === null && model.value !== '' && optionsAreValid(open.value.options),
);

function change(id: string, changed: (c: Conversation) => Conversation): void {
  conversations.value = conversations
    .peek()
    .map((c) => (c.id === id ? { ...changed(c), changed: Date.now() } : c));
}

export function changeOpen(part: Partial<Conversation>): void {
  change(open.peek().id, (c) => ({ ...c, ...part }));
}

// Without a name the chat is called after its first question. It keeps its place in the list.
export function rename(id: string, name: string): void {
  conversations.value = conversations
    .peek()
    .map((c) => (c.id === id ? { ...c, name: name.trim() } : c));
  save();
}

/* ---- keeping them ---- */

const saved = new Map<string, Conversation>();

export async function restore(): Promise<void> {
  try {
    const kept = (await loadConversations()).sort(byChange);
    for (const c of kept) saved.set(c.id, c);
    conversations.value = [...conversations.peek(), ...kept];
  } catch {
    canStore.value = false;
    return;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    void conversations.value;
    timer ??= setTimeout(() => {
      timer = undefined;
      save();
    }, SAVE_MS);
  });
  addEventListener('pagehide', save);
}

// At the latest a second after a change; at once when an answer ends or the page is left.
function save(): void {
  if (!canStore.peek()) return;
  for (const c of conversations.peek()) {
    if (c.turns.length === 0 || saved.get(c.id) === c) continue;
    saved.set(c.id, c);
    saveConversation(c).catch(() => {
      canStore.value = false;
    });
  }
}

// A new conversation takes model, system prompt and options from the open one.
export function startNew(): void {
  const { model: chosen, system, options, reasoning = '' } = open.peek();
  const kept = { model: chosen, system, options, reasoning };
  const fresh = { ...newConversation(newId(), Date.now()), ...kept };
  batch(() => {
    conversations.value = [fresh, ...conversations.peek().filter((c) => c.turns.length > 0)];
    openId.value = fresh.id;
  });
}

// The open conversation if it is empty, else a new one.
export function startWith(name: string): void {
  if (open.peek().turns.length > 0) startNew();
  changeOpen({ model: name });
}

export function remove(id: string): void {
  if (run.peek()?.conversation === id) stop();
  const rest = conversations.peek().filter((c) => c.id !== id);
  saved.delete(id);
  if (canStore.peek()) void deleteConversation(id);
  batch(() => {
    conversations.value = rest.length > 0 ? rest : [newConversation(newId(), Date.now())];
    if (openId.peek() === id) openId.value = conversations.value[0]!.id;
  });
}

/* ---- answers ---- */

export function requestOf(c: Conversation, modelName: string): ChatRequest {
  return {
    model: modelName,
    messages: messagesToSend(c),
    ...optionsToSend(c.options),
    ...(c.reasoning && canReason(modelName) && { reasoning_effort: c.reasoning }),
  };
}

export function send(): void {
  const content = draft.peek().trim();
  const images = canSee(model.peek()) ? attached.peek() : [];
  if ((!content && images.length === 0) || !canSend.peek()) return;
  draft.value = '';
  attached.value = [];
  const { id } = open.peek();
  change(id, (c) => withQuestion(c, content, images));
  void answer(id);
}

export function editQuestion(n: number, content: string): void {
  if (!content.trim() || !canSend.peek()) return;
  const { id } = open.peek();
  change(id, (c) => withEditedQuestion(c, n, content.trim()));
  void answer(id);
}

export function regenerate(): void {
  if (!canSend.peek()) return;
  const { id } = open.peek();
  change(id, withoutLastAnswer);
  void answer(id);
}

export function stop(): void {
  run.peek()?.abort.abort();
}

// Generates the answer to the last question of a conversation.
async function answer(id: string): Promise<void> {
  const abort = new AbortController();
  const question = conversations.peek().find((c) => c.id === id)!;
  const body = requestOf(question, model.peek());
  const changeAnswer = (changed: (t: Turn) => Partial<Turn>) =>
    change(id, (c) => withLastTurn(c, changed));
  const text = new TextBuffer(changeAnswer);
  change(id, (c) => ({
    ...c,
    turns: [...c.turns, { role: 'assistant', content: '', model: body.model }],
  }));
  run.value = { conversation: id, abort };
  progress.value = 'waiting';
  const addStats = (stats: Stats) => changeAnswer((t) => ({ stats: { ...t.stats, ...stats } }));
  try {
    await streamChat(body, abort.signal, {
      onProgress: (p) => {
        progress.value = p;
      },
      onContent: (piece) => text.add('content', piece),
      onReasoning: (piece) => text.add('reasoning', piece),
      onStats: addStats,
    });
  } catch (e) {
    if (abort.signal.aborted) addStats({ stopped: 'stopped' });
    else changeAnswer(() => ({ error: errorMessage(e) }));
  }
  text.flush();
  progress.value = '';
  run.value = null;
  save();
}

// Collects the pieces of an answer and adds them a few times a second.
class TextBuffer {
  #pieces = { content: '', reasoning: '' };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #changeAnswer: (changed: (t: Turn) => Partial<Turn>) => void;

  constructor(changeAnswer: (changed: (t: Turn) => Partial<Turn>) => void) {
    this.#changeAnswer = changeAnswer;
  }

  add(part: 'content' | 'reasoning', piece: string): void {
    progress.value = '';
    this.#pieces[part] += piece;
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { content, reasoning } = this.#pieces;
    this.#pieces = { content: '', reasoning: '' };
    if (!content && !reasoning) return;
    this.#changeAnswer((t) => ({
      content: t.content + content,
      ...(reasoning && { reasoning: (t.reasoning ?? '') + reasoning }),
    }));
  }
}
