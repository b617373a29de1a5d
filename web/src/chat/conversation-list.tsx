/* SPDX-License-Identifier: MIT */
// The conversations that this browser keeps. Beside the open one, or folded above it on a phone.
import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { canStore, conversations, open, openId, remove, rename, startNew } from './chat-state';
import { hasWords, titleOf, type Conversation } from './conversation';

const wideScreen = matchMedia('(min-width: 56rem)');
const isWide = signal(wideScreen.matches);
wideScreen.addEventListener('change', (e) => {
  isWide.value = e.matches;
});

function removeIfConfirmed(c: Conversation): void {
  if (confirm(`Delete the chat “${titleOf(c)}”?`)) remove(c.id);
}

const MAX_NAME = 120;
const words = signal(''); // to search for
const renaming = signal(''); // the id of the chat

function NameField({ conversation: c }: { conversation: Conversation }) {
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current!.select(), []);
  const end = (name?: string) => {
    if (renaming.peek() !== c.id) return; // Enter and Escape take the focus away, too
    renaming.value = '';
    if (name !== undefined) rename(c.id, name);
  };
  return (
    <input
      ref={field}
      class="name"
      aria-label="Name of the chat"
      maxLength={MAX_NAME}
      defaultValue={titleOf(c)}
      onBlur={(e) => end(e.currentTarget.value)}
      onKeyDown={(e) => {
        if (e.key === 'Escape') end();
        if (e.key === 'Enter' && !e.isComposing) end(e.currentTarget.value);
      }}
    />
  );
}

function ItemButtons({ conversation: c, title }: { conversation: Conversation; title: string }) {
  return (
    <>
      <button
        type="button"
        class="plain side"
        aria-label={`Rename the chat ${title}`}
        title="Rename"
        onClick={() => {
          renaming.value = c.id;
        }}
      >
        ✎
      </button>
      <button
        type="button"
        class="plain side"
        aria-label={`Delete the chat ${title}`}
        title="Delete"
        onClick={() => removeIfConfirmed(c)}
      >
        ×
      </button>
    </>
  );
}

function Item({ conversation: c }: { conversation: Conversation }) {
  const title = titleOf(c);
  if (renaming.value === c.id) {
    return (
      <li>
        <NameField conversation={c} />
      </li>
    );
  }
  return (
    <li>
      <button
        type="button"
        class="plain title"
        aria-current={c.id === open.value.id ? 'true' : undefined}
        title={title}
        onClick={() => {
          openId.value = c.id;
        }}
      >
        {title}
      </button>
      {c.turns.length > 0 && <ItemButtons conversation={c} title={title} />}
    </li>
  );
}

function Search() {
  return (
    <input
      type="search"
      class="search"
      aria-label="Search chats"
      placeholder="Search chats"
      value={words.value}
      onInput={(e) => {
        words.value = e.currentTarget.value;
      }}
    />
  );
}

function List() {
  const all = conversations.value;
  const searched = all.length > 1 && words.value.trim() !== '';
  const shown = searched ? all.filter((c) => hasWords(c, words.value.trim())) : all;
  return (
    <>
      <button type="button" disabled={open.value.turns.length === 0} onClick={startNew}>
        New chat
      </button>
      {all.length > 1 && <Search />}
      <ul>
        {shown.map((c) => (
          <Item key={c.id} conversation={c} />
        ))}
      </ul>
      <p class="hint" role="status">
        {shown.length === 0 && 'No chat has these words.'}
      </p>
      <p class="hint">
        {canStore.value
          ? 'Chats are kept in this browser only.'
          : 'This browser does not keep chats: they last until you close the page.'}
      </p>
    </>
  );
}

export function ConversationList() {
  if (isWide.value) {
    return (
      <section class="conversations" aria-label="Chats">
        <List />
      </section>
    );
  }
  return (
    <details class="conversations">
      <summary>Chats ({conversations.value.length})</summary>
      <List />
    </details>
  );
}
