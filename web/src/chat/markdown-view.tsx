/* SPDX-License-Identifier: MIT */
// Shows Markdown that a model wrote. Nothing in it can run, load anything or look like the page.
import DOMPurify from 'dompurify';
import { useMemo, useRef } from 'preact/hooks';
import { copyText } from '../ui/copy';
import { highlight, languagesReady } from './highlight';
import { blocksOf, blockToHtml } from './markdown';

const COPIED_MS = 1500;

const purifier = DOMPurify(window);
purifier.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName !== 'A') return;
  node.setAttribute('target', '_blank');
  node.setAttribute('rel', 'noopener noreferrer nofollow');
});

const sanitize = (html: string): string =>
  purifier.sanitize(html, {
    USE_PROFILES: { html: true },
    FORBID_TAGS: ['style', 'img', 'picture', 'video', 'audio', 'form', 'input', 'dialog'],
    FORBID_ATTR: ['style', 'id', 'name'],
    ADD_ATTR: ['target'],
  });

type Block = ReturnType<typeof blocksOf>[number];

function BlockView({ block }: { block: Block }) {
  const ready = languagesReady.value;
  const html = useMemo(() => sanitize(blockToHtml(block.token, highlight)), [block.raw, ready]);
  return <div class="block" dangerouslySetInnerHTML={{ __html: html }} />;
}

async function onClick(e: MouseEvent): Promise<void> {
  const button = (e.target as Element).closest<HTMLButtonElement>('button[data-copy]');
  if (!button) return;
  const code = button.closest('.code')!.querySelector('code')!.textContent!;
  if (!(await copyText(code))) return;
  button.textContent = 'Copied';
  setTimeout(() => {
    button.textContent = 'Copy';
  }, COPIED_MS);
}

export function Markdown({ text }: { text: string }) {
  const blocks = useRef<Block[]>([]);
  // Blocks that did not change keep their objects, and with them their HTML.
  blocks.current = blocksOf(text).map((block, n) => {
    const before = blocks.current[n];
    return before?.raw === block.raw ? before : block;
  });
  return (
    <div class="markdown" onClick={(e) => void onClick(e)}>
      {blocks.current.map((block, n) => (
        <BlockView key={n} block={block} />
      ))}
    </div>
  );
}
