/* SPDX-License-Identifier: MIT */
// The dialog that loads a model: name, context, parallel, ttl, and the memory all that takes.
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import {
  estimate,
  Refusal,
  refusalOf,
  request,
  type Estimate,
  type LoadWish,
  type Model,
} from '../server/api';
import { bytes, count, minutesToSeconds } from '../ui/format';
import { hear } from '../server/sse';
import { memory, messageOf, notify } from '../server/store';

interface Form {
  model: Model;
  identifier: string;
  context: string; // empty: as the server thinks best
  parallel: string;
  stay: boolean; // no ttl
  minutes: string;
  keep: boolean;
  force: boolean;
}

const form = signal<Form | null>(null);
const wrong = signal<Record<string, string>>({});
const sending = signal(false);
const measured = signal<Estimate | string | null>(null); // a string says why there is none

export function openLoadDialog(model: Model): void {
  wrong.value = {};
  sending.value = false;
  form.value = {
    model,
    identifier: '',
    context: '',
    parallel: '',
    stay: false,
    minutes: '10',
    keep: false,
    force: false,
  };
}

const close = () => {
  form.value = null;
};

// undefined: nothing is demanded; null: not understood.
function whole(text: string, most: number): number | null | undefined {
  if (text.trim() === '') return undefined;
  const n = /^\d+$/.test(text.trim()) ? Number(text) : 0;
  return n >= 1 && n <= most ? n : null;
}

// What to send, or what is wrong with each field.
export function wishOf(f: Form): { wish: LoadWish; wrong: Record<string, string> } {
  const errors: Record<string, string> = {};
  const most = f.model.max_context_length || 10_000_000;
  const context = whole(f.context, most);
  const parallel = whole(f.parallel, 64);
  const ttl = minutesToSeconds(f.minutes);
  if (context === null) errors.context_length = `A whole number from 1 to ${count(most)}.`;
  if (parallel === null) errors.parallel = 'A whole number from 1 to 64.';
  if (!f.stay && ttl === null) errors.ttl = 'Minutes, such as 10 or 0.5.';
  const wish: LoadWish = { model: f.model.key, ttl: f.stay ? -1 : (ttl ?? 0) };
  if (f.identifier.trim()) wish.identifier = f.identifier.trim();
  if (context) wish.context_length = context;
  if (parallel) wish.parallel = parallel;
  if (f.keep) wish.keep = true;
  if (f.force) wish.force = true;
  return { wish, wrong: errors };
}

function change(part: Partial<Form>): void {
  const cleared = { ...wrong.value };
  for (const [field, name] of [
    ['identifier', 'identifier'],
    ['context', 'context_length'],
    ['parallel', 'parallel'],
    ['minutes', 'ttl'],
    ['stay', 'ttl'],
  ] as const) {
    if (field in part) delete cleared[name];
  }
  delete cleared.form;
  wrong.value = cleared;
  form.value = { ...form.value!, ...part };
}

function refuse(e: unknown): void {
  const field =
    e instanceof Refusal &&
    e.param &&
    ['identifier', 'context_length', 'parallel', 'ttl'].includes(e.param)
      ? e.param
      : 'form';
  const code = e instanceof Refusal ? e.code : null;
  wrong.value = {
    [field]: messageOf(e),
    ...(code === 'insufficient_memory' ? { memory: 'yes' } : {}),
  };
}

// The dialog closes when the load has begun; the card shows the rest. A refusal keeps it open.
async function send(wish: LoadWish): Promise<void> {
  let begun = false;
  let failure: Refusal | null = null;
  const response = await request('POST', '/api/v1/models/load', wish, {
    accept: 'text/event-stream',
  });
  const begin = () => {
    if (!begun) close();
    begun = true;
  };
  await hear(response, {
    onMessage: ({ event, data }) => {
      if (event === 'progress') begin();
      if (event === 'error') failure = refusalOf(500, JSON.parse(data));
      if (event === 'result') {
        begin();
        notify(`${(JSON.parse(data) as { instance_id: string }).instance_id} is loaded.`);
      }
    },
  });
  if (!failure) return;
  if (!begun) throw failure;
  notify((failure as Refusal).message, true);
}

async function submit(e: Event): Promise<void> {
  e.preventDefault();
  if (sending.peek()) return;
  const made = wishOf(form.peek()!);
  wrong.value = made.wrong;
  const first = Object.keys(made.wrong)[0];
  if (first) {
    document.getElementById(`load-${first}`)?.focus();
    return;
  }
  sending.value = true;
  try {
    await send(made.wish);
  } catch (error) {
    if (form.peek()) refuse(error);
    else notify(messageOf(error), true);
  }
  sending.value = false;
}

// Ask what it would take, a moment after the last keystroke.
function useEstimate(f: Form | null): void {
  const key = f ? JSON.stringify([f.model.key, f.context, f.parallel]) : '';
  useEffect(() => {
    measured.value = null;
    if (!f) return;
    const { wish, wrong: errors } = wishOf(f);
    if (errors.context_length || errors.parallel) return;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const { model, context_length, parallel } = wish;
        measured.value = await estimate(
          { model, ...(context_length && { context_length }), ...(parallel && { parallel }) },
          abort.signal,
        );
      } catch (e) {
        if (!abort.signal.aborted) measured.value = messageOf(e);
      }
    }, 250);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key]);
}

function Estimated() {
  const m = measured.value;
  if (m === null)
    return (
      <p class="estimate" role="status">
        Measuring the memory it takes…
      </p>
    );
  if (typeof m === 'string')
    return (
      <p class="estimate" role="status">
        {m}
      </p>
    );
  const free = memory.value ? ` of ${bytes(memory.value.available_bytes)} available` : '';
  return (
    <p class={m.fits ? 'estimate' : 'estimate bad'} role="status">
      Takes about <strong>{bytes(m.total_bytes)}</strong>
      {free}: model {bytes(m.model_bytes)}, context {bytes(m.context_bytes)}.
      {!m.fits && ' That is more than there is.'}
    </p>
  );
}

function Wrong({ name }: { name: string }) {
  return (
    <p class="wrong" id={`load-${name}-wrong`} aria-live="polite">
      {wrong.value[name] ?? ''}
    </p>
  );
}

function Text(props: {
  name: string;
  label: string;
  value: string;
  hint?: string;
  placeholder?: string;
  numeric?: boolean;
  onChange: (text: string) => void;
}) {
  const id = `load-${props.name}`;
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        value={props.value}
        placeholder={props.placeholder}
        autoComplete="off"
        spellcheck={false}
        inputMode={props.numeric ? 'numeric' : 'text'}
        aria-invalid={props.name in wrong.value}
        aria-describedby={`${id}-wrong ${id}-hint`}
        onInput={(e) => props.onChange(e.currentTarget.value)}
      />
      {props.hint && (
        <p class="hint" id={`${id}-hint`}>
          {props.hint}
        </p>
      )}
      <Wrong name={props.name} />
    </div>
  );
}

function Ttl({ f }: { f: Form }) {
  return (
    <fieldset>
      <legend>How long does it stay?</legend>
      <label class="choice">
        <input
          type="radio"
          name="stay"
          checked={!f.stay}
          onChange={() => change({ stay: false })}
        />
        <span>
          Unload it after{' '}
          <input
            id="load-ttl"
            class="short"
            inputMode="decimal"
            value={f.minutes}
            aria-label="Idle minutes (ttl)"
            aria-invalid={'ttl' in wrong.value}
            aria-describedby="load-ttl-wrong"
            disabled={f.stay}
            onInput={(e) => change({ minutes: e.currentTarget.value })}
          />{' '}
          minutes without a request (ttl)
        </span>
      </label>
      <label class="choice">
        <input type="radio" name="stay" checked={f.stay} onChange={() => change({ stay: true })} />
        <span>Keep it until I unload it</span>
      </label>
      <Wrong name="ttl" />
      <label class="choice">
        <input
          type="checkbox"
          checked={f.keep}
          onChange={(e) => change({ keep: e.currentTarget.checked })}
        />
        <span>Load it again whenever the server starts</span>
      </label>
    </fieldset>
  );
}

function Fields({ f }: { f: Form }) {
  const most = f.model.max_context_length;
  return (
    <form onSubmit={submit} noValidate>
      <h2 id="load-title">Load {f.model.key}</h2>
      <Ttl f={f} />
      <Text
        name="context_length"
        label="Context length, in tokens"
        value={f.context}
        numeric
        placeholder="automatic"
        hint={`How much text it can hold${most ? `, at most ${count(most)}` : ''}. Empty: as much as the memory allows.`}
        onChange={(context) => change({ context })}
      />
      <Text
        name="parallel"
        label="Requests at the same time"
        value={f.parallel}
        numeric
        placeholder="automatic"
        hint="Each has the whole context; more take more memory. Empty: as the settings say."
        onChange={(parallel) => change({ parallel })}
      />
      <Text
        name="identifier"
        label="Identifier"
        value={f.identifier}
        placeholder={f.model.key}
        hint="The name by which requests find it; empty: the model’s own."
        onChange={(identifier) => change({ identifier })}
      />
      <Estimated />
      <Wrong name="form" />
      {wrong.value.memory && (
        <label class="choice">
          <input
            type="checkbox"
            checked={f.force}
            onChange={(e) => {
              form.value = { ...f, force: e.currentTarget.checked };
            }}
          />
          <span>Load it all the same: the machine may become slow</span>
        </label>
      )}
      <div class="row end">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button type="submit" class="main" disabled={sending.value}>
          {sending.value ? 'Loading…' : 'Load'}
        </button>
      </div>
    </form>
  );
}

export function LoadDialog() {
  const ref = useRef<HTMLDialogElement>(null);
  const f = form.value;
  useEffect(() => {
    if (f && !ref.current!.open) ref.current!.showModal();
    if (!f && ref.current!.open) ref.current!.close();
  }, [f !== null]);
  useEstimate(f);
  return (
    <dialog ref={ref} aria-labelledby="load-title" onClose={close}>
      {f && <Fields f={f} />}
    </dialog>
  );
}
