/* SPDX-License-Identifier: MIT */
// The downloads that run, wait or have ended, with what can be done about them.
import { openLoadDialog } from '../models/load-state';
import { changeDownload, removeDownload, type Download } from '../server/api';
import { connection, downloads, models } from '../server/store';
import { chatWith } from '../ui/chat-with';
import { bytes } from '../ui/format';
import { attempt } from '../ui/notices';
import { isUnfinished, modelOf, stateText, titleOf } from './discover';

async function remove(d: Download): Promise<void> {
  const lost = `Delete the ${bytes(d.downloaded_bytes)} that were downloaded of ${titleOf(d)}?`;
  if (isUnfinished(d) && d.downloaded_bytes > 0 && !confirm(lost)) return;
  if (!(await attempt(d.model, () => removeDownload(d.job_id!)))) return;
  downloads.value = downloads.peek().filter((other) => other.job_id !== d.job_id);
  document.getElementById('downloads-title')?.focus();
}

function set(d: Download, status: 'paused' | 'downloading'): Promise<boolean> {
  return attempt(d.model, async () => {
    const changed = await changeDownload(d.job_id!, status);
    downloads.value = downloads.peek().map((o) => (o.job_id === d.job_id ? changed : o));
  });
}

function MainButton({ download: d, off }: { download: Download; off: boolean }) {
  const model = modelOf(d, models.value ?? []);
  if (d.status === 'completed') {
    if (!model) return null;
    return (
      <>
        {model.type === 'llm' && (
          <button
            type="button"
            aria-label={`Chat with ${model.key}`}
            onClick={() => chatWith(model.key)}
          >
            Chat
          </button>
        )}
        <button
          type="button"
          disabled={off}
          aria-label={`Load ${model.key}…`}
          onClick={() => openLoadDialog(model)}
        >
          Load…
        </button>
      </>
    );
  }
  const running = d.status === 'downloading';
  const text = running ? 'Pause' : d.status === 'failed' ? 'Try again' : 'Resume';
  return (
    <button
      type="button"
      disabled={off}
      aria-label={`${text}: ${titleOf(d)}`}
      onClick={() => void set(d, running ? 'paused' : 'downloading')}
    >
      {text}
    </button>
  );
}

function Item({ download: d }: { download: Download }) {
  const off = connection.value !== 'live';
  const removal = isUnfinished(d) ? 'Remove' : 'Clear';
  return (
    <li class="card download" data-download={d.model}>
      <h3>{titleOf(d)}</h3>
      {isUnfinished(d) && (
        <progress
          max={d.total_size_bytes || 1}
          value={d.downloaded_bytes}
          aria-label={`Downloaded of ${titleOf(d)}`}
        />
      )}
      <p class="sub">{stateText(d, Date.now())}</p>
      {d.error && <p class={d.status === 'failed' ? 'wrong' : 'hint'}>{d.error}</p>}
      <div class="row">
        <MainButton download={d} off={off} />
        <button
          type="button"
          class="plain"
          disabled={off}
          aria-label={`${removal}: ${titleOf(d)}`}
          onClick={() => void remove(d)}
        >
          {isUnfinished(d) ? 'Remove…' : 'Clear from this list'}
        </button>
      </div>
    </li>
  );
}

export function Downloads() {
  const list = downloads.value;
  if (list.length === 0)
    return (
      <h3 id="downloads-title" tabIndex={-1} class="hidden">
        Downloads
      </h3>
    );
  return (
    <>
      <h3 id="downloads-title" tabIndex={-1}>
        Downloads
      </h3>
      <ul class="downloads">
        {list.map((d) => (
          <Item key={d.job_id} download={d} />
        ))}
      </ul>
    </>
  );
}
