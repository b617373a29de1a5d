/* SPDX-License-Identifier: MIT */
// From another view to a chat with a model or an instance: chat-view.tsx takes the wish.
import { signal } from '@preact/signals';

export const wanted = signal('');

export function chatWith(name: string): void {
  wanted.value = name;
  location.hash = '#chat';
  scrollTo(0, 0);
}
