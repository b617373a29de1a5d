/* SPDX-License-Identifier: MIT */
// Deletes a model's files, after saying which, how large, and what they are needed for.
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { deleteModel, errorMessage, planDeletion, type Deletion, type Model } from '../server/api';
import { connection } from '../server/store';
import { bytes, plural } from '../ui/format';
import { notify } from '../ui/notices';

interface Asked {
  key: string;
  plan: Deletion | null; // null: not received yet
  problem: string; // why it cannot be deleted
  sending: boolean;
}

const asked = signal<Asked | null>(null);

function change(key: string, part: Partial<Asked>): void {
  if (asked.peek()?.key === key) asked.value = { ...asked.peek()!, ...part };
}

export async function openDeletion({ key }: Model): Promise<void> {
  asked.value = { key, plan: null, problem: '', sending: false };
  try {
    change(key, { plan: await planDeletion(key) });
  } catch (e) {
    change(key, { problem: errorMessage(e) });
  }
}

let deleted = false; // by the dialog that is about to close

const close = () => {
  asked.value = null;
};

// The row's button vanishes with the row, so the focus moves to the list's heading.
function onClose(): void {
  close();
  if (deleted) document.getElementById('models-title')?.focus();
  deleted = false;
}

async function confirmed(e: Event): Promise<void> {
  e.preventDefault();
  const { key, plan } = asked.peek()!;
  if (!plan) return;
  change(key, { sending: true, problem: '' });
  try {
    const { bytes: freed } = await deleteModel(key, plan);
    if (asked.peek()?.key === key) {
      deleted = true;
      close();
    }
    notify(key, `${key} was deleted, which freed ${bytes(freed)}.`);
  } catch (error) {
    change(key, { problem: errorMessage(error), sending: false });
  }
}

function Plan({ plan }: { plan: Deletion }) {
  return (
    <>
      <p>
        {plural(plan.files.length, 'file')}, {bytes(plan.bytes)}:
      </p>
      <ul class="files">
        {plan.files.map((file) => (
          <li key={file}>
            <code>{file}</code>
          </li>
        ))}
      </ul>
      {plan.loaded.length > 0 && (
        <p class="wrong">It is loaded ({plan.loaded.join(', ')}) and will be unloaded first.</p>
      )}
      {plan.foreign && (
        <p class="wrong">
          The folder belongs to another program, which will no longer find the model.
        </p>
      )}
    </>
  );
}

function Question({ a }: { a: Asked }) {
  return (
    <form onSubmit={(e) => void confirmed(e)}>
      <h2 id="delete-title">Delete {a.key}?</h2>
      {a.plan && <Plan plan={a.plan} />}
      {!a.plan && !a.problem && <p class="hint">Looking for its files…</p>}
      <p class="wrong" aria-live="polite">
        {a.problem}
      </p>
      <div class="row end">
        <button type="button" autoFocus onClick={close}>
          Cancel
        </button>
        <button
          type="submit"
          class="main danger"
          disabled={!a.plan || a.sending || connection.value !== 'live'}
        >
          {a.sending ? 'Deleting…' : 'Delete'}
        </button>
      </div>
    </form>
  );
}

export function DeleteDialog() {
  const ref = useRef<HTMLDialogElement>(null);
  const a = asked.value;
  useEffect(() => {
    if (a && !ref.current!.open) ref.current!.showModal();
    if (!a && ref.current!.open) ref.current!.close();
  }, [a !== null]);
  return (
    <dialog ref={ref} aria-labelledby="delete-title" onClose={onClose}>
      {a && <Question a={a} />}
    </dialog>
  );
}
