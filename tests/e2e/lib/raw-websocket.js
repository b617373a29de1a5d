/* SPDX-License-Identifier: MIT */
// WebSocket frames by hand, for a client that does as it likes.
import crypto from 'node:crypto';
import net from 'node:net';

export const TEXT = 1, MORE = 0, PING = 9;

// Masked with zeros.
export function frame(opcode, payload, { last = true } = {}) {
  const { length } = payload, head = Buffer.alloc(14);
  head[0] = (last ? 0x80 : 0) | opcode;
  if (length < 126) {
    head[1] = 0x80 | length;
    return Buffer.concat([head.subarray(0, 6), payload]);
  }
  if (length < 65536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
    return Buffer.concat([head.subarray(0, 8), payload]);
  }
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

export const message = (value) => frame(TEXT, Buffer.from(JSON.stringify(value)));

export class RawSocket {
  // reads: false: it takes nothing of what the server sends after the handshake.
  static async open(t, d, namespace, { reads = true } = {}) {
    const raw = new RawSocket();
    raw.socket = net.connect(d.port, '127.0.0.1');
    raw.closed = new Promise((resolve) => { raw.socket.once('close', resolve); });
    raw.socket.on('error', () => {});
    t.after(() => raw.socket.destroy());
    raw.socket.write(`GET /${namespace} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n` +
      'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}\r\n\r\n`);
    await Promise.race([raw.closed,
      new Promise((resolve) => { raw.socket.once('data', resolve); })]);
    if (reads) raw.socket.resume();
    else raw.socket.pause();
    raw.socket.write(message({ authVersion: 1, clientIdentifier: 'x', clientPasskey: 'y' }));
    return raw;
  }

  // Resolves when the bytes are with the kernel, or the server has closed.
  send(bytes) {
    return Promise.race([this.closed,
      new Promise((resolve) => { this.socket.write(bytes, resolve); })]);
  }
}
