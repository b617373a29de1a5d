/* SPDX-License-Identifier: MIT */
// A hub for models that speaks huggingface.co's protocol, as far as downloads need it, on two
// ports: one for the API, one for the bytes. hub-truth.test.js proves it with the real client.
import crypto from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
export const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');

// Of a file of the hub; computed once.
const sums = new WeakMap();
function sumOf(bytes) {
  if (!sums.has(bytes)) sums.set(bytes, sha256(bytes));
  return sums.get(bytes);
}

export class Hub {
  // What was asked: {port: 'api'|'content', method, path, token, range}.
  requests = [];
  // Answers to the next requests for bytes, first in, first out: {cutAfter}, {status, headers},
  // {wrongByteAt}, {ignoreRange}, {bytesPerSecond}, {shift}: the range begins so much later. None
  // left: `always`.
  faults = [];
  always = {};
  gated = new Set();
  pageSize = 1000;
  // The connections over which bytes were asked for.
  contentSockets = new Set();

  #sent = new EventEmitter();

  // When this many bytes more have been sent at a rate.
  async sends(count) {
    for (let left = count; left > 0;) left -= (await once(this.#sent, 'bytes'))[0];
  }

  // repos: {'owner/repo': {path: Buffer or a file's name}}
  static async start(t, repos) {
    const hub = new Hub();
    hub.repos = new Map();
    for (const [name, files] of Object.entries(repos)) {
      const map = new Map();
      for (const [path, bytes] of Object.entries(files))
        map.set(path, typeof bytes === 'string' ? fs.readFileSync(bytes) : bytes);
      hub.repos.set(name, map);
    }
    hub.api = await hub.#listen(t, (q, a) => hub.#onApi(q, a));
    hub.content = await hub.#listen(t, (q, a) => hub.#onContent(q, a));
    return hub;
  }

  get url() { return `http://127.0.0.1:${this.api.address().port}`; }
  get contentUrl() { return `http://127.0.0.1:${this.content.address().port}`; }
  get env() { return { HF_ENDPOINT: this.url, HF_HUB_OFFLINE: '' }; }

  async #listen(t, handler) {
    // A client that is slow between two requests keeps its connection.
    const server = http.createServer({ keepAliveTimeout: 0 }, handler);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => { server.closeAllConnections(); server.close(); });
    return server;
  }

  #note(port, q) {
    this.requests.push({ port, method: q.method, path: q.url, range: q.headers.range,
      token: q.headers.authorization });
  }

  #onApi(q, a) {
    this.#note('api', q);
    const url = new URL(q.url, this.url);
    const fail = (status, code) => {
      a.writeHead(status, { 'X-Error-Code': code, 'X-Error-Message': code }).end();
    };
    if (url.pathname === '/api/models') return this.#search(url, a);
    const api = /^\/api\/models\/([^/]+\/[^/]+)(?:\/(refs|tree|revision)(?:\/([^/]+))?)?$/
      .exec(url.pathname);
    const resolve = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    const [, name, what, revision] = api ?? [undefined, ...(resolve?.slice(1, 2) ?? []),
      'resolve', resolve?.[2]];
    const files = this.repos.get(name);
    if (!files) return fail(401, 'RepoNotFound');
    if (this.gated.has(name) && q.headers.authorization !== 'Bearer hf_good' &&
        what === 'resolve') return fail(401, 'GatedRepo');
    if (revision && !['main', COMMIT].includes(revision)) return fail(404, 'RevisionNotFound');
    if (what === 'refs') return this.#json(a, { tags: [], converts: [],
      branches: [{ name: 'main', ref: 'refs/heads/main', targetCommit: COMMIT }] });
    if (what === 'tree') return this.#tree(url, name, files, a);
    if (what !== 'resolve') return this.#info(name, files, a);
    const bytes = files.get(resolve[3]);
    if (!bytes) return fail(404, 'EntryNotFound');
    a.writeHead(302, { 'X-Repo-Commit': COMMIT, 'X-Linked-Etag': `"${sumOf(bytes)}"`,
      'X-Linked-Size': bytes.length, ETag: `"${sumOf(bytes)}"`, 'Accept-Ranges': 'bytes',
      Location: `${this.contentUrl}/${name}/${sumOf(bytes)}?signed=yes` }).end();
  }

  #json(a, value, headers = {}) {
    a.writeHead(200, { 'content-type': 'application/json', ...headers });
    a.end(JSON.stringify(value));
  }

  #info(name, files, a) {
    this.#json(a, { id: name, modelId: name, sha: COMMIT, private: false, gated: false,
      disabled: false, downloads: 1, likes: 1, tags: ['gguf'],
      siblings: [...files.keys()].map((rfilename) => ({ rfilename })) });
  }

  #tree(url, name, files, a) {
    const all = [...files].map(([path, bytes]) => ({ type: 'file', path, size: bytes.length,
      oid: sha256(path).slice(0, 40),
      lfs: { oid: sumOf(bytes), size: bytes.length, pointerSize: 134 } }));
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const to = from + this.pageSize;
    const next = `${this.url}${url.pathname}?recursive=true&cursor=${to}`;
    this.#json(a, all.slice(from, to), to < all.length ? { Link: `<${next}>; rel="next"` } : {});
  }

  #search(url, a) {
    const words = (url.searchParams.get('search') ?? '').toLowerCase();
    this.#json(a, [...this.repos.keys()].filter((name) => name.toLowerCase().includes(words))
      .map((id, i) => ({ id, modelId: id, downloads: 1000 - i, likes: 10, tags: ['gguf'] })));
  }

  #onContent(q, a) {
    this.#note('content', q);
    this.contentSockets.add(q.socket);
    const fault = this.faults.shift() ?? this.always;
    const [, owner, repo, hash] = new URL(q.url, this.contentUrl).pathname.split('/');
    const found = [...this.repos.get(`${owner}/${repo}`).values()]
      .find((bytes) => sumOf(bytes) === hash);
    if (fault.status) return a.writeHead(fault.status, fault.headers ?? {}).end();
    const range = fault.ignoreRange ? null : /^bytes=(\d+)-(\d*)$/.exec(q.headers.range ?? '');
    const from = range ? Number(range[1]) + (fault.shift ?? 0) : 0;
    const to = range?.[2] ? Number(range[2]) + 1 : found.length;
    if (range && from >= found.length)
      return a.writeHead(416, { 'Content-Range': `bytes */${found.length}` }).end();
    let bytes = found.subarray(from, to);
    if (fault.wrongByteAt !== undefined) {
      bytes = Buffer.from(bytes);
      bytes[fault.wrongByteAt] ^= 0xff;
    }
    a.writeHead(range ? 206 : 200, { 'Content-Length': bytes.length, 'Accept-Ranges': 'bytes',
      ETag: `"${hash}"`, ...(range
        ? { 'Content-Range': `bytes ${from}-${to - 1}/${found.length}` } : {}) });
    if (q.method === 'HEAD') return a.end();
    if (fault.bytesPerSecond) return this.#drip(a, bytes, fault.bytesPerSecond);
    if (fault.cutAfter === undefined) return a.end(bytes);
    a.write(bytes.subarray(0, fault.cutAfter), () => setImmediate(() => a.destroy()));
  }

  // The bytes at a rate, in a hundred pieces a second.
  #drip(a, bytes, rate) {
    const piece = Math.max(1, Math.floor(rate / 100));
    let at = 0;
    const timer = setInterval(() => {
      a.write(bytes.subarray(at, at + piece));
      at += piece;
      this.#sent.emit('bytes', piece);
      if (at < bytes.length) return;
      clearInterval(timer);
      a.end();
    }, 10);
    a.on('close', () => clearInterval(timer));
  }
}
