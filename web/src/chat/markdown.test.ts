/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import { blocksOf, blockToHtml, type Highlight } from './markdown';

const plain: Highlight = () => null;
const html = (text: string, highlight = plain) =>
  blocksOf(text)
    .map(({ token }) => blockToHtml(token, highlight))
    .join('')
    .replace(/\n/g, '');

describe('markdown', () => {
  it('becomes HTML', () => {
    expect(html('**a** and `b`\n\n1. c\n2. d')).toBe(
      '<p><strong>a</strong> and <code>b</code></p><ol><li>c</li><li>d</li></ol>',
    );
  });
  it('keeps the line breaks of a model', () => {
    expect(html('a\nb')).toBe('<p>a<br>b</p>');
  });
  it('shows HTML as text', () => {
    expect(html('<b onclick="x()">a</b>')).not.toContain('<b');
    expect(html('a <script>alert(1)</script>')).toContain('&lt;script&gt;');
  });
  it('makes a link of an image, so that nothing is fetched', () => {
    expect(html('![a "quote"](http://x/?"<)')).not.toContain('<img');
    expect(html('![chart](http://x/y.png)')).toBe('<p><a href="http://x/y.png">chart</a></p>');
  });
  it('puts tables into a box that scrolls', () => {
    expect(html('|a|b|\n|-|-|\n|1|2|')).toMatch(/^<div class="table" tabindex="0"><table>.*<td>2/);
  });
});

describe('code blocks', () => {
  it('have their language and a button', () => {
    const made = html('```py\na < b\n```');
    expect(made).toContain('<span>py</span><button type="button" class="small plain" data-copy');
    expect(made).toContain('<code>a &lt; b</code>');
  });
  it('are highlighted, also inside of lists', () => {
    const upper: Highlight = (code, language) => `[${language} ${code}]`;
    expect(html('- x\n  ```js\n  a\n  ```', upper)).toContain('<code>[js a]</code>');
  });
  it('take only the name of a language from their first line', () => {
    expect(html('```"><img src=x>\na\n```')).toContain('<span>text</span>');
    expect(html('```c++ title="x"\na\n```')).toContain('<span>c++</span>');
  });
  it('are shown while they are not closed yet', () => {
    expect(html('```js\nlet a')).toContain('<code>let a</code>');
  });
});

describe('blocks', () => {
  it('before the last stay the same while a text grows', () => {
    const raws = (text: string) => blocksOf(text).map((b) => b.raw);
    const before = raws('# a\n\nb\n\n- c');
    const after = raws('# a\n\nb\n\n- c\n- d');
    expect(after.slice(0, -1)).toEqual(before.slice(0, -1));
  });
});
