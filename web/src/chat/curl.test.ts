/* SPDX-License-Identifier: MIT */
import { expect, it } from 'vitest';
import { curlCommand } from './curl';

it('quotes a message with quotes and line breaks for the shell', () => {
  const messages = [{ role: 'user' as const, content: 'It\'s\n"this"' }];
  const command = curlCommand('http://127.0.0.1:1234', { model: 'm', messages, ttl: 60 });
  expect(command).toBe(
    "curl http://127.0.0.1:1234/v1/chat/completions -H 'Content-Type: application/json' \\\n" +
      `  -d '{"model":"m","messages":[{"role":"user","content":"It'\\''s\\n\\"this\\""}],` +
      `"ttl":60,"stream":true}'`,
  );
});
