/* SPDX-License-Identifier: MIT */
// A streamed answer, read piece by piece.
import { readEvents } from './sse.js';

export class Stream {
  text = '';
  finish = null;
  error = null;
  done = false; // [DONE] was seen
  comments = [];
  chunks = [];

  // Begin to read; `response` comes from Daemon.stream.
  constructor(response) {
    this.status = response.status;
    this.ended = this.#read(response);
    this.ended.catch(() => {}); // those that await it get the failure
  }

  async #read(response) {
    try {
      for await (const event of readEvents(response)) this.#take(event);
    } catch (cause) {
      this.broken = cause;
    }
    this.#wake();
    return this;
  }

  #take(event) {
    if (event.comment !== undefined) this.comments.push(event.comment);
    if (event.rest !== undefined) this.broken = new Error(`cut off: ${event.rest}`);
    if (event.data === '[DONE]') this.done = true;
    else if (event.data !== undefined) this.#chunk(JSON.parse(event.data));
    this.#wake();
  }

  #chunk(chunk) {
    this.chunks.push(chunk);
    if (chunk.error) this.error = chunk.error;
    const choice = chunk.choices?.[0];
    this.text += choice?.delta?.content ?? choice?.text ?? '';
    this.finish = choice?.finish_reason ?? this.finish;
  }

  #wake() {
    this.wake?.();
  }

  // Resolves when at least this many characters have come; rejects if it ended before.
  async reached(length) {
    while (this.text.length < length) {
      if (this.finish || this.error || this.broken)
        throw new Error(`ended after ${this.text.length} characters: ${JSON.stringify(this)}`);
      await new Promise((resolve) => { this.wake = resolve; });
    }
    return this;
  }
}

// Open a streamed chat and wait for its first text.
export async function speaking(daemon, model, more = {}, options = {}) {
  const stream = new Stream(await daemon.stream(model, more, options));
  return stream.reached(1);
}
