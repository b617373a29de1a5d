/* SPDX-License-Identifier: MIT */
import { useSignal } from '@preact/signals';
import { notify } from '../server/store';

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https, or without permission, browsers have only the old way.
    const area = document.createElement('textarea');
    area.value = text;
    const parent = document.querySelector('dialog[open]') ?? document.body;
    parent.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (!done) notify('The browser does not let this page copy; select the text by hand.', true);
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
