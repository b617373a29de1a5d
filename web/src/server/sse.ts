/* SPDX-License-Identifier: MIT */
// Server-sent events over fetch: unlike EventSource it can send a key and a body.
import { createParser } from 'eventsource-parser';

export interface Message {
  event: string;
  data: string;
  id?: string | undefined;
}

export interface Hearing {
  onMessage(message: Message): void;
  onComment?(text: string): void;
  onBytes?(): void;
}

// Resolves at the stream's end, rejects if it breaks off.
export async function hear(response: Response, hearing: Hearing): Promise<void> {
  const parser = createParser({
    onEvent: (e) => hearing.onMessage({ event: e.event ?? '', data: e.data, id: e.id }),
    onComment: (text) => hearing.onComment?.(text),
  });
  const decoder = new TextDecoder();
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    hearing.onBytes?.();
    parser.feed(decoder.decode(value, { stream: true }));
  }
}
