/* SPDX-License-Identifier: MIT */
// A chat with any model, and the same request as a curl command.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { connection, instances, models } from '../server/store';
import { CopyButton } from '../ui/copy';
import { useFollowEnd } from '../ui/follow-end';
import { rate } from '../ui/format';
import * as chat from './chat-state';
import type { Stats } from './completion';
import type { Turn } from './conversation';
import { curlCommand } from './curl';
import './chat.css';

function StatsLine({ stats: s }: { stats: Stats }) {
  const parts = [
    s.firstToken !== undefined && `first token after ${s.firstToken.toFixed(2)} s`,
    s.speed !== undefined && `${rate(s.speed)} tokens/s`,
    s.answerTokens !== undefined && `${s.answerTokens} tokens`,
    s.promptTokens !== undefined &&
      `prompt ${s.promptTokens} tokens (${s.cachedTokens ?? 0} cached)`,
    s.stopped,
  ].filter(Boolean);
  return <p class="stats">{parts.join(' · ')}</p>;
}

function TurnView({ turn: t, last }: { turn: Turn; last: boolean }) {
  const busy = last && chat.running.value;
  return (
    <li class={t.role} aria-busy={busy}>
      <span class="role">{t.role === 'user' ? 'You' : 'Model'}</span>
      {t.reasoning && (
        <details>
          <summary>Reasoning</summary>
          <div class="text">{t.reasoning}</div>
        </details>
      )}
      <div class="text">{t.content}</div>
      {busy && chat.progress.value && (
        <p class="hint" role="status">
          {chat.progress.value}…
        </p>
      )}
      {t.error && (
        <p class="wrong" role="alert">
          {t.error} The question is not part of the next request.
        </p>
      )}
      {t.stats && <StatsLine stats={t.stats} />}
    </li>
  );
}

function ModelSelect() {
  const loaded = (key: string) => instances.value.some((i) => i.id === key);
  return (
    <label>
      Model{' '}
      <select
        value={chat.chosen.value}
        onChange={(e) => {
          chat.model.value = e.currentTarget.value;
        }}
      >
        {chat.choices.value.map((key) => (
          <option key={key} value={key}>
            {key}
            {loaded(key) ? ' (loaded)' : ''}
          </option>
        ))}
      </select>
    </label>
  );
}

function TtlField() {
  const invalid = chat.ttl.value === null;
  return (
    <>
      <label>
        ttl (idle minutes){' '}
        <input
          class="short"
          inputMode="decimal"
          placeholder="default"
          value={chat.minutes.value}
          aria-invalid={invalid}
          aria-describedby="chat-ttl-error"
          onInput={(e) => {
            chat.minutes.value = e.currentTarget.value;
          }}
        />
      </label>
      <span class="wrong" id="chat-ttl-error">
        {invalid && 'Enter minutes, such as 10 or 0.5.'}
      </span>
    </>
  );
}

function Controls() {
  return (
    <div class="row controls">
      <ModelSelect />
      <TtlField />
      <span class="grow" />
      <button
        type="button"
        disabled={chat.running.value || chat.turns.value.length === 0}
        onClick={chat.clear}
      >
        New chat
      </button>
    </div>
  );
}

// Esc and the Stop button end an answer; either way the next message can be typed at once.
function useStop() {
  const field = useRef<HTMLTextAreaElement>(null);
  const stop = () => {
    chat.stop();
    field.current?.focus();
  };
  const running = chat.running.value;
  useEffect(() => {
    if (!running) return;
    const onKeyDown = (e: KeyboardEvent) => {
      if (e.key === 'Escape' && !document.querySelector('dialog[open]')) stop();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [running]);
  return { field, stop };
}

function Composer() {
  const { field, stop } = useStop();
  const send = (e: Event) => {
    e.preventDefault();
    void chat.send();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) send(e);
  };
  return (
    <form class="composer" onSubmit={send}>
      <textarea
        ref={field}
        rows={3}
        aria-label="Message"
        placeholder="Enter sends, Shift+Enter starts a new line, Esc stops an answer."
        value={chat.draft.value}
        onInput={(e) => {
          chat.draft.value = e.currentTarget.value;
        }}
        onKeyDown={onKeyDown}
      />
      {chat.running.value ? (
        <button key="stop" type="button" onClick={stop}>
          Stop
        </button>
      ) : (
        <button
          key="send"
          type="submit"
          class="main"
          disabled={connection.value !== 'live' || !chat.chosen.value}
        >
          Send
        </button>
      )}
    </form>
  );
}

function Curl() {
  const asked = [...chat.turns.value].reverse().find((t) => t.role === 'user')?.content;
  const ttl = chat.ttl.value;
  const text = curlCommand(location.origin, {
    model: chat.chosen.value,
    messages: [{ role: 'user', content: chat.draft.value.trim() || asked || 'Say hello.' }],
    ...(typeof ttl === 'number' && { ttl }),
  });
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

export function Chat() {
  const { follow, jump } = useFollowEnd(() => null);
  const turns = chat.turns.value;
  useLayoutEffect(() => {
    if (turns.length > 0) jump();
  }, [turns.length]);
  useLayoutEffect(() => {
    if (chat.running.peek()) follow();
  }, [turns]);
  if (models.value && chat.choices.value.length === 0) {
    return (
      <section>
        <h2>Try it</h2>
        <p class="empty">There is no chat model yet.</p>
      </section>
    );
  }
  return (
    <section class="chat" aria-labelledby="chat-title">
      <h2 id="chat-title">Try it</h2>
      <Controls />
      <ol class="turns" aria-label="Conversation">
        {turns.map((t, n) => (
          <TurnView key={n} turn={t} last={n === turns.length - 1} />
        ))}
      </ol>
      <Composer />
      <Curl />
    </section>
  );
}
