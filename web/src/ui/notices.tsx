/* SPDX-License-Identifier: MIT */
// Short messages in the corner. A new one replaces the one before about the same subject.
import { signal } from '@preact/signals';
import { errorMessage } from '../server/api';

const SHOWN_MS = 6000;
const LIMIT = 4;

interface Notice {
  id: number;
  subject: string;
  text: string;
  bad: boolean;
}

const notices = signal<Notice[]>([]);
let lastId = 0;

function dismiss(id: number): void {
  notices.value = notices.value.filter((n) => n.id !== id);
}

// subject: the id of an instance, or any other name. Good news disappears; bad news stays until it
// is dismissed or replaced.
export function notify(subject: string, text: string, bad = false): void {
  const id = ++lastId;
  const others = notices.value.filter((n) => n.subject !== subject);
  notices.value = [...others, { id, subject, text, bad }].slice(-LIMIT);
  if (!bad) setTimeout(() => dismiss(id), SHOWN_MS);
}

// True if the work succeeded; a failure is shown.
export async function attempt(
  subject: string,
  work: () => Promise<unknown>,
  done?: string,
): Promise<boolean> {
  try {
    await work();
    if (done) notify(subject, done);
    return true;
  } catch (e) {
    notify(subject, errorMessage(e), true);
    return false;
  }
}

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((n) => (
        <div key={n.id} class={n.bad ? 'notice bad' : 'notice'}>
          <span>{n.text}</span>
          <button type="button" class="plain" aria-label="Dismiss" onClick={() => dismiss(n.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
