/* SPDX-License-Identifier: MIT */
import { dismiss, notices } from '../server/store';

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
