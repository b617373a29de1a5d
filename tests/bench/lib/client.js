/* SPDX-License-Identifier: MIT */
// HTTP as a client sees it, with the times at which things arrived. No time limits: a slow machine
// gives slow figures, not broken ones.
import http from 'node:http';
import { readChunks } from '../../e2e/lib/sse.js';

// A connection for each request: a kept one may be closed by the server just when it is used again.
const agent = new http.Agent({ keepAlive: false });

function request(url, method, body) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = text ? { 'content-type': 'application/json' } : {};
    const sent = http.request(url, { method, agent, headers }, resolve);
    sent.on('error', reject);
    sent.end(text);
  });
}

async function textOf(response) {
  let text = '';
  response.setEncoding('utf8');
  for await (const piece of response) text += piece;
  return text;
}

export async function json(url, method = 'GET', body = undefined) {
  const response = await request(url, method, body);
  const text = await textOf(response);
  if (response.statusCode >= 300) {
    throw new Error(`${method} ${url}: ${response.statusCode} ${text}`);
  }
  return JSON.parse(text);
}

// One streamed, greedy chat: the text, the usage, and when its first and last piece of text
// arrived, in ms from the start of the request.
export async function chat(base, body) {
  const start = performance.now();
  const response = await request(`${base}/v1/chat/completions`, 'POST', {
    stream: true, stream_options: { include_usage: true }, temperature: 0, ...body,
  });
  if (response.statusCode !== 200) {
    throw new Error(`${response.statusCode} ${await textOf(response)}`);
  }
  const answer = { text: '', first: null, last: null, usage: null, start };
  for await (const chunk of readChunks({ body: response })) {
    if (chunk.error) throw new Error(JSON.stringify(chunk.error));
    answer.usage = chunk.usage ?? answer.usage;
    const text = chunk.choices?.[0]?.delta?.content;
    if (!text) continue;
    answer.last = performance.now() - start;
    answer.first ??= answer.last;
    answer.text += text;
  }
  if (answer.first === null) throw new Error('an answer without text');
  return answer;
}
