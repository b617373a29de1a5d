/* SPDX-License-Identifier: MIT */
// Markdown to HTML. The HTML must be sanitized before it is shown (markdown-view.tsx). Pure.
import { Marked, type Token, type Tokens } from 'marked';

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (c) => escapes[c]!);

// highlight: HTML of a piece of code; null: show it without colors.
export type Highlight = (code: string, language: string) => string | null;

function codeBlock({ text, lang }: Tokens.Code, highlight: Highlight): string {
  const language = /^[\w+#.-]*/.exec(lang ?? '')![0];
  return (
    `<div class="code"><div class="code-bar"><span>${escapeHtml(language || 'text')}</span>` +
    `<button type="button" class="small plain" data-copy="code">Copy</button></div>` +
    `<pre tabindex="0"><code>${highlight(text, language) ?? escapeHtml(text)}</code></pre></div>`
  );
}

function markedWith(highlight: Highlight): Marked {
  return new Marked({
    gfm: true,
    breaks: true,
    renderer: {
      code: (token) => codeBlock(token, highlight),
      html: ({ text }) => escapeHtml(text), // what looks like HTML is shown as it is
      image: ({ href, text }) => `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`,
      checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
      table(token) {
        const row = (cells: Tokens.TableCell[]) =>
          `<tr>${cells.map((cell) => this.tablecell(cell)).join('')}</tr>`;
        const head = row(token.header);
        const body = token.rows.map(row).join('');
        return (
          `<div class="table" tabindex="0"><table><thead>${head}</thead>` +
          `<tbody>${body}</tbody></table></div>`
        );
      },
    },
  });
}

// Paragraphs, lists, code blocks, …: while an answer grows, only its last block changes.
export function blocksOf(text: string): { raw: string; token: Token }[] {
  return new Marked({ gfm: true, breaks: true })
    .lexer(text)
    .filter((token) => token.type !== 'space' && token.type !== 'def')
    .map((token) => ({ raw: token.raw, token }));
}

export const blockToHtml = (token: Token, highlight: Highlight): string =>
  markedWith(highlight).parser([token]);
