/* SPDX-License-Identifier: MIT */
// One question or answer, with what can be done about it.
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { CopyButton } from '../ui/copy';
import { rate } from '../ui/format';
import { canSend, editQuestion, isRunning, progress, regenerate } from './chat-state';
import type { Stats } from './completion';
import type { Turn } from './conversation';
import { Markdown } from './markdown-view';

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

function Reasoning({ text, running }: { text: string; running: boolean }) {
  return (
    <details class="reasoning">
      <summary>{running ? 'Reasoning…' : 'Reasoning'}</summary>
      <Markdown text={text} />
    </details>
  );
}

export function Answer({ turn: t, last }: { turn: Turn; last: boolean }) {
  const running = last && isRunning.value;
  return (
    <li class="assistant" aria-busy={running}>
      <span class="role">{t.model || 'Model'}</span>
      {t.reasoning && <Reasoning text={t.reasoning} running={running && t.content === ''} />}
      <Markdown text={t.content} />
      {running && progress.value && (
        <p class="hint" role="status">
          {progress.value}…
        </p>
      )}
      {t.error && (
        <p class="wrong" role="alert">
          {t.error} The question is not part of the next request.
        </p>
      )}
      {t.stats && <StatsLine stats={t.stats} />}
      {!running && (
        <div class="row tight actions">
          {t.content && <CopyButton text={t.content} label="Copy the answer" />}
          {last && <RegenerateButton again={t.content !== ''} />}
        </div>
      )}
    </li>
  );
}

export function RegenerateButton({ again }: { again: boolean }) {
  return (
    <button type="button" class="small" disabled={!canSend.value} onClick={regenerate}>
      {again ? 'Regenerate' : 'Try again'}
    </button>
  );
}

function EditForm({ turn, n, onEnd }: { turn: Turn; n: number; onEnd: () => void }) {
  const text = useSignal(turn.content);
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => field.current!.focus(), []);
  const save = (e: Event) => {
    e.preventDefault();
    if (!text.peek().trim() || !canSend.peek()) return;
    onEnd();
    editQuestion(n, text.peek());
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === 'Escape') onEnd();
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) save(e);
  };
  return (
    <form class="edit" onSubmit={save}>
      <textarea
        ref={field}
        rows={Math.min(12, turn.content.split('\n').length + 1)}
        aria-label="Edit the message"
        value={text.value}
        onInput={(e) => {
          text.value = e.currentTarget.value;
        }}
        onKeyDown={onKeyDown}
      />
      <div class="row tight">
        <button type="submit" class="small main" disabled={!canSend.value}>
          Send
        </button>
        <button type="button" class="small" onClick={onEnd}>
          Cancel
        </button>
        <span class="hint">The turns after this one are replaced.</span>
      </div>
    </form>
  );
}

export function Question({ turn: t, n, last }: { turn: Turn; n: number; last: boolean }) {
  const editing = useSignal(false);
  return (
    <li class="user">
      <span class="role">You</span>
      {editing.value ? (
        <EditForm
          turn={t}
          n={n}
          onEnd={() => {
            editing.value = false;
          }}
        />
      ) : (
        <>
          {t.images && (
            <ul class="images" aria-label="Images of the message">
              {t.images.map((url, at) => (
                <li key={at}>
                  <img src={url} alt={`Image ${at + 1}`} />
                </li>
              ))}
            </ul>
          )}
          <div class="text">{t.content}</div>
          <div class="row tight actions">
            <CopyButton text={t.content} label="Copy the message" />
            <button
              type="button"
              class="small"
              disabled={!canSend.value}
              onClick={() => {
                editing.value = true;
              }}
            >
              Edit
            </button>
            {last && !isRunning.value && <RegenerateButton again={false} />}
          </div>
        </>
      )}
    </li>
  );
}
