/* SPDX-License-Identifier: MIT */
// The conversations that this browser keeps. Beside the open one, or folded above it on a phone.
import { signal } from '@preact/signals';
import { canStore, conversations, open, openId, remove, startNew } from './chat-state';
import { titleOf, type Conversation } from './conversation';

const wideScreen = matchMedia('(min-width: 56rem)');
const isWide = signal(wideScreen.matches);
wideScreen.addEventListener('change', (e) => {
  isWide.value = e.matches;
});

function removeIfConfirmed(c: Conversation): void {
  if (confirm(`Delete the chat “${titleOf(c)}”?`)) remove(c.id);
}

function Item({ conversation: c }: { conversation: Conversation }) {
  const title = titleOf(c);
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
      {c.turns.length > 0 && (
        <button
          type="button"
          class="plain delete"
          aria-label={`Delete the chat ${title}`}
          title="Delete"
          onClick={() => removeIfConfirmed(c)}
        >
          ×
        </button>
      )}
    </li>
  );
}

function List() {
  return (
    <>
      <button type="button" disabled={open.value.turns.length === 0} onClick={startNew}>
        New chat
      </button>
      <ul>
        {conversations.value.map((c) => (
          <Item key={c.id} conversation={c} />
        ))}
      </ul>
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
