/* SPDX-License-Identifier: MIT */
// Server-sent events over fetch, which unlike EventSource can send a key and a body.
import { createParser } from 'eventsource-parser';

export interface Message {
  event: string;
  data: string;
  id?: string | undefined;
}

export interface StreamHandlers {
  onMessage(message: Message): void;
  onComment?(text: string): void;
  onBytes?(): void;
}

// Resolves when the stream ends, rejects when it breaks off.
export async function readEventStream(response: Response, handlers: StreamHandlers): Promise<void> {
  const parser = createParser({
    onEvent: (e) => handlers.onMessage({ event: e.event ?? '', data: e.data, id: e.id }),
    onComment: (text) => handlers.onComment?.(text),
  });
  const decoder = new TextDecoder();
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    handlers.onBytes?.();
    parser.feed(decoder.decode(value, { stream: true }));
  }
}
