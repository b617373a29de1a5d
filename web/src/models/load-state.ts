/* SPDX-License-Identifier: MIT */
// The state of the load dialog, and what it asks the server.
import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import {
  ApiError,
  apiErrorFrom,
  errorMessage,
  estimateLoad,
  request,
  type Estimate,
  type LoadRequest,
  type Model,
} from '../server/api';
import { focusField } from '../load/load-fields-view';
import { readEventStream } from '../server/sse';
import { settings } from '../server/store';
import { notify } from '../ui/notices';
import {
  canForce,
  estimateRequestOf,
  fieldErrors,
  isCancelled,
  loadRequestOf,
  newLoadForm,
  refusedField,
  type Field,
  type LoadForm,
} from './load-form';

const ESTIMATE_DELAY_MS = 250; // after the last keystroke

export const form = signal<LoadForm | null>(null);
const visited = signal<ReadonlySet<Field>>(new Set()); // fields whose errors are shown
export const refusal = signal<{ field: Field | null; text: string; canForce: boolean } | null>(
  null,
);
export const sending = signal(false);
// A string says why there is no estimate
export const measured = signal<Estimate | string | null>(null);

export const shownErrors = computed<Partial<Record<Field, string>>>(() => {
  if (!form.value) return {};
  const errors = fieldErrors(form.value);
  for (const field of Object.keys(errors) as Field[]) {
    if (!visited.value.has(field)) delete errors[field];
  }
  const refused = refusal.value;
  return refused?.field ? { [refused.field]: refused.text, ...errors } : errors;
});

export function openLoadDialog(model: Model): void {
  form.value = newLoadForm(model, settings.peek()?.models[model.key]);
  visited.value = new Set();
  refusal.value = null;
  sending.value = false;
}

export function close(): void {
  form.value = null;
}

export function change(part: Partial<LoadForm>): void {
  refusal.value = null;
  form.value = { ...form.value!, ...part };
}

// Unlike other changes this one leaves the refusal on the screen.
export function insist(force: boolean): void {
  form.value = { ...form.value!, force };
}

// The field was left, or the form sent: show what is wrong with it.
export function visit(...fields: Field[]): void {
  visited.value = new Set([...visited.value, ...fields]);
}

// Follows a load to its end. onBegin: the server has accepted it. Resolves to the instance's
// identifier.
async function load(body: LoadRequest, onBegin: () => void): Promise<string> {
  const accept = 'text/event-stream';
  const response = await request('POST', '/api/v1/models/load', body, { accept });
  let loaded = '';
  let failure: ApiError | undefined;
  await readEventStream(response, {
    onMessage: ({ event, data }) => {
      if (event !== 'error') onBegin();
      if (event === 'error') failure = apiErrorFrom(500, JSON.parse(data));
      if (event === 'result') loaded = (JSON.parse(data) as { instance_id: string }).instance_id;
    },
  });
  if (failure) throw failure;
  return loaded;
}

// The dialog closes when the load begins; the instance's card shows the rest. A refusal keeps the
// dialog open.
async function send(body: LoadRequest): Promise<void> {
  const subject = body.identifier ?? body.model;
  const opened = form.peek();
  const closeOwn = () => {
    if (form.peek() === opened) close();
  };
  try {
    notify(subject, `${await load(body, closeOwn)} is loaded.`);
  } catch (e) {
    if (e instanceof ApiError && isCancelled(e)) {
      closeOwn(); // who cancelled it has been told
    } else if (opened && form.peek() === opened) {
      showRefusal(e);
    } else {
      notify(subject, errorMessage(e), true);
    }
  }
}

function showRefusal(e: unknown): void {
  const known = e instanceof ApiError ? e : null;
  refusal.value = {
    field: known && refusedField(known),
    text: errorMessage(e),
    canForce: known !== null && canForce(known),
  };
}

export async function submit(e: Event): Promise<void> {
  e.preventDefault();
  if (sending.peek()) return;
  const invalid = Object.keys(fieldErrors(form.peek()!)) as Field[];
  visit(...invalid);
  if (invalid[0]) {
    focusField(`load-${invalid[0]}`);
    return;
  }
  refusal.value = null;
  sending.value = true;
  await send(loadRequestOf(form.peek()!));
  sending.value = false;
}

// Asks for an estimate whenever what decides the memory has changed.
export function useEstimate(f: LoadForm | null): void {
  const body = f && estimateRequestOf(f);
  useEffect(() => {
    measured.value = null;
    if (!body) return;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        measured.value = await estimateLoad(body, abort.signal);
      } catch (e) {
        if (!abort.signal.aborted) measured.value = errorMessage(e);
      }
    }, ESTIMATE_DELAY_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [JSON.stringify(body)]);
}
