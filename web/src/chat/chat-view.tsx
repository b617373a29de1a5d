/* SPDX-License-Identifier: MIT */
// Conversations with any model. Fetched when the tab is opened for the first time (app.tsx).
import { useLayoutEffect } from 'preact/hooks';
import { instances, models } from '../server/store';
import { wanted } from '../ui/chat-with';
import { CopyButton } from '../ui/copy';
import { useFollowEnd } from '../ui/follow-end';
import {
  changeOpen,
  choices,
  draft,
  isRunning,
  model,
  open,
  requestOf,
  restore,
  startWith,
} from './chat-state';
import './chat.css';
import { Composer } from './composer';
import { ConversationList } from './conversation-list';
import { withoutLastAnswer, withQuestion } from './conversation';
import { curlCommand } from './curl';
import { OptionsPanel } from './options-panel';
import { Answer, Question } from './turn-view';

void restore();

function ModelSelect() {
  const loaded = (key: string) => instances.value.some((i) => i.id === key);
  return (
    <label>
      Model{' '}
      <select value={model.value} onChange={(e) => changeOpen({ model: e.currentTarget.value })}>
        {choices.value.map((key) => (
          <option key={key} value={key}>
            {key}
            {loaded(key) ? ' (loaded)' : ''}
          </option>
        ))}
      </select>
    </label>
  );
}

function Turns() {
  const { id, turns } = open.value;
  const { follow, jump, following } = useFollowEnd(() => null);
  useLayoutEffect(() => {
    if (turns.length > 0) jump();
  }, [id, turns.length]);
  useLayoutEffect(() => {
    if (isRunning.peek()) follow();
  }, [turns]);
  return (
    <>
      <ol class="turns" aria-label="Conversation">
        {turns.map((t, n) => {
          const last = n === turns.length - 1;
          const key = `${id} ${n}`;
          return t.role === 'user' ? (
            <Question key={key} turn={t} n={n} last={last} />
          ) : (
            <Answer key={key} turn={t} last={last} />
          );
        })}
      </ol>
      {isRunning.value && !following.value && (
        <button type="button" class="jump" onClick={jump}>
          Follow the answer
        </button>
      )}
    </>
  );
}

function Curl() {
  const c = open.value;
  const question = draft.value.trim() || (c.turns.length === 0 ? 'Say hello.' : '');
  const shown = question ? withQuestion(c, question) : withoutLastAnswer(c);
  const text = curlCommand(location.origin, requestOf(shown, model.value));
  return (
    <details class="curl">
      <summary>Show as a curl command</summary>
      <div class="row top">
        <pre tabIndex={0} aria-label="curl command">
          {text}
        </pre>
        <CopyButton text={text} label="Copy the curl command" />
      </div>
    </details>
  );
}

// What another view's button asked for, once.
function useWish() {
  useLayoutEffect(() => {
    if (wanted.peek()) startWith(wanted.peek());
    wanted.value = '';
  }, []);
}

export function Chat() {
  useWish();
  if (models.value && choices.value.length === 0) {
    return (
      <section aria-labelledby="chat-title">
        <h2 id="chat-title">Chat</h2>
        <p class="empty">
          There is no chat model yet. <a href="#discover">Download one</a>, here or with{' '}
          <code>doze get</code>.
        </p>
      </section>
    );
  }
  return (
    <section class="chat" aria-labelledby="chat-title">
      <ConversationList />
      <div class="talk">
        <h2 id="chat-title" class="hidden">
          Chat
        </h2>
        <div class="row controls">
          <ModelSelect />
        </div>
        <OptionsPanel />
        <Turns />
        <Composer />
        <p class="hint keys" id="composer-keys">
          Enter sends, Shift+Enter starts a new line, Esc stops an answer.
        </p>
        <Curl />
      </div>
    </section>
  );
}
