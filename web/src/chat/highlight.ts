/* SPDX-License-Identifier: MIT */
// Colors for code. A language is fetched when it is first needed.
import { signal } from '@preact/signals';
import hljs from 'highlight.js/lib/core';
import type { LanguageFn } from 'highlight.js';

const MAX_CODE = 50_000; // characters; more is shown without colors

const languages: Record<string, () => Promise<{ default: LanguageFn }>> = {
  bash: () => import('highlight.js/lib/languages/bash'),
  c: () => import('highlight.js/lib/languages/c'),
  cpp: () => import('highlight.js/lib/languages/cpp'),
  csharp: () => import('highlight.js/lib/languages/csharp'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  go: () => import('highlight.js/lib/languages/go'),
  ini: () => import('highlight.js/lib/languages/ini'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  python: () => import('highlight.js/lib/languages/python'),
  rust: () => import('highlight.js/lib/languages/rust'),
  sql: () => import('highlight.js/lib/languages/sql'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
};

const aliases: Record<string, string> = {
  'c#': 'csharp',
  'c++': 'cpp',
  cc: 'cpp',
  cs: 'csharp',
  golang: 'go',
  h: 'c',
  html: 'xml',
  js: 'javascript',
  jsx: 'javascript',
  patch: 'diff',
  py: 'python',
  rs: 'rust',
  sh: 'bash',
  shell: 'bash',
  svg: 'xml',
  toml: 'ini',
  ts: 'typescript',
  tsx: 'typescript',
  yml: 'yaml',
  zsh: 'bash',
};

// Grows when a language arrives, so that what shows code is drawn again.
export const languagesReady = signal(0);
const requested = new Set<string>();

async function fetchLanguage(name: string): Promise<void> {
  requested.add(name);
  try {
    hljs.registerLanguage(name, (await languages[name]!()).default);
    languagesReady.value++;
  } catch {
    // Without the server the code stays without colors.
  }
}

// HTML of the code; null while its language is not there, or is not known.
export function highlight(code: string, language: string): string | null {
  const lower = language.toLowerCase();
  const name = aliases[lower] ?? lower;
  if (!Object.hasOwn(languages, name) || code.length > MAX_CODE) return null;
  if (hljs.getLanguage(name)) return hljs.highlight(code, { language: name }).value;
  if (!requested.has(name)) void fetchLanguage(name);
  return null;
}
