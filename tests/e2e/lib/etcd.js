/* SPDX-License-Identifier: MIT */
// An etcd of its own for a test: the real one, unpacked by setup/etcd.sh.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { build } from './programs.js';

const program = path.join(build, 'deps/etcd/usr/bin/etcd');

// Why its tests cannot run; in CI they do, and fail.
export const missing = !fs.existsSync(program) && !process.env.CI
  && 'no etcd: setup/all.sh test brings it';

const LOWEST = 10000;
const given = new Set();

// A port that stays free until it is used, and while a server is started again: below those that
// the kernel assigns, and each is given once.
export async function freePort() {
  const range = fs.readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  const end = Math.max(Number.parseInt(range, 10), LOWEST + 1000);
  for (;;) {
    const port = crypto.randomInt(LOWEST, end);
    const server = net.createServer();
    const free = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(!given.has(port)));
    });
    if (!free) {
      server.close(() => {});
      continue;
    }
    given.add(port);
    server.close();
    await once(server, 'close');
    return port;
  }
}

export class Etcd {
  // tls: {cert, key} of its clients' port.
  static async start(t, host = '127.0.0.1', { tls } = {}) {
    const etcd = new Etcd();
    etcd.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doze-etcd-'));
    etcd.tls = tls;
    etcd.url = `http${tls ? 's' : ''}://${host}:${await freePort()}`;
    etcd.peerUrl = `http://127.0.0.1:${await freePort()}`;
    t.after(async () => {
      await etcd.stop('SIGKILL');
      fs.rmSync(etcd.folder, { recursive: true, force: true });
    });
    await etcd.launch();
    return etcd;
  }

  // Start the program; again after it ended, with the data and the address it had.
  async launch() {
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', program,
      '--data-dir', path.join(this.folder, 'data'),
      '--listen-client-urls', this.url, '--advertise-client-urls', this.url,
      '--listen-peer-urls', this.peerUrl, '--initial-advertise-peer-urls', this.peerUrl,
      '--initial-cluster', `default=${this.peerUrl}`, '--logger', 'zap',
      ...(this.tls ? ['--cert-file', this.tls.cert, '--key-file', this.tls.key] : [])],
    { stdio: ['ignore', 'ignore', 'pipe'] });
    this.exited = once(this.child, 'exit');
    await new Promise((resolve, reject) => {
      let log = '';
      this.child.stderr.on('data', (chunk) => {
        log += chunk;
        if (/serving client traffic (in)?securely/.test(log)) resolve();
      });
      this.exited.then(() => reject(new Error(`etcd ended:\n${log}`)));
    });
  }

  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.exited;
  }

  // Without a lease: it stays.
  async put(key, value) {
    const { status } = await fetch(`${this.url}/v3/kv/put`, { method: 'POST',
      body: JSON.stringify({ key: btoa(key), value: btoa(JSON.stringify(value)) }) });
    if (status !== 200) throw new Error(`etcd: ${status}`);
  }

  // All keys and values, decoded.
  async keys(prefix = '/doze/') {
    const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
    const response = await fetch(`${this.url}/v3/kv/range`, { method: 'POST',
      body: JSON.stringify({ key: btoa(prefix), range_end: btoa(end) }) });
    const { kvs = [] } = await response.json();
    return Object.fromEntries(kvs.map((kv) => [atob(kv.key), atob(kv.value)]));
  }
}
