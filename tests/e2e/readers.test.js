/* SPDX-License-Identifier: MIT */
// Clients that do not read their answers (docs/lifecycle.md, Order, rule 3).
// Waits: until a place is taken from a client that does not read.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';
import test from 'node:test';
import { Daemon, chatBody } from './lib/daemon.js';
import { spoken } from './lib/models.js';

// Streams that nobody reads, with receive buffers as small as the kernel allows. Prints "begun";
// for each number in its input it reads that many bytes of the first stream and prints how many.
const program = `
import socket, sys
port, count, body = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()
head = b"POST /v1/chat/completions HTTP/1.1\\r\\nHost: localhost\\r\\n"
head += b"Content-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
sockets = []
for _ in range(count):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    s.connect(("127.0.0.1", port))
    s.sendall(head + body)
    sockets.append(s)
for s in sockets: s.recv(1) # it has a place
print("begun", flush=True)
for line in sys.stdin:
    left = int(line)
    while left > 0:
        got = sockets[0].recv(65536)
        if not got: break
        left -= len(got)
    print(int(line) - max(left, 0), flush=True)
`;

async function slowReaders(t, d, count, body) {
  const child = spawn('python3', ['-c', program, String(d.port), String(count),
    JSON.stringify(body)], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const lines = readline.createInterface({ input: child.stdout });
  const next = async () => (await once(lines, 'line'))[0];
  assert.equal(await next(), 'begun');
  return async (bytes) => {
    child.stdin.write(`${bytes}\n`);
    return Number(await next());
  };
}

test('who does not read keeps no place, and goes on when it reads again', async (t) => {
  const d = await Daemon.start(t, {
    models: { m: spoken('and so on ', '--loop', '--context', '20000') },
    settings: { load: { parallel: 2, context_length: 20000 } } });
  await d.chat('m', { max_tokens: 1 });
  // Each token is some kilobytes, so that a few hundred fill every buffer.
  const body = chatBody('m', { stream: true, logprobs: true, top_logprobs: 20 });
  const read = await slowReaders(t, d, 2, body);
  const { status, body: { choices } } = await d.chat('m', { max_tokens: 3 });
  assert.equal(status, 200);
  assert.match(choices[0].message.content, /and so/);
  assert.equal((await d.instance('m')).running, 2, 'nothing was cut');
  const more = 4 << 20; // more than every buffer holds
  assert.equal(await read(more), more);
});
