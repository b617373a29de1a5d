/* SPDX-License-Identifier: MIT */
// A chat request as a curl command for a POSIX shell. Pure.
import type { ChatRequest } from './completion';

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

export function curlCommand(origin: string, body: ChatRequest): string {
  const header = "-H 'Content-Type: application/json'";
  const data = quoted(JSON.stringify({ ...body, stream: true }));
  return `curl ${origin}/v1/chat/completions ${header} \\\n  -d ${data}`;
}
