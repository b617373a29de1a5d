/* SPDX-License-Identifier: MIT */
import { useSignal } from '@preact/signals';
import { notify } from './notices';

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https or permission there is no clipboard API, only the old command.
    const area = document.createElement('textarea');
    area.value = text;
    const parent = document.querySelector('dialog[open]') ?? document.body;
    parent.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (!done) notify('copy', 'The browser blocked copying. Select the text and copy it.', true);
    return done;
  }
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const copied = useSignal(false);
  const copy = async () => {
    copied.value = await copyText(text);
    setTimeout(() => {
      copied.value = false;
    }, 1500);
  };
  return (
    <button type="button" class="small" aria-label={copied.value ? 'Copied' : label} onClick={copy}>
      {copied.value ? 'Copied' : 'Copy'}
    </button>
  );
}
