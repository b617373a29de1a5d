/* SPDX-License-Identifier: MIT */
// Where a message is written, sent, and its answer stopped.
import { useEffect, useRef } from 'preact/hooks';
import { connection } from '../server/store';
import { AttachButton, Attachments, attach } from './attachments';
import { canSend, draft, isRunning, open, send, stop } from './chat-state';

// Esc and the Stop button end an answer; either way the next message can be typed at once.
function useStop() {
  const field = useRef<HTMLTextAreaElement>(null);
  const stopAndType = () => {
    stop();
    field.current?.focus();
  };
  const running = isRunning.value;
  useEffect(() => {
    if (!running) return;
    const onKeyDown = (e: KeyboardEvent) => {
      if (e.key === 'Escape' && !document.querySelector('dialog[open]')) stopAndType();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [running]);
  return { field, stopAndType };
}

export function Composer() {
  const { field, stopAndType } = useStop();
  const id = open.value.id;
  useEffect(() => field.current!.focus({ preventScroll: true }), [id]);
  const onSubmit = (e: Event) => {
    e.preventDefault();
    send();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) onSubmit(e);
  };
  return (
    <form class="composer" onSubmit={onSubmit}>
      <Attachments />
      <textarea
        ref={field}
        rows={2}
        aria-label="Message"
        aria-describedby="composer-keys"
        placeholder="Write a message"
        value={draft.value}
        onInput={(e) => {
          draft.value = e.currentTarget.value;
        }}
        onKeyDown={onKeyDown}
        onPaste={(e) => {
          if (attach(e.clipboardData?.files ?? [])) e.preventDefault();
        }}
      />
      <AttachButton />
      {isRunning.value ? (
        <button key="stop" type="button" onClick={stopAndType}>
          Stop
        </button>
      ) : (
        <button
          key="send"
          type="submit"
          class="main"
          disabled={connection.value !== 'live' || !canSend.value}
        >
          Send
        </button>
      )}
    </form>
  );
}
