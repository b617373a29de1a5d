/* SPDX-License-Identifier: MIT */
// What the daemon tells on GET /api/v1/events, to be waited for.
import { readEvents } from './sse.js';

const PATIENCE_MS = 60000; // a machine may stall

export class Watch {
  #abort = new AbortController();
  #waiting = new Set();
  #closed = false;
  all = []; // {name, ...data}, in order
  ids = []; // of those that have one, for Last-Event-ID

  static async open(url, headers = {}) {
    const watch = new Watch();
    const response = await fetch(`${url}/api/v1/events`,
      { headers, signal: watch.#abort.signal });
    if (!response.ok) throw new Error(`events: ${response.status}`);
    watch.#read(response);
    await watch.first((e) => e.name === 'snapshot' || headers['Last-Event-ID'] !== undefined);
    return watch;
  }

  async #read(response) {
    try {
      for await (const event of readEvents(response)) {
        if (event.data === undefined) continue;
        if (event.id) this.ids.push(event.id);
        this.all.push({ name: event.event, ...JSON.parse(event.data) });
        for (const check of this.#waiting) check();
      }
    } catch { /* the daemon is gone or the watch was closed */ }
    this.#closed = true;
    for (const check of this.#waiting) check();
  }

  // The first event that fits, counted from the start, from index `from` or from the one that
  // follows the event `after`. An answer may be there before the events that led to it: those
  // after `length` are not only those of what comes next.
  first(fits, { after, from = after ? this.all.indexOf(after) + 1 : 0, patience = PATIENCE_MS,
    what = fits.toString() } = {}) {
    let at = from;
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(limit);
        this.#waiting.delete(check);
        settle(value);
      };
      const seen = () => JSON.stringify(this.all.slice(-12), null, 1);
      const limit = setTimeout(
        () => end(reject, new Error(`no such event: ${what}\nseen last: ${seen()}`)), patience);
      const check = () => {
        for (; at < this.all.length; at++) {
          if (fits(this.all[at])) return end(resolve, this.all[at]);
        }
        if (this.#closed) end(reject, new Error(`the events ended without ${what}\n${seen()}`));
      };
      this.#waiting.add(check);
      check();
    });
  }

  // The first transition of an instance to a state.
  reaches(id, to, options = {}) {
    const what = options.what ?? `${id} -> ${to}`;
    return this.first((e) => e.name === 'instance' && e.id === id && e.to === to,
      { ...options, what });
  }

  transitions(id) {
    return this.all.filter((e) => e.name === 'instance' && (!id || e.id === id));
  }

  get length() { return this.all.length; }

  close() { this.#abort.abort(); }
}
