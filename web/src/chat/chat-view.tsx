/* SPDX-License-Identifier: MIT */
// A small chat with any model, and the same request as a curl command.
import { computed, signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { CopyButton } from '../ui/copy';
import { minutesToSeconds, rate } from '../ui/format';
import { converse, curlFor, type Figures, type Message } from './completion';
import { connection, instances, messageOf, models } from '../server/store';

interface Turn extends Message {
  reasoning?: string;
  figures?: Figures;
  failed?: string;
}

const model = signal('');
const minutes = signal('');
const draft = signal('');
const turns = signal<Turn[]>([]);
const progress = signal(''); // "loading 42%"
let abort: AbortController | null = null;
const running = signal(false);

const choices = computed(() => {
  const keys = (models.value ?? []).filter((m) => !m.problem && m.type === 'llm').map((m) => m.key);
  return [
    ...new Set([...instances.value.filter((i) => i.id !== i.model).map((i) => i.id), ...keys]),
  ];
});
// Chosen by hand; else one that is loaded; else the first.
const chosen = computed(() => {
  if (choices.value.includes(model.value)) return model.value;
  return instances.value.find((i) => choices.value.includes(i.id))?.id ?? choices.value[0] ?? '';
});
const ttl = computed(() => (minutes.value.trim() ? minutesToSeconds(minutes.value) : undefined));
const messages = computed<Message[]>(() =>
  turns.value.filter((t) => !t.failed && t.content).map(({ role, content }) => ({ role, content })),
);

function amend(part: Partial<Turn> | ((t: Turn) => Partial<Turn>)): void {
  const last = turns.value[turns.value.length - 1]!;
  const add = typeof part === 'function' ? part(last) : part;
  turns.value = [...turns.value.slice(0, -1), { ...last, ...add }];
}

async function send(): Promise<void> {
  const content = draft.peek().trim();
  if (!content || running.peek() || !chosen.peek() || ttl.peek() === null) return;
  draft.value = '';
  turns.value = [...turns.value, { role: 'user', content }];
  const body = {
    model: chosen.peek(),
    messages: messages.peek(),
    ...(ttl.peek() === undefined ? {} : { ttl: ttl.peek()! }),
  };
  turns.value = [...turns.value, { role: 'assistant', content: '' }];
  abort = new AbortController();
  running.value = true;
  try {
    await converse(body, abort.signal, {
      onProgress: (text) => {
        progress.value = text;
      },
      onContent: (text) => {
        progress.value = '';
        amend((t) => ({ content: t.content + text }));
      },
      onReasoning: (text) => {
        progress.value = '';
        amend((t) => ({ reasoning: (t.reasoning ?? '') + text }));
      },
      onFigures: (figures) => amend((t) => ({ figures: { ...t.figures, ...figures } })),
    });
  } catch (e) {
    if (!abort.signal.aborted) amend({ failed: messageOf(e) });
    else amend((t) => ({ figures: { ...t.figures, stop: 'stopped by you' } }));
  }
  progress.value = '';
  running.value = false;
}

function FiguresLine({ figures: f }: { figures: Figures }) {
  const parts = [
    f.first !== undefined && `first token after ${f.first.toFixed(2)} s`,
    f.speed !== undefined && `${rate(f.speed)} tokens/s`,
    f.answered !== undefined && `${f.answered} tokens`,
    f.prompt !== undefined && `prompt ${f.prompt} tokens, ${f.cached ?? 0} cached`,
    f.stop,
  ].filter(Boolean);
  return <p class="figures">{parts.join(' · ')}</p>;
}

function TurnView({ turn: t, last }: { turn: Turn; last: boolean }) {
  const busy = last && running.value;
  return (
    <li class={t.role} aria-busy={busy}>
      <span class="who">{t.role === 'user' ? 'You' : 'Model'}</span>
      {t.reasoning && (
        <details>
          <summary>What it thought</summary>
          <div class="said">{t.reasoning}</div>
        </details>
      )}
      <div class="said">{t.content}</div>
      {busy && progress.value && (
        <p class="hint" role="status">
          {progress.value}…
        </p>
      )}
      {t.failed && (
        <p class="wrong" role="alert">
          {t.failed}
        </p>
      )}
      {t.figures && <FiguresLine figures={t.figures} />}
    </li>
  );
}

function Choice() {
  return (
    <div class="row controls">
      <label>
        Model{' '}
        <select
          value={chosen.value}
          onChange={(e) => {
            model.value = e.currentTarget.value;
          }}
        >
          {choices.value.map((key) => (
            <option key={key} value={key}>
              {key}
              {instances.value.some((i) => i.id === key) ? ' (loaded)' : ''}
            </option>
          ))}
        </select>
      </label>
      <label>
        ttl, in idle minutes{' '}
        <input
          class="short"
          inputMode="decimal"
          placeholder="default"
          value={minutes.value}
          aria-invalid={ttl.value === null}
          aria-describedby="chat-ttl-wrong"
          onInput={(e) => {
            minutes.value = e.currentTarget.value;
          }}
        />
      </label>
      <span class="wrong" id="chat-ttl-wrong">
        {ttl.value === null && 'Give minutes, such as 10 or 0.5.'}
      </span>
      <span class="grow" />
      <button
        type="button"
        disabled={running.value || turns.value.length === 0}
        onClick={() => {
          turns.value = [];
        }}
      >
        New chat
      </button>
    </div>
  );
}

function Compose() {
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
    e.preventDefault();
    void send();
  };
  return (
    <form
      class="compose"
      onSubmit={(e) => {
        e.preventDefault();
        void send();
      }}
    >
      <textarea
        rows={3}
        aria-label="Message"
        placeholder="Say something. Enter sends, Shift+Enter makes a new line."
        value={draft.value}
        onInput={(e) => {
          draft.value = e.currentTarget.value;
        }}
        onKeyDown={onKeyDown}
      />
      {running.value ? (
        <button type="button" onClick={() => abort?.abort()}>
          Stop
        </button>
      ) : (
        <button type="submit" class="main" disabled={connection.value !== 'live' || !chosen.value}>
          Send
        </button>
      )}
    </form>
  );
}

function Curl() {
  const content =
    draft.value.trim() ||
    [...turns.value].reverse().find((t) => t.role === 'user')?.content ||
    'Say hello.';
  const text = curlFor(location.origin, chosen.value, content, ttl.value ?? undefined);
  return (
    <details class="curl">
      <summary>The same with curl</summary>
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
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (turns.value.length > 0) end.current?.scrollIntoView({ block: 'nearest' });
  }, [turns.value]);
  if (models.value && choices.value.length === 0) {
    return (
      <section>
        <h2>Try it</h2>
        <p class="empty">There is no model to talk to yet.</p>
      </section>
    );
  }
  return (
    <section class="chat" aria-labelledby="chat">
      <h2 id="chat">Try it</h2>
      <Choice />
      <ol class="turns" aria-label="Conversation">
        {turns.value.map((t, n) => (
          <TurnView key={n} turn={t} last={n === turns.value.length - 1} />
        ))}
      </ol>
      <Compose />
      <div ref={end} />
      <Curl />
    </section>
  );
}
